cdef enum:
    COMPILED = 1

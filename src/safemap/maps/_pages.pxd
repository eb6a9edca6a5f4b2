from safemap._lookup cimport MISSING, find, mixed_hash


cdef class Version:
    cdef object __weakref__
    # Set before anyone else knows the version.
    cdef readonly tuple directory
    cdef readonly Py_ssize_t size
    cdef readonly dict saved

    cpdef object lookup(self, object key)

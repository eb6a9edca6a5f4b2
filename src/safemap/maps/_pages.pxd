from safemap._c cimport settle_reads
from safemap._lookup cimport MISSING, copy_of, find, items_of, keys_of, mixed_hash, values_of
from safemap._parts cimport in_parts


cdef class Version:
    cdef object __weakref__
    # Set before anyone else knows the version.
    cdef readonly tuple directory
    cdef readonly Py_ssize_t size
    cdef readonly dict saved

    cpdef object lookup(self, object key)

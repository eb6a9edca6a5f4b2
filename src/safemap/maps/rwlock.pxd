from safemap._compiled cimport COMPILED
from safemap.maps._one_dict cimport OneDictMap
from safemap.sync.field_rwlock cimport FieldRWLock


cdef class RWLockMap(OneDictMap):
    cdef object _policy  # set before anyone else knows the map

cimport cython
from safemap.maps._one_dict cimport OneDictMap
from safemap.sync.lock cimport Lock


@cython.no_gc_clear
cdef class MutexMap(OneDictMap):
    pass

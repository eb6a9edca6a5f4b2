from safemap.maps._one_dict cimport OneDictMap
from safemap.sync.lock cimport Lock


cdef class MutexMap(OneDictMap):
    pass

from safemap._contract cimport ConcurrentMapping
from safemap._lookup cimport MISSING, copy_of, find, items_of, keys_of, values_of
from safemap._parts cimport in_parts
from safemap.sync.field_lock cimport ReadWriteLock

cdef object UNSET


cdef class OneDictMap(ConcurrentMapping):
    cdef dict _data  # set before anyone else knows the map, as is _lock
    cdef ReadWriteLock _lock

    cdef object _update_or_undo(self, dict staged)

cimport cython
from cpython.object cimport PyObject

from safemap._c cimport find_in, settle_reads
from safemap._contract cimport ConcurrentMapping
from safemap._lookup cimport MISSING, copy_of, find, is_plain, items_of, keys_of, values_of
from safemap._parts cimport in_parts
from safemap.sync.claims cimport Claim, Partition, Section, acquire_for, unclaim
from safemap.sync.field_lock cimport release

cdef object UNSET


cdef class ReadDirtyMap(ConcurrentMapping):
    # Set before anyone else knows the map.
    cdef readonly dict _read
    cdef readonly dict _dirty
    cdef Partition _lock
    cdef Section _section
    # Under the lock.
    cdef Py_ssize_t _changes
    cdef Py_ssize_t _misses
    cdef bint _plain
    cdef bint _promoting

    cdef object _missed(self, object key)
    cdef object _find_locked(self, object key)
    cdef object _put_locked(self, object key, object value)
    cdef object _take_locked(self, object key)
    cdef object _promote_locked(self)
    cdef object _promote_one_by_one(self)
    cdef object _pop_unclaimed(self)
    @cython.locals(contents=dict)
    cdef object _settled(self, int part)


cdef inline object find_settled(ReadDirtyMap map_, object key, object default):
    """Counts no reference to the table: it lives as long as the map, which the caller holds."""
    return find_in(<PyObject *>map_._read, <PyObject *>key, <PyObject *>default)

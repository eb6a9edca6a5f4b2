cimport cython
from cpython.object cimport PyObject

from safemap._c cimport find_in
from safemap._contract cimport ConcurrentMapping
from safemap._compiled cimport COMPILED
from safemap._lookup cimport MISSING, copy_of, dies_quietly, find, items_of, keys_of, mixed_hash, values_of
from safemap._parts cimport in_parts
from safemap.sync.claims cimport Claim, Partition, Section, acquire_for, unclaim
from safemap.sync.field_lock cimport release

cdef object UNSET


cdef extern from "Python.h":
    void *tuple_item "PyTuple_GET_ITEM"(PyObject *items, Py_ssize_t index) noexcept


cdef class Shard(Partition):
    cdef readonly dict data  # always the same dict
    cdef bint quiet

    cdef object put(self, object key, object value)


cdef class ShardedMap(ConcurrentMapping):
    # Set before anyone else knows the map.
    cdef size_t _mask
    cdef readonly tuple _shards
    cdef Section _section

    cdef Shard _shard_of(self, object key)
    @cython.locals(shard=Shard)
    cdef Py_ssize_t _count(self) except -1
    cdef object _pop_from(self, Shard shard)
    @cython.locals(shard=Shard, copies=list)
    cdef tuple _copies(self)


cdef inline PyObject *table(ShardedMap map_, size_t number) noexcept:
    return <PyObject *>(<Shard>tuple_item(<PyObject *>map_._shards, number)).data


cdef inline object find_in_shard(ShardedMap map_, object key, object default):
    """Counts no reference to the shard or its dict: they live as long as the map, which the caller holds."""
    return find_in(table(map_, mixed_hash(key) & map_._mask), <PyObject *>key, <PyObject *>default)

cimport cython
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.object cimport PyObject
from libc.stdint cimport uintptr_t

from safemap._c cimport find_in, load_ptr, load_word, peek_word, settle_reads, store_ptr, store_word
from safemap._contract cimport ConcurrentMapping
from safemap._compiled cimport COMPILED
from safemap._lookup cimport MISSING, copy_of, dies_quietly, find, is_plain, mixed_hash
from safemap.maps._pages cimport Version
from safemap.sync.claims cimport Claim, Partition, Section, unclaim
from safemap.sync.field_lock cimport take

cdef object UNSET
cdef object WHOLE


# What readers go by instead of the directory: the same pages, by plain pointers. A slot is replaced in place;
# a longer table takes the place of a shorter one, which stays until the map dies, as all its pages do.
cdef struct Table:
    size_t mask
    Table *former
    PyObject *slots[1]


cdef class CopyOnWriteMap(ConcurrentMapping):
    # Set before anyone else knows the map.
    cdef Partition _commit
    cdef Section _section
    cdef list _batch
    cdef dict _writing
    # Read by anyone.
    cdef Table *_table
    cdef uintptr_t _layout
    cdef uintptr_t _sequence
    cdef uintptr_t _batch_owner
    # Under `_commit`.
    cdef readonly tuple _pages
    cdef list _idle
    cdef list _every
    cdef readonly list _live
    cdef tuple _changing
    cdef Py_ssize_t _size
    cdef Py_ssize_t _operations
    cdef Py_ssize_t _cursor
    cdef bint _unsettled
    cdef bint _plain
    cdef bint _quiet
    # The batch's thread's.
    cdef Py_ssize_t _batch_depth
    cdef Claim _whole

    @cython.locals(sequence=uintptr_t)
    cpdef object _lookup(self, object key)
    @cython.locals(sequence=uintptr_t, _=int)
    cdef object _lookup_amid_batches(self, object key)
    cdef Version _version(self)
    cdef Version _new_version(self)
    cdef Version _foreign_batch(self)
    cdef bint _is_foreign_batch(self)
    cdef object _save(self, dict page)
    cdef int _note(self, object key, object value) except -1
    cdef object _split(self, size_t mixed)
    cdef int _direct(self, tuple pages) except -1
    cdef int _retire(self, dict page) except -1
    cdef dict _idle_page(self)


cdef inline int publish(CopyOnWriteMap map_, tuple pages) except -1:
    cdef Table *table = map_._table
    cdef size_t count = len(pages)
    cdef size_t slot
    if table == NULL or table.mask + 1 < count:
        table = <Table *>PyMem_RawMalloc(sizeof(Table) + count * sizeof(PyObject *))
        if table == NULL:
            raise MemoryError
        table.mask = count - 1
        table.former = map_._table
        for slot in range(count):
            table.slots[slot] = <PyObject *>pages[slot]
        store_ptr(<void **>&map_._table, table)
    else:
        for slot in range(count):
            if table.slots[slot] != <PyObject *>pages[slot]:
                store_ptr(<void **>&table.slots[slot], <PyObject *>pages[slot])
    return 0


cdef inline void free_tables(CopyOnWriteMap map_) noexcept:
    cdef Table *table = map_._table
    cdef Table *former
    while table != NULL:
        former = table.former
        PyMem_RawFree(table)
        table = former


cdef inline uintptr_t sequence_of(CopyOnWriteMap map_) noexcept:
    settle_reads()
    return load_word(&map_._sequence)


cdef inline uintptr_t batch_owner(CopyOnWriteMap map_) noexcept:
    return peek_word(&map_._batch_owner)


cdef inline void set_batch_owner(CopyOnWriteMap map_, uintptr_t thread) noexcept:
    store_word(&map_._batch_owner, thread)


cdef inline void step_sequence(CopyOnWriteMap map_) noexcept:
    store_word(&map_._sequence, map_._sequence + 1)


cdef inline void step_layout(CopyOnWriteMap map_) noexcept:
    store_word(&map_._layout, map_._layout + 1)


cdef inline PyObject *page_of(CopyOnWriteMap map_, size_t mixed) noexcept:
    cdef Table *table = <Table *>load_ptr(<void **>&map_._table)
    return <PyObject *>load_ptr(<void **>&table.slots[mixed & table.mask])


cdef inline object find_in_page(CopyOnWriteMap map_, object key):
    """Counts no reference to the page: it lives as long as the map, which the caller holds (invariant 3)."""
    cdef size_t mixed = mixed_hash(key)
    cdef uintptr_t layout
    while True:
        layout = load_word(&map_._layout)
        value = find_in(page_of(map_, mixed), <PyObject *>key, <PyObject *>MISSING)
        if value is not MISSING:
            return value
        settle_reads()
        if load_word(&map_._layout) == layout:
            return value


cdef inline bint may_be_quick(CopyOnWriteMap map_, object key, bint held) except -1:
    """Take the lock and return True, if nothing can come in the middle of a write to `key`."""
    if not is_plain(key) or not take(map_._commit, False):
        return False
    if map_._plain and not map_._live and not map_._writing and (held or map_._commit.first is None):
        return True
    map_._commit.release()
    return False


cdef inline bint store_quickly(CopyOnWriteMap map_, object key, object value, bint held) except -1:
    cdef size_t mixed
    cdef Py_ssize_t before
    if not may_be_quick(map_, key, held):
        return False
    previous = None
    try:
        mixed = mixed_hash(key)
        page = <dict>page_of(map_, mixed)
        before = len(page)
        if not map_._quiet:
            previous = find(page, key, None)  # dies after the lock is free
        elif not dies_quietly(value):
            map_._quiet = False
        page[key] = value
        map_._size += len(page) - before
        map_._operations += 1
        if len(page) > PAGE_LIMIT:
            map_._split(mixed)
    finally:
        map_._commit.release()
    return True


cdef inline object pop_quickly(CopyOnWriteMap map_, object key):
    if not may_be_quick(map_, key, False):
        return MISSING
    try:
        page = <dict>page_of(map_, mixed_hash(key))
        value = page.pop(key, MISSING)
        if value is not MISSING:
            map_._size -= 1
            map_._operations += 1
    finally:
        map_._commit.release()
    return value


cdef Py_ssize_t PAGE_LIMIT

cimport cython
from cpython.object cimport PyObject

from safemap.sync.lock cimport Lock


cdef extern from *:
    """
    /* The list keeps NULL in the slot, which its deallocation knows to pass over. */
    static inline PyObject *safemap_take_item(PyObject *items, Py_ssize_t index) {
        PyObject *item = PyList_GET_ITEM(items, index);
        PyList_SET_ITEM(items, index, NULL);
        return item;
    }
    /* Nothing but such slots is left. */
    static inline void safemap_forget_items(PyObject *items) {
        Py_SET_SIZE(items, 0);
    }
    """
    object take_item "safemap_take_item"(PyObject *items, Py_ssize_t index)
    void forget_items "safemap_forget_items"(PyObject *items) noexcept


@cython.final
cdef class PartIterator:
    # Set before anyone else knows the iterator.
    cdef object _parts
    cdef Lock _turn
    # Between the lines of a critical section, which must hold nothing that could block: it would be left for that.
    cdef list _items
    cdef Py_ssize_t _next
    cdef Py_ssize_t _count

    cdef int _refill(self) except -1


cdef inline object in_parts(object parts):
    return PartIterator.__new__(PartIterator, parts)


cdef inline object taken(PartIterator iterator):
    while True:
        with cython.critical_section(iterator):
            if iterator._next < iterator._count:
                iterator._next += 1
                return take_item(<PyObject *>iterator._items, iterator._next - 1)
        iterator._refill()


cdef inline Py_ssize_t left(PartIterator iterator) except -1:
    with cython.critical_section(iterator):
        return iterator._count - iterator._next


cdef inline int put(PartIterator iterator, list items) except -1:
    with cython.critical_section(iterator):
        forget_items(<PyObject *>iterator._items)
        iterator._items = items
        iterator._next = 0
        iterator._count = len(items)
    return 0

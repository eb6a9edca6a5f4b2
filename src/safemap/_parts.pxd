cimport cython
from cpython.object cimport PyObject


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
    # Between the lines of a critical section.
    cdef object _parts
    cdef list _items
    cdef Py_ssize_t _next
    cdef Py_ssize_t _count


cdef inline object in_parts(object parts):
    return PartIterator.__new__(PartIterator, parts)


cdef inline object taken(PartIterator iterator):
    with cython.critical_section(iterator):
        while iterator._next == iterator._count:
            forget_items(<PyObject *>iterator._items)
            iterator._next = iterator._count = 0
            iterator._items = next(iterator._parts)
            iterator._count = len(iterator._items)
        iterator._next += 1
        return take_item(<PyObject *>iterator._items, iterator._next - 1)

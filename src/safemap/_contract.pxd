from cpython.object cimport PyObject, PyTypeObject

from safemap._c cimport share
from safemap._lookup cimport MISSING


cdef extern from *:
    """
    /* Python's own classes lie on the heap, Cython's do not. */
    static inline PyTypeObject *safemap_compiled_base(PyObject *object) {
        PyTypeObject *type = Py_TYPE(object);
        while (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) type = type->tp_base;
        return type;
    }
    static inline void safemap_match_as_mapping(PyObject *type) {
        ((PyTypeObject *)type)->tp_flags |= Py_TPFLAGS_MAPPING;
    }
    """
    PyTypeObject *compiled_base "safemap_compiled_base"(object thing) noexcept
    void set_mapping_flag "safemap_match_as_mapping"(object type_) noexcept


cdef class ConcurrentMapping:
    cdef object __weakref__
    cdef object _default_factory  # set before anyone else knows the map

    cpdef object _begin(self)
    cpdef object _lookup(self, object key)
    cpdef object _hold(self, object key, object timeout=*)
    cpdef object _release(self, object key, object token)
    cpdef object _lookup_held(self, object key)
    cpdef object _store_held(self, object key, object value)
    cpdef object _remove_held(self, object key)
    cpdef bint _hold_all(self, object timeout=*) except -1
    cpdef object _release_all(self)
    cpdef object _settle(self, object key, object value)
    cpdef object _store(self, object key, object value)
    cpdef object _pop(self, object key, object default=*)
    cpdef object _update(self, dict staged)


cdef inline bint is_mechanism_python(ConcurrentMapping map_) noexcept:
    return compiled_base(map_) == <PyTypeObject *>ConcurrentMapping


cdef inline int match_as_mapping(object type_) except -1:
    set_mapping_flag(type_)
    return 0

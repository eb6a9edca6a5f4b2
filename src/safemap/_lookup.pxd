from cpython.bool cimport PyBool_Check
from cpython.bytes cimport PyBytes_CheckExact
from cpython.dict cimport PyDict_Items, PyDict_Keys, PyDict_Values
from cpython.float cimport PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_Hash
from cpython.tuple cimport PyTuple_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact

from safemap._c cimport find_in, make_immortal, settle_reads, spread

cdef extern from *:
    """
    /* No finalizer, no weak references, nothing that it refers to in turn, and not of a class made in Python. */
    static inline int safemap_dies_quietly(PyObject *object) {
        PyTypeObject *type = Py_TYPE(object);
        return !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_HAVE_GC) && type->tp_weaklistoffset == 0
            && type->tp_finalize == NULL && type->tp_del == NULL;
    }

    /* `PyDict_Copy` clones a dict's table, unless over a third of its entries are deleted: then it merges the dict
       into a new one. Without the GIL it waits there for a critical section of its own, for 20 us and more, and
       `PyDict_Merge` does not. `PyDict_Next` knows an entry at the first position that so many keys do not allow.

       Up to 3.11, the dict's version tells whether a finalizer came into the middle of its copying. */
    static inline PyObject *safemap_duplicate(PyObject *data) {
    #if PY_VERSION_HEX < 0x030C0000
        uint64_t version = ((PyDictObject *)data)->ma_version_tag;
        PyObject *copy = PyDict_Copy(data);
        if (copy == NULL || ((PyDictObject *)data)->ma_version_tag == version) return copy;
        Py_DECREF(copy);
        PyErr_SetString(PyExc_RuntimeError, "dictionary changed while it was copied");
        return NULL;
    #else
    #ifdef Py_GIL_DISABLED
        Py_ssize_t position = (3 * PyDict_GET_SIZE(data) + 2) / 2;
        if (PyDict_Next(data, &position, NULL, NULL)) {
            PyObject *merged = PyDict_New();
            if (merged != NULL && PyDict_Merge(merged, data, 1) < 0) Py_CLEAR(merged);
            return merged;
        }
    #endif
        return PyDict_Copy(data);
    #endif
    }
    """
    bint dies_quietly "safemap_dies_quietly"(object value) noexcept
    dict duplicate "safemap_duplicate"(PyObject *data)


cdef object MISSING
cdef Py_ssize_t COPIES



cdef inline object find(dict data, object key, object default):
    return find_in(<PyObject *>data, <PyObject *>key, <PyObject *>default)


cdef inline size_t mixed_hash(object key) except? 1:
    return spread(PyObject_Hash(key))


cdef inline bint is_plain(object key) noexcept:
    if PyTuple_CheckExact(key):
        for item in <tuple>key:
            if not is_scalar(item):
                return False
        return True
    return is_scalar(key)


cdef inline bint is_scalar(object key) noexcept:
    return (PyUnicode_CheckExact(key) or PyLong_CheckExact(key) or PyBytes_CheckExact(key)
            or PyFloat_CheckExact(key) or PyBool_Check(key) or key is None)


cdef inline dict copy_of(dict data):
    for _ in range(COPIES):
        try:
            return duplicate(<PyObject *>data)
        except RuntimeError:
            continue
    return duplicate(<PyObject *>data)


# All three copy with nothing in between: `PyDict_Items` makes its pairs first and fills them afterwards.


cdef inline object keys_of(dict data):
    return PyDict_Keys(data)


cdef inline object values_of(dict data):
    return PyDict_Values(data)


cdef inline object items_of(dict data):
    return PyDict_Items(data)


cdef inline int count_no_references(object thing) except -1:
    make_immortal(thing)
    return 0

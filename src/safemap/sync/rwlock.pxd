from libc.stdint cimport uintptr_t

from safemap.sync.field_lock cimport ReadWriteLock
from safemap.sync.lock cimport Lock


cdef class RWLock(ReadWriteLock):
    # Set before anyone else knows the lock; the policy is replaced in the child of a fork, which is alone.
    cdef object _policy
    cdef object _make
    cdef dict _readers
    cdef set _inside
    cdef Lock _bypass_lock
    # Idents, and how often: read by others.
    cdef uintptr_t _writer
    cdef uintptr_t _bypass
    # Touched by the writer alone, or by the bypassing thread.
    cdef Py_ssize_t _depth
    cdef Py_ssize_t _bypass_depth
    cdef object _writing
    cdef object _suspended

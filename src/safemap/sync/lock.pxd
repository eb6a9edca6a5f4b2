from safemap._compiled cimport COMPILED
from safemap.sync.field_lock cimport FieldRLock as _RLock, release, spin as _spin, take as _take


cdef class Lock(_RLock):
    cpdef int acquire(self) except -1
    cpdef int acquire_read(self) except -1
    cpdef bint acquire_within(self, object timeout) except -1
    cpdef bint try_for(self, double seconds) except -1
    cpdef Py_ssize_t let_go(self) except -1
    cpdef int take_back(self, Py_ssize_t count) except -1
    cpdef bint is_mine(self)
    cpdef int forget_lost_owner(self) except -1
    cdef bint _yield(self) except -1


cpdef object deadline_after(object timeout)
cpdef object time_until(object deadline)

cimport cython

from safemap.sync.lock cimport Lock, deadline_after, time_until


cdef class Claim(Lock):
    cdef Partition partition
    cdef object key
    cdef Claim next
    cdef Py_hash_t hash
    cdef Py_ssize_t users
    cdef Py_ssize_t depth

    cpdef bint is_foreign(self)


@cython.locals(claim=Claim)
cdef Claim new_claim()


cpdef int unclaim(Claim claim) except -1


cdef class Partition(Lock):
    # Under the lock.
    cdef Claim first
    cdef Claim _spare

    cpdef int acquire_for(self, object key) except -1
    @cython.locals(claim=Claim, hash_=Py_hash_t, held=bint, in_force=bint, settled=bint)
    cpdef Claim claim(self, Section section, object key, object timeout=*)
    cpdef Claim known(self, object key)
    @cython.locals(claim=Claim)
    cdef Claim _known(self, object key, Py_hash_t hash_)
    @cython.locals(claim=Claim)
    cdef Claim _joined(self, object key, Py_hash_t hash_)
    cdef Claim _unused(self, object key, Py_hash_t hash_)
    cdef int _give_up(self, Claim claim, bint held, bint in_force) except -1
    cdef object _pass(self, object key)
    @cython.locals(claim=Claim)
    cpdef list listed(self)
    cdef int _list(self, Claim claim) except -1
    @cython.locals(before=Claim)
    cdef int _unlist(self, Claim claim) except -1
    cdef bint _wait_out(self, Claim claim, object deadline) except -1
    cdef int _leave(self, Claim claim) except -1
    @cython.locals(claim=Claim)
    cpdef int forget_lost_owners(self) except -1


cdef class Section(Lock):
    cdef bint closing
    cdef readonly tuple partitions  # set before anyone else knows the section

    cpdef bint enter(self, object timeout=*) except -1
    cpdef int leave(self) except -1
    cpdef bint lock_all(self, object deadline=*) except -1
    cpdef int unlock_all(self) except -1
    @cython.locals(partition=Partition)
    cdef bint _outlast(self, Claim claim, object deadline) except -1
    cdef int _unlock(self, Py_ssize_t count) except -1

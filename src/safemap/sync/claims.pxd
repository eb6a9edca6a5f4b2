cimport cython

from libc.stdint cimport uintptr_t

from cpython.object cimport PyObject_Hash

from safemap._c cimport peek_word, store_word
from safemap._compiled cimport COMPILED
from safemap.sync.field_lock cimport owner, release, take, take_if_free, waiting
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

    @cython.locals(claim=Claim, held=bint)
    cpdef int acquire_for(self, object key) except -1
    @cython.locals(claim=Claim, known=Claim, hash_=Py_hash_t, held=bint, in_force=bint, settled=bint)
    cpdef Claim claim(self, Section section, object key, object timeout=*)
    cpdef Claim known(self, object key)
    @cython.locals(claim=Claim)
    cdef Claim _known(self, object key, Py_hash_t hash_)
    @cython.locals(claim=Claim)
    cdef Claim _joined(self, object key, Py_hash_t hash_)
    cdef Claim _unused(self, object key, Py_hash_t hash_)
    cdef int _give_up(self, Claim claim, bint held, bint in_force) except -1
    @cython.locals(claim=Claim)
    cpdef list listed(self)
    cdef int _list(self, Claim claim) except -1
    @cython.locals(before=Claim, other=Claim)
    cdef int _unlist(self, Claim claim) except -1
    cdef bint _wait_out(self, Claim claim, object deadline) except -1
    cdef int _leave(self, Claim claim) except -1
    @cython.locals(claim=Claim)
    cpdef int forget_lost_owners(self) except -1


cdef class Section(Lock):
    cdef uintptr_t _closing  # see is_closing
    cdef readonly tuple partitions  # set before anyone else knows the section

    cpdef bint enter(self, object timeout=*) except -1
    cpdef int leave(self) except -1
    @cython.locals(partition=Partition, contended=Partition, taken=Py_ssize_t)
    cpdef bint lock_all(self, object deadline=*) except -1
    cpdef int unlock_all(self) except -1
    @cython.locals(partition=Partition)
    cdef bint _outlast(self, Claim claim, object deadline) except -1
    @cython.locals(number=Py_ssize_t, partition=Partition)
    cdef int _unlock(self, Py_ssize_t count) except -1


cdef inline bint is_closing(Section section) noexcept:
    return peek_word(&section._closing) != 0


cdef inline void set_closing(Section section, bint closing) noexcept:
    store_word(&section._closing, closing)


cdef inline int acquire_for(Partition partition, object key) except -1:
    if not take(partition, False):
        return partition.acquire_for(key)
    if partition.first is not None:
        release(partition)
        return partition.acquire_for(key)
    return 0


# The two ends of a claim that nobody else wants. Nothing comes between their steps: from `take_if_free` to
# `release` there is no call that could run Python code.


cdef inline Claim claim_at_once(Partition partition, Section section, object key):
    cdef Py_hash_t hash_ = PyObject_Hash(key)
    cdef Claim claim
    if is_closing(section) or not take_if_free(partition):
        return None
    if partition.first is not None or partition._spare is None or not take_if_free(partition._spare):
        release(partition)
        return None
    claim = partition._spare
    partition._spare = None
    claim.key = key
    claim.hash = hash_
    claim.users = claim.depth = 1
    claim.partition = partition
    claim.next = None
    partition.first = claim
    release(partition)
    return claim


cdef inline bint unclaim_at_once(Claim claim) except -1:
    cdef Partition partition = claim.partition
    if not take_if_free(partition):
        return False
    if claim.users > 1 or partition.first is not claim or partition._spare is not None:
        release(partition)
        return False
    key = claim.key  # dies after the lock is free
    claim.users = claim.depth = 0
    partition.first = claim.next
    claim.next = None
    claim.partition = None
    claim.key = None
    partition._spare = claim
    release(claim)
    release(partition)
    return True

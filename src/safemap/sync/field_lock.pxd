from libc.stdint cimport uintptr_t

from safemap._c cimport (claim_word, guard_enter, guard_leave, guard_reset, load_word, peek_word, safemap_guard,
                         spin_for_word, store_word, thread_id)


cdef class ReadWriteLock:
    cpdef int acquire(self) except -1
    cpdef int release(self) except -1
    cpdef int acquire_read(self) except -1
    cpdef int release_read(self) except -1
    cpdef bint acquire_within(self, object timeout) except -1
    cpdef int forget_lost_owner(self) except -1


cdef class FieldRLock(ReadWriteLock):
    cdef uintptr_t _owner
    cdef uintptr_t _waiting
    cdef Py_ssize_t _depth
    cdef bint _starving
    cdef list _queue
    cdef safemap_guard _guard

    cdef bint _block(self, double timeout) except -1
    cdef int _join(self, tuple place, bint starving) except -1
    cdef int _quit(self, tuple place, bint taken) except -1
    cdef int _release_slowly(self) except -1
    cdef int _release_to_next(self) except -1
    cdef int _wake(self) except -1
    cpdef bint _is_owned(self)
    cpdef int _forget_waiters(self) except -1


cdef inline bint take(FieldRLock lock, bint blocking=True, double timeout=-1) except -1:
    cdef uintptr_t me = thread_id()
    if peek_word(&lock._owner) == me:
        lock._depth += 1
        return True
    if claim_word(&lock._owner, me):
        return True
    return blocking and lock._block(timeout)


cdef inline bint take_if_free(FieldRLock lock) noexcept:
    return claim_word(&lock._owner, thread_id())


cdef inline bint spin(FieldRLock lock) noexcept:
    return spin_for_word(&lock._owner, thread_id())


cdef inline uintptr_t owner(FieldRLock lock) noexcept:
    return peek_word(&lock._owner)


cdef inline void set_owner(FieldRLock lock, uintptr_t thread) noexcept:
    store_word(&lock._owner, thread)


cdef inline uintptr_t waiting(FieldRLock lock) noexcept:
    return load_word(&lock._waiting)


cdef inline void set_waiting(FieldRLock lock, uintptr_t count) noexcept:
    store_word(&lock._waiting, count)


cdef inline void enter(FieldRLock lock) noexcept:
    guard_enter(&lock._guard)


cdef inline void leave(FieldRLock lock) noexcept:
    guard_leave(&lock._guard)


cdef inline void reset_guard(FieldRLock lock) noexcept:
    guard_reset(&lock._guard)


cdef inline int release(FieldRLock lock) except -1:
    if peek_word(&lock._owner) != thread_id():
        raise RuntimeError("cannot release a lock that this thread does not hold")
    if lock._depth or load_word(&lock._waiting):
        return lock._release_slowly()
    store_word(&lock._owner, 0)
    if load_word(&lock._waiting):  # somebody came in between
        return lock._wake()
    return 0

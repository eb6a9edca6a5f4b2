from libc.stdint cimport uintptr_t

from safemap._c cimport (LOOKS, guard_enter, guard_leave, guard_reset, pause_collector, relax, resume_collector,
                         safemap_guard, thread_id)
from safemap.sync.field_lock cimport ReadWriteLock
from safemap.sync.lock cimport deadline_after, time_until


cdef class FieldRWLock(ReadWriteLock):
    cdef readonly str first  # set before anyone else knows the lock
    cdef safemap_guard _guard
    # Between `enter` and `leave`.
    cdef uintptr_t _writer
    cdef Py_ssize_t _depth
    cdef Py_ssize_t _suspended
    cdef uintptr_t _reader
    cdef Py_ssize_t _count
    cdef dict _others
    cdef list _queue
    cdef bint _collects

    cdef bint _read_locked(self, uintptr_t me, bint woken) except -1
    cdef bint _write_locked(self, uintptr_t me) except -1
    cdef bint _holds_locked(self, uintptr_t me, bint writing) except -1
    cdef int _add_reader_locked(self, uintptr_t me, Py_ssize_t count) except -1
    cdef Py_ssize_t _end_read_locked(self, uintptr_t me, bint all_of_them) except -1
    cdef list _next_locked(self)
    cdef bint _try(self, bint writing, bint woken) except -1
    cdef bint _spin(self, bint writing) except -1
    cdef int _wake(self) except -1


cdef inline void enter(FieldRWLock lock) noexcept:
    guard_enter(&lock._guard)
    lock._collects = pause_collector()


cdef inline void leave(FieldRWLock lock) noexcept:
    resume_collector(lock._collects)
    guard_leave(&lock._guard)


cdef inline void reset_guard(FieldRWLock lock) noexcept:
    guard_reset(&lock._guard)


cdef inline bint read_at_once(FieldRWLock lock) noexcept:
    """The case that matters: nobody else holds the lock or waits for it."""
    cdef uintptr_t me = thread_id()
    cdef bint taken = False
    guard_enter(&lock._guard)
    if lock._writer == 0 and lock._reader == 0 and not lock._others and not lock._queue:
        lock._reader = me
        lock._count = 1
        taken = True
    guard_leave(&lock._guard)
    return taken


cdef inline bint end_read_at_once(FieldRWLock lock) noexcept:
    cdef bint ended = False
    guard_enter(&lock._guard)
    if lock._reader == thread_id() and lock._count == 1 and lock._writer == 0 and not lock._queue:
        lock._reader = 0
        ended = True
    guard_leave(&lock._guard)
    return ended


cdef inline bint write_at_once(FieldRWLock lock) noexcept:
    cdef uintptr_t me = thread_id()
    cdef bint taken = False
    guard_enter(&lock._guard)
    if lock._writer == 0 and lock._reader == 0 and not lock._others:
        lock._writer = me
        taken = True
    guard_leave(&lock._guard)
    return taken


cdef inline bint end_write_at_once(FieldRWLock lock) noexcept:
    cdef bint ended = False
    guard_enter(&lock._guard)
    if lock._writer == thread_id() and lock._depth == 0 and lock._suspended == 0 and not lock._queue:
        lock._writer = 0
        ended = True
    guard_leave(&lock._guard)
    return ended

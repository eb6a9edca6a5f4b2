"""A re-entrant readers-writer lock whose deadlocks are errors, over one of `readerwriterlock`.

The package's lock decides who goes first (readers, writers, or fairly, in order). This layer adds what its
locks lack: a thread may take the lock again that it holds, a deadlock is found, Ctrl-C leaves nothing
held, a signal handler or finalizer may use the lock whatever it interrupts, and a child can go on after a
fork. Only the first hold of a thread reaches the package's lock, so a nested read never queues behind a
writer who waits for that very reader.

Invariants
  1. `_writer` is the ident of the thread that holds the lock for writing, or 0; that thread alone sets and
     clears it. `_readers[t]` exists while thread t holds the lock for reading; t alone writes it. Both are
     made after the thread has the package's lock, and taken back before it lets go.
  2. `_depth` is touched by the writer alone. A writer's nested reads count there too.
  3. `_inside` holds the threads that are in the middle of 1. What interrupts such a thread (a signal handler,
     a finalizer) must not wait for the package's lock, which the thread may hold half way: it *bypasses* it.
  4. `_bypass` is the ident of the thread that bypasses, or 0, and is set under `_bypass_lock`. The bypassing
     thread announces itself there and waits until no other thread is recorded in 1; a thread that has
     recorded itself looks there, and steps back if somebody bypasses. Each writes before it reads what
     the other writes, so not both can miss the other (Dekker, 1965).

Read -> write: a thread that reads and wants to write gives up its reading hold, waits for the writing
one, and has its reading hold back afterwards. So an upgrade waits for other readers but they need not
wait for it, and two upgrades do not block one another; in exchange, another writer may come in between:
what was read before must be read again. (A map upgrades only inside a key's `__eq__`, in the middle of
one dict operation, and dict starts again where its keys have changed.) Where other readers wait for the
thread, or for what it holds elsewhere, it is a deadlock and an error like any other.

The package's locks are plain Python around plain locks: an exception that arrives while a thread *sleeps*
inside `acquire` leaves them half taken. Python's signal handlers run in the main thread alone, so there
the sleeping is done by a helper thread (none of the package's locks belongs to a thread), and the main
thread waits for the helper, which it can stop doing. What remains: an exception that arrives in the main
thread in the middle of an uncontended `acquire` or `release` of the package, some ten bytecodes each.
"""

from __future__ import annotations

import threading
import time
from _thread import TIMEOUT_MAX, allocate_lock, get_ident

from safemap.sync.deadlock import wait
from safemap.sync.field_lock import ReadWriteLock
from safemap.sync.lock import Lock, deadline_after, time_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    class HalfLock(Protocol):
        """One side of a readers-writer lock, for one use."""

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...
        def release(self) -> None: ...
        def locked(self) -> bool: ...

    class Policy(Protocol):
        """A readers-writer lock of the package `readerwriterlock`, or one with its interface."""

        def gen_rlock(self) -> Any: ...
        def gen_wlock(self) -> Any: ...


BYPASS_POLL = 0.0005
"""Seconds between two looks of a bypassing thread. Rare enough (what interrupted the lock itself meets another
thread's hold) that a way to be woken would cost more than it saves."""


class _Hold:
    """One thread's reading hold: the package's object for it, and how often it was taken.

    It stays the same object when an upgrade gives the package's object up and gets another one: a signal
    handler may do that in the middle of the thread's own use of it.
    """

    __slots__ = ("count", "half")
    half: HalfLock

    def __init__(self) -> None:
        self.count = 1


class _Others:
    """The threads that hold a lock, but for one: what that one waits for when it bypasses."""

    __slots__ = ("_lock", "_me")

    def __init__(self, lock: RWLock, me: int) -> None:
        self._lock = lock
        self._me = me

    def owners(self) -> Iterable[int]:
        return [owner for owner in self._lock.owners() if owner != self._me]


class RWLock(ReadWriteLock):
    """A re-entrant, deadlock-detecting readers-writer lock with the policy of another one."""

    __slots__ = (
        "_bypass",
        "_bypass_depth",
        "_bypass_lock",
        "_depth",
        "_inside",
        "_make",
        "_policy",
        "_readers",
        "_suspended",
        "_writer",
        "_writing",
    )

    def __init__(self, policy: Policy, make: Callable[[], Policy]) -> None:
        """Wrap `policy`. `make()` makes one like it, to start afresh in the child of a fork."""
        self._policy = policy
        self._make = make
        self._readers: dict[int, _Hold] = {}
        self._writer = 0
        self._depth = 0
        self._writing: HalfLock | None = None
        self._suspended: _Hold | None = None  # the reading hold that the writer gave up to become one
        self._inside: set[int] = set()
        self._bypass = 0
        self._bypass_depth = 0  # touched by the bypassing thread alone
        self._bypass_lock = Lock()

    def acquire_read(self) -> None:
        """Hold the lock for reading, together with other readers. Re-entrant, also inside a writing hold."""
        me = get_ident()
        if not self._again(me):
            hold = self._readers.get(me)
            if hold is not None:
                hold.count += 1
            elif me in self._inside:
                self._enter_bypass(me, None)
            else:
                self._inside.add(me)
                try:
                    self._read(me, _Hold())
                finally:
                    self._inside.discard(me)

    def release_read(self) -> None:
        """End one `acquire_read`."""
        me = get_ident()
        hold = self._readers.get(me)  # None: given up for an upgrade, and a deadlock kept it from coming back
        if me in (self._bypass, self._writer):
            self.release()
        elif hold is not None and hold.count > 1:
            hold.count -= 1
        elif hold is not None:
            self._inside.add(me)
            try:
                del self._readers[me]
                _let_go(hold.half)
            finally:
                self._inside.discard(me)

    def acquire(self) -> None:
        """Hold the lock for writing, alone. Re-entrant; for a reader, see the module's docstring."""
        self.acquire_within(None)

    def acquire_within(self, timeout: float | None) -> bool:
        """Hold the lock for writing and return True, or return False if `timeout` seconds did not suffice."""
        me = get_ident()
        if self._again(me):
            return True
        if me in self._inside:
            return self._enter_bypass(me, timeout)
        self._inside.add(me)
        try:
            return self._write(me, timeout)
        finally:
            self._inside.discard(me)

    def release(self) -> None:
        """End one `acquire` or `acquire_within`."""
        me = get_ident()
        if self._bypass == me:
            self._bypass_depth -= 1
            if self._bypass_depth == 0:
                self._bypass = 0
                self._bypass_lock.release()
        elif self._depth:
            self._depth -= 1
        else:
            self._inside.add(me)
            try:
                self._end_write(me)
            finally:
                self._inside.discard(me)

    def owners(self) -> Iterable[int]:
        """Return the idents of the threads that hold the lock now, in whatever way."""
        return [owner for owner in (self._writer, self._bypass, *list(self._readers)) if owner]

    def forget_lost_owner(self) -> None:
        """In the child of a fork: free what threads held that are not here; keep what this one holds."""
        me = get_ident()
        self._bypass_lock.forget_lost_owner()
        if self._bypass != me:
            self._bypass = self._bypass_depth = 0
        self._inside.intersection_update((me,))
        mine = self._readers.get(me)
        self._policy = self._make()
        self._readers.clear()
        if self._writer == me:
            self._writing = half = self._policy.gen_wlock()
            half.acquire()
        else:
            self._writer = self._depth = 0
            self._writing = self._suspended = None
            if mine is not None:
                self._read(me, mine)

    def _again(self, me: int) -> bool:
        """Count one more hold, if the thread has the lock alone already."""
        if self._bypass == me:
            self._bypass_depth += 1
        elif self._writer == me:
            self._depth += 1
        else:
            return False
        return True

    def _read(self, me: int, hold: _Hold) -> None:
        half = self._policy.gen_rlock()
        self._take(half, None)
        hold.half = half
        self._readers[me] = hold
        while self._bypass:
            del self._readers[me]
            self._step_back(half, None)
            self._readers[me] = hold

    def _write(self, me: int, timeout: float | None) -> bool:
        deadline = deadline_after(timeout)
        suspended = self._readers.pop(me, None)
        if suspended is not None:
            _let_go(suspended.half)
        taken = False
        try:
            half = self._policy.gen_wlock()
            taken = self._take(half, timeout)
            if taken:
                self._writer = me
                while taken and self._bypass:
                    taken = False
                    self._writer = 0
                    taken = self._step_back(half, deadline)
                    self._writer = me if taken else 0
        finally:
            if suspended is not None and not taken:
                self._read(me, suspended)
        if taken:
            self._writing = half
            self._suspended = suspended
        return taken

    def _end_write(self, me: int) -> None:
        half, suspended = self._writing, self._suspended
        if half is None:
            message = "cannot release a lock that is not held for writing"
            raise RuntimeError(message)
        self._writing = None
        self._suspended = None
        self._writer = 0
        _let_go(half)
        if suspended is not None:
            self._read(me, suspended)

    def _step_back(self, half: HalfLock, deadline: float | None) -> bool:
        """Wait until nobody bypasses. If that fails, give `half` back."""
        waited = False
        try:
            waited = self._bypass_lock.acquire_within(time_until(deadline))
            if waited:
                self._bypass_lock.release()
        finally:
            if not waited:
                half.release()
        return waited

    def _enter_bypass(self, me: int, timeout: float | None) -> bool:
        deadline = deadline_after(timeout)
        if not self._bypass_lock.acquire_within(timeout):
            return False
        self._bypass_depth = 1
        self._bypass = me
        others = _Others(self, me)

        def block(seconds: float) -> bool:
            end = deadline_after(seconds)
            while others.owners():
                if time_until(end) == 0:
                    return False
                time.sleep(BYPASS_POLL)
            return True

        entered = False
        try:
            left = time_until(deadline)
            entered = not others.owners() or wait(others, block, -1 if left is None else left)
        finally:
            if not entered:
                self._bypass = 0
                self._bypass_lock.release()
        return entered

    def _take(self, half: HalfLock, timeout: float | None) -> bool:
        if half.acquire(blocking=False):
            return True
        if timeout is not None and timeout <= 0:
            return False
        in_main = threading.current_thread() is threading.main_thread()
        acquire = _acquire_in_helper if in_main else _acquire
        acquired = False

        def block(seconds: float) -> bool:
            nonlocal acquired
            acquired = acquire(half, seconds)
            return acquired

        try:
            # Without slices: at every new attempt the thread would queue up anew.
            return wait(self, block, -1 if timeout is None else min(timeout, TIMEOUT_MAX), slice_=-1)
        except BaseException:
            if acquired:
                half.release()
            raise


def _let_go(half: HalfLock) -> None:
    try:
        half.release()
    except BaseException:
        if half.locked():  # interrupted before it had begun
            half.release()
        raise


def _acquire(half: HalfLock, timeout: float) -> bool:
    return half.acquire(blocking=True, timeout=timeout)


def _acquire_in_helper(half: HalfLock, timeout: float) -> bool:
    """Acquire `half` in a helper thread, so that a signal can end the caller's waiting cleanly."""
    decided = allocate_lock()  # between the helper's success and the caller's giving up
    done = allocate_lock()
    done.acquire()
    outcome = {"acquired": False, "abandoned": False}

    def acquire() -> None:
        acquired = half.acquire(blocking=True, timeout=timeout)
        with decided:
            outcome["acquired"] = acquired
            abandoned = outcome["abandoned"]
        if acquired and abandoned:
            half.release()
        done.release()

    threading.Thread(target=acquire, name="safemap-rwlock-wait", daemon=True).start()
    try:
        done.acquire()
    except BaseException:
        with decided:
            outcome["abandoned"] = True
            acquired = outcome["acquired"]
        if acquired:
            half.release()
        raise
    return outcome["acquired"]

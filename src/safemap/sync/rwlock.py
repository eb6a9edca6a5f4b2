"""A re-entrant readers-writer lock whose deadlocks are errors, over one of `readerwriterlock`.

The package's lock decides who goes first (readers, writers, or fairly, in order). This layer adds what its
locks lack: a thread may take the lock again that it holds, a deadlock is found, Ctrl-C leaves nothing
held, and a child can go on after a fork. Only the first hold of a thread reaches the package's lock, so a
nested read never queues behind a writer who waits for that very reader.

Invariants
  1. `_writer` is the ident of the thread that holds the lock for writing, or 0. It is set and cleared by
     that thread alone, between having the package's lock and letting go of it.
  2. `_readers[t]` exists while thread t holds the lock for reading, and is written by t alone. A thread's
     record is made after it has the package's lock and removed before it lets go.
  3. `_depth` is touched by the writer alone. A writer's nested reads count there too.

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
from _thread import TIMEOUT_MAX, allocate_lock, get_ident
from typing import TYPE_CHECKING, Any, Protocol

from safemap.sync.deadlock import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class HalfLock(Protocol):
    """One side of a readers-writer lock, for one use."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...  # noqa: FBT001, FBT002
    def release(self) -> None: ...
    def locked(self) -> bool: ...


class Policy(Protocol):
    """A readers-writer lock of the package `readerwriterlock`, or one with its interface."""

    def gen_rlock(self) -> Any: ...
    def gen_wlock(self) -> Any: ...


class _Hold:
    """One thread's reading hold: the package's object for it, and how often it was taken."""

    __slots__ = ("count", "half")

    def __init__(self, half: HalfLock, count: int) -> None:
        self.half = half
        self.count = count


class RWLock:
    """A re-entrant, deadlock-detecting readers-writer lock with the policy of another one."""

    __slots__ = ("_depth", "_make", "_policy", "_readers", "_suspended", "_writer", "_writing")

    def __init__(self, policy: Policy, make: Callable[[], Policy]) -> None:
        """Wrap `policy`. `make()` makes one like it, to start afresh in the child of a fork."""
        self._policy = policy
        self._make = make
        self._readers: dict[int, _Hold] = {}
        self._writer = 0
        self._depth = 0
        self._writing: HalfLock | None = None
        self._suspended = 0  # reading holds that the writer gave up to become one

    def acquire_read(self) -> None:
        """Hold the lock for reading, together with other readers. Re-entrant, also inside a writing hold."""
        me = get_ident()
        if self._writer == me:
            self._depth += 1
            return
        hold = self._readers.get(me)
        if hold is not None:
            hold.count += 1
            return
        hold = _Hold(self._policy.gen_rlock(), 1)
        self._take(hold.half, None)
        self._readers[me] = hold

    def release_read(self) -> None:
        """End one `acquire_read`."""
        me = get_ident()
        if self._writer == me:
            self._depth -= 1
            return
        hold = self._readers.get(me)
        if hold is None:
            return  # given up for an upgrade, and a deadlock kept it from coming back
        hold.count -= 1
        if hold.count == 0:
            del self._readers[me]
            _let_go(hold.half)

    def acquire(self) -> None:
        """Hold the lock for writing, alone. Re-entrant; for a reader, see the module's docstring."""
        self.acquire_within(None)

    def acquire_within(self, timeout: float | None) -> bool:
        """Hold the lock for writing and return True, or return False if `timeout` seconds did not suffice."""
        me = get_ident()
        if self._writer == me:
            self._depth += 1
            return True
        suspended = self._readers.pop(me, None)
        if suspended is not None:
            _let_go(suspended.half)
        taken = False
        try:
            half = self._policy.gen_wlock()
            taken = self._take(half, timeout)
        finally:
            if suspended is not None and not taken:
                self._resume(me, suspended.count)
        if taken:
            self._writing = half
            self._suspended = suspended.count if suspended is not None else 0
            self._writer = me
        return taken

    def release(self) -> None:
        """End one `acquire` or `acquire_within`."""
        if self._depth:
            self._depth -= 1
            return
        half, suspended = self._writing, self._suspended
        if half is None:
            message = "cannot release a lock that is not held for writing"
            raise RuntimeError(message)
        self._writing = None
        self._suspended = 0
        self._writer = 0
        _let_go(half)
        if suspended:
            self._resume(get_ident(), suspended)

    def owners(self) -> Iterable[int]:
        """Return the idents of the threads that hold the lock now, in either way."""
        writer = self._writer
        return (writer,) if writer else list(self._readers)

    def forget_lost_owner(self) -> None:
        """In the child of a fork: free what threads held that are not here; keep what this one holds."""
        me = get_ident()
        mine = self._readers.get(me)
        self._policy = self._make()
        self._readers.clear()
        if self._writer == me:
            self._writing = half = self._policy.gen_wlock()
            half.acquire()
            return
        self._writer = self._depth = self._suspended = 0
        self._writing = None
        if mine is not None:
            self._resume(me, mine.count)

    def _resume(self, me: int, count: int) -> None:
        hold = _Hold(self._policy.gen_rlock(), count)
        self._take(hold.half, None)
        self._readers[me] = hold

    def _take(self, half: HalfLock, timeout: float | None) -> bool:
        if half.acquire(blocking=False):
            return True
        if timeout is not None and timeout <= 0:
            return False
        seconds = -1 if timeout is None else min(timeout, TIMEOUT_MAX)
        in_main = threading.current_thread() is threading.main_thread()
        acquire = _acquire_in_helper if in_main else _acquire
        acquired = False

        def block() -> bool:
            nonlocal acquired
            acquired = acquire(half, seconds)
            return acquired

        try:
            return wait(self, block)
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

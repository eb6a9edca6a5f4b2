"""A re-entrant lock whose deadlocks are errors.

It is `threading.RLock` itself, with another way to wait: taking it when it is free, or held by the
calling thread, is one call into C; only a thread that would have to sleep goes through `deadlock`.

Take it in this form, in every map:

    lock.acquire()
    try:
        ...
    finally:
        lock.release()

Why not `with lock:`. CPython delivers asynchronous exceptions (Ctrl-C, a raising signal handler,
`PyThreadState_SetAsyncExc`) after a call into C, at the start of a Python function and at a
backward jump, and nowhere else. So
  - in `acquire` the one place between having the lock and the caller's `try` is the check after the
    call into C, and `acquire` catches that itself;
  - `release` is C all the way, so nothing comes between the `finally` and the lock being free. (A
    `release` written in Python could be interrupted at its start and leave the lock held: that is
    also why `owners` asks the lock's `repr` for its owner instead of keeping it in a field.)
What remains are operations whose release takes more than that one call (claims, sections, `with m.entry`): at the
start of the Python function that does it, an asynchronous exception leaves the key, or the map, held by the
thread. In plain Python nothing can be put before that point.

With `with`, 3.14 can lose the lock (gh-148874); a Python `__exit__` can lose it on every version.
"""

from __future__ import annotations

import sys
import time
from _thread import TIMEOUT_MAX, RLock

from safemap._compiled import COMPILED
from safemap.sync.deadlock import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    class _RLock:
        """`_thread.RLock` as its C source has it; typeshed calls it final, which it is not."""

        def release(self) -> None: ...
        def _is_owned(self) -> bool: ...
        def _release_save(self) -> tuple[int, int]: ...
        def _at_fork_reinit(self) -> None: ...
        def _forget_waiters(self) -> None: ...

    def release(lock: _RLock) -> None:
        """End one hold of the lock: `lock.release()`, and when compiled, without a call."""

    def _spin(lock: _RLock) -> bool: ...
    def _take(lock: _RLock, blocking: bool = True, timeout: float = -1) -> bool: ...
else:
    _RLock = RLock
    _take = RLock.acquire

    def _spin(_lock: _RLock) -> bool:
        return False

    release = RLock.release


# With the GIL, a thread that sleeps *on the lock* becomes its owner at the moment it is let go, long before it
# gets the GIL; the thread that runs then finds the lock taken, sleeps on it too, and from there on the two
# change places at every operation (a convoy: 0.6 instead of 4 million operations per second). So a waiting
# thread first lets the other one run, a few times; only who holds the lock for longer is waited for on it.
YIELDS = 3 if getattr(sys, "_is_gil_enabled", lambda: True)() else 0
PAUSE = 50e-6
"""Seconds. Long enough for the other thread to take over the GIL, which takes it some 10 us."""


class Lock(_RLock):
    """A re-entrant mutual exclusion lock with deadlock detection.

    As `threading.RLock`, but `acquire` raises `DeadlockError` instead of blocking for ever when the
    thread that holds the lock waits, directly or through others, for the caller.
    """

    __slots__ = ()

    def acquire(self) -> None:
        """Take the lock, waiting for it if need be. Ctrl-C reaches a waiting main thread."""
        settled = False
        try:
            if not _take(self, False) and not self._yield():
                self._wait(-1)
            settled = True
        finally:
            # Interrupted right after a call: it took the lock, unless somebody else has it.
            if not settled and self._is_owned():
                self.release()

    def acquire_within(self, timeout: float | None) -> bool:
        """Take the lock and return True, or return False if it is not to be had in `timeout` seconds.

        `None` waits without end. A deadlock is an error at once, whatever the timeout.
        """
        if timeout is None:
            self.acquire()
            return True
        settled = False
        try:
            taken = _take(self, False) or (timeout > 0 and self._wait(min(timeout, TIMEOUT_MAX)))
            settled = True
        finally:
            if not settled and self._is_owned():
                self.release()
        return taken

    # A mutex is a readers-writer lock whose readers exclude one another, too.
    acquire_read = acquire
    if TYPE_CHECKING:

        def release_read(self) -> None: ...

    else:
        release_read = _RLock.release

    def try_for(self, seconds: float) -> bool:
        """Wait up to `seconds` without being counted as waiting.

        For a thread that will let go of what it holds if this fails: its wait ends by itself, so it is
        no part of a deadlock, and must not make others think that it is.
        """
        settled = False
        try:
            taken = _take(self, True, seconds)
            settled = True
        finally:
            if not settled and self._is_owned():
                self.release()
        return taken

    def let_go(self) -> int:
        """Release every hold that the calling thread has, and return how many those were."""
        return self._release_save()[0]

    def take_back(self, count: int) -> None:
        """Take the lock `count` times over."""
        self.acquire()
        for _ in range(count - 1):
            _take(self, False)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()

    def owners(self) -> Iterable[int]:
        """Return the ident of the thread that holds the lock, if any. Costs a `repr`."""
        owner = self._owner_shown()
        return (owner,) if owner else ()

    def is_mine(self) -> bool:
        """Return whether the calling thread holds the lock."""
        return self._is_owned()

    def forget_lost_owner(self) -> None:
        """Free the lock if it was held by a thread that did not survive a fork. Called in the child."""
        if not self._is_owned():
            self._at_fork_reinit()
        elif COMPILED:
            self._forget_waiters()

    def _owner_shown(self) -> int:
        text = repr(self)  # "<locked ... object owner=140245 count=1 at 0x7f...>"
        start = text.find("owner=") + len("owner=")
        return int(text[start : text.find(" ", start)])

    def _yield(self) -> bool:
        """Let others run for a moment, and return whether the lock could be taken after that."""
        if _spin(self):
            return True
        for _ in range(YIELDS):
            time.sleep(PAUSE)
            if _take(self, False):
                return True
        return False

    def _wait(self, timeout: float) -> bool:
        return wait(self, lambda seconds: _take(self, True, seconds), timeout)


def deadline_after(timeout: float | None) -> float | None:
    """Return the `time.monotonic` at which `timeout` seconds from now are over; None for never."""
    return None if timeout is None else time.monotonic() + timeout


def time_until(deadline: float | None) -> float | None:
    """Return the seconds left until `deadline`, at least 0; None for never."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())

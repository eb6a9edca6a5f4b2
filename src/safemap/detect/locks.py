"""`Lock` and `RLock` that are known to the checker: those of `threading`, plus a note of who holds them.

A lock's `Identity` goes into the locksets, not the lock itself: so no record keeps a lock alive. Each acquisition
has a number. Whether a lock was held all the way from a read to a write is a question of numbers: the same lock
with another number was released in between.

The note is made after the lock is taken, and removed before it is released: a lockset never holds too little for
a thread that is alone inside. (A KeyboardInterrupt within these few lines can leave the real lock taken, which C
code cannot.)

A lock that another thread than its holder releases is a signal, not a section: what the releasing thread did
happened before whatever its next holder does. The same is so of what a thread did before it notified a condition:
that is published in the `box` of the condition's lock, for whoever takes that next, because a waiter that comes
late finds the flag set and never waits.
"""

from __future__ import annotations

import _thread
import itertools
import sys
from typing import TYPE_CHECKING, Any

from safemap.detect.threads import Box, ThreadState, here

if TYPE_CHECKING:
    from types import CodeType, FrameType

_acquisitions = itertools.count(1)


class Identity:
    """What stands for a lock in locksets and reports."""

    __slots__ = ("alone", "code", "kind", "lasti")

    def __init__(self, kind: str, maker: FrameType) -> None:
        self.alone: frozenset[Identity] = frozenset((self,))
        self.kind: str = kind
        self.code: CodeType = maker.f_code
        self.lasti: int = maker.f_lasti


class Lock:
    """`threading.Lock`, of which the checker knows."""

    __slots__ = ("__weakref__", "_holder", "_lock", "box", "identity")

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._holder: ThreadState | None = None  # set by who holds the lock
        self.identity: Identity = Identity("Lock", sys._getframe(1))
        self.box: Box | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - as threading's
        """Take it, as `threading.Lock.acquire` does."""
        taken = self._lock.acquire(blocking, timeout)
        if taken:
            self._noted()
        return taken

    def _noted(self) -> None:
        state = here.state
        self._holder = state
        state.hold(self.identity, next(_acquisitions))
        if self.box is not None:
            self.box.take()

    def release(self) -> None:
        """Release it, as `threading.Lock.release` does: any thread may."""
        holder = self._holder
        if holder is not None:
            self._holder = None
            if holder is here.state:
                holder.drop(self.identity)
            else:
                holder.taken_away.append(self.identity)
                publish_in(self)
        self._lock.release()

    def locked(self) -> bool:
        """Whether somebody holds it."""
        return self._lock.locked()

    def __enter__(self) -> bool:
        self._lock.acquire()
        self._noted()
        return True

    def __exit__(self, *exception: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return repr(self._lock).replace("_thread.lock", "safemap.detect.Lock")

    def _at_fork_reinit(self) -> None:
        self._holder = None
        self._lock = _thread.allocate_lock()


class RLock:
    """`threading.RLock`, of which the checker knows."""

    __slots__ = ("__weakref__", "_depth", "_lock", "box", "identity")

    def __init__(self) -> None:
        self._lock: Any = _thread.RLock()
        self._depth = 0  # read and set by who holds the lock
        self.identity: Identity = Identity("RLock", sys._getframe(1))
        self.box: Box | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - as threading's
        """Take it, as `threading.RLock.acquire` does."""
        taken: bool = self._lock.acquire(blocking, timeout)
        if taken:
            self._noted()
        return taken

    def __enter__(self) -> bool:
        return self.acquire()

    def _noted(self) -> None:
        self._depth += 1
        if self._depth == 1:
            here.state.hold(self.identity, next(_acquisitions))
            if self.box is not None:
                self.box.take()

    def release(self) -> None:
        """Release it, as `threading.RLock.release` does."""
        if self._lock._is_owned():
            self._depth -= 1
            if not self._depth:
                here.state.drop(self.identity)
        self._lock.release()

    def __exit__(self, *exception: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return repr(self._lock).replace("_thread.RLock", "safemap.detect.RLock")

    def locked(self) -> bool:
        """Whether somebody holds it."""
        return repr(self._lock).startswith("<locked")

    # What `threading.Condition` asks of its lock.

    def _is_owned(self) -> bool:
        return bool(self._lock._is_owned())

    def _recursion_count(self) -> int:
        return self._depth if self._lock._is_owned() else 0

    def _release_save(self) -> Any:
        depth, self._depth = self._depth, 0
        here.state.drop(self.identity)
        return depth, self._lock._release_save()

    def _acquire_restore(self, state: Any) -> None:
        depth, saved = state
        self._lock._acquire_restore(saved)
        self._noted()
        self._depth = depth

    def _at_fork_reinit(self) -> None:
        self._depth = 0
        self._lock._at_fork_reinit()


def publish_in(lock: Lock | RLock) -> None:
    """Let the lock's next holders know what the calling thread has done.

    It holds the lock, or is the only one to.
    """
    if lock.box is None:
        lock.box = Box()
    lock.box.put()


def made_by(cls: type[Lock | RLock], maker: FrameType) -> Any:
    """Return a new lock that names the place of `maker` in reports."""
    lock = cls()
    lock.identity = Identity(cls.__name__, maker)
    return lock

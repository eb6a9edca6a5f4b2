"""The re-entrant lock that compiled locks are made of: an owner and a depth, plain fields until someone must wait.

Compiled, `sync.lock.Lock` stands on this in the place of `_thread.RLock`, whose private interface it has. (As
plain Python its steps would not be atomic: it is not used there.) Taking a free lock is one comparison and
one store with the GIL, one compare-and-swap without it; nothing of it runs Python code, so no signal handler,
finalizer or asynchronous exception can come in between.

Without the GIL a thread that finds the lock taken first looks again for a microsecond or two (`spin`). A thread
that must wait longer lists itself with a *gate* (a plain lock that is shut), and sleeps on that. A release opens
the gate of the first in the list; the lock itself is free for anyone (so a thread that has the GIL need not hand
it to one that has not: no convoy). Who was woken and came too late TRIES times asks to be *given* the lock at the
next release, so nobody starves; Go's mutex and PyMutex do the same after a millisecond.

Invariants
  1. The owner is the ident of the holder, or 0. A thread sets it to its own ident when it finds 0, in one step;
     the holder alone sets it back, or to the ident of a waiter that is given the lock.
  2. `_depth` counts further holds of the holder, who alone touches it.
  3. `waiting` counts the threads in `_block`; `_queue` lists those of them whose gate is shut. Both, and
     `_starving`, are written between `enter` and `leave` (a mutex without the GIL, nothing with it: no line
     there runs Python code).
  4. Who is in `_block` is counted before it looks at the owner for the last time before it sleeps; a release
     looks at `waiting` after it has set the owner to 0. So not both can miss the other (Dekker, 1965).

The steps on single words are functions at the end of this file; compiled, they are those of the `.pxd`.
"""

from __future__ import annotations

import time
from _thread import allocate_lock, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TRIES = 3


class ReadWriteLock:
    """What a map's lock can do: be held for writing, alone, or for reading. Re-entrant."""

    __slots__ = ()

    def acquire(self) -> None:
        raise NotImplementedError

    def release(self) -> None:
        raise NotImplementedError

    def acquire_read(self) -> None:
        raise NotImplementedError

    def release_read(self) -> None:
        raise NotImplementedError

    def acquire_within(self, timeout: float | None) -> bool:
        raise NotImplementedError

    def forget_lost_owner(self) -> None:
        raise NotImplementedError


class FieldRLock(ReadWriteLock):
    """A re-entrant lock, with what `Lock` uses of `_thread.RLock`."""

    __slots__ = ("_depth", "_owner", "_queue", "_starving", "_waiting")

    def __init__(self) -> None:
        self._owner = self._depth = self._waiting = 0
        self._queue: list[tuple[int, Any]] | None = None
        self._starving = False

    def release(self) -> None:
        """End one hold of the calling thread's."""
        release(self)

    def release_read(self) -> None:
        release(self)

    def _release_slowly(self) -> None:
        if self._depth:
            self._depth -= 1
        else:
            self._release_to_next()

    def _block(self, timeout: float) -> bool:
        """Wait until the lock is this thread's; False after `timeout` seconds (-1: never)."""
        deadline = None if timeout < 0 else time.monotonic() + timeout
        gate = allocate_lock()
        gate.acquire()
        place = (get_ident(), gate)
        taken = False
        tries = 0
        enter(self)
        set_waiting(self, waiting(self) + 1)
        leave(self)
        try:
            while True:
                self._join(place, tries >= TRIES)
                taken = self._is_owned() or take_if_free(self)
                if taken:
                    return True
                if deadline is None:
                    woken = gate.acquire()
                else:
                    woken = gate.acquire(True, max(0.0, deadline - time.monotonic()))
                taken = self._is_owned() or take_if_free(self)
                if taken or not woken:
                    return taken
                tries += 1
        finally:
            self._quit(place, taken)

    def _join(self, place: tuple[int, Any], starving: bool) -> None:
        """List the thread. One that was woken in vain TRIES times comes first and is given the lock."""
        new: list[tuple[int, Any]] = []  # made here: making a list can set off the collector
        enter(self)
        try:
            if self._queue is None:
                self._queue = new
            # A signal handler or finalizer goes before the wait of its own thread that it has interrupted.
            if starving or any(other[0] == place[0] for other in self._queue):
                self._queue.insert(0, place)
                self._starving = self._starving or starving
            else:
                self._queue.append(place)
        finally:
            leave(self)

    def _quit(self, place: tuple[int, Any], taken: bool) -> None:
        """Take the thread off the list. If it does not have the lock, nobody's waking is lost by that."""
        enter(self)
        try:
            if waiting(self):  # it is 0 in the child of a fork
                set_waiting(self, waiting(self) - 1)
            queue = self._queue
            listed = queue is not None and place in queue
            if queue is not None and listed:
                queue.remove(place)
        finally:
            leave(self)
        if not taken and self._is_owned():  # it was given the lock, and interrupted before it saw that
            self.release()
        elif not taken and not listed:
            self._wake()

    def _release_to_next(self) -> None:
        gate = None
        enter(self)
        try:
            if self._queue:
                thread, gate = self._queue.pop(0)
                if self._starving:
                    self._starving = False
                    set_owner(self, thread)
                else:
                    set_owner(self, 0)
            else:
                set_owner(self, 0)
        finally:
            leave(self)
        if gate is not None:
            gate.release()

    def _wake(self) -> None:
        gate = None
        enter(self)
        try:
            if self._queue and owner(self) == 0:
                _, gate = self._queue.pop(0)
        finally:
            leave(self)
        if gate is not None:
            gate.release()

    def _is_owned(self) -> bool:
        return owner(self) == get_ident()

    def _release_save(self) -> tuple[int, int]:
        count, self._depth = self._depth + 1, 0
        self.release()
        return count, get_ident()

    def _at_fork_reinit(self) -> None:
        self._forget_waiters()
        self._depth = 0
        set_owner(self, 0)

    def _forget_waiters(self) -> None:
        reset_guard(self)
        self._queue = None
        self._starving = False
        set_waiting(self, 0)

    def __repr__(self) -> str:
        state = "locked" if owner(self) else "unlocked"
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        count = self._depth + 1 if self._is_owned() else bool(owner(self)) + 0  # the holder's alone (invariant 2)
        return f"<{state} {name} object owner={owner(self)} count={count} at {id(self):#x}>"


# The steps on single words.


def take(lock: FieldRLock, blocking: bool = True, timeout: float = -1) -> bool:
    """Take the lock, waiting for it if that is wanted; return whether it was to be had."""
    if owner(lock) == get_ident():
        lock._depth += 1
        return True
    return take_if_free(lock) or (blocking and lock._block(timeout))


def take_if_free(lock: FieldRLock) -> bool:
    """Take a lock that nobody has, not even this thread; return whether that was so."""
    if lock._owner:
        return False
    lock._owner = get_ident()
    return True


def spin(_lock: FieldRLock) -> bool:
    """Look again and again, without the GIL, whether the lock has become free; return whether it was taken.

    Holds last some 100 ns, and a sleep a hundred times that: where all sleep at once, the lock lies idle.
    """
    return False


def release(lock: FieldRLock) -> None:
    """End one hold."""
    if owner(lock) != get_ident():
        message = "cannot release a lock that this thread does not hold"
        raise RuntimeError(message)
    if lock._depth or waiting(lock):
        lock._release_slowly()
    else:
        set_owner(lock, 0)
        if waiting(lock):  # somebody came in between
            lock._wake()


def owner(lock: FieldRLock) -> int:
    """Return the ident of the holder, or 0."""
    return lock._owner


def set_owner(lock: FieldRLock, thread: int) -> None:
    """Give the lock to a thread, or to nobody (0)."""
    lock._owner = thread


def waiting(lock: FieldRLock) -> int:
    """Return how many threads are in `_block`."""
    return lock._waiting


def set_waiting(lock: FieldRLock, count: int) -> None:
    """Set how many threads are in `_block`."""
    lock._waiting = count


def enter(_lock: FieldRLock) -> None:
    """Begin a series of steps that other threads see as one."""


def leave(_lock: FieldRLock) -> None:
    """End it."""


def reset_guard(_lock: FieldRLock) -> None:
    """In the child of a fork: whoever was between `enter` and `leave` is no more."""

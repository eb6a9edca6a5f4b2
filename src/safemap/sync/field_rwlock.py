"""The readers-writer lock of the compiled `RWLockMap`: the algorithm of `sync.rwlock`, in plain fields.

In a C function nothing comes between one step and the next, so the lock needs no lock inside it with the GIL
(without it, `enter` and `leave` are a mutex), and nothing has to be mended that was interrupted half way.

A lock that nobody holds is anyone's. While readers hold it, another reader comes in, if `first` is
  "fair"     and nobody waits: who arrives after a waiting writer waits with it;
  "readers"  in any case; writers may starve;
  "writers"  and no writer waits; readers may starve.
Who must wait lists itself with a *gate* (a plain lock that is shut) and sleeps on that. A release that leaves the
lock free opens the gates of those whose turn it is: the first in the list, with the readers right after it; or
all readers; or the first writer. Who was woken TRIES times and found the lock taken again is given it next.

Invariants
  1. `_writer` is the ident of the thread that holds the lock for writing, or 0. `_depth` counts its further holds,
     nested reads too. `_reader` is the ident of one thread that holds the lock for reading, or 0, and `_count`
     how often; `_others` has the counts of all further readers. If `_writer` is not 0, nobody reads.
  2. `_queue` lists `[ident, gate, writing, tries]` of the threads that sleep, or are about to.
  3. All of these are touched between `enter` and `leave` alone; no line there runs Python code (`enter` keeps the
     collector away too).

Read -> write: a thread that reads and wants to write gives up its reading hold, waits for the writing one, and has
its reading hold back afterwards (`_suspended` of them). Why, see `sync.rwlock`.

A signal handler or finalizer that must wait while its thread waits already goes before it, at the head of the
list, and needs no turn to read together with others.

What a free lock needs is at the end of this file; compiled, it is that of the `.pxd`. As plain Python this is
not used: its steps would be interrupted.
"""

from __future__ import annotations

import time
from _thread import TIMEOUT_MAX, allocate_lock, get_ident

from safemap.sync.deadlock import SLICE, wait
from safemap.sync.field_lock import ReadWriteLock
from safemap.sync.lock import deadline_after, time_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self

TRIES = 3
LOOKS = 0


class FieldRWLock(ReadWriteLock):
    """A re-entrant, deadlock-detecting readers-writer lock. `first`: "fair", "readers" or "writers"."""

    __slots__ = ("_count", "_depth", "_others", "_queue", "_reader", "_suspended", "_writer", "first")

    def __new__(cls, first: str) -> Self:
        """Return a lock that nobody holds."""
        self = super().__new__(cls)
        self.__cinit__(first)
        return self

    def __cinit__(self, first: str) -> None:
        self.first: str = first
        self._writer = self._depth = self._suspended = 0
        self._reader = self._count = 0
        self._others: dict[int, int] = {}
        self._queue: list[list[Any]] = []

    def acquire_read(self) -> None:
        """Hold the lock for reading, together with other readers. Re-entrant, also inside a writing hold."""
        if not read_at_once(self) and not self._try(False, False) and not self._spin(False):
            self._wait(False, None)

    def acquire(self) -> None:
        """Hold the lock for writing, alone. Re-entrant; for a reader, see the module's docstring."""
        if not write_at_once(self):
            self.acquire_within(None)

    def acquire_within(self, timeout: float | None) -> bool:
        """Hold the lock for writing and return True, or return False if `timeout` seconds did not suffice."""
        if write_at_once(self) or self._try(True, False):
            return True
        return (timeout is None or timeout > 0) and (self._spin(True) or self._wait(True, timeout))

    def release_read(self) -> None:
        """End one `acquire_read`."""
        if not end_read_at_once(self):
            enter(self)
            try:
                nested = self._writer == get_ident()
                if not nested:
                    self._end_read_locked(get_ident(), False)
            finally:
                leave(self)
            if nested:
                self.release()
            else:
                self._wake()

    def release(self) -> None:
        """End one `acquire` or `acquire_within`."""
        if not end_write_at_once(self):
            enter(self)
            try:
                if self._writer != get_ident():
                    message = "cannot release a lock that this thread does not hold"
                    raise RuntimeError(message)
                if self._depth:
                    self._depth -= 1
                else:
                    self._writer = 0
                    if self._suspended:
                        self._add_reader_locked(get_ident(), self._suspended)
                        self._suspended = 0
            finally:
                leave(self)
            self._wake()

    def owners(self) -> Iterable[int]:
        """Return the idents of the threads that hold the lock now, in whatever way."""
        enter(self)
        try:
            return [owner for owner in (self._writer, self._reader, *self._others) if owner]
        finally:
            leave(self)

    def forget_lost_owner(self) -> None:
        """In the child of a fork: free what threads held that are not here; keep what this one holds."""
        me = get_ident()
        reset_guard(self)
        self._queue.clear()
        count = self._end_read_locked(me, True)
        self._reader = 0
        self._others.clear()
        if self._writer != me:
            self._writer = self._depth = self._suspended = 0
        if count:
            self._add_reader_locked(me, count)

    def _try(self, writing: bool, woken: bool) -> bool:
        enter(self)
        try:
            if writing:
                return self._write_locked(get_ident())
            return self._read_locked(get_ident(), woken)
        finally:
            leave(self)

    def _spin(self, writing: bool) -> bool:
        """Look again and again whether the lock is to be had now, as `field_lock.spin` does, and why."""
        for _ in range(LOOKS):
            if self._try(writing, False):
                return True
            relax()
        return False

    def _read_locked(self, me: int, woken: bool) -> bool:
        if self._writer == me:
            self._depth += 1
            return True
        if self._writer:
            return False
        if not self._holds_locked(me, False) and not woken and (self._reader or self._others):
            for ident, _, writing, _ in self._queue:
                if ident == me:
                    break  # this has interrupted its own thread's wait
                if self.first == "fair" or (self.first == "writers" and writing):
                    return False
        self._add_reader_locked(me, 1)
        return True

    def _write_locked(self, me: int) -> bool:
        if self._writer == me:
            self._depth += 1
            return True
        if self._writer:
            return False
        mine = self._holds_locked(me, False)
        if (self._reader != 0) + len(self._others) > mine:
            return False
        if mine:
            self._suspended = self._end_read_locked(me, True)
        self._writer = me
        return True

    def _holds_locked(self, me: int, writing: bool) -> bool:
        if writing:
            return self._writer == me
        return self._reader == me or me in self._others

    def _add_reader_locked(self, me: int, count: int) -> None:
        if self._reader == me:
            self._count += count
        elif me in self._others:
            self._others[me] += count
        elif self._reader == 0:
            self._reader = me
            self._count = count
        else:
            self._others[me] = count

    def _end_read_locked(self, me: int, all_of_them: bool) -> int:
        """Take back one reading hold, or all; return how many that were."""
        if self._reader == me:
            ended = self._count if all_of_them else 1
            self._count -= ended
            if self._count == 0:
                self._reader = 0
            return ended
        count = self._others.pop(me, 0)  # 0: given up for an upgrade, and a deadlock kept it from coming back
        if count > 1 and not all_of_them:
            self._others[me] = count - 1
            return 1
        return count

    def _wake(self) -> None:
        enter(self)
        try:
            gates = self._next_locked()
        finally:
            leave(self)
        for gate in gates:
            gate.release()

    def _next_locked(self) -> list[Any]:
        """Take those whose turn it is off the list and return their gates; give the lock to one that starves."""
        if self._writer or not self._queue:
            return []
        reading = self._reader != 0 or len(self._others) > 0
        writers = [place for place in self._queue if place[2]]
        readers = [place for place in self._queue if not place[2]]
        if self.first == "readers":
            turn = readers or writers[:1]
        elif self.first == "writers":
            turn = writers[:1] or readers
        elif writers:  # the first, or the readers before it
            turn = self._queue[: self._queue.index(writers[0])] or writers[:1]
        else:
            turn = readers
        if reading and turn[0][2]:
            return []
        for place in turn:
            self._queue.remove(place)
            if place[3] >= TRIES and not self._writer:
                if place[2]:
                    self._writer = place[0]
                else:
                    self._add_reader_locked(place[0], 1)
        return [place[1] for place in turn]

    def _wait(self, writing: bool, timeout: float | None) -> bool:
        """Wait until the thread holds the lock; False if that took too long."""
        me = get_ident()
        deadline = deadline_after(timeout)
        gate = allocate_lock()
        gate.acquire()
        place = [me, gate, writing, 0]
        taken = False
        given_up = 0
        enter(self)
        try:
            if writing:
                given_up = self._end_read_locked(me, True)
            self._list_locked(place)
        finally:
            leave(self)
        try:
            if given_up:
                self._wake()

            def block(seconds: float) -> bool:
                return self._sleep(place, seconds)

            left = time_until(deadline)
            taken = wait(self, block, -1 if left is None else min(left, TIMEOUT_MAX), slice_=SLICE)
        finally:
            self._quit(place, taken, given_up)
        return taken

    def _list_locked(self, place: list[Any]) -> None:
        nested = any(other[0] == place[0] for other in self._queue)
        self._queue.insert(0 if nested or place[3] else len(self._queue), place)

    def _sleep(self, place: list[Any], seconds: float) -> bool:
        """Wait for `seconds` (-1: without end); return whether the thread holds the lock now."""
        deadline = None if seconds < 0 else time.monotonic() + seconds
        me, gate, writing, _ = place
        woken = False
        while True:
            enter(self)
            try:
                if self._holds_locked(me, writing) or (
                    self._write_locked(me) if writing else self._read_locked(me, woken)
                ):
                    return True
                if woken:
                    place[3] += 1
                    self._list_locked(place)
            finally:
                leave(self)
            if deadline is None:
                woken = gate.acquire()
            else:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                woken = gate.acquire(True, left)

    def _quit(self, place: list[Any], taken: bool, given_up: int) -> None:
        """Take the thread off the list. One that gave up its reading hold for nothing has it back."""
        me, _, writing, _ = place
        enter(self)
        try:
            if place in self._queue:
                self._queue.remove(place)
            if taken:
                if writing:
                    self._suspended = given_up
            elif writing and self._writer == me:  # it was given the lock, and interrupted before it saw that
                self._writer = 0
            elif not writing and self._holds_locked(me, False):
                self._end_read_locked(me, False)
        finally:
            leave(self)
        self._wake()
        if given_up and not taken:
            self.acquire_read()
            enter(self)
            try:
                self._add_reader_locked(me, given_up - 1)
            finally:
                leave(self)


# What a free lock needs: each is one series of steps between `enter` and `leave`.


def read_at_once(lock: FieldRWLock) -> bool:
    """Hold the lock for reading if nobody holds it or waits for it; return whether that was so."""
    if lock._writer or lock._reader or lock._others or lock._queue:
        return False
    lock._reader, lock._count = get_ident(), 1
    return True


def end_read_at_once(lock: FieldRWLock) -> bool:
    """End the reading hold of the one thread that matters here, if it is its last and nobody waits."""
    if lock._reader != get_ident() or lock._count != 1 or lock._writer or lock._queue:
        return False
    lock._reader = 0
    return True


def write_at_once(lock: FieldRWLock) -> bool:
    """Hold the lock for writing if nobody holds it; return whether that was so."""
    if lock._writer or lock._reader or lock._others:
        return False
    lock._writer = get_ident()
    return True


def end_write_at_once(lock: FieldRWLock) -> bool:
    """End the writing hold if it is the last, if no reading hold is to be given back, and nobody waits."""
    if lock._writer != get_ident() or lock._depth or lock._suspended or lock._queue:
        return False
    lock._writer = 0
    return True


def enter(_lock: FieldRWLock) -> None:
    """Begin a series of steps that other threads see as one."""


def leave(_lock: FieldRWLock) -> None:
    """End it."""


def relax() -> None:
    """Tell the processor that this waits."""


def reset_guard(_lock: FieldRWLock) -> None:
    """In the child of a fork: whoever was between `enter` and `leave` is no more."""

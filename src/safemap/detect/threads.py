"""Who a thread is, what it holds, and what has happened before it.

Each thread has a `ThreadState`, in a `threading.local`: identifiers of threads are used again after they have
ended, these objects are not. It counts its own steps (`epoch`), and knows how far it has seen each other thread
(`clock`), as vector clocks do (Lamport 1978; Mattern 1989): what thread 3 did at its epoch 7 happened before here
if `clock[3] >= 7`. A thread that lets others know (it starts a thread, sets an event, puts into a queue)
*publishes* what it has seen and goes on to its next epoch; one that learns of it *absorbs* that. A `Box` is where
the two meet: it belongs to the event, queue or thread. Every publisher has its own slot in it, so no publication
is lost and nothing here needs a lock.

Nothing in this package waits for a lock of its own: a finalizer or signal handler may use a checked dict in the
middle of any line, and might wait for a lock of the program that somebody holds who is just using a checked dict.

Memory: what is known of a thread is dropped when `REMEMBERED` more have ended after it. Its accesses count no
more.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import weakref
    from collections.abc import Mapping

    from safemap.detect.locks import Identity

    Clock = Mapping[int, int]
    Holds = Mapping[Identity, int]

REMEMBERED: Final = 500
"""Ended threads whose accesses still count: more than a pool has, few enough for clocks to be copied in 10 µs."""
PENDING: Final = 200
"""Keys for each thread that it has read, and might write next; at most twice as many."""
SLOTS: Final = 64
"""Publishers in a box before those that are forgotten are looked for."""
EVERYTHING: Final = 1 << 62
"""An epoch after all."""

NOTHING: Final[frozenset[Identity]] = frozenset()
NO_HOLDS: Final[Holds] = {}

_numbers = itertools.count(1)
_ended: deque[int] = deque()
_forgotten: set[int] = set()


class ThreadState:
    """What is known of one thread. Its attributes are set by that thread alone, and replaced, never changed."""

    __slots__ = (
        "__weakref__",
        "bulk",
        "clock",
        "epoch",
        "holds",
        "ident",
        "locks",
        "name",
        "number",
        "off",
        "older",
        "reads",
        "taken_away",
        "thread",
        "turns",
    )

    def __init__(self) -> None:
        self.number: int = next(_numbers)
        self.ident: int = threading.get_ident()
        self.epoch: int = 1
        self.clock: Clock = {}
        self.holds: Holds = NO_HOLDS
        """The locks that it holds, each with the number of the acquisition."""
        self.locks: frozenset[Identity] = NOTHING
        """The same locks, without numbers."""
        self.taken_away: list[Identity] = []
        """Locks that others released for it; they append, it looks when it next takes or releases one."""
        self.off: int = 0
        """How many `unchecked` blocks it is in."""
        self.reads: dict[object, object] = {}
        self.older: dict[object, object] = {}
        self.turns: dict[int, list[Any]] = {}
        """For each frame, by its identity: its code and the place of its newest read, in a list of its own for as
        long as it goes forward only."""
        self.bulk: object = None
        self.thread: weakref.ref[threading.Thread] | None = None
        self.name: str = ""

    def hold(self, lock: Identity, number: int) -> None:
        """Note that it has taken a lock."""
        if self.taken_away:
            self._give_up()
        if self.holds:
            self.holds = {**self.holds, lock: number}
            self.locks |= lock.alone
        else:
            self.holds = {lock: number}
            self.locks = lock.alone

    def drop(self, lock: Identity) -> None:
        """Note that it releases a lock."""
        if self.taken_away:
            self._give_up()
        if self.locks is lock.alone:
            self.holds = NO_HOLDS
            self.locks = NOTHING
        elif lock in self.locks:
            self.holds = {held: number for held, number in self.holds.items() if held is not lock}
            self.locks -= lock.alone

    def _give_up(self) -> None:
        while self.taken_away:
            lost = self.taken_away.pop()
            self.holds = {held: number for held, number in self.holds.items() if held is not lost}
        self.locks = frozenset(self.holds)

    def publish(self) -> Clock:
        """Return all that happened before now in this thread, and begin its next epoch."""
        seen = {**self.clock, self.number: self.epoch}
        self.epoch += 1
        return seen

    def absorb(self, clock: Clock) -> None:
        """Note that all this happened before."""
        mine = self.clock
        new = {n: epoch for n, epoch in clock.items() if epoch > mine.get(n, 0) and n != self.number}
        if new:
            both = {**mine, **new}
            if len(both) > REMEMBERED:
                both = {n: epoch for n, epoch in both.items() if n not in _forgotten}
            self.clock = both

    def has_seen(self, number: int, epoch: int) -> bool:
        """Whether what another thread did in an epoch happened before now, or counts no more."""
        return self.clock.get(number, 0) >= epoch or number in _forgotten

    def label(self) -> str:
        """Return the thread's name, as well as it is known."""
        thread = None if self.thread is None else self.thread()
        if thread is None and not self.name:
            thread = next((each for each in threading.enumerate() if each.ident == self.ident), None)
        return thread.name if thread is not None else self.name or f"thread {self.ident}"

    def end(self) -> None:
        """Note that the thread has ended."""
        self.name = self.label()
        _ended.append(self.number)
        while len(_ended) > REMEMBERED:
            _forgotten.add(_ended.popleft())


def forgotten(number: int) -> bool:
    """Whether what a thread did counts no more."""
    return number in _forgotten


class _First:
    """Makes a thread's state where it has none. One that a finalizer got in the middle of that comes first."""

    def __get__(self, local: Here, _type: object = None) -> ThreadState:
        return local.__dict__.setdefault("state", ThreadState())  # type: ignore[no-any-return]


class Here(threading.local):
    """The calling thread's own: `here.state`."""

    state: _First = _First()


here: Here = Here()


class Box:
    """What threads have published to whoever takes it."""

    __slots__ = ("slots",)

    def __init__(self) -> None:
        self.slots: dict[int, Clock] = {}

    def put(self) -> None:
        """Publish: all that the calling thread did until now."""
        state = here.state
        self.slots[state.number] = state.publish()
        if len(self.slots) > SLOTS:
            for number in list(self.slots):
                if number in _forgotten:
                    self.slots.pop(number, None)

    def take(self) -> None:
        """Absorb all that was published."""
        state = here.state
        for clock in list(self.slots.values()):
            state.absorb(clock)


def _after_fork() -> None:
    """In a child process, what other threads did before the fork is past."""
    state = here.state
    state.clock = {number: EVERYTHING for number in range(1, next(_numbers)) if number != state.number}
    state.reads, state.older = {}, {}
    state.ident = threading.get_ident()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""Which accesses to a dict are recorded, and which two of them are a race.

Two accesses are *concurrent* if neither happened before the other (see `threads`; locks do not count here), and
*guarded* if there is a lock that both threads held. Concurrent accesses that are not guarded are races whether or
not they met in this run. This is the hybrid of Eraser's locksets (Savage et al., "Eraser: a dynamic data race
detector for multithreaded programs", 1997) and happened-before (O'Callahan, Choi: "Hybrid dynamic data race
detection", PPoPP 2003). Eraser's states come out of it by themselves: what one thread does alone (*exclusive*)
has nobody to be concurrent with, what it did before it started the others happened before them, and reading alone
is never recorded (*shared*).

What is recorded, `Write`s by thread and lockset, newest only: if an older one is concurrent with something, so is
the newer.
  - `History.writes`: the writes of one key.
  - `History.updates`: reads of a key followed by a write, in one thread, as one `Update`. Its locks are those held
    without a break from the read to the write; it began with the read's clock.
  - `Check.writers`: the writes of any key.
  - `Check.walks`: iterations, each from its first step to its newest. Its locks are those held all that time.

Linearization: whoever comes records first and looks at the records of others after that. Of two threads that do
so at the same time at least one sees the other. Each record is put in place by one operation of a plain dict,
under a key that belongs to the thread: no lock, no lost record.

The quick path: a thread that repeats a write at the same place, in the same epoch with the same locks, has
nothing to record nor to look for. Whoever came in between has seen the record.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from safemap.detect.findings import WHOLE, Act, found, stack_of
from safemap.detect.keys import SIMPLE, History, Keys, token
from safemap.detect.records import Update, Walk, Write, belongs, held_through, put, same
from safemap.detect.threads import PENDING, forgotten, here

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import FrameType

    from safemap.detect.findings import Kind, Report
    from safemap.detect.threads import Clock, ThreadState

_serials = itertools.count(1)


class Check:
    """The records of one dict, and what is done about races."""

    __slots__ = (
        "_by_key",
        "_iteration",
        "_update",
        "_write",
        "keys",
        "kinds",
        "last",
        "on_race",
        "serial",
        "walks",
        "writers",
    )

    def __init__(self, kinds: Collection[Kind], on_race: str | Callable[[Report], object]) -> None:
        self.kinds: frozenset[Kind] = frozenset(kinds)
        self.on_race: str | Callable[[Report], object] = on_race
        self.serial: int = next(_serials)
        self.keys: Keys = Keys()
        self.walks: dict[object, Walk] = {}
        self.writers: dict[object, Write] = {}
        self.last: Write | None = None
        self._iteration = "iteration" in self.kinds
        self._update = "read-modify-write" in self.kinds
        self._write = "write" in self.kinds
        self._by_key = self._update or self._write

    def read(self, key: Any, frame: FrameType, state: ThreadState) -> None:
        """Note that the calling thread, whose state this is, reads a key."""
        if self._update and not state.off:
            reads, above = state.reads, frame.f_back
            code, lasti = frame.f_code, frame.f_lasti
            here_id, turns = id(frame), state.turns
            turn = turns.get(here_id)
            if turn is None or turn[0] is not code or turn[1] >= lasti:  # another call, or another turn of a loop
                if len(turns) > PENDING:
                    turns.clear()
                turn = [code, lasti]
                turns[here_id] = turn
            else:
                turn[1] = lasti
            reads[self.serial, key if type(key) in SIMPLE else token(key)] = (
                here_id,
                id(above),
                code,
                lasti,
                state.clock,
                state.holds,
                0 if above is None else above.f_lasti,
                turn,
            )
            if len(reads) > PENDING:
                state.older, state.reads = reads, {}
            history = self.keys.young.get(key)
            if (
                history is not None
                and (updates := history.updates)
                and (len(updates) > 1 or (state.number, state.locks, False) not in updates)  # not mine alone
            ):
                self._judge_read(history, frame, state, key)

    def write(  # noqa: C901 - calls cost more than branches
        self, key: Any, frame: FrameType, did: str, *, claim: bool = False, decided: bool = False
    ) -> None:
        """Note that the calling thread writes a key, and report what is concurrent with it.

        A `claim` looks and writes in one step, and its result tells who was first (`setdefault`, `pop`,
        `popitem`): several of them at one time are no fault. It is `decided` if it does the right thing whatever
        the key is by then (`setdefault`, `pop` with a default), so that no read before it can mislead it.
        """
        state = here.state
        if state.off:
            return
        locks = state.locks
        slot = (state.number, locks, claim)
        if not self._by_key:
            last = self.writers.get(slot)
            if last is None or not same(last, state, frame):
                self._record(Write(state, frame, did, claim), slot, state, key)
            return
        history = self.keys.young.get(key)
        if history is None:
            history = self.keys.of(key)
        read: Any = None
        if self._update:
            noted = (self.serial, key if type(key) in SIMPLE else token(key))
            read = state.reads.pop(noted, None)
            if read is None and state.older:
                read = state.older.pop(noted, None)
        last = history.writes.get(slot)
        if last is not None and same(last, state, frame):
            if read is None or decided:
                return
            update = history.updates.get(slot)
            if update is not None and update.write is last and update.locks == locks and read[5] is state.holds:
                return
        if read is not None and (decided or not belongs(read, frame, state)):
            read = None
        write = Write(state, frame, did, claim)
        put(history.writes, slot, write)
        if read is not None:
            through = state.locks if read[5] is state.holds else held_through(read[5], state.holds)
            update = Update(read, write, through, frame)
            put(history.updates, slot if through is state.locks else (slot, through), update)
            self._record(write, slot, state, key)
            self._judge_update(history, update, read[4], key)
        else:
            self._record(write, slot, state, key)
        self._judge_write(history, write, state, key)

    def _record(self, write: Write, slot: object, state: ThreadState, key: object) -> None:
        if not self._iteration:
            return
        put(self.writers, slot, write)
        self.last = write
        for walk in list(self.walks.values()):
            if (
                walk.number != state.number
                and not state.has_seen(walk.number, walk.epoch)
                and walk.locks.isdisjoint(write.locks)
            ):
                found("iteration", key, write.act(), walk.act(), self.on_race)

    def _judge_update(self, history: History, update: Update, clock: Clock, key: object) -> None:
        """Look for writes that did not happen before the read."""
        number = update.write.number
        for write in list(history.writes.values()):
            if (
                write.number != number
                and clock.get(write.number, 0) < write.epoch
                and write.locks.isdisjoint(update.locks)
                and not forgotten(write.number)
            ):
                other = next((each for each in list(history.updates.values()) if each.write is write), write)
                found("read-modify-write", key, update.act(), other.act(), self.on_race)

    def _judge_read(self, history: History, frame: FrameType, state: ThreadState, key: object) -> None:
        """Look for updates that began with this same read, and did not happen before it.

        Here the read may find what makes it do nothing (the key is there already). Had it come earlier, it would
        have done the same as the other thread: that it did not is luck.
        """
        for update in list(history.updates.values()):
            other = update.write
            if (
                update.direct
                and update.lasti == frame.f_lasti
                and update.reader is frame.f_code
                and other.number != state.number
                and not state.has_seen(other.number, other.epoch)
                and update.locks.isdisjoint(state.locks)
            ):
                mine = Act(
                    state.label, "the read that the other one's update began with", stack_of(frame), state.locks
                )
                found("read-modify-write", key, mine, update.act(), self.on_race, at=other.stack)

    def _judge_write(self, history: History, write: Write, state: ThreadState, key: object) -> None:
        """Look for updates, and for other writes, that did not happen before this one."""
        for update in list(history.updates.values()):
            other = update.write
            if (
                other.number != write.number
                and not state.has_seen(other.number, other.epoch)
                and update.locks.isdisjoint(write.locks)
            ):
                found("read-modify-write", key, write.act(), update.act(), self.on_race)
        if not self._write:
            return
        for other in list(history.writes.values()):
            if (
                other.number != write.number
                and not state.has_seen(other.number, other.epoch)
                and other.locks.isdisjoint(write.locks)
                and not (other.claim and write.claim)
            ):
                found("write", key, write.act(), other.act(), self.on_race)

    def walk(self, frame: FrameType) -> Walk | None:
        """Note that an iteration begins, and report writes that are concurrent with it."""
        state = here.state
        if state.off or not self._iteration:
            return None
        walk = Walk(state, stack_of(frame), self.last)
        put(self.walks, (state.number, state.locks, frame.f_code, frame.f_lasti), walk)
        self._judge_walk(walk, state)
        return walk

    def step(self, walk: Walk, state: ThreadState) -> None:
        """Note that an iteration goes on, and report a write that came in between.

        Callers may leave this out if neither the thread, its epoch and its locks nor the dict's last write are
        others.
        """
        if state.off:
            return
        if state is not walk.state:  # two threads share the iterator
            walk.state = state
            walk.number = state.number
        walk.epoch = state.epoch
        if state.holds is not walk.holds:
            locks = held_through(walk.holds, state.holds)
            if locks != walk.locks:
                walk.locks &= locks
                self._judge_walk(walk, state)
        last = self.last
        if last is not walk.last:
            walk.last = last
            if last is not None and last.number != state.number:
                found("iteration", WHOLE, walk.act(), last.act(), self.on_race)

    def _judge_walk(self, walk: Walk, state: ThreadState) -> None:
        for write in list(self.writers.values()):
            if (
                write.number != state.number
                and not state.has_seen(write.number, write.epoch)
                and walk.locks.isdisjoint(write.locks)
            ):
                found("iteration", WHOLE, walk.act(), write.act(), self.on_race)

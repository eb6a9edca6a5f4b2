"""A workload written down, operation by operation, before any clock runs; and whether a map came out right.

Each thread writes its own script, of keys and values that are its own objects: without the GIL, threads that
look up the same objects would contend for the reference counts of keys, which in a program each of them has
read, parsed or computed by itself. What is in the map they do share.

What is checked afterwards: the last thread to write to a key, whichever it was, left there what it wrote last
of all. So a key must have what some thread's script leaves there; or, if none is sure to have written to it,
what it had at first. Where all writes are counts, none may be lost.
"""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safemap.bench.operations import OPERATIONS, Operation, Source, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from safemap.bench.workload import Keys, Workload

Step: TypeAlias = tuple[int, Any, Any]
"""An operation, by its place in `Script.operations`; its key, or None; and a value."""
Chunk: TypeAlias = tuple[Step, ...]

CHUNK: Final = 8
"""Operations from one look at the phase to the next: so a look, 15 ns, costs an operation 2 ns."""
OPERATIONS_WRITTEN: Final = 8_192
"""A thread's operations before it begins again: enough that no branch predictor learns them, and few enough that
writing them takes no longer than a window."""
SLOW_OPERATIONS_WRITTEN: Final = 512
"""The same, where most operations look at the whole map: few of those are done in a window."""
BATCH: Final = 10
"""Keys in one `update`."""

_POOL, _NEW, _ABSENT = 10**8, 10**10, 10**9
"""Where the numbers of keys begin, by source; those that are there begin at 0."""
_NEW_OF_A_THREAD: Final = 10**8
_COUNT: Final = 1 << 50
"""What a count begins with. Small ints are immortal; this one and those after it are objects as any other."""
_ABSENCE: Final = object()
"""Stands among the values that a key may have, where it may be gone."""


class Key:
    """A key whose `__eq__` and `__hash__` are Python code, as a dataclass's are."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number: int = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)


def _int_key(number: int) -> int:
    return number + _COUNT


def _tuple_key(number: int) -> tuple[str, int]:
    return ("key", number)


MAKERS: Final[Mapping[Keys, Callable[[int], Any]]] = {
    "str": "key number {:08}".format,
    "int": _int_key,
    "tuple": _tuple_key,
    "object": Key,
}


class _Value:
    """A value that many keys have, and that, unlike None, is counted by everybody who gets it."""


MADE: Final = _Value()
"""What the function makes that `compute_if_absent` is given."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which keys, by number, a workload's operations draw from."""

    there: range
    pool: range
    present: range
    """That part of the pool that is in the map at first."""

    @classmethod
    def of(cls, workload: Workload) -> _Layout:
        sources = {parse(share)[1] for share in (*workload.mix, *workload.background)}
        size = workload.size
        if "pool" not in sources:
            return cls(range(size), range(0), range(0))
        stay = (size + 1) // 2 if "there" in sources else 0
        come_and_go = size - stay
        return cls(range(stay), range(_POOL, _POOL + 2 * come_and_go), range(_POOL, _POOL + 2 * come_and_go, 2))


@dataclass(frozen=True, slots=True)
class Script:
    """What the map holds at first, and what operations there are. Threads write their `lane`s with it."""

    workload: Workload
    threads: int
    seed: int
    operations: tuple[Operation, ...]
    """Those that occur, the most frequent first; a step names one by its place here."""
    initial: Mapping[Any, Any]
    shared: Any
    """The value that every key has, where values are shared."""

    @classmethod
    def of(cls, workload: Workload, threads: int, seed: int) -> Script:
        """Write down what is common to all threads. The same arguments give the same script."""
        counting, shared = workload.uses("compute"), _Value()
        make, layout = MAKERS[workload.keys], _Layout.of(workload)
        numbers = (*layout.there, *layout.present)
        if counting:
            initial = {make(number): _COUNT + number for number in numbers}
        elif workload.values == "private":
            initial = {make(number): f"value of key {number}, as filled" for number in numbers}
        else:
            initial = dict.fromkeys(map(make, numbers), shared if workload.values == "shared" else None)
        return cls(workload, threads, seed, operations_of(workload), initial, shared)

    def in_background(self, thread: int) -> bool:
        """Return whether a thread is the one that is not measured."""
        return bool(self.workload.background) and thread == self.threads - 1

    def lane(self, thread: int) -> tuple[Chunk, ...]:
        """Return what a thread does, over and over: in chunks."""
        steps = list(_Lane(self, thread).steps())
        size = 1 if slow(self.workload.mix) and not self.in_background(thread) else CHUNK
        return tuple(tuple(steps[at : at + size]) for at in range(0, len(steps), size))

    # --- was the map right? -------------------------------------------------------------------------

    def fault(
        self, contents: Mapping[Any, Any], lanes: Sequence[Sequence[Chunk]], executed: Sequence[int]
    ) -> str | None:
        """Say what is wrong with a map after threads have executed so many chunks of their lanes, or None."""
        effects = [_effects(self.operations, lane, count) for lane, count in zip(lanes, executed, strict=True)]
        missing = strange = wrong = 0
        for key in self.initial.keys() | contents.keys() | {key for each in effects for key in each.of}:
            allowed, surely = set[int](), False
            for each in effects:
                values, sure = each.on(key)
                allowed |= {id(value) for value in values}
                surely |= sure
            if not surely:
                allowed.add(id(self.initial.get(key, _ABSENCE)))
            found = contents.get(key, _ABSENCE)
            if id(found) in allowed or (found is not _ABSENCE and any(each.counted(key) for each in effects)):
                continue
            missing += found is _ABSENCE
            strange += allowed == {id(_ABSENCE)}
            wrong += found is not _ABSENCE and allowed != {id(_ABSENCE)}
        if missing or strange:
            return f"{missing} keys lost, {strange} keys that should not be there"
        return f"{wrong} of {len(contents)} values are not the last written" if wrong else None

    def lost(
        self, contents: Mapping[Any, Any], lanes: Sequence[Sequence[Chunk]], executed: Sequence[int]
    ) -> int | None:
        """Return how many counts are missing; None if nothing else counts them, because there are other writes."""
        writes = {operation.effect for operation in self.operations} - {"none"}
        if writes != {"counts"}:
            return None
        done = sum(_counts(self.operations, lane, count) for lane, count in zip(lanes, executed, strict=True))
        missing: int = sum(self.initial.values()) + done - sum(contents.values())
        return missing


def operations_of(workload: Workload) -> tuple[Operation, ...]:
    """Return the operations that occur in a workload's scripts, the most frequent first."""
    shares: dict[str, float] = {}
    for mix in (workload.mix, workload.background):
        for share, part in mix.items():
            operation, source = parse(share)
            shares[operation.name] = shares.get(operation.name, 0) + part
            if source == "new":  # what takes new keys away again
                shares.setdefault("clear" if _clears(workload) else "delete", 0)
    return tuple(OPERATIONS[name] for name in sorted(shares, key=lambda name: -shares[name]))


def _clears(workload: Workload) -> bool:
    """Return whether new keys go by `clear`, and not one by one: where no key has to stay."""
    return all(parse(share)[1] != "there" for share in (*workload.mix, *workload.background))


def slow(mix: Mapping[str, float]) -> bool:
    """Return whether most operations of a mix look at the whole map."""
    return sum(part for share, part in mix.items() if parse(share)[0].whole) > 1 / 2


class _Lane:
    """Writes the script of one thread."""

    def __init__(self, script: Script, thread: int) -> None:
        workload = script.workload
        self.script, self.thread, self.workload = script, thread, workload
        self.mix = workload.background if script.in_background(thread) else workload.mix
        self.chance = random.Random(f"{script.seed} {workload.name} {thread}")  # noqa: S311 - not a secret
        self.make = MAKERS[workload.keys]
        self.places = {operation.name: place for place, operation in enumerate(script.operations)}
        self.added: list[int] = []
        self.count = SLOW_OPERATIONS_WRITTEN if slow(self.mix) else OPERATIONS_WRITTEN
        layout = _Layout.of(workload)
        self.layout = layout
        if workload.access == "disjoint":
            step, thread = script.threads, self.thread
            self.layout = _Layout(layout.there[thread::step] or layout.there, layout.pool[thread::step], range(0))
        self.weights = {source: self._weights(numbers) for source, numbers in self._ranges().items()}
        self.order = {source: self._order(numbers) for source, numbers in self._ranges().items()}

    def _ranges(self) -> dict[Source, range]:
        return {
            "there": self.layout.there,
            "pool": self.layout.pool,
            "absent": range(_ABSENT, _ABSENT + max(1, self.workload.size)),
        }

    def _weights(self, numbers: range) -> list[float] | None:
        if self.workload.access not in {"zipf", "latest"}:
            return None
        return list(accumulate(1 / rank**self.workload.skew for rank in range(1, len(numbers) + 1)))

    def _order(self, numbers: range) -> Sequence[int]:
        """Return the keys, the most used first: the same for all threads, and not the order they lie in memory."""
        if self.workload.access == "latest":
            return numbers[::-1]
        if self.workload.access != "zipf":
            return numbers
        chance = random.Random(f"{self.script.seed} {self.workload.name}")  # noqa: S311 - not a secret
        return chance.sample(numbers, len(numbers))

    def steps(self) -> Iterator[Step]:
        writers = {share: self._writer(*parse(share)) for share in self.mix}
        for position, share in enumerate(self._shares()):
            yield writers[share](position)
        if not self.added:
            return
        # The lane begins again after this, and its new keys must be new then, too.
        if not _clears(self.workload):
            for number in self.added:
                yield (self.places["delete"], self.make(number), None)
        elif self.thread == 0:
            yield (self.places["clear"], None, None)

    def _shares(self) -> Sequence[str]:
        """Return the share of the mix that each operation belongs to: exactly as many of each as it says."""
        if self.workload.order == "rarer writes" and self.mix is self.workload.mix:
            return self._rarer_writes()
        shares: list[str] = []
        reached = 0.0
        for share, part in self.mix.items():
            reached += part
            shares += [share] * (round(self.count * reached) - len(shares))
        self.chance.shuffle(shares)
        return shares

    def _rarer_writes(self) -> Sequence[str]:
        """Return a write, a read, a write, two reads, a write, three reads, and so on."""
        reads = [share for share in self.mix if parse(share)[0].effect == "none"]
        writes = [share for share in self.mix if share not in reads]
        shares: list[str] = []
        gap = 0
        while len(shares) < self.count:
            shares += [self.chance.choice(writes), *self.chance.choices(reads, k=gap)]
            gap += 1
        return shares[: self.count]

    def _writer(self, operation: Operation, source: Source) -> Callable[[int], Step]:
        """Return what writes such a step, given its position in the lane."""
        place, make = self.places[operation.name], self.make
        if operation.whole:
            return lambda _position: (place, None, None)
        number, value = self._numbers(source), self._values()
        if operation.name == "update":
            return lambda position: (
                place,
                None,
                {make(number()): value(position * BATCH + each) for each in range(BATCH)},
            )
        if operation.name == "compute_if_absent":
            return lambda _position: (place, make(number()), MADE)
        if operation.effect == "none":
            return lambda _position: (place, make(number()), None)
        return lambda position: (place, make(number()), value(position))

    def _numbers(self, source: Source) -> Callable[[], int]:
        """Return what draws the number of a key."""
        if source == "new":
            return self._new
        numbers, weights, chance = self.order[source], self.weights[source], self.chance.random
        count = len(numbers)
        if self.workload.access == "hot":
            return lambda: numbers[0]
        if weights is None:
            return lambda: numbers[int(chance() * count)]
        total, last, added = weights[-1], count - 1, self.added
        if self.workload.access == "latest" and source == "there":

            def latest() -> int:
                back = bisect(weights, chance() * total, hi=last)
                return added[-1 - back] if back < len(added) else numbers[back - len(added)]

            return latest
        return lambda: numbers[bisect(weights, chance() * total, hi=last)]

    def _new(self) -> int:
        number = _NEW + self.thread * _NEW_OF_A_THREAD + len(self.added)
        self.added.append(number)
        return number

    def _values(self) -> Callable[[int], Any]:
        """Return what makes a value, given a number that no other one in the lane has."""
        thread, common = self.thread, self.script.shared if self.workload.values == "shared" else None
        if self.workload.uses("compute"):
            return lambda number: _COUNT + (thread << 40) + number
        if self.workload.values == "private":
            return lambda number: f"value {number} of thread {thread}"
        return lambda _number: common


class _Effects:
    """What one thread may have left at each key, if it was the last to write there."""

    def __init__(self) -> None:
        self.of: dict[Any, tuple[list[Any], bool]] = {}
        """Values, and whether the thread is sure to have written; see `on`."""
        self.counts: set[Any] = set()
        self.emptied = False

    def on(self, key: Any) -> tuple[list[Any], bool]:
        return self.of.get(key, ([_ABSENCE], True) if self.emptied else ([], False))

    def counted(self, key: Any) -> bool:
        return key in self.counts

    def add(self, effect: str, key: Any, value: Any) -> None:
        if effect == "sets":
            self.of[key] = ([value], True)
        elif effect == "removes":
            self.of[key] = ([_ABSENCE], True)
        elif effect == "counts":
            self.counts.add(key)
        elif effect == "empties":
            self.of, self.emptied = {}, True
        else:
            values, sure = self.on(key)
            self.of[key] = ([*values, value if effect == "may set" else _ABSENCE], sure)


def _executed(lane: Sequence[Chunk], count: int) -> Sequence[Chunk]:
    """Return the chunks that matter of those executed: the last time round, and what came after."""
    turn = count % len(lane)
    return (*lane[turn:], *lane[:turn]) if count >= len(lane) else lane[:turn]


def _effects(operations: Sequence[Operation], lane: Sequence[Chunk], count: int) -> _Effects:
    effects = _Effects()
    names = [operation.effect for operation in operations]
    for chunk in _executed(lane, count):
        for place, key, value in chunk:
            effect = names[place]
            if effect == "none":
                continue
            if operations[place].name == "update":
                for each, its in value.items():
                    effects.add("sets", each, its)
            else:
                effects.add(effect, key, value)
    return effects


def _counts(operations: Sequence[Operation], lane: Sequence[Chunk], count: int) -> int:
    """Return how many counts the first `count` chunks are, going round."""
    rounds, turn = divmod(count, len(lane))
    inside = [sum(operations[place].effect == "counts" for place, _, _ in chunk) for chunk in lane]
    return rounds * sum(inside) + sum(inside[:turn])

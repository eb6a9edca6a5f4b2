"""What the threads do: named mixes of reads and writes, written down in full before any clock runs.

Keys and values are strings built at run time: neither literals nor interned nor small ints, which are
immortal in CPython. So that on a build without the GIL the threads contend for reference counts, as they do
in a program.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Operation: TypeAlias = tuple[str, str | None]
"""A key, and the value to write to it; None: read it."""
Chunk: TypeAlias = tuple[Operation, ...]

CHUNK: Final = 8
"""Operations from one look at the clock's state to the next: often enough that a slow map's window is cut
exactly (within 8 operations a thread), seldom enough to cost nothing (a look is about 15 ns)."""
OPERATIONS: Final = 16_384
"""A thread's operations before it begins again: enough that no cache or branch predictor learns them."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A mix of operations: a share of reads, the rest writes, on `size` keys drawn uniformly."""

    name: str
    reads: float
    size: int = 1_000

    def __str__(self) -> str:
        """Return the mix in words."""
        return f"{self.reads:.0%} reads, {1 - self.reads:.0%} writes, {self.size:,} keys drawn uniformly"


WORKLOADS: Final = (Workload("read-heavy", 0.95), Workload("balanced", 0.50), Workload("write-heavy", 0.10))


@dataclass(frozen=True, slots=True)
class Script:
    """A workload written down: what the map holds at first, and what each thread does, over and over."""

    initial: Mapping[str, str]
    lanes: tuple[tuple[Chunk, ...], ...]
    """A thread's chunks. No value occurs twice, so the last write to a key can be told from any other."""

    def fault(self, contents: Mapping[str, object], executed: tuple[int, ...]) -> str | None:
        """Say what is wrong with a map after each thread has executed so many chunks; None: nothing.

        The map must have the initial keys, and at each the last value that some thread wrote there:
        whichever thread wrote to it last of all, that was its own last write.
        """
        if contents.keys() != self.initial.keys():
            lost, extra = self.initial.keys() - contents.keys(), contents.keys() - self.initial.keys()
            return f"{len(lost)} keys lost, {len(extra)} keys that nobody wrote"
        last: dict[str, set[object]] = {key: set() for key in self.initial}
        for lane, chunks in zip(self.lanes, executed, strict=False):
            for key, value in _last_writes(lane, chunks).items():
                last[key].add(value)
        wrong = sum(value not in (last[key] or {self.initial[key]}) for key, value in contents.items())
        return f"{wrong} of {len(contents)} values are not the last written" if wrong else None


def _last_writes(lane: tuple[Chunk, ...], executed: int) -> dict[str, str]:
    """Return the last value that a thread wrote to each key, of its first `executed` chunks, going round."""
    turn = executed % len(lane)
    recent = lane[turn:] + lane[:turn] if executed >= len(lane) else lane[:turn]
    return {key: value for chunk in recent for key, value in chunk if value is not None}


def prepare(workload: Workload, threads: int, seed: int) -> Script:
    """Write a workload down for up to so many threads. The same arguments give the same script.

    Of each thread's operations exactly the workload's share are reads; where they stand is random.
    """
    keys = [f"key number {number:05}" for number in range(workload.size)]
    lanes: list[tuple[Chunk, ...]] = []
    for lane in range(threads):
        chance = random.Random(f"{seed} {workload.name} {lane}")  # noqa: S311 - a workload, not a secret
        reads = round(OPERATIONS * workload.reads)
        kinds = [True] * reads + [False] * (OPERATIONS - reads)
        chance.shuffle(kinds)
        operations: list[Operation] = [
            (key, None if reading else f"{key}, write {position} of thread {lane}")
            for position, (reading, key) in enumerate(zip(kinds, chance.choices(keys, k=OPERATIONS), strict=True))
        ]
        lanes.append(tuple(tuple(operations[at : at + CHUNK]) for at in range(0, OPERATIONS, CHUNK)))
    return Script({key: f"{key}, as filled" for key in keys}, tuple(lanes))

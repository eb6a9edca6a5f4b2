"""Workloads drawn at random: those of one seed are measured for `recommend` to learn from, others to try it on.

They are to be such as programs have: a few kinds of reads and writes, writes in any share from rare to most, one
in four with an operation on the whole map now and then. `draw` promises nothing about being typical beyond that.
"""

from __future__ import annotations

import math
import random
from typing import Any, Final

from safemap.bench.catalogue import WORKLOADS
from safemap.bench.workload import Workload

Weighted = tuple[tuple[str, ...], tuple[int, ...]]

READS: Final[Weighted] = (
    ("get", "find", "contains", "find:pool", "contains:pool", "find:absent"),
    (6, 3, 2, 2, 1, 1),
)
CHURN: Final = "churn"
"""Entries of the pool come and go, as often the one as the other: alone, deletes would leave nothing to delete."""
WRITES: Final[Weighted] = (
    ("set", "set:pool", CHURN, "compute", "setdefault:pool", "compute_if_absent:pool", "swap", "compare_and_set",
     "update", "set:new"),
    (6, 2, 4, 3, 2, 2, 1, 1, 1, 2),
)  # fmt: skip
WHOLE: Final[Weighted] = (("snapshot", "scan", "scan_100", "length"), (2, 1, 1, 1))
HOW_MANY: Final[Weighted] = (("1", "2", "3", "4"), (1, 6, 8, 5))
"""Kinds of reads and writes together."""
RARE_WRITES, MOST_WRITES = 0.003, 0.9
RARE_WHOLE, MOST_WHOLE = 0.001, 0.02
SMALLEST, LARGEST = 100, 100_000
AXES: Final[dict[str, Weighted]] = {
    "keys": (("str", "int", "tuple", "object"), (6, 3, 2, 1)),
    "values": (("private", "shared", "immortal"), (6, 1, 1)),
    "access": (("uniform", "zipf", "disjoint", "hot"), (6, 4, 1, 1)),
}
DIGITS: Final = 4
WHOLE_IN: Final = 0.25
FEWEST_FOR_TWO_READS: Final = 3
LEARNT: Final = 0
"""The seed of those that a standard run has. Whoever tries the advice has to take another one."""


def draw(count: int, seed: int) -> list[Workload]:
    """Return so many workloads, none of which the suite has. The same arguments give the same ones."""
    chance = random.Random(f"workloads {seed}")  # noqa: S311 - not a secret
    known = [(workload.mix, workload.size) for workload in WORKLOADS.values()]
    drawn: list[Workload] = []
    while len(drawn) < count:
        mix = _mix(chance)
        size = round(_log_uniform(chance, SMALLEST, LARGEST))
        axes: dict[str, Any] = {axis: _one(chance, weighted) for axis, weighted in AXES.items()}
        if (mix, size) not in known:
            drawn.append(Workload(f"drawn-{seed}-{len(drawn)}", mix, size=size, **axes))
    return drawn


def _mix(chance: random.Random) -> dict[str, float]:
    kinds = int(_one(chance, HOW_MANY))
    reading = min(kinds, 1 + (kinds >= FEWEST_FOR_TWO_READS and chance.random() < 1 / 2))
    reads = _some(chance, READS, reading)
    writes = _some(chance, WRITES, kinds - reading)
    if "compute" in writes and "compute_if_absent:pool" in writes:  # the one counts; the other makes no counts
        writes.remove("compute_if_absent:pool")
    written = _log_uniform(chance, RARE_WRITES, MOST_WRITES) if writes else 0.0
    parts = dict.fromkeys(reads, 0.0)
    for share, part in zip(reads, _split(chance, len(reads)), strict=True):
        parts[share] += part * (1 - written)
    for share, part in zip(writes, _split(chance, len(writes)), strict=True):
        for each in ("set:pool", "delete:pool") if share == CHURN else (share,):
            parts[each] = parts.get(each, 0.0) + part * written / (1 + (share == CHURN))
    if chance.random() < WHOLE_IN:
        whole = _one(chance, WHOLE)
        most = _log_uniform(chance, RARE_WHOLE, MOST_WHOLE)
        parts = {share: part * (1 - most) for share, part in parts.items()} | {whole: most}
    return _rounded(parts)


def _one(chance: random.Random, weighted: Weighted) -> str:
    return chance.choices(*weighted)[0]


def _some(chance: random.Random, weighted: Weighted, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        one = _one(chance, weighted)
        if one not in found:
            found.append(one)
    return found


def _split(chance: random.Random, count: int) -> list[float]:
    parts = [0.1 + chance.random() for _ in range(count)]
    return [part / sum(parts) for part in parts]


def _log_uniform(chance: random.Random, low: float, high: float) -> float:
    return math.exp(chance.uniform(math.log(low), math.log(high)))


def _rounded(parts: dict[str, float]) -> dict[str, float]:
    """Return the shares in a few digits, none of them 0; the largest takes what is left."""
    least = 10**-DIGITS
    rounded = {share: max(least, round(part, DIGITS)) for share, part in parts.items()}
    largest = max(rounded, key=lambda share: rounded[share])
    rounded[largest] = round(1 - sum(part for share, part in rounded.items() if share != largest), DIGITS)
    return rounded

"""From samples of events to what keys and values a workload has, and which of the keys are used more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from safemap.bench import events as on
from safemap.bench import skew
from safemap.bench.workload import CHOICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safemap.bench.ledger import Sample, Seen
    from safemap.bench.mixture import Flow

WHOLE: Final = frozenset({on.SCAN, on.SNAPSHOT, on.UPDATE, on.LENGTH, on.CLEAR, on.LOCKED})
READS: Final = frozenset({on.GET_HIT, on.FIND_HIT, on.CONTAINS_HIT})
ADDS: Final = frozenset({on.SET, on.SWAP_MISS, on.SETDEFAULT_MAYBE, on.ABSENT_MADE, on.CAS_NEW})
FOUND: Final = READS | {
    on.SWAP_HIT,
    on.SETDEFAULT_HIT,
    on.ABSENT_HIT,
    on.COMPUTE,
    on.CAS_HIT,
    on.CAS_MISS,
    on.CAD_HIT,
}
"""Events of keys that are there."""
WITH_VALUE: Final = frozenset(
    {on.GET_HIT, on.FIND_HIT, on.SET, on.SWAP_HIT, on.SWAP_MISS, on.SETDEFAULT_HIT, on.SETDEFAULT_MAYBE,
     on.ABSENT_HIT, on.ABSENT_MADE, on.CAS_HIT, on.CAS_NEW}
)  # fmt: skip
ENOUGH: Final = 20
"""Samples, without which nothing is said of the keys."""
HOT: Final = 0.9
"""The part of all uses that makes a key the one that all use."""
LEAST_SKEW: Final = 0.2
"""Below, the busiest of a thousand keys is used four times as often as the others: uniform, for a map."""
NEAREST: Final = {"bytes": "str", "bool": "int", "frozenset": "tuple"}
"""What costs as much as a type that workloads do not have; of all others, which hash at the speed of C: int."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Of which thread, and of which key, each sampled use was; and what followed upon additions."""

    uses: Sequence[tuple[int, int]]
    first: float
    """The part of lookups that are of the key that was added last, where entries are added that stay; else 0."""

    @classmethod
    def of(cls, seen: Seen, flow: Flow) -> Uses:
        """Return what the samples say."""
        counted = FOUND if flow.new["set"] > 1 / 2 else FOUND | {on.SET}
        uses = [(sample.thread, sample.key) for sample in seen.samples if sample.event in counted]
        if len(uses) < ENOUGH:
            uses = [(sample.thread, sample.key) for sample in seen.samples if sample.event not in WHOLE]
        return cls(uses, _first(seen.runs) if any(flow.new.values()) else 0.0)


def _first(runs: Sequence[Sequence[Sample]]) -> float:
    """Return the part of lookups that are of the key that the same thread has added last, within a run."""
    lookups = same = 0
    for run in runs:
        last: int | None = None
        for sample in run:
            if sample.event in ADDS:
                last = sample.key
            elif sample.event in READS and last is not None:
                lookups += 1
                same += sample.key == last
    return same / lookups if lookups >= ENOUGH else 0.0


def one_key(seen: Seen) -> bool:
    """Return whether all use the same key."""
    hashes = [sample.key for sample in seen.samples if sample.event not in WHOLE]
    return len(hashes) >= ENOUGH and _most(hashes) >= HOT


def _most(hashes: Sequence[int]) -> float:
    return Counter(hashes).most_common(1)[0][1] / len(hashes)


def of(given: Uses, keys_in_use: int, notes: list[str]) -> dict[str, Any]:
    """Return the access of a workload, and its skew where it has one."""
    hashes = [key for _, key in given.uses]
    if len(hashes) < ENOUGH:
        notes.append("too few operations on keys to say which of them are used more")
        return {"access": "uniform"}
    most = _most(hashes)
    if most >= HOT and keys_in_use > 1:
        return {"access": "hot"}
    # By chance, a lookup is seldom of the one key that was added last; a fiftieth is more than any other key has.
    if given.first > max(0.02, most / 2):
        return {"access": "latest", "skew": _rounded(skew.exponent_of_first(given.first, keys_in_use))}
    if skew.disjoint(given.uses):
        return {"access": "disjoint"}
    exponent = skew.zipf_exponent(hashes, keys_in_use)
    _, pairs = skew.same_key(hashes)
    by_chance = len(hashes) * (len(hashes) - 1) / 2 / keys_in_use
    if exponent < LEAST_SKEW or pairs < max(ENOUGH, by_chance + 4 * sqrt(by_chance)):
        return {"access": "uniform"}
    expected = 1 / skew.harmonic(keys_in_use, exponent)
    if not expected / 2 <= most <= expected * 2:
        notes.append(
            f"the busiest key had {most:.1%} of the uses; "
            f"with zipf {exponent:.2f}, as replayed, it has {expected:.1%}"
        )
    return {"access": "zipf", "skew": _rounded(exponent)}


def _rounded(exponent: float) -> float:
    return min(skew.STEEPEST, max(0.01, round(exponent, 2)))


def keys(seen: Seen, notes: list[str]) -> Any:
    """Return the type of most keys, as a workload has it."""
    types = Counter(sample.keys for sample in seen.samples if sample.event not in WHOLE)
    if not types:
        return "str"
    (most, count) = types.most_common(1)[0]
    if count < 0.9 * types.total():
        notes.append(f"keys were of several types ({', '.join(sorted(types))}); the replay's are all alike")
    if most in CHOICES["keys"]:
        return most
    nearest = NEAREST.get(most, "int")
    notes.append(f"keys were of type {most}; the replay's are {nearest}")
    return nearest


def values(seen: Seen) -> Any:
    """Return of what kind most values are, as a workload has it."""
    given = [(sample.value, sample.key) for sample in seen.samples if sample.event in WITH_VALUE]
    if 2 * sum(value == 1 for value, _ in given) > len(given):
        return "immortal"
    # A value that half of the keys have is shared. Of private ones an address may come again, but at few keys.
    of_value: dict[int, set[int]] = {}
    for value, key in given:
        of_value.setdefault(value, set()).add(key)
    keys = {key for _, key in given}
    most = max(map(len, of_value.values()), default=0)
    return "shared" if len(keys) >= ENOUGH and 2 * most > len(keys) else "private"

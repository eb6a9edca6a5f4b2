"""From counts of events to the shares of a workload's mix, with the sources of their keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from safemap.bench.script import BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST: Final = 2e-4
"""A share below this one is left out: in the 8,192 operations that a script has it would come twice at most."""
ROUNDING: Final = 1e-9
"""What is smaller is nothing, but for the rounding of floats."""
STANDING: Final = 0.1
"""Where entries come and go, that part by which more come than go is chance, or the filling at first."""
FEW: Final = 0.02
"""Removals that find nothing, where fewer are no measure of how many keys are there."""
LARGE_UPDATE: Final = 5
"""Keys: an update of fewer is more like so many single writes than like one of ten keys."""
SHORT_SCAN: Final = 100
"""Items, as in `scan_100`."""


@dataclass(frozen=True, slots=True)
class Walks:
    """How far iterations went."""

    partial: float
    """The part of them that took less than half of the items."""
    items: float
    """How many items those took, at the median."""

    @classmethod
    def of(cls, walks: Sequence[Sequence[int]]) -> Walks:
        """Return what these come to: of each, the items taken, and those that there were."""
        short = [taken for taken, there in walks if 2 * taken < there]
        return cls(len(short) / len(walks) if walks else 0.0, median(short) if short else 0.0)


@dataclass(frozen=True, slots=True)
class Flow:
    """How entries come and go."""

    clears: bool
    removes: bool
    """Whether removals find keys, so that keys must come and go in the replay."""
    present: float
    """The part of the pool's keys that are there."""
    pool: Mapping[str, float]
    """Of each operation that can add an entry, the part that uses keys of the pool."""
    new: Mapping[str, float]
    """The part of it that adds entries which stay."""

    @classmethod
    def of(cls, total: Mapping[str, int], grown: int, *, one_key: bool = False) -> Flow:
        """Return what follows from the counts of all threads, and from the growth of the map between.

        `one_key`: they all use the same one, which comes and goes.
        """
        adding = _adding(total)
        removed = _removals(total) - total["delete miss"] - total["compare_and_delete miss"]
        attempts = _removals(total)
        added = _added(total, adding, grown + removed + total["cleared"])
        if total["clear"]:
            return cls(
                clears=True,
                removes=True,
                present=0.5,
                pool=dict.fromkeys(adding, 1.0),
                new=dict.fromkeys(adding, 0.0),
            )
        inserts = sum(added.values())
        standing = max(0.0, inserts - removed) / inserts if inserts else 0.0
        if removed and standing < STANDING:
            standing = 0.0
        new = {name: count * standing for name, count in added.items()}
        circling = {name: added[name] - new[name] for name in added}
        come = sum(circling.values())
        room = sum(adding[name] - new[name] for name in added if circling[name])
        missed = attempts - removed
        wanted = attempts * removed / missed if missed > FEW * attempts else come
        come_to = room if one_key else min(max(wanted, come), room)
        pool = {
            name: min(adding[name] - new[name], come_to * circling[name] / come) if come else 0.0 for name in added
        }
        present = come_to / (come_to + attempts) if removed and come_to else 0.5
        return cls(
            clears=False,
            removes=removed > 0,
            present=present,
            pool={name: pool[name] / adding[name] if adding[name] else 0.0 for name in adding},
            new={name: new[name] / adding[name] if adding[name] else 0.0 for name in adding},
        )


def _adding(counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many of the operations there are that can add an entry."""
    return {
        "set": counts["set"],
        "swap": counts["swap hit"] + counts["swap miss"],
        "setdefault": counts["setdefault hit"] + counts["setdefault maybe"] + counts["compare_and_set new"],
        "compute_if_absent": counts["compute_if_absent hit"] + counts["compute_if_absent made"],
        "update": counts["updated"],
        "compute": counts["compute"],
    }


def _added(counts: Mapping[str, int], adding: Mapping[str, int], balance: int) -> dict[str, float]:
    """Return how many entries each has added: what it told, and of what did not tell, what the balance leaves."""
    added: dict[str, float] = dict.fromkeys(adding, 0.0)
    added["swap"] = counts["swap miss"]
    added["compute_if_absent"] = counts["compute_if_absent made"]
    added["setdefault"] = counts["compare_and_set new"]
    rest = max(0.0, balance - sum(added.values()))
    maybe = min(rest, counts["setdefault maybe"])
    added["setdefault"] += maybe
    rest -= maybe
    silent = adding["set"] + adding["update"]
    taken = min(rest, silent)
    for name in ("set", "update"):
        added[name] = taken * adding[name] / silent if silent else 0.0
    added["compute"] = min(rest - taken, adding["compute"])
    return added


def _removals(counts: Mapping[str, int]) -> int:
    names = (
        "delete hit",
        "delete miss",
        "popitem",
        "compute removed",
        "compare_and_delete hit",
        "compare_and_delete miss",
    )
    return sum(counts[name] for name in names)


def shares(counts: Mapping[str, int], flow: Flow, walks: Walks, notes: list[str]) -> dict[str, float]:
    """Return the mix that these counts are of; empty if there is none. Adds to `notes` what is not as it was."""
    done = Counter(counts)
    mix: Counter[str] = Counter()
    _reads(mix, done, flow, notes)
    _writes(mix, done, flow, notes)
    if walks.partial and done["scan"]:
        mix["scan_100"] += done["scan"] * walks.partial  # type: ignore[assignment] # a counter of parts
        if not SHORT_SCAN / 2 <= walks.items <= SHORT_SCAN * 2:
            notes.append(
                f"iterations that were given up took {walks.items:,.0f} items; the replay's take {SHORT_SCAN}"
            )
    mix["scan"] += done["scan"] * (1 - walks.partial)  # type: ignore[assignment]
    for name in ("snapshot", "length", "clear"):
        mix[name] += done[name]
    return _normal(mix, notes)


def _reads(mix: Counter[str], done: Counter[str], flow: Flow, notes: list[str]) -> None:
    if done["get miss"] > LEAST * done["get hit"]:
        notes.append(
            f"{done['get miss']:,} KeyErrors of m[k]; the replay asks m.get(k) for keys that are not there"
        )
    # compare_and_set and compare_and_delete read the value themselves, in a replay.
    for name, first, second in (
        ("compare_and_set", "get hit", "find hit"),
        ("compare_and_delete", "find hit", "get hit"),
    ):
        read = done[f"{name} hit"] + done[f"{name} miss"]
        for event in (first, second):
            part = min(read, done[event])
            done[event] -= part
            read -= part
    _lookups(mix, "find", done["find hit"], done["find miss"] + done["get miss"] + done["compute none"], flow)
    _lookups(mix, "contains", done["contains hit"], done["contains miss"], flow)
    mix["find:pool" if flow.clears else "get"] += done["get hit"]


def _lookups(mix: Counter[str], name: str, hits: float, misses: float, flow: Flow) -> None:
    """Share lookups out, so that as many find something."""
    if flow.clears:
        mix[f"{name}:pool"] += hits + misses  # type: ignore[assignment]
        return
    pool = min(misses / (1 - flow.present), hits / flow.present) if flow.removes else 0.0
    mix[f"{name}:pool"] += pool  # type: ignore[assignment]
    mix[f"{name}:absent"] += misses - pool * (1 - flow.present)  # type: ignore[assignment]
    mix[name] += hits - pool * flow.present  # type: ignore[assignment]


def _writes(mix: Counter[str], done: Counter[str], flow: Flow, notes: list[str]) -> None:
    for name, count in _adding(done).items():
        many, share = float(count), name
        if name == "update" and count:
            keys = count / max(1, done["update"])
            if keys >= LARGE_UPDATE:
                many = count / BATCH
            else:
                share = "set"
            if not BATCH * 0.8 <= keys <= BATCH * 1.25:
                how = f"updates of {BATCH}" if share == "update" else "single writes"
                notes.append(f"updates were of {keys:,.1f} keys on average; as many keys are replayed in {how}")
        mix[f"{share}:pool"] += many * flow.pool[name]  # type: ignore[assignment]
        mix[f"{share}:new"] += many * flow.new[name]  # type: ignore[assignment]
        mix[share] += many * (1 - flow.pool[name] - flow.new[name])  # type: ignore[assignment]
    source = "pool" if flow.removes else "absent"
    mix[f"delete:{source}"] += done["delete hit"] + done["delete miss"] + done["popitem"] + done["compute removed"]
    mix[f"compare_and_delete:{source}"] += done["compare_and_delete hit"] + done["compare_and_delete miss"]
    sets = done["compare_and_set hit"] + done["compare_and_set miss"]
    mix["swap:pool" if flow.clears else "compare_and_set"] += sets
    if sets and flow.clears:
        notes.append("compare_and_set is replayed as swap: clear takes the keys away that it needs")
    made = mix["compute_if_absent:pool"]
    if made and mix["compute:pool"]:
        mix["setdefault:pool"] += made
        del mix["compute_if_absent:pool"]
        notes.append("compute_if_absent is replayed as setdefault: compute adds to the values of the same keys")


def _normal(mix: Mapping[str, float], notes: list[str]) -> dict[str, float]:
    """Return shares that come to 1, without those that are too small."""
    total = sum(mix.values())
    if total <= 0:
        return {}
    left_out = sorted(share for share, count in mix.items() if ROUNDING < count / total < LEAST)
    if left_out:
        notes.append(f"too rare to be replayed: {', '.join(left_out)}")
    kept = {share: count for share, count in mix.items() if count / total >= LEAST}
    rest = sum(kept.values())
    rounded = {share: round(count / rest, 6) for share, count in sorted(kept.items(), key=lambda item: -item[1])}
    most = next(iter(rounded))
    rounded[most] = round(rounded[most] + 1 - sum(rounded.values()), 6)
    return rounded

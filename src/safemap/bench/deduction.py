"""From what a ledger has seen to a workload: shares, where keys come from, skew, size, threads.

What a workload can say is less than what programs do. Where keys come and go, the replay draws from a pool of
keys at random: with s additions and d removals, a key of the pool is there for s/(s + d) of the time, p. A program
shows p, as the part of its removals that found their key; and so it is known how many of its additions, and of
its lookups that found nothing, are of keys of the pool.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median, median_low
from typing import TYPE_CHECKING, Any, Final

from safemap.bench import access, mixture
from safemap.bench.events import EVENTS, WRITES
from safemap.bench.operations import parse
from safemap.bench.workload import MOST_ENTRIES, Workload, WorkloadError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.ledger import Seen

WRITING: Final = tuple(event for place, event in enumerate(EVENTS) if 2 * place in WRITES)
SLOW_FUNCTION_NS: Final = 2_000
"""The functions of the replay take some 50 ns; those that take less than this take no more than the map does."""


@dataclass(slots=True)
class Deduced:
    """A workload, the number of threads, facts for whoever reads the file, and what the replay does otherwise."""

    workload: Workload
    threads: int
    facts: dict[str, Any]
    notes: list[str] = field(default_factory=list[str])


def deduce(seen: Seen, name: str) -> Deduced:
    """Return what was seen as a workload. Raises WorkloadError if there is nothing that can be replayed."""
    notes: list[str] = []
    total = _sum(seen.threads)
    writer = _writer(seen.threads)
    flow = mixture.Flow.of(total, seen.grown, one_key=access.one_key(seen))
    walks = mixture.Walks.of(seen.walks)
    measured = _sum([counts for counts in seen.threads if counts is not writer])
    mix = mixture.shares(measured, flow, walks, notes)
    background = mixture.shares(writer, flow, walks, notes) if writer is not None else {}
    if not mix:
        message = f"workload {name}: nothing was recorded that can be replayed"
        raise WorkloadError(message)
    size = _size(seen, flow, {*mix, *background})
    uses = access.Uses.of(seen, flow)
    workload = Workload(
        name,
        mix,
        "as recorded",
        size=size,
        keys=access.keys(seen, notes),
        values=access.values(seen),
        background=background,
        **access.of(uses, _keys_in_use(size, {**background, **mix}), notes),
    )
    threads = _active(seen.active)
    if seen.functions[0] and seen.functions[1] / seen.functions[0] > SLOW_FUNCTION_NS:
        microseconds = seen.functions[1] / seen.functions[0] / 1_000
        notes.append(
            f"functions handed to compute and the like took {microseconds:,.0f} us on average; "
            "those of the replay take less than 0.1"
        )
    if total["locked"]:
        notes.append(f"{total['locked']:,} locked sections: their operations are replayed one by one")
    facts = {
        "events": {event: count for event, count in total.items() if count},
        "seconds": round(seen.seconds, 3),
        "threads": {"ever": seen.ever, "active": {str(many): events for many, events in seen.active.items()}},
        "sizes": {"least": min(seen.sizes), "median": median(seen.sizes), "most": max(seen.sizes)},
        "samples": len(seen.samples),
    }
    return Deduced(workload, max(threads, workload.fewest_threads), facts, list(dict.fromkeys(notes)))


def _sum(threads: Sequence[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counts in threads:
        total.update(counts)
    return total


def _writer(threads: Sequence[Mapping[str, int]]) -> Mapping[str, int] | None:
    """Return the one thread that does nothing but write, where all others do nothing but read.

    One that writes little beside them is none: the replay's runs as fast as it can.
    """
    if len(threads) < 2:  # noqa: PLR2004 - others
        return None
    writer = max(threads, key=_writes)
    others = [counts for counts in threads if counts is not writer]
    events, its = sum(map(_events, others)), _events(writer)
    alone = sum(map(_writes, others)) <= events / 100 and _writes(writer) >= its * 0.9
    return writer if alone and events and its >= events / len(others) / 5 else None


def _writes(counts: Mapping[str, int]) -> int:
    return sum(counts[event] for event in WRITING)


def _events(counts: Mapping[str, int]) -> int:
    return sum(counts[event] for event in EVENTS)


def _active(active: Mapping[int, int]) -> int:
    """Return how many threads were active at the median event."""
    left = sum(active.values()) / 2
    for many in sorted(active):
        left -= active[many]
        if left <= 0:
            return max(1, many)
    return 1


def _size(seen: Seen, flow: mixture.Flow, shares: set[str]) -> int:
    """Return the size to begin with: that around which the replay's map stays as the program's did."""
    size = median_low(seen.sizes)
    sources = {parse(share)[1] for share in shares}
    if "pool" in sources and flow.present:  # of the pool's keys, that part is there, and not half of them
        size = round(size / (0.5 + flow.present if "there" in sources else 2 * flow.present))
        return min(MOST_ENTRIES, max(2, size))
    return min(MOST_ENTRIES, max(1 if "there" in sources else 0, size))


def _keys_in_use(size: int, mix: Mapping[str, float]) -> int:
    """Return from how many keys the operations of a workload draw, for the most part."""
    parts: Counter[str] = Counter()
    for share, part in mix.items():
        operation, source = parse(share)
        if not operation.whole and operation.name != "length":
            parts[source] += part  # type: ignore[assignment] # a counter of parts
    everywhere = {parse(share)[1] for share in mix}
    if parts["pool"] > parts["there"]:
        return max(1, size if "there" in everywhere else 2 * size)
    return max(1, (size + 1) // 2 if "pool" in everywhere else size)

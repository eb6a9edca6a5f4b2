"""Results made by hand, of figures that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safemap.bench.catalogue import WORKLOADS
from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.environment import Environment
from safemap.bench.plan import Cell, Entrant, Plan, job_workload, size_workload
from safemap.bench.results import Record, Results
from safemap.bench.wordindex import NAME as JOB
from safemap.bench.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Mapping

SWING = (1.0, 1.02, 0.98, 1.01, 0.99)
"""What the machine does in each block, to all alike."""
WOBBLE = (1.0, 0.99, 1.01, 1.0, 1.0)
"""What the control differs from the reference."""

ENVIRONMENT = Environment(
    interpreter="CPython 3.14.0",
    build="3.14.0 (main) [GCC 14]",
    gil=False,
    switch_interval=0.005,
    compiled=True,
    version="0.1.0",
    cores=2,
    processor="A Processor",
    platform="Linux x86_64",
    governor="performance",
    load=0.1,
)


def results(
    rates: Mapping[str, Mapping[int, Mapping[str, Any]]],
    *,
    blocks: int = 5,
    control: tuple[float, ...] = WOBBLE,
    entrants: tuple[Entrant, ...] = (),
    **changes: Any,
) -> Results:
    """Return results with such throughputs: by workload, threads, contestant; a string is a fault."""
    names = dict.fromkeys(name for by in rates.values() for of in by.values() for name in of)
    plan = Plan(
        "made",
        (*(known(name) for name in names), *entrants, *([Entrant.of(CONTROL)] if control else [])),
        tuple(workload(name) for name in rates),
        {name: tuple(by) for name, by in rates.items()},
        jobs=tuple(name for name in rates if name == JOB),
        blocks=blocks,
    )
    made = Results(plan, ENVIRONMENT, "safemap bench", "2026-01-02T03:04:05+00:00", "2026-01-02T03:14:05+00:00")
    for block in range(blocks):
        for name, by in rates.items():
            for threads, of in by.items():
                scores = {**of}
                if control and REFERENCE in of and not isinstance(of[REFERENCE], str):
                    scores[CONTROL] = of[REFERENCE] * control[block % len(control)]
                for who, rate in scores.items():
                    kind = "job" if name == JOB else "throughput"
                    found = {"fault": rate} if isinstance(rate, str) else figures(rate * SWING[block % 5], threads)
                    made.records.append(Record(Cell(kind, block, name, threads, who), found))
    return replace(made, **changes)


def known(name: str) -> Entrant:
    """Return an entrant: a contestant of the package, or a variant that nobody knows."""
    try:
        return Entrant.of(name)
    except ValueError:
        return Entrant(name, "variant", True, "")


def workload(name: str) -> Workload:
    """Return a workload of the catalogue, a job, or one of that name."""
    if name == JOB:
        return job_workload()
    return WORKLOADS.get(name) or Workload(name, {"get": 1.0}, f"about {name}")


def figures(rate: float, threads: int, **changes: Any) -> dict[str, Any]:
    """Return what a cell found whose threads did equally much."""
    return {
        "fault": None,
        "seconds": 0.1,
        "rates": [rate / threads] * threads,
        "counts": [round(rate / threads / 10)] * threads,
        "measured": threads,
        "cpu_seconds": 0.1 * threads,
        "lost": None,
        "collections": [1, 0, 0],
        "gil": [False, False],
        "peak_bytes": 30_000_000,
        "hash_seed": 1,
        "machine_load": 0.5,
        **changes,
    }


def with_latency(made: Results, name: str, found: Mapping[str, Mapping[int, int]], **changes: Any) -> Results:
    """Add latencies to a workload: of each contestant a histogram, in one block, at half the load."""
    made.plan = replace(made.plan, latency=(*made.plan.latency, name), loads=(0.5,))
    for who, histogram in found.items():
        longest = round(2.0 ** (max(histogram) / 16))
        cell = Cell("latency", 0, name, made.plan.judged_threads(name, 2), who, 0.5)
        more = {"rate": 1e6, "max_ns": longest, "histogram": sorted(histogram.items()), **changes.get(who, {})}
        made.records.append(Record(cell, {**figures(1e6, 2), **more}))
    return made


def with_sizes(made: Results, sizes: Mapping[int, Mapping[str, Mapping[str, float]]]) -> Results:
    """Add costs by size: by size, contestant, cost; "bytes_per_entry" is one of them."""
    workloads = tuple(size_workload(size) for size in sizes)
    made.plan = replace(made.plan, sizes=tuple(sizes), workloads=(*made.plan.workloads, *workloads))
    for size, of in sizes.items():
        for who, costs in of.items():
            entry = {"bytes_per_entry": costs["bytes_per_entry"]}
            rest = {name: ns for name, ns in costs.items() if name not in entry}
            found = {"fault": None, "costs": rest, **entry, "gil": [False, False], "peak_bytes": 30_000_000 + size}
            made.records.append(Record(Cell("size", 0, f"size-{size}", 1, who), found))
    return made


def everything() -> Results:
    """Return a small run that has something of all that a report shows."""
    made = results(
        {
            "reads-95": {
                1: {REFERENCE: 5e6, "ShardedMap": 6e6, "CopyOnWriteMap": 5e6, "dict": 9e6, "null map": 20e6},
                2: {REFERENCE: 5e6, "ShardedMap": 10e6, "CopyOnWriteMap": 8e6, "dict": 12e6, "null map": 40e6},
                4: {REFERENCE: 4e6, "ShardedMap": 9e6, "CopyOnWriteMap": 8e6, "dict": 11e6, "null map": 40e6},
            },
            "reads-50": {2: {REFERENCE: 5e6, "ShardedMap": 5.02e6, "CopyOnWriteMap": 2e6, "dict": 10e6}},
            "read-modify-write": {2: {REFERENCE: 4e6, "ShardedMap": 2e6, "CopyOnWriteMap": 1e6, "dict": 5e6}},
            JOB: {2: {REFERENCE: 3e6, "ShardedMap": 3e6, "CopyOnWriteMap": 1e6, "dict": 4e6}},
        }
    )
    for record in made.records:
        if record.cell.workload == "read-modify-write" and record.cell.contestant == "dict":
            record.found["lost"] = 7
    with_latency(
        made,
        "reads-95",
        {"ShardedMap": {160: 900, 240: 90, 320: 10}, "dict": {160: 999, 400: 1}},
        dict={"rates": [3e5, 3e5]},
    )
    costs = {"get": 40.0, "set": 50.0, "snapshot": 1000.0, "write after snapshot": 60.0, "bytes_per_entry": 30.0}
    return with_sizes(
        made, {100: {REFERENCE: costs, "ShardedMap": costs}, 1000: {REFERENCE: {**costs, "snapshot": 1e4}}}
    )

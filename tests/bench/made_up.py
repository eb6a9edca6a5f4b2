"""A made-up world, in which it is known what each operation takes each variant; and results measured there."""

import math
import random
from dataclasses import replace

from safemap.bench.catalogue import WORKLOADS
from safemap.bench.contestants import CONTROL
from safemap.bench.environment import Environment
from safemap.bench.operations import parse
from safemap.bench.plan import Cell, Entrant, Plan, size_name, size_workload
from safemap.bench.profiles import Options, plan
from safemap.bench.results import Record, Results
from safemap.bench.sizes import COSTS

NAMES = MUTEX, RWLOCK, SHARDED, COPYING, DIRTY = (
    "MutexMap",
    "RWLockMap",
    "ShardedMap",
    "CopyOnWriteMap",
    "ReadDirtyMap",
)
"""The variants of that world. What the package has besides was not measured there."""

ENVIRONMENT = Environment(
    interpreter="CPython 3.13.1",
    build="made up",
    gil=True,
    switch_interval=0.005,
    compiled=True,
    version="0.1.0",
    cores=2,
    processor="made up",
    platform="Linux x86_64",
    governor=None,
    load=0.0,
)

LOOP = 20.0
READ = dict(zip(NAMES, (60, 90, 40, 35, 30), strict=True))
WRITE = dict(zip(NAMES, (70, 110, 60, 140, 190), strict=True))
FUNCTION = dict(zip(NAMES, (60, 80, 190, 220, 170), strict=True))
"""Operations that look and then write."""
INSERT = dict(zip(NAMES, (10, 10, 15, 60, 250), strict=True))
"""What a key costs besides, if it is new."""
ENTRY = {
    "scan": dict(zip(NAMES, (25, 25, 30, 20, 45), strict=True)),
    "snapshot": dict(zip(NAMES, (6, 6, 8, 0, 10), strict=True)),
    "scan_100": dict(zip(NAMES, (6, 6, 1, 0, 6), strict=True)),
    "clear": dict(zip(NAMES, (5, 5, 6, 9, 8), strict=True)),
}
"""By operation on the whole map: what each entry costs; all of them 500 ns besides."""
WHOLE = 500.0
DECADE = dict(zip(NAMES, (8, 8, 4, 12, 20), strict=True))
"""What a key costs more in a map ten times as large."""


def takes(workload, name):
    """Return what an operation takes a variant in this world, in ns."""
    total = LOOP
    for share, part in workload.mix.items():
        operation, source = parse(share)
        decades = math.log10(max(workload.size, 1) / 1_000)
        keys = 10 if operation.name == "update" else 1
        if operation.whole:
            total += part * (WHOLE + ENTRY[operation.name][name] * workload.size)
        elif operation.name == "length":
            total += part * 30
        elif operation.effect == "none":
            total += part * (READ[name] + DECADE[name] * decades)
        else:
            function = operation.effect in {"counts", "may set", "may remove"}
            cost = FUNCTION[name] if function else WRITE[name]
            total += part * keys * (cost + DECADE[name] * decades)
            total += part * INSERT[name] * (source == "new")
    return total


def run_of(made, blocks=5, noise=0.01, seed=1, environment=ENVIRONMENT, mood=0.3):
    """Return results of a plan, measured in this world: blocks differ by their mood, each cell by some noise."""
    chance = random.Random(seed)
    made = replace(made, blocks=blocks, latency=(), jobs=(), few=())
    results = Results(made, environment, "made up", "2026-01-02T03:04:05+00:00", "2026-01-02T04:00:00+00:00")
    for block in range(blocks):
        for workload, counts in made.threads.items():
            if not made.in_block(workload, block):
                continue
            known = {*NAMES, *([] if workload in made.once else [CONTROL])}
            for threads in counts:
                moody = math.exp(chance.gauss(0, mood))
                for entrant in (each.name for each in made.entrants if each.name in known):
                    name = MUTEX if entrant == CONTROL else entrant
                    ns = takes(made.workload(workload), name) * moody * math.exp(chance.gauss(0, noise))
                    cell = Cell("throughput", block, workload, threads, entrant)
                    results.records.append(Record(cell, {"fault": None, "rates": [1e9 / ns], "measured": 1}))
        for size in made.sizes:
            for name in NAMES:
                alone = {operation: _alone(operation, size, name) for operation in COSTS}
                cell = Cell("size", block, size_name(size), 1, name)
                results.records.append(Record(cell, {"fault": None, "costs": alone, "bytes_per_entry": 100.0}))
    return results


def _alone(operation, size, name):
    return takes(replace(size_workload(size), mix={operation: 1.0}), name) - LOOP / 2


def suite(**changes):
    """Return what a standard run measures in this world."""
    standard = plan(Options(profile="standard", contestants=NAMES), cores=2)
    threads = {name: counts for name, counts in standard.threads.items() if name not in standard.jobs}
    return run_of(replace(standard, threads=threads), **changes)


def small_plan(*workloads, threads=(2,)):
    """Return a plan of all variants on a few workloads."""
    return Plan(
        "small",
        tuple(Entrant.of(name) for name in (*NAMES, CONTROL)),
        tuple(workloads) or tuple(WORKLOADS.values()),
        {workload.name: threads for workload in workloads or WORKLOADS.values()},
    )

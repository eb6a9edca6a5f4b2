"""Results of worlds that are known: made up, not measured."""

from __future__ import annotations

from safemap.bench import wordindex
from safemap.bench.catalogue import named
from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.environment import Environment
from safemap.bench.plan import Cell, Entrant, Plan, job_workload, size_workload
from safemap.bench.results import Record, Results

HERE = Environment(
    interpreter="CPython 3.11.7",
    build="3.11.7 (main) [GCC]",
    gil=True,
    switch_interval=0.005,
    compiled=True,
    version="0",
    cores=2,
    processor="Test",
    platform="Linux x86_64",
    governor=None,
    load=None,
)
NAMES = (REFERENCE, "RWLockMap", "ShardedMap", "CopyOnWriteMap", "ReadDirtyMap", "dict", "dict + Lock", CONTROL)
FIGURES = {
    REFERENCE: 1000.0,
    CONTROL: 1010.0,
    "ShardedMap": 1380.0,
    "CopyOnWriteMap": 1400.0,
    "RWLockMap": 300.0,
    "dict": 9000.0,
    "dict + Lock": 1300.0,
}


def plan_of(*workloads, threads=(1, 2, 4), blocks=5, names=NAMES, **more):
    """A plan of named workloads, "word-index" and "size-N" among them."""
    made, counts, jobs, sizes = [], {}, (), ()
    for name in workloads:
        if name == wordindex.NAME:
            made.append(job_workload())
            counts[name], jobs = threads, (name,)
        elif name.startswith("size-"):
            sizes += (int(name.removeprefix("size-")),)
            made.append(size_workload(sizes[-1]))
        else:
            base, _, size = name.partition("@size=")
            made.append(named(base).varied(size=int(size) if size else None))
            counts[name] = threads
    return Plan(
        "made up",
        tuple(map(Entrant.of, names)),
        tuple(made),
        counts,
        jobs=jobs,
        sizes=sizes,
        blocks=blocks,
        **more,
    )


def found(figure, *, threads=2, cpu=1.0, fault=None, lost=None, **more):
    """What a cell would have shown: each thread half of the figure, of two."""
    if fault is not None:
        return {"fault": fault}
    return {
        "fault": None,
        "seconds": 1.0,
        "rates": [figure / threads] * threads,
        "counts": [round(figure / threads)] * threads,
        "measured": threads,
        "cpu_seconds": cpu,
        "lost": lost,
        "collections": [0, 0, 0],
        "gil": [True, True],
        "peak_bytes": 2**20,
        **more,
    }


def measured(
    figures, *, workload="reads-50", wrong=(), blocks=5, plan=None, here=HERE, ended="2026-01-01", **more
):
    """Results with these figures at 2 threads, and ten times those at 4, of which nothing is claimed."""
    plan = plan or plan_of(workload, blocks=blocks)
    records = [
        Record(
            Cell("throughput" if workload not in plan.jobs else "job", block, workload, threads, name),
            found(
                figure * (10 if threads > 2 else 1),
                threads=threads,
                fault="bad" if name in wrong else None,
                **more,
            ),
        )
        for block in range(blocks)
        for threads in (2, 4)
        for name, figure in figures.items()
    ]
    return Results(plan, here, "safemap bench", "2026-01-01", ended, records)

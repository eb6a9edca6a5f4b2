"""Measures the variants on workloads that the standard profile does not have."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from safemap.bench import engine
from safemap.bench.contestants import OURS
from safemap.bench.environment import Environment
from safemap.bench.plan import Entrant, Plan
from safemap.bench.results import Results

if TYPE_CHECKING:
    from safemap.bench.workload import Workload

BLOCKS: Final = 5
SECONDS: Final = 0.05


def plan(workloads: list[Workload], threads: tuple[int, ...], blocks: int, seconds: float, seed: int) -> Plan:
    """Return the plan that measures the variants on these; the numbers of threads take turns among workloads."""
    return Plan(
        "drawn",
        tuple(Entrant.of(each.name) for each in OURS if each.role == "variant"),
        tuple(workloads),
        {each.name: (threads[place % len(threads)],) for place, each in enumerate(workloads)},
        blocks=blocks,
        seconds=seconds,
        seed=seed,
    )


def measure(plan: Plan, command: str) -> Results:
    """Measure a plan; say on stderr how far it is, and what came out wrong."""
    environment = Environment.now()
    results = Results(plan, environment, command, _now())
    count = sum(1 for _ in plan.cells(environment.cores))
    for done, record in enumerate(engine.run(results), 1):
        if not record.good:
            print(f"\n{record.cell}: {record.found}", file=sys.stderr)  # noqa: T201
        print(f"\r{done} of {count} cells", end="", file=sys.stderr)  # noqa: T201
    print(file=sys.stderr)  # noqa: T201
    results.ended = _now()
    return results


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

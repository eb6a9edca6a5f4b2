"""The plan that measures the variants on workloads which the advice has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safemap.bench.contestants import OURS
from safemap.bench.plan import Entrant, Plan

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

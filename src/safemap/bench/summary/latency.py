"""Latencies under load: quantiles, and the curve that they lie on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from safemap.bench.contestants import CONTROL
from safemap.bench.histogram import quantile
from safemap.bench.results import QUANTILES
from safemap.bench.summary.model import Latency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safemap.bench.histogram import Histogram
    from safemap.bench.results import Results

KEPT_UP: Final = 0.95
"""Who achieves less of the rate that was offered has a queue that grows as long as the test lasts."""
_STEPS: Final = 8
"""Points of a curve for each nine of the share."""
_FROM: Final = 0.5
"""The share at which curves begin: what is faster than the median is of no concern."""


def latencies(results: Results, workload: str) -> Iterator[Latency]:
    """Yield them for each load and contestant. `results`: those of the workload."""
    plan = results.plan
    threads = plan.judged_threads(workload, results.environment.cores)
    out = {CONTROL, *plan.names("floor"), *results.faults(workload)}
    for load in plan.loads:
        kept_up = results.kept_up(workload, load)
        found = results.latencies(workload, load)
        longest: dict[str, float] = {}
        for each in results.of("latency", workload):
            if each.good and each.cell.load == load:
                who = each.cell.contestant
                longest[who] = max(longest.get(who, 0.0), float(each.found["max_ns"]))
        for who in (entrant.name for entrant in plan.entrants):
            if who in out or not found.get(who):
                continue
            p50, p90, p99, p999 = (quantile(found[who], share) for share in QUANTILES)
            yield Latency(
                workload=workload,
                threads=threads,
                beyond=threads > results.environment.cores,
                load=load,
                contestant=who,
                count=sum(found[who].values()),
                # A bucket's upper bound may lie above the longest that was seen.
                p50=min(p50, longest[who]),
                p90=min(p90, longest[who]),
                p99=min(p99, longest[who]),
                p999=min(p999, longest[who]),
                longest=longest[who],
                kept_up=kept_up[who],
                behind=kept_up[who] < KEPT_UP,
                curve=curve(found[who], longest[who]),
            )


def curve(histogram: Histogram, longest: float) -> tuple[tuple[float, float], ...]:
    """Return pairs of a share and the latency that it did not exceed, evenly spread over the nines.

    The last one is the longest latency, at the share of all but one.
    """
    count = sum(histogram.values())
    nines = math.log10(count) if count > 1 else 0.0
    first = math.ceil(-math.log10(1 - _FROM) * _STEPS)
    steps = range(first, math.floor(nines * _STEPS) + 1)
    shares = [_FROM, *(1 - 10 ** (-step / _STEPS) for step in steps)]
    points = [(round(share, 9), min(quantile(histogram, share), longest)) for share in shares]
    return (*points, (1 - 1 / max(count, 1), longest))

"""What operations cost each variant, and so what it takes on a workload: a sum, fitted to what was measured.

For each variant a ridge regression of times on `features.figures`. Errors are thought of as relative, so each time
is divided by itself. Each number of threads that much was measured with has a fit of its own: locks that cost two
threads much cost one nothing. What other numbers change is a factor on the nearest of these, by the workloads that
were measured with both: those count most whose share of reads is nearest.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Final

from safemap.bench.recommend.features import figures, prior
from safemap.bench.recommend.ridge import fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.measured import Point
    from safemap.bench.recommend.ridge import Fit
    from safemap.bench.workload import Workload

ENOUGH: Final = 30
"""Workloads with so many threads that have a fit of their own."""
ERROR: Final = 0.15
"""The relative error of one measurement, as the prior takes it: more, and costs are drawn to 0."""
LIKE: Final = 0.5
"""By how much the shares of reads of two workloads differ where one counts e times less for the other's factor."""
LEAST_SHARE: Final = 0.02
"""No variant is predicted to take less than this share of what they take in the median; costs that were fitted may
come to nothing, or less."""
SHORTEST: Final = 1.0
"""Nor less than this, in ns."""
MOST_LEVERAGE: Final = 0.999
"""A workload that alone has some operation has a leverage of nearly 1."""


class Costs:
    """Fitted to points that have figures of all of these variants."""

    def __init__(self, points: Sequence[Point], names: Sequence[str]) -> None:
        self._names = names
        runs = [point for point in points if not point.alone]
        counts = [point.threads for point in runs]
        usual = max(sorted(set(counts)), key=counts.count)
        self._well: list[int] = [count for count in sorted(set(counts)) if counts.count(count) >= ENOUGH] or [
            usual
        ]
        """The numbers of threads that have a fit."""
        self._unit = median(mean(point.ns) for point in runs)
        self._factors = {count: self._factors_of(runs, count) for count in set(counts)}
        # Operations alone are one thread's; where there is no fit for it, they tell more than nothing.
        self._points = {
            count: [
                point for point in points if (self._base(point.threads) if point.alone else point.threads) == count
            ]
            for count in self._well
        }
        self._fits = {count: {name: self._fit(count, name) for name in names} for count in self._well}

    def at(self, workload: Workload, threads: int) -> dict[str, float]:
        """Return what an operation takes each variant, in ns, of all threads together.

        `threads`: a number that was measured with.
        """
        base = self._base(threads)
        row = figures(workload, together=base > 1)
        usual = possible({name: each.at(row) * self._unit for name, each in self._fits[base].items()})
        return {name: time * self._factor(name, workload, threads) for name, time in usual.items()}

    def left_out(self, point: Point) -> dict[str, float]:
        """Return what `at` would tell of a point's workload had that not been measured.

        A point of a number of threads without a fit adds nothing to it: there it is what `at` tells.
        """
        base = self._base(point.threads)
        if base != point.threads:
            return self.at(point.workload, point.threads)
        found: dict[str, float] = {}
        for name, each in self._fits[base].items():
            row = self._weighted(point, base, name)
            kept = 1 - min(each.leverage(row), MOST_LEVERAGE)
            found[name] = (1 - (1 - each.at(row) * ERROR) / kept) * point.ns[name]
        return possible(found)

    def _base(self, threads: int) -> int:
        """Return the number of threads whose fit stands for another one."""
        return nearest(self._well, threads)

    def _fit(self, count: int, name: str) -> Fit:
        rows = [self._weighted(point, count, name) for point in self._points[count]]
        return fit(rows, [1 / ERROR] * len(rows), {figure: prior(figure) for row in rows for figure in row})

    def _weighted(self, point: Point, count: int, name: str) -> dict[str, float]:
        """Return a point's figures, divided by the error of the time of one variant."""
        error = ERROR * point.ns[name] / self._unit
        row = figures(point.workload, together=count > 1, alone=point.alone)
        return {figure: value / error for figure, value in row.items()}

    def _factors_of(self, runs: Sequence[Point], threads: int) -> list[tuple[float, dict[str, float]]]:
        """Return reads and log ratios of each workload measured with so many threads and with those of the fit."""
        usual = {point.workload.name: point for point in runs if point.threads == self._base(threads)}
        return [
            (point.workload.reads, {name: math.log(point.ns[name] / base.ns[name]) for name in self._names})
            for point in runs
            if point.threads == threads and (base := usual.get(point.workload.name)) is not None
        ]

    def _factor(self, name: str, workload: Workload, threads: int) -> float:
        """Return how many times as long an operation takes as with the threads of the fit; 1 if unknown."""
        known = self._factors[threads]
        if threads == self._base(threads) or not known:
            return 1.0
        weights = [math.exp(-abs(workload.reads - reads) / LIKE) for reads, _ in known]
        logs = [logarithms[name] for _, logarithms in known]
        return math.exp(math.fsum(map(float.__mul__, weights, logs)) / math.fsum(weights))


def nearest(counts: Sequence[int], threads: int) -> int:
    """Return the number of threads among these that stands for another one."""
    return min(counts, key=lambda count: abs(math.log(count / threads)))


def mean(ns: Mapping[str, float]) -> float:
    """Return the geometric mean of times."""
    return math.exp(math.fsum(map(math.log, ns.values())) / len(ns))


def relative(ns: Mapping[str, float]) -> dict[str, float]:
    """Return the logarithms of times beside their geometric mean."""
    middle = math.log(mean(ns))
    return {name: math.log(time) - middle for name, time in ns.items()}


def possible(times: Mapping[str, float]) -> dict[str, float]:
    """Return times of which none is nothing, or less: at least a share of the median."""
    least = max(median(times.values()) * LEAST_SHARE, SHORTEST)
    return {name: max(time, least) for name, time in times.items()}

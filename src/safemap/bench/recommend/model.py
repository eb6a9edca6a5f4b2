"""What each variant takes on a workload that was not measured, predicted from those that were.

For each variant a ridge regression of times on `features.figures`. Errors are thought of as relative, so each time
is divided by itself. It is fitted for the number of threads that most was measured with. What other numbers change
is a factor, by workloads that were measured with both: those count most whose share of reads is nearest.

How far predicted ratios are off is taken from the workloads that were measured themselves, each predicted from the
others (leave-one-out), and grows with how little they have to do with the workload in question (its leverage).
"""

from __future__ import annotations

import math
from itertools import combinations
from statistics import fmean, median
from typing import TYPE_CHECKING, Final

from safemap.bench.measured import NORMAL_95, measured_names
from safemap.bench.recommend.features import figures, prior
from safemap.bench.recommend.ridge import fit
from safemap.bench.statistics import Ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.measured import Point
    from safemap.bench.recommend.ridge import Fit
    from safemap.bench.workload import Workload

ERROR: Final = 0.06
"""The relative error of one measurement, as the prior takes it: more, and costs are drawn to 0."""
LIKE: Final = 0.5
"""By how much the shares of reads of two workloads differ where one counts e times less for the other's factor."""
LEAST_SHARE: Final = 0.02
"""No variant is predicted to take less than this share of what they take in the median; costs that were fitted may
come to nothing, or less."""
SHORTEST: Final = 1.0
"""Nor less than this, in ns."""
QUANTILE: Final = 0.95
"""Of what predictions are off: 1.96 standard errors, if that were normal."""
NO_IDEA: Final = 20.0
"""The logarithm of a reach beyond which an interval says no more than that nothing is known."""
MOST_LEVERAGE: Final = 0.999
"""A workload that alone has some operation has a leverage of nearly 1."""


class Model:
    """Predicts from points that have figures of all variants that were measured."""

    def __init__(self, points: Sequence[Point]) -> None:
        """Fit. Raises ValueError if no point will do."""
        self.names: tuple[str, ...] = measured_names(points)
        self.points: list[Point] = [
            point for point in points if point.ns.keys() >= {*self.names} and not point.workload.background
        ]
        runs = [point for point in self.points if not point.alone]
        if not (runs and self.names):
            message = "no workload was measured with all variants"
            raise ValueError(message)
        counts = [point.threads for point in runs]
        self.usual_threads: int = max(sorted(set(counts)), key=counts.count)
        """The number of threads that most was measured with."""
        self.threads: list[int] = sorted(set(counts))
        self._unit = median(_mean(point.ns) for point in runs)
        self._factors = {count: self._factors_of(runs, count) for count in self.threads}
        self._fits = {name: self._fit(name) for name in self.names}
        self._error = self._off()

    def _factors_of(self, runs: Sequence[Point], threads: int) -> list[tuple[float, dict[str, float]]]:
        """Return, for each workload measured with so many threads and the usual ones, its reads and log ratios."""
        usual = {point.workload.name: point for point in runs if point.threads == self.usual_threads}
        return [
            (point.workload.reads, {name: math.log(point.ns[name] / base.ns[name]) for name in self.names})
            for point in runs
            if point.threads == threads and (base := usual.get(point.workload.name)) is not None
        ]

    def _factor(self, name: str, workload: Workload, threads: int) -> float:
        """Return how many times as long an operation takes as with the usual number of threads; 1 if unknown."""
        known = self._factors.get(threads, [])
        if threads == self.usual_threads or not known:
            return 1.0
        weights = [math.exp(-abs(workload.reads - reads) / LIKE) for reads, _ in known]
        logs = [logarithms[name] for _, logarithms in known]
        return math.exp(math.fsum(map(float.__mul__, weights, logs)) / math.fsum(weights))

    def _usual(self, point: Point, name: str) -> float:
        """Return what was measured, as if with the usual number of threads."""
        return point.ns[name] / self._factor(name, point.workload, point.threads)

    def _fit(self, name: str) -> Fit:
        rows = [self._weighted(point, name) for point in self.points]
        return fit(rows, [1 / ERROR] * len(rows), {figure: prior(figure) for row in rows for figure in row})

    def _weighted(self, point: Point, name: str) -> dict[str, float]:
        """Return a point's figures, divided by the error of the time of one variant."""
        error = ERROR * self._usual(point, name) / self._unit
        row = self._row(point.workload, alone=point.alone)
        return {figure: value / error for figure, value in row.items()}

    def _row(self, workload: Workload, *, alone: bool = False) -> dict[str, float]:
        return figures(workload, together=self.usual_threads > 1, alone=alone)

    def nearest_threads(self, threads: int) -> int:
        """Return the measured number of threads that stands for another one."""
        return min(self.threads, key=lambda count: abs(math.log(count / threads)))

    def predict(self, workload: Workload, threads: int) -> dict[str, float]:
        """Return what an operation takes each variant, in ns, of all threads together."""
        row, threads = self._row(workload), self.nearest_threads(threads)
        usual = _possible({name: each.at(row) * self._unit for name, each in self._fits.items()})
        return {name: time * self._factor(name, workload, threads) for name, time in usual.items()}

    def ratio(self, workload: Workload, threads: int, this: str, that: str) -> Ratio:
        """Return how many times the throughput of one variant is that of another, and the 95 % interval."""
        ns = self.predict(workload, threads)
        row = self._row(workload)
        usual = _possible({name: self._fits[name].at(row) * self._unit for name in (this, that)})
        leverages = [self._fits[name].leverage(row) * (self._unit / usual[name] / ERROR) ** 2 for name in usual]
        reach = math.exp(min(NORMAL_95 * self._error * math.sqrt(1 + fmean(leverages)), NO_IDEA))
        value = ns[that] / ns[this]
        return Ratio(value, value / reach, value * reach)

    def left_out(self, point: Point) -> dict[str, tuple[float, float]]:
        """Return what each variant would be predicted to take at a point, had that not been measured.

        With each, one less the point's leverage: 1 where it adds nothing to the others, nearly 0 where it alone
        has some operation.
        """
        found: dict[str, tuple[float, float]] = {}
        for name, each in self._fits.items():
            row = self._weighted(point, name)
            kept = 1 - min(each.leverage(row), MOST_LEVERAGE)
            found[name] = (1 - (1 - each.at(row) * ERROR) / kept) * self._usual(point, name), kept
        possible = _possible({name: time for name, (time, _) in found.items()})
        return {
            name: (possible[name] * self._factor(name, point.workload, point.threads), kept)
            for name, (_, kept) in found.items()
        }

    def _off(self) -> float:
        """Return the standard error of the logarithm of a ratio that was predicted at a place of no leverage.

        Each workload that was measured is left out, and each pair of variants predicted. Ends of intervals matter,
        and few workloads that are far off would spoil a mean square: so it is told from a quantile.
        """
        errors: list[float] = []
        for point in self.points:
            if point.alone:
                continue
            left_out = self.left_out(point)
            off = {name: math.log(time / point.ns[name]) for name, (time, _) in left_out.items()}
            for one, other in combinations(self.names, 2):
                kept = (left_out[one][1] + left_out[other][1]) / 2
                errors.append(abs(off[one] - off[other]) * math.sqrt(kept))
        return sorted(errors)[int(QUANTILE * (len(errors) - 1))] / NORMAL_95


def _mean(ns: Mapping[str, float]) -> float:
    return math.exp(math.fsum(map(math.log, ns.values())) / len(ns))


def _possible(times: Mapping[str, float]) -> dict[str, float]:
    """Return times of which none is nothing, or less: at least a share of the median."""
    least = max(median(times.values()) * LEAST_SHARE, SHORTEST)
    return {name: max(time, least) for name, time in times.items()}

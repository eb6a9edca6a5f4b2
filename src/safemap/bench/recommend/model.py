"""What each variant takes on a workload that was not measured, predicted in two ways from those that were.

`costs` adds up what operations cost: that holds far from what was measured, too, but knows of no cost that is not
a sum. `gaussian_process` looks at what was measured nearest (see `places`), and does not ask why it is so. The two
are wrong in different places, and their mean is less off than either.

How far predicted ratios are off is taken from those nearest workloads themselves, each predicted from the others
(leave-one-out), and grows with how far away all of them are.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from safemap.bench.measured import NORMAL_95, measured_names
from safemap.bench.recommend.costs import Costs, mean, nearest, possible, relative
from safemap.bench.recommend.gaussian_process import GaussianProcess
from safemap.bench.recommend.places import place
from safemap.bench.statistics import Ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.measured import Point
    from safemap.bench.workload import Workload

NEIGHBOURS: Final = 200
"""The nearest workloads, by which one is predicted: with all that there are it takes seconds, and is no better."""
QUANTILE: Final = 0.95
"""Of what predictions are off: 1.96 standard errors, if that were normal."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What each variant is expected to take on a workload."""

    ns: Mapping[str, float]
    """For an operation, of all threads together."""
    reach: float
    """Of the 95 % interval of the logarithm of a ratio, to either side."""

    def ratio(self, this: str, that: str) -> Ratio:
        """Return how many times the throughput of one variant is that of another, and the 95 % interval."""
        value, reach = self.ns[that] / self.ns[this], math.exp(self.reach)
        return Ratio(value, value / reach, value * reach)


class Model:
    """Predicts from points that have figures of all variants that were measured."""

    def __init__(self, points: Sequence[Point]) -> None:
        """Fit. Raises ValueError if no point will do."""
        self.names: tuple[str, ...] = measured_names(points)
        fit = [point for point in points if point.ns.keys() >= {*self.names} and not point.workload.background]
        self.points: list[Point] = [point for point in fit if not point.alone]
        if not (self.points and self.names):
            message = "no workload was measured with all variants"
            raise ValueError(message)
        self.threads: list[int] = sorted({point.threads for point in self.points})
        self._costs = Costs(fit, self.names)
        self._logarithms = [relative(point.ns) for point in self.points]
        self._places = [place(point.workload, point.threads) for point in self.points]
        self._summed: dict[int, Mapping[str, float]] = {}
        """What costs alone tell of points that are left out, so far as it was asked, by their index."""

    def nearest_threads(self, threads: int) -> int:
        """Return the measured number of threads that stands for another one."""
        return nearest(self.threads, threads)

    def predict(self, workload: Workload, threads: int) -> Prediction:
        """Return what each variant takes. Takes a tenth of a second where much was measured."""
        threads = self.nearest_threads(threads)
        here = place(workload, threads)
        near = self._nearest(here)
        process = GaussianProcess(
            [self._places[index] for index in near],
            [[self._logarithms[index][name] for index in near] for name in self.names],
        )
        costs = self._costs.at(workload, threads)
        level, summed = mean(costs), relative(costs)
        both = zip(self.names, process.at(here), strict=True)
        ns = possible({name: level * math.exp((summed[name] + alike) / 2) for name, alike in both})
        return Prediction(ns, NORMAL_95 * self._error(near, process) * process.doubt(here))

    def _nearest(self, here: tuple[float, ...]) -> list[int]:
        return heapq.nsmallest(
            NEIGHBOURS, range(len(self._places)), key=lambda index: math.dist(here, self._places[index])
        )

    def _error(self, near: Sequence[int], process: GaussianProcess) -> float:
        """Return the standard error of the logarithm of a predicted ratio, for each unit of doubt.

        Each workload is left out, and each pair of variants predicted. Ends of intervals matter, and few workloads
        that are far off would spoil a mean square: so it is told from a quantile.
        """
        errors: list[float] = []
        for at, index in enumerate(near):
            alike, doubt = process.left_out(at)
            if index not in self._summed:
                self._summed[index] = relative(self._costs.left_out(self.points[index]))
            summed, true = self._summed[index], self._logarithms[index]
            off = [(summed[name] + each) / 2 - true[name] for name, each in zip(self.names, alike, strict=True)]
            errors += [abs(this - that) / doubt for this, that in combinations(off, 2)]
        return sorted(errors)[int(QUANTILE * (len(errors) - 1))] / NORMAL_95

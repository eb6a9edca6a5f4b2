"""Results, digested to what advice needs of them: what an operation takes each variant, workload by workload.

Figures are relative to the geometric mean of the variants in the same block, where the machine was in the same
mood for all of them; the mean itself is a median over the blocks. So what one variant is to another is known
better than what either takes.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from statistics import median, stdev
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.contestants import REFERENCE
from safemap.bench.contestants.variants import VARIANTS
from safemap.bench.environment import Environment
from safemap.bench.sizes import COSTS
from safemap.bench.statistics import Ratio
from safemap.bench.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safemap.bench.results import Results

NAMES: Final = tuple(contestant.name for contestant in VARIANTS)
NANO: Final = 1e9
DIGITS: Final = 4
"""Significant ones, in the file: a twentieth of what the sharpest interval is wide."""
NORMAL_95: Final = 1.96
"""Standard deviations from the middle of a normal distribution to the end of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Point:
    """What the variants took on one workload with so many threads."""

    workload: Workload
    threads: int
    ns: Mapping[str, float]
    """Of each variant that came out right: wall-clock time for an operation of all measured threads together."""
    spread: Mapping[str, float]
    """The standard error of the logarithm of each variant's time, relative to the others'."""
    alone: bool = False
    """Whether it is one operation in a bare loop, by one thread, and not a workload in the usual loop."""

    def ratio(self, this: str, that: str) -> Ratio:
        """Return how many times the throughput of one variant is that of another, and the 95 % interval."""
        value = self.ns[that] / self.ns[this]
        reach = math.exp(NORMAL_95 * math.hypot(self.spread[this], self.spread[that]))
        return Ratio(value, value / reach, value * reach)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on one machine with one interpreter."""

    environment: Environment
    began: str
    blocks: int
    noise: Mapping[int, float]
    """The noise floor by the number of threads: ratios nearer to 1 are ties."""
    points: tuple[Point, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON knows: few digits, and of workloads only what is not as usual."""
        return {
            "environment": self.environment.to_json(),
            "began": self.began,
            "blocks": self.blocks,
            "noise": {str(threads): _rounded(floor) for threads, floor in self.noise.items()},
            "points": [_point_to_json(point) for point in self.points],
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Measured:
        """Return what `to_json` gave. What it is given is ours: it is not checked."""
        return cls(
            Environment(**given["environment"]),
            given["began"],
            given["blocks"],
            {int(threads): floor for threads, floor in given["noise"].items()},
            tuple(
                Point(
                    Workload.from_json(point["workload"]),
                    **{name: point[name] for name in point if name != "workload"},
                )
                for point in given["points"]
            ),
        )


def measured_names(points: Iterable[Point]) -> tuple[str, ...]:
    """Return the variants that some workload has a figure of: not one that is newer than the results."""
    found = {name for point in points if not point.alone for name in point.ns}
    return tuple(name for name in NAMES if name in found)


def digest(results: Results) -> Measured:
    """Return what advice needs of results: the throughput of variants, and their costs by size."""
    plan = results.plan
    workloads = [workload for workload in plan.workloads if workload.name not in plan.jobs]
    counts = sorted({threads for workload in workloads for threads in plan.threads.get(workload.name, ())})
    noise = {threads: results.noise(threads) for threads in counts}
    runs = [
        point
        for workload in workloads
        for threads in plan.threads.get(workload.name, ())
        if (point := _point(workload, threads, results.throughputs(workload.name, threads), noise[threads]))
        is not None
    ]
    return Measured(results.environment, results.began, results.blocks, noise, (*runs, *_costs(results)))


def _point(
    workload: Workload, threads: int, scores: Mapping[str, Mapping[int, float]], noise: float
) -> Point | None:
    known = [name for name in NAMES if scores.get(name)]
    blocks = set.intersection(*(set(scores[name]) for name in known)) if known else set[int]()
    if len(known) < 2 or not blocks:  # noqa: PLR2004 - nothing to compare
        return None
    mean = {
        block: math.exp(math.fsum(math.log(scores[name][block]) for name in known) / len(known))
        for block in blocks
    }
    usual = NANO / median(mean.values())
    ns, spread = {}, {}
    for name in known:
        ratios = [math.log(scores[name][block] / mean[block]) for block in blocks]
        ns[name] = usual / math.exp(median(ratios))
        spread[name] = _error_of_median(ratios, noise)
    return Point(workload, threads, ns, spread)


def _error_of_median(logarithms: Sequence[float], noise: float) -> float:
    """Return the standard error of a median; where there is one figure alone, the noise floor has to tell."""
    if len(logarithms) == 1:
        return math.log(noise) / NORMAL_95 / math.sqrt(2)
    return math.sqrt(math.pi / 2 / len(logarithms)) * stdev(logarithms)


def _costs(results: Results) -> list[Point]:
    points: list[Point] = []
    for operation in COSTS:
        costs = results.costs(operation)
        known = [name for name in NAMES if name in costs]
        for size in costs.get(REFERENCE, {}):
            ns = {name: costs[name][size] for name in known if size in costs[name]}
            workload = Workload(f"{operation}-{size}", {operation: 1.0}, size=size)
            points.append(Point(workload, 1, ns, dict.fromkeys(ns, 0.0), alone=True))
    return points


def _point_to_json(point: Point) -> dict[str, Any]:
    given = {**asdict(point.workload), "about": ""}
    usual = {each.name: each.default for each in fields(Workload)}
    workload = {name: value for name, value in given.items() if value != usual[name] and value not in ({}, "")}
    workload["mix"] = {share: _rounded(part, 6) for share, part in point.workload.mix.items()}
    return {
        "workload": workload,
        "threads": point.threads,
        "ns": {name: _rounded(value) for name, value in point.ns.items()},
        "spread": {name: round(value, DIGITS) for name, value in point.spread.items()},
        **({"alone": True} if point.alone else {}),
    }


def _rounded(value: float, digits: int = DIGITS) -> float:
    return float(f"{value:.{digits}g}")

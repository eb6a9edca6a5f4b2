"""Which variant to take, of those that meet the needs, by what was measured: a pure function of its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from safemap.bench.measured import Point, measured_names
from safemap.bench.recommend.extrapolation import extrapolations, same_workload
from safemap.bench.recommend.model import Model
from safemap.bench.recommend.needs import admitted, contradictions, known, rulings, without_least
from safemap.bench.statistics import LEAST_EFFECT, Ratio, differs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from safemap.bench.environment import Environment
    from safemap.bench.measured import Measured
    from safemap.bench.recommend.model import Prediction
    from safemap.bench.recommend.needs import Ruling
    from safemap.bench.workload import Workload

Origin: TypeAlias = Literal["now", "own", "file", "recorded"]
"""Where results come from: they were measured for this question, this machine's benchmark left them, the user
named them, or they ship with safemap."""
MOST_THREADS: Final = 10_000
"""More is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Other:
    """A variant that is not the pick."""

    name: str
    ratio: Ratio
    """How many times its throughput the pick reaches, and the 95 % interval."""
    tied: bool
    """Whether the two cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Compromise:
    """What to take if some needs are given up."""

    without: tuple[str, ...]
    pick: str


@dataclass(frozen=True, slots=True)
class Advice:
    """Which variant to take, and how far to trust that."""

    workload: Workload
    threads: int
    needs: tuple[str, ...]
    pick: str | None
    """None: no variant that was measured meets all needs."""
    others: tuple[Other, ...]
    """The other variants that meet the needs, the fastest first."""
    unmeasured: tuple[str, ...]
    """Variants that meet the needs, and that the results have no figures of: they are not ranked."""
    faster: tuple[Other, ...]
    """Variants that the needs rule out and that are faster than the pick, by more than noise: what needs cost."""
    rulings: tuple[Ruling, ...]
    contradictions: tuple[tuple[str, ...], ...]
    """The smallest sets of needs that no variant meets together."""
    compromises: tuple[Compromise, ...]
    """Where there is no pick: what to take if as few needs as possible are given up."""
    workloads: int
    """How many workloads the results have."""
    measured: bool
    """Whether this very workload was measured, with so many threads; otherwise figures are predicted."""
    extrapolates: tuple[str, ...]
    """In what respects the question lies outside what was measured, a line each."""
    origin: Origin
    environment: Environment
    """What the results were taken on."""
    began: str
    """When they were."""
    blocks: int
    noise: float
    """The noise floor of the results: ratios nearer to 1 are ties."""

    @property
    def ties(self) -> tuple[str, ...]:
        """The variants that meet the needs and cannot be told from the pick."""
        return tuple(other.name for other in self.others if other.tied)


def advice_from(
    measured: Measured,
    workload: Workload,
    threads: int,
    needs: Iterable[str] = (),
    *,
    origin: Origin,
    environment: Environment,
) -> Advice:
    """Return which variant to take for a workload and so many threads, from what was measured.

    `origin`: where that comes from; `environment`: what the program will run on. The pick is the fastest by
    measurement or prediction, be it by less than the noise. Raises NeedError; ValueError if nothing was measured
    that can be compared.
    """
    _check_threads(threads)
    needs = known(needs)
    ruled = rulings(needs)
    view = _View.of(measured, workload, threads)
    ranked = view.ranked()
    fit = admitted(ruled)
    names = measured_names(measured.points)
    pick = next((name for name in ranked if name in fit), None)
    others: list[Other] = []
    faster: list[Other] = []
    if pick is not None:
        all_others = [view.other(pick, name) for name in ranked if name != pick]
        others = [other for other in all_others if other.name in fit]
        faster = [
            other for other in all_others if other.name not in fit and other.ratio.value < 1 and not other.tied
        ]
    return Advice(
        workload=workload,
        threads=threads,
        needs=needs,
        pick=pick,
        others=tuple(others),
        unmeasured=tuple(name for name in fit if name not in names),
        faster=tuple(faster),
        rulings=ruled,
        contradictions=contradictions(ruled),
        compromises=tuple(_compromises(ruled, ranked)),
        workloads=len({point.workload.name for point in measured.points if not point.alone}),
        measured=isinstance(view.known, Point),
        extrapolates=tuple(extrapolations(measured, workload, threads, environment)),
        origin=origin,
        environment=measured.environment,
        began=measured.began,
        blocks=measured.blocks,
        noise=view.noise,
    )


def _check_threads(threads: int) -> None:
    if type(threads) is not int or not 1 <= threads <= MOST_THREADS:
        message = f"threads must be a whole number from 1 to {MOST_THREADS:,}, not {threads!r:.60}"
        raise ValueError(message)


def _compromises(ruled: Sequence[Ruling], ranked: Sequence[str]) -> Iterable[Compromise]:
    for given_up in without_least(ruled):
        fit = admitted(ruling for ruling in ruled if ruling.need not in given_up)
        pick = next((name for name in ranked if name in fit), None)
        if pick is not None:
            yield Compromise(given_up, pick)


@dataclass(frozen=True, slots=True)
class _View:
    """What is known of the variants on one workload: by its own measurement, or else by the model."""

    known: Point | Prediction
    noise: float

    @classmethod
    def of(cls, measured: Measured, workload: Workload, threads: int) -> _View:
        for point in measured.points:
            if not point.alone and point.threads == threads and same_workload(point.workload, workload):
                return cls(point, measured.noise.get(threads, LEAST_EFFECT))
        model = Model(measured.points)
        noise = measured.noise.get(model.nearest_threads(threads), LEAST_EFFECT)
        return cls(model.predict(workload, threads), noise)

    def ranked(self) -> list[str]:
        """Return the variants, the fastest first, without those that came out wrong where it was measured."""
        ns = self.known.ns
        return sorted(ns, key=lambda name: ns[name])

    def other(self, pick: str, name: str) -> Other:
        ratio = self.known.ratio(pick, name)
        return Other(name, ratio, tied=not differs(ratio, self.noise))

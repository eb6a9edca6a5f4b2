"""In what respects a question lies outside what was measured, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from safemap.bench.operations import parse
from safemap.bench.workload import CHOICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safemap.bench.environment import Environment
    from safemap.bench.measured import Measured, Point
    from safemap.bench.workload import Workload

CLOSE: Final = 1e-6
"""Shares that differ by less are the same: those of a mix come to 1 only so far."""


def same_workload(this: Workload, that: Workload) -> bool:
    """Return whether two workloads have all in common but their names."""
    axes = ("size", *CHOICES)
    skewed = {"zipf", "latest"}
    return (
        all(getattr(this, axis) == getattr(that, axis) for axis in axes)
        and (this.skew == that.skew or this.access not in skewed)
        and _same_mix(this.mix, that.mix)
        and _same_mix(this.background, that.background)
    )


def _same_mix(this: Mapping[str, float], that: Mapping[str, float]) -> bool:
    shares = _told(this), _told(that)
    return shares[0].keys() == shares[1].keys() and all(
        math.isclose(part, shares[1][share], abs_tol=CLOSE) for share, part in shares[0].items()
    )


def _told(mix: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """Return the shares by operation and source: "get" and "get:there" are the same."""
    told: dict[tuple[str, str], float] = {}
    for share, part in mix.items():
        operation, source = parse(share)
        told[operation.name, source] = told.get((operation.name, source), 0.0) + part
    return told


def extrapolations(
    measured: Measured, workload: Workload, threads: int, environment: Environment
) -> Iterator[str]:
    """Yield a line for each respect in which the question lies outside what was measured; none: it does not."""
    if not any(
        point.threads == threads and same_workload(point.workload, workload)
        for point in measured.points
        if not point.alone
    ):
        yield from _of_the_workload(measured.points, workload, threads)
    yield from _of_the_machine(measured.environment, environment)


def _of_the_workload(points: Iterable[Point], workload: Workload, threads: int) -> Iterator[str]:
    points = list(points)
    counts = sorted({point.threads for point in points if not point.alone})
    if threads not in counts:
        yield f"threads: {threads}; measured: {_listed(counts)}"
    sizes = [point.workload.size for point in points]
    if not min(sizes) <= workload.size <= max(sizes):
        yield f"size: {workload.size:,}; measured: {min(sizes):,} to {max(sizes):,}"
    known = {parse(share)[0].name for point in points for share in point.workload.mix}
    unknown = dict.fromkeys(name for share in workload.mix if (name := parse(share)[0].name) not in known)
    if unknown:
        yield f"operations: {_listed(unknown)} not measured, and taken to cost nothing"
    for axis in CHOICES:
        wanted = getattr(workload, axis)
        values = dict.fromkeys(getattr(point.workload, axis) for point in points)
        if wanted not in values:
            yield f"{axis}: {wanted}; measured: {_listed(values)}"
    if workload.background:
        yield "background: what the thread does that is not measured is left out"


def _of_the_machine(theirs: Environment, ours: Environment) -> Iterator[str]:
    if theirs.interpreter != ours.interpreter:
        yield f"interpreter: {ours.interpreter}; measured: {theirs.interpreter}"
    if theirs.gil != ours.gil:
        yield f"GIL: {_on(gil=ours.gil)}; measured: {_on(gil=theirs.gil)}"
    if theirs.compiled != ours.compiled:
        yield f"maps: {_compiled(ours)}; measured: {_compiled(theirs)}"
    machines = [f"{each.processor}, {each.cores} cores, {each.platform}" for each in (ours, theirs)]
    if machines[0] != machines[1]:
        yield f"machine: {machines[0]}; measured: {machines[1]}"
    if theirs.version != ours.version:
        yield f"safemap: {ours.version}; measured: {theirs.version}"


def _on(*, gil: bool) -> str:
    return "on" if gil else "off"


def _compiled(environment: Environment) -> str:
    return "compiled" if environment.compiled else "plain Python"


def _listed(things: Iterable[object]) -> str:
    return ", ".join(map(str, things))

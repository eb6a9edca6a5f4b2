"""What each contestant did on each workload, with each number of threads."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Final

from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.statistics import compare
from safemap.bench.summary.choosing import family, is_tie
from safemap.bench.summary.model import Measured, Spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safemap.bench.results import Results, Scores
    from safemap.bench.summary.model import State

FIGURES: Final = ("fairness", "cpu", "collections", "lost", "peak_bytes", "background")
LEAST_NET: Final = 0.05
"""Where all but a twentieth of the time is the loop's own, what is left says nothing of the map."""


def by_workload(results: Results) -> dict[str, Results]:
    """Return the results of each workload by themselves: asking those takes a hundredth of the time."""
    parts = {workload.name: replace(results, records=[]) for workload in results.plan.workloads}
    for record in results.records:
        if record.cell.workload in parts:
            parts[record.cell.workload].records.append(record)
    return parts


def spread(figures: Mapping[int, float]) -> Spread:
    """Return the median of the blocks, the lowest and the highest."""
    return Spread(median(figures.values()), min(figures.values()), max(figures.values()))


def measured(results: Results, workload: str, noise: Mapping[int, float]) -> Iterator[Measured]:
    """Yield what was measured on a workload. `results`: those of the workload. `noise`: by number of threads."""
    plan, cores = results.plan, results.environment.cores
    planned = [entrant for entrant in plan.entrants if entrant.name != CONTROL]
    judged = plan.judged_threads(workload, cores)
    floors = plan.names("floor")
    seen = {record.cell.contestant for record in results.records}
    for threads in plan.threads[workload]:
        scores = results.throughputs(workload, threads)
        figures = {name: results.figures(workload, threads, name) for name in FIGURES}
        loop = next((spread(scores[name]).value for name in floors if name in scores), None)
        for entrant in planned:
            who = entrant.name
            if who not in seen:
                continue
            state, why = _state(results, workload, threads, who, scores)
            ratio = compare(scores[who], scores[REFERENCE]) if {who, REFERENCE} <= scores.keys() else None
            throughput = spread(scores[who]) if who in scores else None
            of = {name: figures[name].get(who) if state in {"good", "lost"} else None for name in FIGURES}
            yield Measured(
                workload=workload,
                family=family(plan, workload),
                kind=results.kind_of(workload),
                threads=threads,
                beyond=threads > cores,
                judged=threads == judged,
                contestant=who,
                state=state,
                why=why,
                blocks=len(scores.get(who, ())),
                throughput=throughput,
                ratio=ratio,
                tie=is_tie(ratio, noise[threads]) if ratio and who != REFERENCE else None,
                net=_net(throughput, loop) if who not in floors else None,
                fairness=of["fairness"] if _threads_measured(results, workload, threads) > 1 else None,
                cpu=of["cpu"],
                collections=of["collections"],
                lost=of["lost"] if who not in floors else None,
                peak_bytes=of["peak_bytes"],
                background=of["background"],
            )


def _threads_measured(results: Results, workload: str, threads: int) -> int:
    return threads - bool(results.plan.workload(workload).background)


def _state(results: Results, workload: str, threads: int, who: str, scores: Scores) -> tuple[State, str]:
    faults = results.faults(workload)
    if who in faults:
        return "fault", faults[who]
    if who in scores:
        return "good", ""
    mine = [
        each for each in results.of(results.kind_of(workload), workload, threads) if each.cell.contestant == who
    ]
    capped = [each.found["capped"] for each in mine if each.found.get("capped")]
    if capped:
        return "capped", capped[0]
    if mine:
        most = max(each.found.get("lost") or 0 for each in mine)
        return "lost", f"{most:,} counts lost"
    return "not measured", ""


def _net(throughput: Spread | None, loop: float | None) -> float | None:
    """Return operations per second of the map alone. `loop`: how often the loop alone goes round."""
    if throughput is None or loop is None or not throughput.value:
        return None
    left = 1 / throughput.value - 1 / loop
    return 1 / left if left * throughput.value > LEAST_NET else None

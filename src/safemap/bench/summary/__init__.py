"""All that reports show, computed once from results: `summarize`. The terminal, Markdown and HTML only set it.

`model` says what there is, `words` how it is worded. Intervals take the most time: about a second for each
thousand cells.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from safemap.bench.contestants import CONTROL, REFERENCE, ContestantError
from safemap.bench.sizes import COSTS, WRITE_AFTER_SNAPSHOT
from safemap.bench.summary import choosing
from safemap.bench.summary.latency import latencies
from safemap.bench.summary.measured import by_workload, measured
from safemap.bench.summary.model import Contestant, Cost, Noise, Run, Summary, Trouble
from safemap.bench.summary.shares import read_shares
from safemap.bench.summary.words import digits, listed, many

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safemap.bench.results import Results
    from safemap.bench.summary.model import Pick

__all__ = ["Summary", "summarize"]

CALM: Final = 0.9
"""The share of the cores that threads get on a machine that does nothing besides; less is worth a caution."""
FEW_BLOCKS: Final = 5
"""With fewer, an interval of the median is the range of the figures, and not even that in 95 % of cases."""

_COSTS: Final = tuple(dict.fromkeys(("snapshot", WRITE_AFTER_SNAPSHOT, *COSTS, "bytes_per_entry")))
"""Those first in which maps differ most."""


def summarize(results: Results) -> Summary:
    """Return all that reports show of results, whatever the plan was and however much of it is done."""
    plan, cores = results.plan, results.environment.cores
    parts = by_workload(results)
    noise = tuple(_noise(results))
    floors = {(each.kind, each.threads): math.inf if each.floor is None else each.floor for each in noise}

    def floor(workload: str, threads: int) -> float:
        return floors[results.kind_of(workload), threads]

    # A workload of which nothing is there yet has nothing to say; one that is measured once, not enough.
    begun = [name for name in plan.threads if parts[name].records and name not in plan.once]
    judged = {name: plan.judged_threads(name, cores) for name in begun}
    series = tuple(
        each
        for name in begun
        for each in measured(parts[name], name, {count: floor(name, count) for count in plan.threads[name]})
    )
    picks = tuple(
        choosing.pick(
            parts[name], name, judged[name], parts[name].throughputs(name, judged[name]), floor(name, judged[name])
        )
        for name in begun
    )
    variants = tuple(plan.names("variant"))
    troubles = tuple(_troubles(results, parts))
    faulty = {each.contestant for each in troubles if each.state == "fault"}
    most = max((judged[name] for name in begun if name.startswith("reads-")), default=0)
    reads = {name: parts[name] for name in begun}
    return Summary(
        run=_run(results),
        reference=REFERENCE,
        overall=choosing.overall(picks, variants, series, faulty),
        picks=picks,
        cautions=tuple(_cautions(results, picks, faulty)),
        notes=plan.notes,
        contestants=tuple(
            Contestant(each.name, each.role, each.atomic, each.lacks, each.name in plan.few)
            for each in plan.entrants
            if each.name != CONTROL
        ),
        variants=variants,
        promises=choosing.promises(variants),
        measured=series,
        read_shares=read_shares(reads, floors.get(("throughput", most), math.inf), most) if most else None,
        latencies=tuple(each for name in plan.latency for each in latencies(parts[name], name)),
        costs=tuple(
            Cost(cost, who, by_size) for cost in _COSTS for who, by_size in _in_order(results, results.costs(cost))
        ),
        peaks=tuple(Cost("peak_bytes", who, by_size) for who, by_size in _in_order(results, _peaks(results))),
        noise=noise,
        troubles=troubles,
    )


def _in_order(
    results: Results, found: Mapping[str, Mapping[int, float]]
) -> Iterator[tuple[str, Mapping[int, float]]]:
    """Yield what was found of each entrant, in the plan's order."""
    for entrant in results.plan.entrants:
        if entrant.name in found:
            yield entrant.name, found[entrant.name]


def _peaks(results: Results) -> dict[str, dict[int, float]]:
    peaks: dict[str, dict[int, float]] = {}
    for each in results.records:
        if each.cell.kind == "size" and each.good and each.found.get("peak_bytes"):
            by_size = peaks.setdefault(each.cell.contestant, {})
            size = results.plan.workload(each.cell.workload).size
            by_size[size] = max(by_size.get(size, 0.0), float(each.found["peak_bytes"]))
    return {who: dict(sorted(by_size.items())) for who, by_size in peaks.items()}


def _noise(results: Results) -> Iterator[Noise]:
    # The noise asks for these two alone, and reading all records for each workload takes long.
    two = replace(
        results, records=[each for each in results.records if each.cell.contestant in {CONTROL, REFERENCE}]
    )
    parts = by_workload(two)
    plan = results.plan
    for kind in ("throughput", "job"):
        of_kind = {name: counts for name, counts in plan.threads.items() if results.kind_of(name) == kind}
        for threads in sorted({count for counts in of_kind.values() for count in counts}):
            ratios: list[tuple[str, int, float]] = []
            for name, counts in of_kind.items():
                if threads in counts:
                    scores = parts[name].throughputs(name, threads)
                    first, again = scores.get(REFERENCE, {}), scores.get(CONTROL, {})
                    ratios += [(name, block, again[block] / first[block]) for block in again if first.get(block)]
            floor = two.noise(threads, kind)
            yield Noise(kind, threads, floor if math.isfinite(floor) else None, tuple(ratios))


def _troubles(results: Results, parts: Mapping[str, Results]) -> Iterator[Trouble]:
    for workload in (each.name for each in results.plan.workloads):
        for who, why in parts[workload].faults(workload).items():
            yield Trouble(workload, who, "fault", why)
        for who, why in parts[workload].capped(workload).items():
            yield Trouble(workload, who, "capped", why)


def _planned_cells(results: Results) -> int | None:
    try:
        return sum(1 for _ in results.plan.cells(results.environment.cores))
    except ContestantError:
        return None


def _run(results: Results) -> Run:
    plan, where = results.plan, results.environment
    loads = [load for each in results.records if (load := each.found.get("machine_load")) is not None]
    facts = (
        ("Interpreter", f"{where.interpreter}, GIL {'on' if where.gil else 'off'}"),
        ("Its build", where.build),
        ("safemap", f"{where.version}, {'compiled' if where.compiled else 'plain Python'}"),
        ("Processor", f"{where.processor}, {many(where.cores, 'core')} to use"),
        ("System", where.platform),
        ("Governor", where.governor or "not told"),
        ("Load", _load(where.load, loads)),
        ("Switch interval", f"{where.switch_interval * 1e3:g} ms" if where.gil else "no GIL to hand over"),
        (
            "Profile",
            f"{plan.profile}, {many(plan.blocks, 'block')} of {plan.seconds:g} s windows, seed {plan.seed}",
        ),
        ("Began", _moment(results.began)),
        ("Ended", _moment(results.ended) if results.ended else "not: it was interrupted, or goes on"),
    )
    return Run(
        profile=plan.profile,
        command=results.command,
        began=results.began,
        ended=results.ended,
        blocks=results.blocks,
        planned_blocks=plan.blocks,
        cells=len(results.records),
        planned_cells=_planned_cells(results),
        cores=where.cores,
        gil=where.gil,
        environment=facts,
    )


def _moment(given: str) -> str:
    try:
        return f"{datetime.fromisoformat(given):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return given


def _load(before: float | None, during: list[float]) -> str:
    if before is None:
        return "not told"
    within = f", {digits(min(during))} to {digits(max(during))} during the run" if during else ""
    return f"{digits(before)} before{within}"


def _cautions(results: Results, picks: Sequence[Pick], faulty: set[str]) -> Iterator[str]:
    plan, where = results.plan, results.environment
    if results.ended is None:
        planned = _planned_cells(results)
        of = f" of {planned:,}" if planned is not None else ""
        yield f"The run is unfinished: {len(results.records):,}{of} cells were measured."
    if faulty:
        who = listed([each.name for each in plan.entrants if each.name in faulty])
        yield f"{who} came out wrong: no score where that was, and never picked for everything."
    if results.blocks < FEW_BLOCKS:
        yield f"{many(results.blocks, 'block')} only: intervals and noise are guesses."
    undecided = [each for each in picks if each.ties and each.runner_up is None]
    if len(undecided) * 2 > len(picks):
        yield (
            f"In {len(undecided)} of {many(len(picks), 'workload')} no variant is told from another one: "
            "they are alike there, or the noise is too high."
        )
    if not where.compiled:
        yield "safemap was not compiled: its maps are about ten times slower so."
    counts = sorted({each.cell.threads for each in results.records if each.cell.threads <= where.cores})
    if counts:
        possible = 1 if where.gil else counts[-1]
        had = results.cores_had(counts[-1])
        if had is not None and had < possible * CALM:
            yield (
                f"The machine was busy: {many(counts[-1], 'thread')} on a plain dict got {had:.1f} of "
                f"{many(possible, 'core')}. Figures are low, and say little about scaling."
            )
    changed = results.gil_changed()
    if changed:
        yield f"The GIL was turned on in the processes of {listed(changed)}, by what they import."

"""The report in Markdown, for a README or a pull request: the verdict first, long tables folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safemap.bench.markdown.markup import fenced, table, text
from safemap.bench.summary import summarize, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safemap.bench.results import Results
    from safemap.bench.summary.model import Cost, Measured, Pick, Summary

__all__ = ["markdown"]


def markdown(results: Results) -> str:
    """Return the report in Markdown, as GitHub shows it."""
    summary = summarize(results)
    parts = [
        "# Which map to take\n",
        f"{_about(summary)}\n",
        *_verdict(summary),
        *_guarantees(summary),
        *_ratios(summary),
        *_threads(summary),
        *_reads(summary),
        *_latency(summary),
        *_fairness(summary),
        *_sizes(summary),
        *_noise(summary),
        *_environment(summary),
    ]
    return "\n".join(parts)


def _about(summary: Summary) -> str:
    facts = dict(summary.run.environment)
    return text(f"{facts['Interpreter']}; safemap {facts['safemap']}; {facts['Processor']}; {facts['Began']}.")


def _verdict(summary: Summary) -> Iterator[str]:
    overall = summary.overall
    yield "## Verdict\n"
    yield f"**{text(words.headline(summary))}** {text(words.grounds(summary))}".rstrip() + "\n"
    if overall is not None and overall.not_for:
        yield f"{text(words.not_for(overall.not_for))}\n"
    if summary.cautions:
        yield "".join(f"> - {text(each)}\n" for each in summary.cautions)
    heads = (
        "Your workload",
        "Take",
        f"{words.TIMES} {summary.reference}",
        "Not to be told from it",
        "Lead",
        "Threads",
    )
    rows = [_pick(pick) for pick in summary.picks]
    yield from table(heads, rows, "The variant to take for each workload")
    if len(summary.picks) > 1:
        yield from _named(summary)
    for contestant in summary.contestants:
        ahead = words.ahead(summary, contestant.name)
        if ahead:
            yield (
                f"{text(contestant.name)} is faster than every variant in {text(ahead)}; but never picked: "
                f"{text(contestant.lacks)}.\n"
            )


def _named(summary: Summary) -> Iterator[str]:
    for name in dict.fromkeys(pick.best for pick in summary.picks if pick.best is not None):
        mine = [pick for pick in summary.picks if pick.best == name]
        where = _some([pick.workload for pick in mine])
        yield f"- **{text(name)}** for {text(where)}. {text(words.not_for(mine[0].not_for))}"
    yield ""


def _some(words_given: Sequence[str]) -> str:
    """Return a list that is cut where it would be long."""
    shown = 4
    if len(words_given) <= shown:
        return words.listed(words_given)
    return f"{', '.join(words_given[:shown])}, and {len(words_given) - shown} more"


def _pick(pick: Pick) -> list[str]:
    return [
        text(pick.workload),
        f"**{text(pick.best)}**" if pick.best else "no verdict",
        f"{words.ratio_of(pick.ratio)} {_within(words.interval(pick.ratio))}".strip()
        if pick.ratio
        else words.NONE,
        text(words.ties(pick)),
        text(f"{words.times(pick.runner_up[1])} {pick.runner_up[0]}") if pick.runner_up else words.NONE,
        f"{pick.threads}{'*' * pick.beyond}",
    ]


def _within(interval: str) -> str:
    return f"({interval})" if interval else ""


def _guarantees(summary: Summary) -> Iterator[str]:
    if summary.variants:
        yield "## What each promises\n"
        rows = [[text(each.title), *map(text, each.values)] for each in summary.promises]
        yield from table(("", *summary.variants), rows)


def _ratios(summary: Summary) -> Iterator[str]:
    names = [each.name for each in summary.contestants if each.role != "floor"]
    if not summary.picks:
        return
    yield "## All ratios\n"
    yield (
        f"Throughput, {text(summary.reference)} = 1: medians of ratios within blocks, with 95 % intervals. "
        "≈ a tie: within noise.\n"
    )
    rows = [[text(pick.workload), *_row(summary, pick, names)] for pick in summary.picks]
    yield from table(("Workload", *names), rows, "Ratios", right=1)
    for each in summary.troubles:
        word = "WRONG" if each.state == "fault" else each.state
        yield f"- {word}: {text(each.contestant)} on {text(each.workload)}: {text(each.why)}"
    if summary.troubles:
        yield ""


def _row(summary: Summary, pick: Pick, names: Sequence[str]) -> Iterator[str]:
    found = {each.contestant: each for each in summary.of(pick.workload)}
    for name in names:
        yield _ratio(found[name], summary.reference) if name in found else words.NONE


def _ratio(each: Measured, reference: str) -> str:
    if each.state in {"fault", "capped", "lost"}:
        return "WRONG" if each.state == "fault" else each.state
    if each.ratio is None:
        return words.NONE
    if each.contestant == reference:
        return "1"
    within = words.interval(each.ratio)
    return "≈ " * bool(each.tie) + words.ratio_of(each.ratio) + (f" ({within})" if within else "")


def _threads(summary: Summary) -> Iterator[str]:
    names = [each.name for each in summary.contestants if not each.few]
    rows = [
        [
            text(pick.workload),
            f"{threads}{'*' * (threads > summary.run.cores)}",
            *_rates(summary, pick, threads, names),
        ]
        for pick in summary.picks
        for threads in sorted({each.threads for each in summary.measured if each.workload == pick.workload})
    ]
    if rows:
        yield "## Throughput by threads\n"
        yield (
            "Million operations per second. "
            f"With {words.many(summary.run.cores, 'core')}, nothing is claimed beyond "
            f"{words.many(summary.run.cores, 'thread')} (*).\n"
        )
        yield from table(("Workload", "Threads", *names), rows, "Throughput", right=1)
    net = [
        [text(each.workload), text(each.contestant), words.mops(each.net)]
        for each in summary.measured
        if each.net is not None and each.judged
    ]
    if net:
        yield "Without what the timed loop itself takes, as far as that was measured:\n"
        yield from table(("Workload", "Contestant", "Million per second"), net, "Net throughput", right=2)
    lost = [f"{each.contestant} on {each.workload}, {each.lost:,.0f}" for each in summary.lost if each.judged]
    if lost:
        yield f"Counts lost by contestants whose operations are not one step: {text('; '.join(lost))}.\n"


def _rates(summary: Summary, pick: Pick, threads: int, names: Sequence[str]) -> Iterator[str]:
    found = {each.contestant: each for each in summary.of(pick.workload, threads)}
    for name in names:
        rate = found[name].throughput if name in found else None
        yield words.mops(rate.value) if rate else words.NONE


def _reads(summary: Summary) -> Iterator[str]:
    found = summary.read_shares
    if found is None:
        return
    variants = {*summary.variants}
    lines = [
        f"- {text(words.crossover(each))}" for each in found.crossovers if {each.above, each.below} <= variants
    ]
    yield "## By share of reads\n"
    yield "\n".join(lines) + "\n" if lines else "No variant overtakes another one beyond noise.\n"


def _latency(summary: Summary) -> Iterator[str]:
    if not summary.latencies:
        return
    yield "## Latency\n"
    yield (
        "At a steady rate, a share of what the reference does at its fastest, counted from when an operation was "
        "due. † did not keep up: its latencies only say how long the test lasted.\n"
    )
    rows = [
        [
            text(each.workload),
            words.percent(each.load),
            text(each.contestant) + "†" * each.behind,
            *map(words.duration, (each.p50, each.p90, each.p99, each.p999, each.longest)),
            words.percent(round(each.kept_up, 3)),
        ]
        for each in summary.latencies
    ]
    heads = ("Workload", "Load", "Contestant", "p50", "p90", "p99", "p99.9", "longest", "kept up")
    yield from table(heads, rows, "Latencies", right=3)


def _fairness(summary: Summary) -> Iterator[str]:
    rows: list[list[str]] = []
    for contestant in summary.contestants:
        mine = [each for each in summary.measured if each.judged and each.contestant == contestant.name]
        fair = [(each.fairness, each.workload) for each in mine if each.fairness is not None]
        burnt = [(each.cpu, each.workload) for each in mine if each.cpu is not None]
        if (fair or burnt) and contestant.role != "floor":
            rows.append(
                [
                    text(contestant.name),
                    _extreme(fair, min, lambda value: f"{value:.2f}"),
                    _extreme(burnt, max, words.digits),
                ]
            )
    if rows:
        yield "## Fairness and CPU time\n"
        yield "Jain's index: 1 if all threads got equally much. CPU time: seconds for a million operations.\n"
        yield from table(("Contestant", "Least fair", "Most CPU time"), rows)


def _extreme(
    figures: Sequence[tuple[float, str]],
    which: Callable[[Sequence[tuple[float, str]]], tuple[float, str]],
    shown: Callable[[float], str],
) -> str:
    if not figures:
        return words.NONE
    value, workload = which(figures)
    return f"{shown(value)} ({text(workload)})"


def _sizes(summary: Summary) -> Iterator[str]:
    costs = (*summary.costs, *summary.peaks)
    if not costs:
        return
    yield "## Costs and memory by size\n"
    yield (
        "One thread, nobody else. Bytes per entry are without keys and values; peak bytes are the most that a "
        "process ever had, interpreter and all.\n"
    )
    sizes = sorted({size for each in costs for size in each.by_size})
    rows = [[text(each.cost.replace("_", " ")), text(each.contestant), *_cost(each, sizes)] for each in costs]
    yield from table(("Cost", "Contestant", *(f"{size:,} entries" for size in sizes)), rows, "Costs", right=2)


def _cost(cost: Cost, sizes: Sequence[int]) -> Iterator[str]:
    for size in sizes:
        yield _figure(cost.cost, cost.by_size[size]) if size in cost.by_size else words.NONE


def _figure(cost: str, value: float) -> str:
    if cost == "bytes_per_entry":
        return words.digits(value)
    return words.size(value) if cost == "peak_bytes" else words.duration(value)


def _noise(summary: Summary) -> Iterator[str]:
    floors = [
        f"{'∞' if each.floor is None else f'{each.floor:.2f}{words.TIMES}'} "
        f"({each.kind}, {words.many(each.threads, 'thread')})"
        for each in summary.noise
        if each.ratios
    ]
    yield "## Noise floor\n"
    if floors:
        yield (
            f"Ties are below what {text(summary.reference)}, run twice in every block, differs from itself: "
            f"{', '.join(floors)}.\n"
        )
    else:
        yield f"{text(summary.reference)} was not run twice: there is nothing to tell noise by.\n"


def _environment(summary: Summary) -> Iterator[str]:
    yield "## Environment\n"
    yield from table(("", ""), [[text(title), text(value)] for title, value in summary.run.environment])
    yield fenced(summary.run.command)
    if summary.notes:
        yield "".join(f"- {text(note)}\n" for note in summary.notes)

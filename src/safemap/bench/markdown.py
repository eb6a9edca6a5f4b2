"""The report in Markdown, for a README or a pull request: the verdict first, long tables folded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from safemap.bench.summary import summarize, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safemap.bench.results import Results
    from safemap.bench.summary.model import Cost, Measured, Pick, Summary

LONG: Final = 12
"""Tables with more rows are folded."""


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
    return _text(f"{facts['Interpreter']}; safemap {facts['safemap']}; {facts['Processor']}; {facts['Began']}.")


def _verdict(summary: Summary) -> Iterator[str]:
    overall = summary.overall
    yield "## Verdict\n"
    yield f"**{_text(words.headline(summary))}** {_text(words.grounds(summary))}".rstrip() + "\n"
    if overall is not None and overall.not_for:
        yield f"{_text(words.not_for(overall.not_for))}\n"
    if summary.cautions:
        yield "".join(f"> - {_text(each)}\n" for each in summary.cautions)
    heads = (
        "Your workload",
        "Take",
        f"{words.TIMES} {summary.reference}",
        "Not to be told from it",
        "Next",
        "Threads",
    )
    rows = [_pick(pick) for pick in summary.picks]
    yield from _table(heads, rows, "The variant to take for each workload")
    if len(summary.picks) > 1:
        yield from _named(summary)
    for contestant in summary.contestants:
        ahead = words.ahead(summary, contestant.name)
        if ahead:
            yield (
                f"{_text(contestant.name)} is faster than every variant in {_text(ahead)}; but never picked: "
                f"{_text(contestant.lacks)}.\n"
            )


def _named(summary: Summary) -> Iterator[str]:
    for name in dict.fromkeys(pick.best for pick in summary.picks if pick.best is not None):
        mine = [pick for pick in summary.picks if pick.best == name]
        where = _some([pick.workload for pick in mine])
        yield f"- **{_text(name)}** for {_text(where)}. {_text(words.not_for(mine[0].not_for))}"
    yield ""


def _some(words_given: Sequence[str]) -> str:
    """Return a list that is cut where it would be long."""
    shown = 4
    if len(words_given) <= shown:
        return words.listed(words_given)
    return f"{', '.join(words_given[:shown])}, and {len(words_given) - shown} more"


def _pick(pick: Pick) -> list[str]:
    return [
        _text(pick.workload),
        f"**{_text(pick.best)}**" if pick.best else "no verdict",
        f"{words.ratio_of(pick.ratio)} {_within(words.interval(pick.ratio))}".strip()
        if pick.ratio
        else words.NONE,
        _text(", ".join(pick.ties)) or words.NONE,
        _text(f"{words.times(pick.runner_up[1])} {pick.runner_up[0]}") if pick.runner_up else words.NONE,
        f"{pick.threads}{'*' * pick.beyond}",
    ]


def _within(interval: str) -> str:
    return f"({interval})" if interval else ""


def _guarantees(summary: Summary) -> Iterator[str]:
    if summary.variants:
        yield "## What each promises\n"
        rows = [[_text(each.title), *map(_text, each.values)] for each in summary.promises]
        yield from _table(("", *summary.variants), rows)


def _ratios(summary: Summary) -> Iterator[str]:
    names = [each.name for each in summary.contestants if each.role != "floor"]
    if not summary.picks:
        return
    yield "## All ratios\n"
    yield (
        f"Throughput, {_text(summary.reference)} = 1: medians of ratios within blocks, with 95 % intervals. "
        "≈ a tie: within noise.\n"
    )
    rows = [[_text(pick.workload), *_row(summary, pick, names)] for pick in summary.picks]
    yield from _table(("Workload", *names), rows, "Ratios", right=1)
    for each in summary.troubles:
        word = "WRONG" if each.state == "fault" else each.state
        yield f"- {word}: {_text(each.contestant)} on {_text(each.workload)}: {_text(each.why)}"
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
            _text(pick.workload),
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
        yield from _table(("Workload", "Threads", *names), rows, "Throughput", right=1)
    lost = [f"{each.contestant} on {each.workload}, {each.lost:,.0f}" for each in summary.lost if each.judged]
    if lost:
        yield f"Counts lost by contestants whose operations are not one step: {_text('; '.join(lost))}.\n"


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
        f"- {_text(words.crossover(each))}" for each in found.crossovers if {each.above, each.below} <= variants
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
            _text(each.workload),
            words.percent(each.load),
            _text(each.contestant) + "†" * each.behind,
            *map(words.duration, (each.p50, each.p90, each.p99, each.p999, each.longest)),
            words.percent(round(each.kept_up, 3)),
        ]
        for each in summary.latencies
    ]
    heads = ("Workload", "Load", "Contestant", "p50", "p90", "p99", "p99.9", "longest", "kept up")
    yield from _table(heads, rows, "Latencies", right=3)


def _fairness(summary: Summary) -> Iterator[str]:
    rows: list[list[str]] = []
    for contestant in summary.contestants:
        mine = [each for each in summary.measured if each.judged and each.contestant == contestant.name]
        fair = [(each.fairness, each.workload) for each in mine if each.fairness is not None]
        burnt = [(each.cpu, each.workload) for each in mine if each.cpu is not None]
        if (fair or burnt) and contestant.role != "floor":
            rows.append(
                [
                    _text(contestant.name),
                    _extreme(fair, min, lambda value: f"{value:.2f}"),
                    _extreme(burnt, max, words.digits),
                ]
            )
    if rows:
        yield "## Fairness and CPU time\n"
        yield "Jain's index: 1 if all threads got equally much. CPU time: seconds for a million operations.\n"
        yield from _table(("Contestant", "Least fair", "Most CPU time"), rows)


def _extreme(
    figures: Sequence[tuple[float, str]],
    which: Callable[[Sequence[tuple[float, str]]], tuple[float, str]],
    shown: Callable[[float], str],
) -> str:
    if not figures:
        return words.NONE
    value, workload = which(figures)
    return f"{shown(value)} ({_text(workload)})"


def _sizes(summary: Summary) -> Iterator[str]:
    if not summary.costs:
        return
    yield "## Costs and memory by size\n"
    yield "One thread, nobody else. Memory without keys and values.\n"
    sizes = sorted({size for each in summary.costs for size in each.by_size})
    rows = [
        [_text(each.cost.replace("_", " ")), _text(each.contestant), *_cost(each, sizes)] for each in summary.costs
    ]
    yield from _table(("Cost", "Contestant", *(f"{size:,} entries" for size in sizes)), rows, "Costs", right=2)


def _cost(cost: Cost, sizes: Sequence[int]) -> Iterator[str]:
    shown = words.digits if cost.cost == "bytes_per_entry" else words.duration
    for size in sizes:
        yield shown(cost.by_size[size]) if size in cost.by_size else words.NONE


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
            f"Ties are below what {_text(summary.reference)}, run twice in every block, differs from itself: "
            f"{', '.join(floors)}.\n"
        )
    else:
        yield f"{_text(summary.reference)} was not run twice: there is nothing to tell noise by.\n"


def _environment(summary: Summary) -> Iterator[str]:
    yield "## Environment\n"
    yield from _table(("", ""), [[_text(title), _text(value)] for title, value in summary.run.environment])
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", summary.run.command)), default=0))
    yield f"{fence}sh\n{summary.run.command}\n{fence}\n"
    if summary.notes:
        yield "".join(f"- {_text(note)}\n" for note in summary.notes)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], folded: str = "", right: int | None = None
) -> Iterator[str]:
    """Yield a table, folded below its title if it is long. `right`: the first column of numbers."""
    if not rows:
        return
    marks = ["--:" if right is not None and at >= right else "---" for at in range(len(heads))]
    lines = ["| " + " | ".join(each) + " |" for each in ([*map(_text, heads)], marks, *rows)]
    if folded and len(rows) > LONG:
        yield f"<details><summary>{_text(folded)}: {len(rows)} rows</summary>\n"
        yield "\n".join(lines) + "\n"
        yield "</details>\n"
    else:
        yield "\n".join(lines) + "\n"


def _text(given: str) -> str:
    """Return a text that Markdown shows as it is; what stands in backquotes is code."""
    return "".join(
        f"`{part}`"
        if code
        else re.sub(r"([\\*_|\[\]~`])", r"\\\1", part).replace("&", "&amp;").replace("<", "&lt;")
        for code, part in words.code(" ".join(given.split()))
    )

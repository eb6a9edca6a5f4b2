"""The sections to look things up in: memory and costs by size, noise, the environment, and every number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safemap.bench.html.markup import Cell, Row, bullets, charts, folded, label, number, paragraphs, table, text
from safemap.bench.summary import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safemap.bench.summary.model import Cost, Measured, Summary


def memory(summary: Summary) -> str:
    """Return memory by the size of the map."""
    entries = [each for each in summary.costs if each.cost == "bytes_per_entry"]
    if not entries:
        peaks = _peaks(summary)
        return paragraphs("Memory by size was not measured.") + peaks
    return (
        paragraphs("Of a map filled key by key, without its keys and values.")
        + charts("memory")
        + _by_size("Bytes per entry", entries, words.digits)
        + (
            paragraphs("The most memory that a process ever had, interpreter, keys and all:")
            + _by_size("Peak memory of the process", summary.peaks, words.size)
            if summary.peaks
            else ""
        )
    )


def _peaks(summary: Summary) -> str:
    most: dict[str, float] = {}
    for each in summary.measured:
        if each.peak_bytes is not None:
            most[each.contestant] = max(most.get(each.contestant, 0.0), each.peak_bytes)
    rows = [Row(text(who), [number(value, words.size(value))]) for who, value in most.items()]
    if not rows:
        return ""
    return paragraphs("The most memory that a process ever had, interpreter, keys and all:") + table(
        "Peak memory of a process", ("Contestant", "Most in any workload"), rows, "sort"
    )


def _by_size(caption: str, costs: Sequence[Cost], shown: Callable[[float], str]) -> str:
    entries = sorted({size for each in costs for size in each.by_size})
    heads = ("Contestant", *(words.many(size, "entry").replace("entrys", "entries") for size in entries))
    rows = [
        Row(
            text(each.contestant),
            [
                number(value, shown(value)) if (value := each.by_size.get(size)) is not None else number(None, "")
                for size in entries
            ],
        )
        for each in costs
    ]
    return table(caption, heads, rows, "sort")


def sizes(summary: Summary) -> str:
    """Return what operations cost by the size of the map."""
    kinds = list(dict.fromkeys(each.cost for each in summary.costs if each.cost != "bytes_per_entry"))
    if not kinds:
        return paragraphs("Costs by size were not measured: the profile leaves them out.")
    tables = "".join(
        _by_size(_title(kind), [each for each in summary.costs if each.cost == kind], words.duration)
        for kind in kinds
    )
    return (
        paragraphs(
            "One thread, nobody else; both axes are logarithmic. A line that is level costs the same whatever "
            "the size; one that climbs a decade with each decade goes through all entries."
        )
        + charts("sizes")
        + folded("The numbers", tables)
    )


def _title(cost: str) -> str:
    return cost[0].upper() + cost[1:]


def noise(summary: Summary) -> str:
    """Return what the reference differs from itself."""
    rows = [
        Row(
            f"{each.kind}, {words.many(each.threads, 'thread')}",
            [
                number(each.floor, f"{each.floor:.2f}{words.TIMES}") if each.floor is not None else label("∞"),
                Cell(str(len(each.ratios)), len(each.ratios), "n"),
            ],
        )
        for each in summary.noise
        if each.ratios
    ]
    if not rows:
        return paragraphs(f"{summary.reference} was not run twice: there is nothing to tell noise by.")
    return (
        paragraphs(
            f"{summary.reference} runs twice in every block. What it differs from itself is noise, and ratios "
            "nearer to 1 than that are ties; so are those below 1.05. Each dot is one block of a workload."
        )
        + charts("noise", wide=True)
        + table("Noise floor", ("Measured", "Ties below", "Pairs"), rows)
    )


def environment(summary: Summary) -> str:
    """Return what it was measured on, and how to do it again."""
    facts = "".join(f"<dt>{text(title)}</dt><dd>{text(value)}</dd>\n" for title, value in summary.run.environment)
    return (
        paragraphs("The command that made it:")
        + f'<pre tabindex="0"><code>{_plain(summary.run.command)}</code></pre>\n<dl class="facts">\n{facts}</dl>\n'
        + bullets(summary.notes)
    )


def _plain(given: str) -> str:
    return text(given.replace("`", "\0")).replace("\0", "`")


def numbers(summary: Summary) -> str:
    """Return everything, in one table."""
    heads = (
        "Workload",
        "Threads",
        "Contestant",
        "Million per second",
        "all blocks",
        f"{summary.reference} = 1",
        "95 %",
        "tie",
        "Jain",
        "CPU s per million",
        "Collections",
        "Lost",
        "Peak",
        "Background, million per second",
    )
    return (
        '<p class="filter" hidden><label>Only rows with <input type="search" data-filter="everything"></label> '
        "<output></output></p>\n" + table("All numbers", heads, _numbers(summary), "sort long", "everything")
    )


def _numbers(summary: Summary) -> Iterator[Row]:
    for each in summary.measured:
        if each.state != "not measured":
            yield Row(text(each.workload), [*_figures(each)])


def _figures(each: Measured) -> Iterator[Cell]:
    def cell(value: float | None, shown: Callable[[float], str]) -> Cell:
        return number(value, shown(value) if value is not None else "")

    yield Cell(f"{each.threads}{'*' * each.beyond}", each.threads, "n")
    yield label(each.contestant)
    if each.state != "good" or each.throughput is None:
        word = {"fault": "WRONG"}.get(each.state, each.state)
        yield Cell(f"{word}: {text(each.why)}", classes=each.state)
        yield number(None, "")
    else:
        spread = each.throughput
        yield Cell(words.mops(spread.value), spread.value, "n")
        yield Cell(
            words.between(words.mops(spread.low), words.mops(spread.high)) if each.blocks > 1 else "",
            spread.low,
            "n",
        )
    yield cell(
        each.ratio.value if each.ratio else None, lambda _: words.ratio_of(each.ratio) if each.ratio else ""
    )
    yield Cell(words.interval(each.ratio) if each.ratio else "", each.ratio.low if each.ratio else None, "n")
    yield Cell("tie" if each.tie else "")
    yield cell(each.fairness, lambda value: f"{value:.3f}")
    yield cell(each.cpu, words.digits)
    yield cell(each.collections, lambda value: f"{value:,.0f}")
    yield cell(each.lost, lambda value: f"{value:,.0f}")
    yield cell(each.peak_bytes, words.size)
    yield cell(each.background, words.mops)

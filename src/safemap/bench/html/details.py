"""The sections behind the verdict: charts, and the tables of their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safemap.bench.html.markup import Cell, Row, bullets, charts, label, number, paragraphs, table, text
from safemap.bench.summary import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safemap.bench.summary.model import Cost, Latency, Measured, Summary


def threads(summary: Summary) -> str:
    """Return throughput by the number of threads."""
    several = [
        pick.workload
        for pick in summary.picks
        if len({each.threads for each in summary.measured if each.workload == pick.workload}) > 1
    ]
    if not several:
        return paragraphs("Each workload was measured with one number of threads only.")
    cores = words.many(summary.run.cores, "core")
    shared = " With the GIL, threads take turns: a flat line is as good as it gets." if summary.run.gil else ""
    return (
        paragraphs(
            f"Operations per second of all threads together; bars span all blocks. With {cores}, nothing is claimed "
            f"beyond {words.many(summary.run.cores, 'thread')} (shaded).{shared}"
        )
        + charts("threads")
        + _net(summary)
    )


def _net(summary: Summary) -> str:
    rows = [
        Row(
            text(each.workload),
            [
                label(each.contestant),
                Cell(str(each.threads), each.threads, "n"),
                number(each.throughput.value, words.mops(each.throughput.value)),
                number(each.net, words.mops(each.net)),
            ],
        )
        for each in summary.measured
        if each.net is not None and each.throughput is not None and each.judged
    ]
    if not rows:
        return ""
    heads = ("Workload", "Contestant", "Threads", "Million per second", "Without the loop")
    return _folded(
        "Without the timed loop",
        paragraphs(
            "The loop itself, run on a map that does nothing, takes a part of each operation's time; here it is taken "
            "off. Ratios above are not changed by it, nor are latencies."
        )
        + table("Throughput without the timed loop", heads, rows, "sort"),
    )


def reads(summary: Summary) -> str:
    """Return throughput by the share of reads."""
    found = summary.read_shares
    if found is None:
        return paragraphs("Fewer than two workloads that differ in the share of reads were measured.")
    order = sorted(
        found.crossovers, key=lambda each: (not {each.above, each.below} <= {*summary.variants}, each.reads)
    )
    rows = [
        Row(
            text(each.above),
            [
                label(each.below),
                number(each.reads, words.percent(round(each.reads, 3))),
                Cell(" and ".join(words.percent(share) for share in each.between), each.between[0], "n"),
            ],
        )
        for each in order
    ]
    heads = ("Overtakes", "whom", "at a share of reads of", "told apart at")
    return (
        paragraphs(
            f"With {words.many(found.threads, 'thread')}{', more than cores' * found.beyond}. Rings mark where one "
            "variant overtakes another one, dots where a variant and a baseline do, if they were told apart on both sides. "
            "Between measurements, time per operation is taken to change evenly."
        )
        + charts("reads", wide=True)
        + (
            _folded(words.many(len(rows), "crossover"), table("Crossovers", heads, rows, "sort"))
            if rows
            else paragraphs("No variant overtakes another one, or is overtaken, beyond noise.")
        )
    )


def latency(summary: Summary) -> str:
    """Return latencies under load."""
    if not summary.latencies:
        return paragraphs("Latency was not measured: the profile leaves it out.")
    heads = ("Contestant", "Workload", "Load", "p50", "p90", "p99", "p99.9", "longest", "kept up")
    return (
        paragraphs(
            "Operations come at a steady rate, a share of what the reference does at its fastest; latency is counted "
            "from when an operation was due, so that a stall counts for all that waited. Who did not keep up (†) has a "
            "queue that grows as long as the test lasts: its latencies say nothing else."
        )
        + charts("latency")
        + table("Latency under load", heads, map(_latency, summary.latencies), "sort")
    )


def _latency(each: Latency) -> Row:
    quantiles = (each.p50, each.p90, each.p99, each.p999, each.longest)
    return Row(
        text(each.contestant),
        [
            label(each.workload),
            Cell(words.percent(each.load), each.load, "n"),
            *(number(value, words.duration(value)) for value in quantiles),
            Cell(
                words.percent(round(each.kept_up, 3)) + "†" * each.behind,
                each.kept_up,
                "n behind" if each.behind else "n",
            ),
        ],
    )


def fairness(summary: Summary) -> str:
    """Return how evenly threads were served, and the CPU time of operations."""
    if not any(each.judged and each.state == "good" for each in summary.measured):
        return paragraphs("Nothing has been measured yet.")
    parts = [
        paragraphs(
            "Each dot is a workload at the number of threads that is judged. Jain's index is 1 if all threads got "
            "equally much, and 1/n if one of n got everything. CPU time counts what threads burn while they wait."
        ),
        charts("fairness", wide=True),
    ]
    lost = [
        Row(
            text(each.contestant),
            [
                label(each.workload),
                Cell(str(each.threads), each.threads, "n"),
                number(each.lost, f"{each.lost:,.0f}"),
            ],
        )
        for each in summary.lost
        if each.lost is not None
    ]
    if lost:
        parts.append(
            "<h3>Lost</h3>\n"
            + paragraphs(
                "Counts that were lost by contestants whose operations are not one step: the most in any block."
            )
        )
        parts.append(table("Counts lost", ("Contestant", "Workload", "Threads", "Counts lost"), lost, "sort"))
    return "".join(parts)


def memory(summary: Summary) -> str:
    """Return memory by the size of the map."""
    entries = [each for each in summary.costs if each.cost == "bytes_per_entry"]
    if not entries:
        peaks = _peaks(summary)
        return paragraphs("Memory by size was not measured.") + peaks
    return (
        paragraphs("Of a map filled key by key, without its keys and values.")
        + charts("memory")
        + _by_size("Bytes per entry", entries, lambda value: words.digits(value))
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
            "One thread, nobody else; both axes are logarithmic. A line that is level costs the same whatever the size; "
            "one that climbs a decade with each decade goes through all entries."
        )
        + charts("sizes")
        + _folded("The numbers", tables)
    )


def _title(cost: str) -> str:
    return cost[0].upper() + cost[1:]


def noise(summary: Summary) -> str:
    """Return what the reference differs from itself."""
    rows = [
        Row(
            f"{each.kind}, {words.many(each.threads, 'thread')}",
            [
                number(each.floor, f"{each.floor:.2f}×") if each.floor is not None else label("∞"),
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
            f"{summary.reference} runs twice in every block. What it differs from itself is noise, and ratios nearer to "
            "1 than that are ties; so are those below 1.05. Each dot is one block of a workload."
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
            f"{words.mops(spread.low)}–{words.mops(spread.high)}" if each.blocks > 1 else "", spread.low, "n"
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


def _folded(title: str, contents: str) -> str:
    return f"<details><summary>{text(title)}</summary>\n{contents}</details>\n"

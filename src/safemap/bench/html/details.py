"""The sections behind the verdict: throughput, latency and fairness, in charts and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safemap.bench.html.markup import Cell, Row, charts, folded, label, number, paragraphs, table, text
from safemap.bench.summary import words

if TYPE_CHECKING:
    from safemap.bench.summary.model import Latency, Summary


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
            f"Operations per second of all threads together; bars span all blocks. With {cores}, nothing is "
            f"claimed beyond {words.many(summary.run.cores, 'thread')} (shaded).{shared}"
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
    return folded(
        "Without the timed loop",
        paragraphs(
            "The loop itself, run on a map that does nothing, takes a part of each operation's time; here it is "
            "taken off. Ratios above are not changed by it, nor are latencies."
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
            f"With {words.many(found.threads, 'thread')}{', more than cores' * found.beyond}. Rings mark where "
            "one variant overtakes another one, dots where a variant and a baseline do, if they were told apart "
            "on both sides. Between measurements, time per operation is taken to change evenly."
        )
        + charts("reads", wide=True)
        + (
            folded(words.many(len(rows), "crossover"), table("Crossovers", heads, rows, "sort"))
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
            "Operations come at a steady rate, a share of what the reference does at its fastest; latency is "
            "counted from when an operation was due, so that a stall counts for all that waited. Who did not keep "
            "up (†) has a queue that grows as long as the test lasts: its latencies say nothing else."
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

"""Tables, and the progress bar. What goes to a file or a pipe has no control characters and 100 columns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from safemap.bench.contestants import REFERENCE
from safemap.bench.summary import summarize, words

if TYPE_CHECKING:
    from typing import TextIO

    from safemap.bench.results import Results
    from safemap.bench.summary import Summary
    from safemap.bench.summary.model import Contestant, Measured, Pick

WIDTH: Final = 100
"""Columns where there is no terminal to ask."""
UNFAIR: Final = 0.8
"""A Jain index below says that some threads got much less than others: of 4, one got next to nothing."""
IN_DETAIL: Final = 5
"""So many workloads have a table each; more are one table together."""
COSTS: Final = {"get": "get", "set": "set", "snapshot": "snapshot", "write after snapshot": "write after"}
"""What a table of costs shows, and its heads."""
HIDDEN: Final = {"fault": "WRONG", "capped": "capped", "lost": "lost", "not measured": words.NONE}
"""What stands where a figure is not."""


def console(stream: TextIO) -> Console:
    """Return a console on a stream: plain text unless that is a terminal, whatever CI's variables say."""
    terminal = stream.isatty()
    width = None if terminal else WIDTH
    return Console(file=stream, force_terminal=terminal, width=width, highlight=False, markup=False)


def progress() -> Progress:
    """Return a progress bar on stderr, silent where that is no terminal.

    It refreshes only when told to: its own thread would run in the middle of a window.
    """
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    out = console(sys.stderr)
    return Progress(*columns, console=out, auto_refresh=False, transient=True, disable=not out.is_terminal)


def show_header(out: Console, results: Results) -> None:
    """Say what is measured, and where."""
    plan, environment = results.plan, results.environment
    load = "" if environment.load is None else f" (load {environment.load:.1f})"
    out.print(
        f"safemap {environment.version}{'' if environment.compiled else ', NOT COMPILED,'} on "
        f"{environment.interpreter}, GIL {'on' if environment.gil else 'off'}; "
        f"{environment.platform}, {words.many(environment.cores, 'core')}{load}"
    )
    out.print(
        f"{words.many(plan.blocks, 'block')} of {plan.seconds:g} s windows, seed {plan.seed}; with "
        f"{words.many(environment.cores, 'core')} nothing is claimed beyond "
        f"{words.many(environment.cores, 'thread')}"
    )


def show(out: Console, results: Results) -> None:
    """Print tables, verdicts, and what there is to know with them."""
    summary = summarize(results)
    if len(summary.picks) <= IN_DETAIL:
        for pick in summary.picks:
            _show_workload(out, summary, pick)
    else:
        _show_matrix(out, summary)
    _show_latencies(out, summary)
    _show_costs(out, summary)
    _show_verdicts(out, summary)


# --- tables -----------------------------------------------------------------------------------------


def _show_workload(out: Console, summary: Summary, pick: Pick) -> None:
    counts = sorted({each.threads for each in summary.measured if each.workload == pick.workload})
    most, cores = counts[-1], summary.run.cores
    compared = sorted({pick.threads, most})
    table = _table("threads:")
    for threads in counts:
        crowded = threads > cores
        table.add_column(f"{threads}{' *' * crowded}", justify="right", style="dim" if crowded else "")
    for threads in compared:
        head = f"{summary.reference} = 1,\n{words.many(threads, 'thread')}"
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column(f"fairness,\n{words.many(most, 'thread')}", justify="right")
    for contestant in summary.contestants:
        by_threads = {each.threads: each for each in _of(summary, pick.workload, contestant.name)}
        if by_threads:
            wrong = any(each.state == "fault" for each in by_threads.values())
            table.add_row(
                _label(contestant),
                *(_rate(by_threads.get(threads)) for threads in counts),
                *(_ratio(by_threads.get(threads)) for threads in compared),
                _fairness(by_threads.get(most)),
                style="red" if wrong else "",
            )
    unit = "operations" if pick.described else "words"
    out.print(f"\n{pick.workload}: {pick.described or pick.about}; million {unit} per second", style="bold")
    out.print(table)
    if most > cores:
        out.print("* more threads than cores: shows what crowding costs; nothing is claimed", style="dim")
    mine = [each for each in summary.measured if each.workload == pick.workload]
    lost = {each.contestant: each.lost for each in mine if each.lost}
    for who, count in lost.items():
        out.print(f"! {who} lost {words.many(round(count or 0), 'count')}, which it never promised to keep")
    unfair = [each.contestant for each in mine if each.threads == most and (each.fairness or 1) < UNFAIR]
    if unfair:
        out.print(f"! threads were served unequally (Jain's index below {UNFAIR}): {', '.join(unfair)}")


def _show_matrix(out: Console, summary: Summary) -> None:
    """Print the ratios of all workloads together."""
    names = [*summary.variants, *(each.name for each in summary.contestants if each.name == "dict")]
    table = _table(f"{summary.reference} = 1")
    for who in names:
        table.add_column(who.removesuffix("Map"), justify="right", style="dim" if who == "dict" else "")
    for pick in summary.picks:
        found = {each.contestant: each for each in summary.of(pick.workload)}
        best = {pick.best, *pick.ties}
        table.add_row(
            f"{pick.workload} ({pick.threads}{'*' * pick.beyond})",
            *(_brief(found.get(who)) + " <" * (who in best) for who in names),
        )
    out.print("\nThroughput (number of threads)", style="bold")
    out.print(table)
    out.print(
        f"< the best, and what is not to be told from it; ~ not to be told from {summary.reference}", style="dim"
    )


def _show_latencies(out: Console, summary: Summary) -> None:
    for workload, load in dict.fromkeys((each.workload, each.load) for each in summary.latencies):
        mine = [each for each in summary.latencies if (each.workload, each.load) == (workload, load)]
        table = _table()
        for head in ("p50", "p90", "p99", "p99.9", "longest", "kept up"):
            table.add_column(head, justify="right")
        contestants = {each.name: each for each in summary.contestants}
        for each in mine:
            figures = (each.p50, each.p90, each.p99, each.p999, each.longest)
            table.add_row(
                _label(contestants[each.contestant]),
                *map(words.duration, figures),
                f"{each.kept_up:.0%}" + " !" * each.behind,
            )
        out.print(
            f"\n{workload}, {words.many(mine[0].threads, 'thread')}: latency from the intended start, at "
            f"{load:.0%} of what {summary.reference} does",
            style="bold",
        )
        out.print(table)


def _show_costs(out: Console, summary: Summary) -> None:
    sizes = sorted({size for each in summary.costs for size in each.by_size})
    for size in {*sizes[:1], *sizes[-1:]}:
        found = {
            (each.cost, each.contestant): each.by_size[size] for each in summary.costs if size in each.by_size
        }
        table = _table()
        for head in (*COSTS.values(), "bytes/entry"):
            table.add_column(head, justify="right")
        for contestant in summary.contestants:
            memory = found.get(("bytes_per_entry", contestant.name))
            if memory is not None:
                costs = [found.get((cost, contestant.name)) for cost in COSTS]
                row = [words.NONE if ns is None else words.duration(ns) for ns in costs]
                table.add_row(_label(contestant), *row, f"{memory:.0f}")
        out.print(f"\n{size:,} entries, one thread: the time of an operation", style="bold")
        out.print(table)


def _table(corner: str = "") -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(corner, no_wrap=True)
    return table


def _of(summary: Summary, workload: str, contestant: str) -> list[Measured]:
    return [each for each in summary.measured if (each.workload, each.contestant) == (workload, contestant)]


def _label(contestant: Contestant) -> str:
    return contestant.name if contestant.role == "variant" else f"({contestant.name})"


def _rate(found: Measured | None) -> str:
    if found is None or found.throughput is None:
        return HIDDEN[found.state] if found else words.NONE
    return words.mops(found.throughput.value)


def _ratio(found: Measured | None) -> str:
    if found is None or found.ratio is None:
        return words.NONE
    if found.contestant == REFERENCE:
        return "1"
    interval = words.interval(found.ratio)
    return words.ratio_of(found.ratio) + (f" ({interval})" if interval else "")


def _brief(found: Measured | None) -> str:
    if found is None or found.ratio is None:
        return HIDDEN[found.state] if found else words.NONE
    return "~" * bool(found.tie) + words.ratio_of(found.ratio)


def _fairness(found: Measured | None) -> str:
    if found is None or found.fairness is None:
        return words.NONE
    return f"{found.fairness:.2f}" + " !" * (found.fairness < UNFAIR)


# --- words ------------------------------------------------------------------------------------------


def _show_verdicts(out: Console, summary: Summary) -> None:
    out.print("\nVerdicts", style="bold")
    for pick in summary.picks:
        crowd = f" on {words.many(summary.run.cores, 'core')}" * pick.beyond
        out.print(
            f"{words.verdict(pick, summary.reference)} ({words.many(pick.threads, 'thread')}{crowd})",
            soft_wrap=True,
        )
    for line in (words.headline(summary), words.grounds(summary), _not_for(summary)):
        if line and len(summary.picks) > 1:
            out.print(line.replace("`", ""), soft_wrap=True)
    out.print()
    out.print(
        f"Ratios are medians of ratios to {summary.reference} within blocks, higher is better; (95 % interval). "
        f"Within noise: {_floors(summary)}.",
        soft_wrap=True,
    )
    for line in (*_troubles(summary), *_baselines(summary), *summary.cautions, *summary.notes):
        out.print(line, soft_wrap=True)


def _not_for(summary: Summary) -> str:
    return words.not_for(summary.overall.not_for) if summary.overall else ""


def _floors(summary: Summary) -> str:
    floors = [
        f"{words.times(each.floor) if each.floor else 'everything'} ({words.many(each.threads, 'thread')}"
        f"{', jobs' * (each.kind == 'job')})"
        for each in summary.noise
        if each.ratios
    ]
    return (
        f"below what {summary.reference}, run twice in every block, differs from itself, and below 1.05: "
        f"{', '.join(floors)}"
        if floors
        else "below 1.05"
    )


def _troubles(summary: Summary) -> list[str]:
    titles = {"fault": "WRONG", "capped": "Given up"}
    return [
        f"{titles.get(each.state, each.state)}: {each.contestant} on {each.workload}: {each.why}"
        for each in summary.troubles
    ]


def _baselines(summary: Summary) -> list[str]:
    lines: list[str] = []
    for each in summary.contestants:
        if each.role == "baseline" and each.lacks:
            ahead = words.ahead(summary, each.name)
            lead = f"faster than every variant in {ahead}; but " if ahead else ""
            lines.append(f"({each.name}) {lead}never a verdict's choice: {each.lacks}.")
    return lines

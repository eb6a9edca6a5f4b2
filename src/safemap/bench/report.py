"""Tables, and the progress bar. What goes to a file or a pipe has no control characters and 100 columns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.results import medians, shown
from safemap.bench.statistics import compare
from safemap.bench.verdicts import many, verdicts, warnings
from safemap.bench.wordindex import NAME as WORD_INDEX
from safemap.bench.wordindex import THREADS as INDEX_THREADS

if TYPE_CHECKING:
    from typing import TextIO

    from safemap.bench.contestants import Contestant
    from safemap.bench.environment import Environment
    from safemap.bench.results import Results

WIDTH: Final = 100
"""Columns where there is no terminal to ask."""
UNFAIR: Final = 0.8
"""A Jain index below says that some threads got much less than others: of 4, one got next to nothing."""
NONE: Final = "-"


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


def show_header(out: Console, environment: Environment, results: Results) -> None:
    """Say what is measured, and where."""
    plan = results.plan
    load = "" if environment.load is None else f" (load {environment.load:.1f})"
    out.print(
        f"safemap {environment.version} on {environment.interpreter}, GIL {'on' if environment.gil else 'off'}; "
        f"{environment.platform}, {many(environment.cores, 'core')}{load}"
    )
    out.print(
        f"{many(plan.blocks, 'block')} of {plan.seconds:g} s windows, seed {plan.seed}; with "
        f"{many(environment.cores, 'core')} nothing is claimed beyond {many(environment.cores, 'thread')}"
    )


def show(out: Console, environment: Environment, results: Results) -> None:
    """Print tables, verdicts, and what there is to know with them."""
    for workload in results.plan.workloads:
        _show_workload(out, environment.cores, results, workload.name, str(workload))
    if results.builds:
        _show_index(out, results)
    out.print("\nVerdicts", style="bold")
    for line in verdicts(results, environment.cores):
        out.print(line, soft_wrap=True)
    out.print()
    for line in warnings(results, environment):
        out.print(line, soft_wrap=True)


def _show_workload(out: Console, cores: int, results: Results, workload: str, described: str) -> None:
    plan, faults = results.plan, results.faults(workload)
    scores = {threads: results.throughputs(workload, threads) for threads in plan.threads}
    figures = {threads: medians(each) for threads, each in scores.items()}
    most = plan.threads[-1]
    compared = sorted({plan.judged_threads(cores), most})
    fairness = results.fairness(workload, most)
    table = _table("threads:")
    for threads in plan.threads:
        crowded = threads > cores
        table.add_column(f"{threads}{' *' * crowded}", justify="right", style="dim" if crowded else "")
    for threads in compared:
        table.add_column(f"{REFERENCE} = 1,\n{many(threads, 'thread')}", justify="right", no_wrap=True)
    table.add_column(f"fairness,\n{many(most, 'thread')}", justify="right")
    for contestant in shown(plan.contestants):
        name = contestant.name
        if name in faults:
            table.add_row(_label(contestant), *["WRONG"] * len(plan.threads), style="red")
            continue
        table.add_row(
            _label(contestant),
            *(_figure(figures[threads].get(name)) for threads in plan.threads),
            *(_ratio(scores[threads], name) for threads in compared),
            _fairness(fairness.get(name)),
        )
    out.print(f"\n{workload}: {described}; million operations per second", style="bold")
    out.print(table)
    for name, fault in faults.items():
        out.print(f"WRONG: {name}: {fault}", style="red")
    if most > cores:
        out.print("* more threads than cores: shows what crowding costs; nothing is claimed", style="dim")
    unfair = [name for name, index in fairness.items() if index < UNFAIR and name != CONTROL]
    if unfair:
        out.print(f"! threads were served unequally (Jain's index below {UNFAIR}): {', '.join(unfair)}")


def _show_index(out: Console, results: Results) -> None:
    faults, losses, scores = results.index_faults(), results.index_losses(), results.index_scores()
    seconds, corpus = results.index_seconds(), results.corpus
    sized = f"{corpus.words:,} words of {many(sum(map(len, corpus.parts)), 'file')}, " if corpus else ""
    table = _table()
    table.add_column("seconds", justify="right")
    table.add_column(f"{REFERENCE} = 1", justify="right")
    table.add_column("against one thread's Counter")
    for contestant in shown(results.plan.contestants):
        name = contestant.name
        if name in faults:
            table.add_row(_label(contestant), "WRONG", NONE, faults[name], style="red")
        elif name in seconds:
            checked = "the same"
            if contestant.updates == "not atomic":
                checked = f"lost {many(losses[name], 'count')}"
                checked = checked if losses[name] else "none lost this time, none promised"
            table.add_row(_label(contestant), f"{seconds[name]:.3f}", _ratio(scores, name), checked)
    out.print(f"\n{WORD_INDEX}: the standard library's source, {sized}{INDEX_THREADS} threads", style="bold")
    out.print(table)
    if corpus:
        out.print(f"One thread with Counter and dict: {corpus.seconds:.3f} s")


def _table(corner: str = "") -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(corner, no_wrap=True)
    return table


def _label(contestant: Contestant) -> str:
    return f"({contestant.name})" if contestant.role == "baseline" else contestant.name


def _figure(per_second: float | None) -> str:
    return NONE if per_second is None else _digits(per_second / 1e6)


def _ratio(scores: dict[str, dict[int, float]], name: str) -> str:
    if name == REFERENCE:
        return "1"
    ratio = compare(scores[name], scores[REFERENCE]) if {name, REFERENCE} <= scores.keys() else None
    if ratio is None:
        return NONE
    interval = f" ({_digits(ratio.low)}-{_digits(ratio.high)})" if ratio.low < ratio.high else ""
    return _digits(ratio.value) + interval


def _fairness(index: float | None) -> str:
    return NONE if index is None else f"{index:.2f}" + " !" * (index < UNFAIR)


def _digits(number: float) -> str:
    """Return a number with two decimals, or fewer where it has three digits without."""
    return f"{number:.2f}" if number < 9.995 else f"{number:.1f}" if number < 99.95 else f"{number:.0f}"  # noqa: PLR2004

"""Tables, and the progress bar. What goes to a file or a pipe has no control characters and 100 columns."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from safemap.bench import histogram
from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.results import QUANTILES
from safemap.bench.statistics import compare, differs
from safemap.bench.verdicts import judged, many, verdicts, warnings, where

if TYPE_CHECKING:
    from typing import TextIO

    from safemap.bench.plan import Entrant
    from safemap.bench.results import Results, Scores

WIDTH: Final = 100
"""Columns where there is no terminal to ask."""
UNFAIR: Final = 0.8
"""A Jain index below says that some threads got much less than others: of 4, one got next to nothing."""
NONE: Final = "-"
IN_DETAIL: Final = 5
"""So many workloads have a table each; more are one table together."""
COSTS: Final = ("get", "set", "snapshot", "write after snapshot")
SHORT: Final = {"write after snapshot": "write after"}


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
    compiled = "" if environment.compiled else " NOT COMPILED"
    out.print(
        f"safemap {environment.version}{compiled} on {environment.interpreter}, GIL "
        f"{'on' if environment.gil else 'off'}; "
        f"{environment.platform}, {many(environment.cores, 'core')}{load}"
    )
    out.print(
        f"{many(plan.blocks, 'block')} of {plan.seconds:g} s windows, seed {plan.seed}; with "
        f"{many(environment.cores, 'core')} nothing is claimed beyond {many(environment.cores, 'thread')}"
    )


def show(out: Console, results: Results) -> None:
    """Print tables, verdicts, and what there is to know with them."""
    names = list(results.plan.threads)
    if len(names) <= IN_DETAIL:
        for name in names:
            _show_workload(out, results, name)
    else:
        _show_matrix(out, results)
    for name in results.plan.latency:
        for load in results.plan.loads:
            _show_latency(out, results, name, load)
    if results.plan.sizes:
        _show_sizes(out, results)
    out.print("\nVerdicts", style="bold")
    for line in verdicts(results):
        out.print(line, soft_wrap=True)
    out.print()
    for line in warnings(results):
        out.print(line, soft_wrap=True)


def shown(results: Results) -> list[Entrant]:
    """Return the contestants that a table has a row for."""
    return [entrant for entrant in results.plan.entrants if entrant.role != "control"]


def _show_workload(out: Console, results: Results, name: str) -> None:
    plan, faults, cores = results.plan, results.faults(name), results.environment.cores
    counts = sorted(plan.threads[name])
    scores = {threads: results.throughputs(name, threads) for threads in counts}
    most = counts[-1]
    compared = sorted({plan.judged_threads(name, cores), most})
    fairness = results.figures(name, most, "fairness")
    lost = {threads: results.figures(name, threads, "lost") for threads in counts}
    table = _table("threads:")
    for threads in counts:
        crowded = threads > cores
        table.add_column(f"{threads}{' *' * crowded}", justify="right", style="dim" if crowded else "")
    for threads in compared:
        table.add_column(f"{REFERENCE} = 1,\n{many(threads, 'thread')}", justify="right", no_wrap=True)
    table.add_column(f"fairness,\n{many(most, 'thread')}", justify="right")
    known = {each.cell.contestant for each in results.of(results.kind_of(name), name)}
    losers: list[str] = []
    for entrant in shown(results):
        who = entrant.name
        if who not in known:
            continue
        if who in faults:
            table.add_row(_label(entrant), *["WRONG"] * len(counts), style="red")
            continue
        most_lost = max(each.get(who, 0) for each in lost.values())
        losers += [f"{who} lost {many(round(most_lost), 'count')}"] if most_lost else []
        table.add_row(
            _label(entrant),
            *(_figure(scores[threads].get(who)) for threads in counts),
            *(_ratio(scores[threads], who) for threads in compared),
            _fairness(fairness.get(who)),
        )
    workload = plan.workload(name)
    described = workload.about if name in plan.jobs else str(workload)
    unit = "million words" if name in plan.jobs else "million operations"
    out.print(f"\n{name}: {described}; {unit} per second", style="bold")
    out.print(table)
    for who, fault in faults.items():
        out.print(f"WRONG: {who}: {fault}", style="red")
    if most > cores:
        out.print("* more threads than cores: shows what crowding costs; nothing is claimed", style="dim")
    if losers:
        out.print(f"! {'; '.join(losers)}, which it never promised to keep")
    unfair = [who for who, index in fairness.items() if index < UNFAIR and who != CONTROL]
    if unfair:
        out.print(f"! threads were served unequally (Jain's index below {UNFAIR}): {', '.join(unfair)}")


def _show_matrix(out: Console, results: Results) -> None:
    """Print the ratios of all workloads: what wins in bold, what is tied with it, too."""
    names = results.plan.names("variant")
    table = _table(f"{REFERENCE} = 1")
    for who in names:
        table.add_column(who.removesuffix("Map"), justify="right", no_wrap=True)
    table.add_column("dict", justify="right", style="dim")
    for name, threads in judged(results):
        scores, verdict = results.throughputs(name, threads), results.verdict(name, threads)
        best = {verdict.best, *verdict.ties} if verdict else set[str]()
        faults = results.faults(name)
        noise = results.noise(threads, results.kind_of(name))
        row: list[str] = []
        for who in (*names, "dict"):
            if who in faults:
                row.append("WRONG")
                continue
            ratio = compare(scores.get(who, {}), scores.get(REFERENCE, {}))
            tie = ratio is not None and who != REFERENCE and not differs(ratio, noise)
            row.append(NONE if ratio is None else f"{'~' * tie}{_digits(ratio.value)}{' <' * (who in best)}")
        table.add_row(f"{name} ({threads})", *row)
    out.print("\nThroughput (number of threads)", style="bold")
    out.print(table)
    out.print("< the best, and what is not to be told from it; ~ not to be told from the reference", style="dim")


def _show_latency(out: Console, results: Results, name: str, load: float) -> None:
    latencies, kept_up = results.latencies(name, load), results.kept_up(name, load)
    if not latencies:
        return
    table = _table()
    for share in QUANTILES:
        table.add_column(f"p{share * 100:g}", justify="right")
    table.add_column("max", justify="right")
    table.add_column("kept up", justify="right")
    most: dict[str, list[int]] = {}
    for each in results.of("latency", name):
        if each.good and each.cell.load == load:
            most.setdefault(each.cell.contestant, []).append(each.found["max_ns"])
    for entrant in shown(results):
        found = latencies.get(entrant.name)
        if found is not None:
            quantiles = [histogram.quantile(found, share) for share in QUANTILES]
            table.add_row(
                _label(entrant),
                *(_digits(ns / 1e3) for ns in (*quantiles, max(most[entrant.name]))),
                f"{kept_up[entrant.name]:.0%}",
            )
    threads = next(each.cell.threads for each in results.of("latency", name))
    out.print(
        f"\n{name}, {where(threads, results.environment.cores)}: latency from the intended start, in us, at "
        f"{load:.0%} of what {REFERENCE} does",
        style="bold",
    )
    out.print(table)


def _show_sizes(out: Console, results: Results) -> None:
    sizes = sorted(results.plan.sizes)
    memory = results.costs("bytes_per_entry")
    for size in (sizes[0], sizes[-1]):
        table = _table()
        costs = {cost: results.costs(cost) for cost in COSTS}
        for cost in COSTS:
            table.add_column(SHORT.get(cost, cost), justify="right")
        table.add_column("bytes/entry", justify="right")
        for entrant in shown(results):
            who = entrant.name
            if size in memory.get(who, {}):
                row = [costs[cost].get(who, {}).get(size) for cost in COSTS]
                figures = [NONE if ns is None else f"{ns:,.0f}" for ns in row]
                table.add_row(_label(entrant), *figures, f"{memory[who][size]:.0f}")
        out.print(f"\n{size:,} entries, one thread: ns for each operation", style="bold")
        out.print(table)


def _table(corner: str = "") -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(corner, no_wrap=True)
    return table


def _label(entrant: Entrant) -> str:
    return entrant.name if entrant.role == "variant" else f"({entrant.name})"


def _figure(by_block: dict[int, float] | None) -> str:
    return NONE if not by_block else _digits(median(by_block.values()) / 1e6)


def _ratio(scores: Scores, name: str) -> str:
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
    return f"{number:.2f}" if number < 9.995 else f"{number:.1f}" if number < 99.95 else f"{number:,.0f}"  # noqa: PLR2004 - as said

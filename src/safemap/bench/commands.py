"""What the commands do. Each returns an exit code; errors that are the user's are raised, in one line."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from safemap.bench import engine, profiles, wordindex
from safemap.bench.arguments import MOST_THREADS, UsageError, axes, varied
from safemap.bench.catalogue import WORKLOADS, named
from safemap.bench.contestants import ContestantError, contestants
from safemap.bench.contestants import named as contestant_named
from safemap.bench.environment import Environment, cores
from safemap.bench.recording import RecordingError, load
from safemap.bench.results import Results, ResultsError, write_atomically
from safemap.bench.store import keep
from safemap.bench.workload import WorkloadError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from safemap.bench.plan import Plan

OK, WRONG, USAGE, INTERRUPTED = 0, 1, 2, 130
SAVE_EVERY: Final = 20.0
"""Seconds from one saving to the next: what a power failure may cost."""
TELL_EVERY: Final = 60.0
"""Seconds from one line about the progress to the next, where there is no terminal."""
SAME: Final = ("interpreter", "build", "gil", "compiled", "version", "cores", "processor")
"""What must not have changed for figures to go on together."""


def say(message: str, code: int) -> int:
    """Tell the user something beside the output, and return the code."""
    print(f"safemap: {message}", file=sys.stderr)  # noqa: T201 - it is a command
    return code


def bench(options: argparse.Namespace) -> int:
    """Measure."""
    if options.list:
        return _list()
    from safemap.bench import terminal  # noqa: PLC0415 - needs rich; --list, --help and bad arguments do not

    results = _resumed(options) if options.resume else _begun(options)
    path = options.out or options.resume
    _try_to_write(path, options.html, options.markdown)
    out = terminal.console(sys.stdout)
    terminal.show_header(out, results)
    interrupted = False
    try:
        _measure(results, path)
    except KeyboardInterrupt:
        interrupted = True
    if not results.records:
        return say("interrupted before anything was measured", INTERRUPTED)
    _keep(results, path)
    _write(results, options)
    terminal.show(out, results)
    if interrupted:
        more = f"; --resume {path} measures the rest" if path else ""
        return say(f"interrupted: this is what was measured until then{more}", INTERRUPTED)
    return WRONG if results.faulty else OK


def _list() -> int:
    width = max(map(len, WORKLOADS))
    print("workloads")  # noqa: T201 - it is a command
    for workload in WORKLOADS.values():
        print(f"  {workload.name:{width}}  {workload}: {workload.about}")  # noqa: T201
    print(f"  {wordindex.NAME:{width}}  {wordindex.ABOUT}")  # noqa: T201
    print("contestants")  # noqa: T201
    for name, contestant in contestants().items():
        why = contestant.missing()
        print(f"  {name:{width}}  {contestant.role}{f'; {why}' if why else ''}")  # noqa: T201
    return OK


def _begun(options: argparse.Namespace) -> Results:
    names: tuple[str, ...] = options.workloads or ()
    asked = [named(name) for name in names if name != wordindex.NAME]
    recordings = [load(path) for path in options.workload]
    asked += [recording.workload for recording in recordings]
    environment = Environment.now()
    if not asked and _has_axes(options):
        base = profiles.plan(profiles.Options(options.profile), cores())
        asked = [WORKLOADS[name] for name in base.threads if name in WORKLOADS]
    plan = profiles.plan(
        profiles.Options(
            profile=options.profile,
            workloads=tuple(varied(asked, options)),
            jobs=None if not names and not asked else tuple({wordindex.NAME} & set(names)),
            threads=options.threads,
            own_threads={each.workload.name: min(each.threads, MOST_THREADS) for each in recordings},
            contestants=options.contestants,
            blocks=options.blocks,
            seconds=options.seconds,
            seed=options.seed,
        ),
        environment.cores,
    )
    for note in (note for recording in recordings for note in recording.notes):
        say(note, OK)
    return Results(plan, environment, options.line, _now())


def _has_axes(options: argparse.Namespace) -> bool:
    return options.sizes != (None,) or any(axes(options).values())


def _resumed(options: argparse.Namespace) -> Results:
    results, here = Results.load(options.resume), Environment.now()
    for name in SAME:
        was, is_now = getattr(results.environment, name), getattr(here, name)
        if was != is_now:
            message = f"{options.resume} cannot be resumed here: {name} was {was}, and is {is_now}"
            raise UsageError(message)
    for name in (entrant.name for entrant in results.plan.entrants):
        if contestant_named(name).missing() is not None:
            message = f"{options.resume} cannot be resumed here: {name} is not there"
            raise UsageError(message)
    return results


def _measure(results: Results, path: Path | None) -> None:
    from safemap.bench import terminal  # noqa: PLC0415 - as in `bench`

    planned = sum(1 for _ in results.plan.cells(results.environment.cores))
    begun = saved = told = time.monotonic()
    first = len(results.records)
    with terminal.progress() as progress:
        task = progress.add_task("measuring", total=planned, completed=first)
        for record in engine.run(results):
            cell, now, done = record.cell, time.monotonic(), len(results.records)
            about = f"block {cell.block + 1} of {results.plan.blocks}, {cell.workload}"
            progress.update(task, completed=done, description=about, refresh=True)
            if path is not None and now > saved + SAVE_EVERY:
                results.save(path)
                saved = time.monotonic()
            if progress.disable and now > told + TELL_EVERY:
                left = (now - begun) / (done - first) * (planned - done)
                say(f"{done:,} of {planned:,} measured, about {left / 60:.0f} min left", OK)
                told = now
    results.ended = _now()


def _measured_now(plan: Plan, options: argparse.Namespace) -> Results:
    results = Results(plan, Environment.now(), options.line, _now())
    _measure(results, None)
    return results


def _keep(results: Results, path: Path | None) -> None:
    """Write the results where the user wants them; and where `recommend` looks for those of this machine."""
    if path is not None:
        results.save(path)
    if not results.faulty:
        keep(results)


def _try_to_write(*paths: Path | None) -> None:
    """Raise OSError now, and not after twelve minutes, where a file cannot be written."""
    for path in paths:
        if path is not None:
            existed = path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("a").close()
            if not existed:
                path.unlink()


def _write(results: Results, options: argparse.Namespace) -> bool:
    """Write the reports that were asked for, and return whether there were any."""
    if options.html is not None:
        from safemap.bench.html import html  # noqa: PLC0415 - only where it is asked for

        write_atomically(options.html, html(results))
    if options.markdown is not None:
        from safemap.bench.markdown import markdown  # noqa: PLC0415

        write_atomically(options.markdown, markdown(results))
    return options.html is not None or options.markdown is not None


def report(options: argparse.Namespace) -> int:
    """Show results that were measured before."""
    results = Results.load(options.results)
    if not results.records:
        message = f"{options.results} has nothing that was measured"
        raise UsageError(message)
    if not _write(results, options):
        from safemap.bench import terminal  # noqa: PLC0415 - as in `bench`

        out = terminal.console(sys.stdout)
        terminal.show_header(out, results)
        terminal.show(out, results)
    return WRONG if results.faulty else OK


def compare(options: argparse.Namespace) -> int:
    """Say what has become slower, or faster."""
    from safemap.bench import compare as comparison  # noqa: PLC0415 - only here

    old, new = Results.load(options.old), Results.load(options.new)
    try:
        found = comparison.changes(old, new)
    except comparison.CompareError as error:
        raise UsageError(str(error)) from None
    for line in comparison.words(old, new, found):
        print(line)  # noqa: T201 - it is a command
    return WRONG if any(change.verdict == "slower" for change in found) else OK


def recommend(options: argparse.Namespace) -> int:
    """Say which map to take."""
    from safemap.bench import recommend as advisor  # noqa: PLC0415 - only here

    notes: tuple[str, ...] = ()
    threads: int = options.threads or cores()
    if options.workload is None:
        workload = advisor.workload_of(options.reads).varied(size=options.size, **axes(options))
    else:
        recording = load(options.workload)
        workload, notes = recording.workload.varied(size=options.size, **axes(options)), recording.notes
        threads = options.threads or recording.threads
    try:
        needs = advisor.parse_needs(options.needs)
    except advisor.NeedError as error:
        raise UsageError(str(error)) from None
    results: Path | Results | None = options.results
    if options.measure:
        threads = max(threads, workload.fewest_threads)
        results = _measured_now(profiles.of_one(workload, threads, cores()), options)
    advice = advisor.advise(workload, threads, needs, results)
    for line in (*advisor.words(advice), *notes):
        print(line)  # noqa: T201 - it is a command
    return WRONG if advice.pick is None else OK


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


COMMANDS: Final[Mapping[str, Callable[[Any], int]]] = {
    "bench": bench,
    "report": report,
    "compare": compare,
    "recommend": recommend,
}
USERS_ERRORS: Final = (WorkloadError, ContestantError, ResultsError, RecordingError)
"""What files and names can be wrong about."""

"""The command line: `safemap bench`."""

from __future__ import annotations

import argparse
import math
import random
import sys
from typing import TYPE_CHECKING, Final, NoReturn

import safemap
from safemap.bench import contestants, engine, wordindex, workloads
from safemap.bench.environment import Environment
from safemap.bench.results import Plan, Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

OK, WRONG, USAGE, INTERRUPTED = 0, 1, 2, 130

SECONDS: Final = 0.05
"""A quick window: ten of the GIL's 5 ms turns. So 360 windows and 40 word indexes take about 45 s."""
BLOCKS: Final = 5
THREADS: Final = (1, 2, 4)
WORDS: Final = 800_000
"""Words to index, for each second of a window: so the job takes a map a few windows' time."""
BUILD: Final = 3
"""What building an index takes, in windows; for the progress bar."""
MOST_SECONDS, MOST_BLOCKS, MOST_THREADS = 3_600, 10_000, 64
"""Beyond these it is a slip of the finger."""

KNOWN: Final = {workload.name: workload for workload in workloads.WORKLOADS}


class UsageError(Exception):
    """The command line is wrong. The message is for the user, on one line."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError, where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Give up."""
        raise UsageError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    0: done; 1: a map came out wrong; 2: the command line is wrong, or rich is not there; 130: Ctrl-C.
    """
    try:
        return _bench(_plan(_parser().parse_args(argv)))
    except SystemExit as done:  # --help and --version
        return done.code if isinstance(done.code, int) else OK
    except UsageError as error:
        return _say(str(error), USAGE)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        return _say("the benchmark needs rich: pip install 'safemap[bench]'", USAGE)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)


def _say(message: str, code: int) -> int:
    print(f"safemap: {message}", file=sys.stderr)  # noqa: T201 - it is a command
    return code


def _parser() -> Parser:
    parser = Parser(prog="safemap", description="Thread-safe mappings: which one to take, on this machine.")
    parser.add_argument("--version", action="version", version=f"safemap {safemap.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    bench = commands.add_parser(
        "bench",
        help="measure the maps",
        description="Measure the maps, a plain dict and a dict with a lock; print tables and verdicts. "
        "Takes under a minute, unless told to take longer.",
        epilog="Exit code: 0 done, 1 a map came out wrong, 2 bad arguments, 130 interrupted.",
    )
    bench.add_argument("--quick", action="store_true", help="the profile that there is; the default")
    bench.add_argument("--seconds", type=_seconds, default=SECONDS, help="length of one window (%(default)s)")
    bench.add_argument("--blocks", type=_blocks, default=BLOCKS, help="windows for each figure (%(default)s)")
    bench.add_argument(
        "--threads", type=_threads, default=THREADS, help="numbers of threads, as 1,2,4", metavar="N,N,..."
    )
    names = (*KNOWN, wordindex.NAME)
    bench.add_argument(
        "--workloads", type=_workloads, default=names, help=f"of {', '.join(names)}; all", metavar="NAME,NAME,..."
    )
    bench.add_argument("--seed", type=_whole, default=1, help="of operations, keys and order (%(default)s)")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MOST_SECONDS:
        message = f"must be a number of seconds, above 0 and at most {MOST_SECONDS:,}; not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _whole(text: str, least: float = -math.inf, most: float = math.inf) -> int:
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        span = "" if math.isinf(most) else f" from {least} to {most:,}"
        message = f"must be a whole number{span}, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _blocks(text: str) -> int:
    return _whole(text, 1, MOST_BLOCKS)


def _threads(text: str) -> tuple[int, ...]:
    return tuple(sorted({_whole(each, 1, MOST_THREADS) for each in text.split(",")}))


def _workloads(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in KNOWN and name != wordindex.NAME:
            message = f"unknown workload {name!r}; known are: {', '.join((*KNOWN, wordindex.NAME))}"
            raise argparse.ArgumentTypeError(message)
    return names


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        contestants=contestants.CONTESTANTS,
        workloads=tuple(KNOWN[name] for name in options.workloads if name in KNOWN),
        threads=options.threads,
        index=wordindex.NAME in options.workloads,
        blocks=options.blocks,
        seconds=options.seconds,
        seed=options.seed,
    )


def _bench(plan: Plan) -> int:
    from safemap.bench import report  # noqa: PLC0415 - needs rich; --help, --version and bad arguments do not

    results, environment = Results(plan), Environment.now(plan.seed)
    out = report.console(sys.stdout)
    report.show_header(out, environment, results)
    interrupted = False
    try:
        with report.progress() as progress:
            _measure(results, progress)
    except KeyboardInterrupt:
        interrupted = True
    report.show(out, environment, results)
    if interrupted:
        return _say("interrupted: this is what was measured until then", INTERRUPTED)
    return WRONG if results.faulty else OK


def _measure(results: Results, progress: Progress) -> None:
    plan = results.plan
    chance = random.Random(plan.seed)  # noqa: S311 - the order of the windows, not a secret
    count = len(plan.contestants) * plan.blocks
    windows = count * len(plan.workloads) * len(plan.threads)
    task = progress.add_task("measuring", total=windows + count * BUILD * plan.index)
    scripts = {each.name: workloads.prepare(each, plan.threads[-1], plan.seed) for each in plan.workloads}
    for measurement in engine.run(
        plan.contestants, scripts, plan.threads, blocks=plan.blocks, seconds=plan.seconds, chance=chance
    ):
        results.measurements.append(measurement)
        progress.update(task, advance=1, description=measurement.workload, refresh=True)
    if plan.index:
        results.corpus = wordindex.read_corpus(round(plan.seconds * WORDS))
        if results.corpus is None:
            _say("no word index: the standard library's source is not here", OK)
            return
        for build in wordindex.run(plan.contestants, results.corpus, blocks=plan.blocks, chance=chance):
            results.builds.append(build)
            progress.update(task, advance=BUILD, description=wordindex.NAME, refresh=True)


if __name__ == "__main__":
    sys.exit(main())

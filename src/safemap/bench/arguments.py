"""The arguments of the commands: what they may be, and one line for whoever gets one wrong."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import safemap
from safemap.bench import catalogue, profiles, wordindex
from safemap.bench.contestants import CONTROL, contestants
from safemap.bench.recommend.question import parse_size
from safemap.bench.workload import CHOICES, WorkloadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from safemap.bench.workload import Workload

MOST_SECONDS, MOST_BLOCKS, MOST_THREADS = 3_600, 10_000, 64
"""Beyond these it is a slip of the finger."""

AXES: Final = ("keys", "values", "access")
"""Those that the command line has an option for, with the choices of `Workload`; besides the size."""
EPILOG: Final = "Exit code: 0 done, 1 {bad}, 2 bad arguments or files, 130 interrupted."


class UsageError(Exception):
    """The command line is wrong. The message is for the user, on one line."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError, where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Give up."""
        raise UsageError(message)


def parser() -> Parser:
    """Return the parser of all commands; what it finds has the command's name in `command`."""
    made = Parser(prog="safemap", description="Thread-safe mappings: which one to take, on this machine.")
    made.add_argument("--version", action="version", version=f"safemap {safemap.__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _bench(commands)
    _report(commands)
    _compare(commands)
    _recommend(commands)
    return made


def _bench(commands: argparse._SubParsersAction[Parser]) -> None:
    bench = commands.add_parser(
        "bench",
        help="measure the maps",
        description="Measure the maps, a plain dict, a dict with a lock and what else is installed, each in a "
        "process of its own; print tables and verdicts. Leave the machine alone meanwhile.",
        epilog=EPILOG.format(bad="a map came out wrong"),
    )
    profile = bench.add_mutually_exclusive_group()
    for name, about in (
        (profiles.QUICK, "under a minute: three mixes and a real job; the default"),
        (profiles.STANDARD, "about twelve minutes: all workloads, latency, sizes"),
        (profiles.FULL, "all workloads on all axes, up to a million entries: a night"),
    ):
        profile.add_argument(f"--{name}", dest="profile", action="store_const", const=name, help=about)
    bench.set_defaults(profile=profiles.QUICK)
    bench.add_argument("--list", action="store_true", help="show the workloads and contestants that there are")
    bench.add_argument("--workloads", type=_names, help="these, instead of the profile's", metavar="NAME,NAME,...")
    bench.add_argument(
        "--workload",
        type=Path,
        action="append",
        default=[],
        help="one recorded with safemap.bench.Recorder; may be repeated",
        metavar="FILE",
    )
    bench.add_argument(
        "--contestants", type=_contestants, default=(), help="these, and the reference", metavar="NAME,NAME,..."
    )
    bench.add_argument(
        "--threads", type=_threads, default=(), help="numbers of threads, as 1,2,4", metavar="N,N,..."
    )
    bench.add_argument(
        "--sizes",
        type=_sizes,
        default=(None,),
        help="entries, as 100,10k,1M, for each workload",
        metavar="N,N,...",
    )
    for axis in AXES:
        choices = CHOICES[axis]
        bench.add_argument(
            f"--{axis}", choices=choices, help=f"for each workload: {', '.join(choices)}", metavar="KIND"
        )
    bench.add_argument("--blocks", type=_blocks, help="processes for each figure")
    bench.add_argument("--seconds", type=_seconds, help="length of one window")
    bench.add_argument(
        "--seed", type=_whole, default=1, help="of operations, keys, hashes and order (%(default)s)"
    )
    bench.add_argument(
        "--out", type=Path, help="write the results there, as JSON; .json.gz: compressed", metavar="FILE"
    )
    bench.add_argument("--resume", type=Path, help="go on with what this file lacks", metavar="FILE")
    _outputs(bench)


def _outputs(command: Parser) -> None:
    command.add_argument("--html", type=Path, help="write a page with charts there", metavar="FILE")
    command.add_argument("--markdown", type=Path, help="write a report in Markdown there", metavar="FILE")


def _report(commands: argparse._SubParsersAction[Parser]) -> None:
    report = commands.add_parser(
        "report",
        help="show results that were written to a file",
        description="Show results of `safemap bench --out`: in the terminal, or as a page or Markdown.",
        epilog=EPILOG.format(bad="a map came out wrong"),
    )
    report.add_argument("results", type=Path, metavar="FILE")
    _outputs(report)


def _compare(commands: argparse._SubParsersAction[Parser]) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare two results: has something become slower?",
        description="Compare two results of `safemap bench --out`, each contestant by its ratio to a plain dict "
        "in the same block, so that the machine's mood is not taken for a change.",
        epilog=EPILOG.format(bad="something became slower"),
    )
    compare.add_argument("old", type=Path, metavar="OLD")
    compare.add_argument("new", type=Path, metavar="NEW")


def _recommend(commands: argparse._SubParsersAction[Parser]) -> None:
    recommend = commands.add_parser(
        "recommend",
        help="say which map to take",
        description="Say which map to take for a workload: predicted from this machine's results or from recorded "
        "ones, or measured.",
        epilog=EPILOG.format(bad="no map has all that is needed"),
    )
    what = recommend.add_mutually_exclusive_group()
    what.add_argument(
        "--reads", type=_share, default=0.9, help="share of reads, 0 to 1 (%(default)s)", metavar="SHARE"
    )
    what.add_argument("--workload", type=Path, help="one recorded with safemap.bench.Recorder", metavar="FILE")
    recommend.add_argument(
        "--threads", type=_thread, help="how many use the map at once (as many as cores)", metavar="N"
    )
    recommend.add_argument("--size", type=size, help="entries, as 100, 10k, 1M", metavar="N")
    for axis in AXES:
        choices = CHOICES[axis]
        recommend.add_argument(f"--{axis}", choices=choices, help=", ".join(choices), metavar="KIND")
    recommend.add_argument("--needs", default="", help="what the map must have", metavar="NEED,NEED,...")
    source = recommend.add_mutually_exclusive_group()
    source.add_argument("--results", type=Path, help="answer from these", metavar="FILE")
    source.add_argument(
        "--measure",
        action="store_true",
        help="measure the maps on this very workload, in ten seconds or so, instead of predicting; leave the "
        "machine alone meanwhile",
    )


# --- types --------------------------------------------------------------------------------------------


def _seconds(text: str) -> float:
    value = _number(text)
    if not 0 < value <= MOST_SECONDS:
        message = f"must be a number of seconds, above 0 and at most {MOST_SECONDS:,}; not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _share(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        message = f"must be a share from 0 to 1, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


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


def size(text: str) -> int:
    """Return the number of entries that a text like 100, 10k or 1M means. Raises ArgumentTypeError."""
    try:
        found = parse_size(text)
    except WorkloadError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found == 0:
        message = "a size must be above 0"
        raise argparse.ArgumentTypeError(message)
    return found


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(size(each) for each in text.split(",")))


def _blocks(text: str) -> int:
    return _whole(text, 1, MOST_BLOCKS)


def _thread(text: str) -> int:
    return _whole(text, 1, MOST_THREADS)


def _threads(text: str) -> tuple[int, ...]:
    return tuple(sorted({_thread(each) for each in text.split(",")}))


def _known(kind: str, known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
        for name in found:
            if name not in known:
                message = f"unknown {kind} {name!r}; known are: {', '.join(known)}"
                raise argparse.ArgumentTypeError(message)
        return found

    return names


_names = _known("workload", (*catalogue.WORKLOADS, wordindex.NAME))


def _contestants(text: str) -> tuple[str, ...]:
    return _known("contestant", (*contestants(), CONTROL))(text)


def axes(options: argparse.Namespace) -> dict[str, str | None]:
    """Return what the user asked for on each axis; None: nothing."""
    return {axis: getattr(options, axis) for axis in AXES}


def varied(workloads: list[Workload], options: argparse.Namespace) -> list[Workload]:
    """Return each workload on the axes that the user asked for."""
    return [workload.varied(size=entries, **axes(options)) for workload in workloads for entries in options.sizes]

"""The command line: `python -m safemap.detect script.py`.

The program runs as `python script.py` or `python -m module` would run it, in this process: the same `sys.argv`,
`sys.path[0]`, `__main__`, tracebacks and exit code. Races are written to stderr as they are found.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import os
import runpy
import sys
import threading
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from safemap.detect import findings, patches, rewriting, settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

USAGE: Final = 2
RACES: Final = 66
"""What the race detectors of Go and of LLVM exit with."""
FAILED: Final = 1
INTERRUPTED: Final = 130

HERE: Final = str(Path(__file__).parent)


class UsageError(Exception):
    """The command line is wrong. The message is for the user, on one line."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError, where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Give up."""
        raise UsageError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    That of the program, if it is not 0; 2: the command line is wrong, or no dict was found at a place that it
    names; 66: races were found; 130: Ctrl-C; 0 otherwise.
    """
    try:
        mine, program = split(sys.argv[1:] if argv is None else argv)
        options = parser().parse_args(mine)
        options.program = program
        places = [rewriting.Place.parse(text) for text in options.check]
        script, source = chosen_script(options)
    except SystemExit as done:  # --help
        return done.code if isinstance(done.code, int) else 0
    except (UsageError, ValueError) as error:
        return say(str(error), USAGE)
    patches.watch()
    settings.set_defaults(kinds=options.kinds, on_race=show_and_raise if options.on_race == "raise" else show)
    rewriting.install(places)
    if options.module is None:
        chosen = [place for place in places if place.is_in("__main__", os.path.abspath(script))]  # noqa: PTH100
        everything = [] if places else [rewriting.Place(str(script), "__main__", None, None)]
        code = run(lambda: run_script(script, source, options.program[1:], chosen or everything))
    else:
        code = run(lambda: run_module(options.module, options.program))
    return code or summary(places)


def parser() -> Parser:
    """Return what reads the command line."""
    made = Parser(
        prog="python -m safemap.detect",
        description="Run a program with some of its dicts checked for races between threads.",
        epilog="Exit code: the program's own if it is not 0; 2 bad arguments, or no dict there; 66 races found.",
        allow_abbrev=False,
    )
    made.add_argument(
        "--check",
        action="append",
        default=[],
        metavar="PLACE",
        help="dicts to check: FILE.py:LINE, FILE.py:NAME, MODULE:LINE or MODULE:NAME, where NAME is the variable "
        "or attribute that they are assigned to; may be given several times. Without it: all of the script",
    )
    made.add_argument(
        "--kinds", type=kinds, help=f"kinds of races, of {', '.join(settings.KINDS)}; all", metavar="KIND,..."
    )
    made.add_argument(
        "--on-race",
        choices=("log", "raise"),
        default="log",
        help="write a report, or raise RaceError as well; log",
    )
    made.add_argument(
        "-m", dest="module", metavar="MODULE", help="run a module instead of a script; needs --check"
    )
    made.add_argument("program", nargs="*", metavar="script.py [arguments]")
    return made


def split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments up to the script or module, and those that belong to it."""
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        word = argv[at]
        at += 2 if word in {"--check", "--kinds", "--on-race", "-m"} else 1
        if word.startswith("-m"):
            break
    return list(argv[:at]), list(argv[at:])


def kinds(text: str) -> frozenset[findings.Kind]:
    """Return the kinds of races that a text lists."""
    try:
        return settings.valid_kinds(text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def chosen_script(options: argparse.Namespace) -> tuple[Path, bytes]:
    """Return the script that is to be run, and what is in it. Raises UsageError if there is none, nor a module."""
    if options.module is not None:
        if not options.check:
            raise UsageError("-m needs --check: which dicts of which module?")
        return Path(), b""
    if not options.program:
        raise UsageError("a script is needed: python -m safemap.detect [options] script.py [arguments]")
    script = Path(options.program[0])
    try:
        return script, script.read_bytes()
    except OSError as error:
        message = f"cannot read {script}: {error.strerror}"
        raise UsageError(message) from None


def say(message: str, code: int) -> int:
    """Write a line for the user; return the code."""
    print(f"safemap.detect: {message}", file=sys.stderr)  # noqa: T201 - it is a command
    return code


def show(report: findings.Report) -> None:
    """Write a report at once, as one piece."""
    sys.stderr.write(f"safemap.detect: {report}\n\n")


def show_and_raise(report: findings.Report) -> None:
    """Write a report, and have the thread that found it fail."""
    show(report)
    raise findings.RaceError(report)


def summary(places: Sequence[rewriting.Place]) -> int:
    """Say what was found, and return the exit code for it."""
    count = len(findings.reports())
    for place in places:
        if not place.found:
            say(f"no dict is made at {place.text}, or its module was not imported", USAGE)
    if count:
        return say(f"{count} race{'s' * (count != 1)} found", RACES)
    return 0 if all(place.found for place in places) else USAGE


def run_script(script: Path, source: bytes, arguments: Sequence[str], places: Sequence[rewriting.Place]) -> None:
    """Run a script as `__main__`."""
    path = os.path.abspath(script)  # noqa: PTH100 - as the interpreter does, without following links
    main_module: Any = ModuleType("__main__")
    main_module.__file__ = path
    main_module.__builtins__ = builtins
    main_module.__spec__ = main_module.__package__ = None
    main_module.__loader__ = SourceFileLoader("__main__", path)
    sys.modules["__main__"] = main_module
    sys.argv = [str(script), *arguments]
    sys.path[0] = str(script.resolve().parent)
    code = rewriting.compile_checked(source, path, places)
    exec(code, main_module.__dict__)  # noqa: S102 - that is what it is for


def run_module(module: str, arguments: Sequence[str]) -> None:
    """Run a module as `__main__`."""
    sys.argv = [module, *arguments]  # runpy puts the file's name in the first place
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def run(program: Any) -> int:
    """Run a program to the end of its last thread that is no daemon; return its exit code."""
    code = FAILED
    try:
        program()
        code = 0
    except SystemExit as done:
        code = exit_code(done.code)
    except KeyboardInterrupt as error:
        sys.excepthook(type(error), error, own(error.__traceback__))
        code = INTERRUPTED
    except BaseException as error:  # noqa: BLE001 - it is the program's, and shown as its own
        sys.excepthook(type(error), error.with_traceback(own(error.__traceback__)), own(error.__traceback__))
    try:
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def exit_code(value: Any) -> int:
    """Return the exit code of what a program gave to `sys.exit`, as the interpreter would."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF
    print(value, file=sys.stderr)  # noqa: T201
    return FAILED


def own(found: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames that ran the program; None if there are no others."""
    while found is not None:
        name = found.tb_frame.f_code.co_filename
        if not (name.startswith(HERE) or name in {ast.__file__, runpy.__file__, "<frozen runpy>"}):
            break
        found = found.tb_next
    return found


if __name__ == "__main__":
    sys.exit(main())

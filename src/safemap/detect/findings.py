"""What was found, once for each pair of places; and what is then done: log, raise, or call.

A stack is kept as pairs of a code object and an instruction's offset: no frame is kept, so no local variable lives
longer than it would. Line numbers and source lines are looked up when a report is made.

A pair of places is reported once in the life of the process, whatever the dict, the key and the kind: the two
lines are what has to be mended. `forget()` begins anew.
"""

from __future__ import annotations

import linecache
import logging
import reprlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from safemap.detect.threads import here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType

    from safemap.detect.locks import Identity

    Stack = tuple[tuple[CodeType, int], ...]

Kind = Literal["iteration", "read-modify-write", "write"]
OnRace = Literal["log", "raise"]

DEPTH: Final = 12
"""Calls that a stack shows: the innermost. Each costs every recorded write some 50 ns."""

OUTSIDE: Final = (threading.__file__, str(Path(__file__).parent))
"""Files that a report does not show at the outer end of a stack."""

logger: logging.Logger = logging.getLogger("safemap.detect")

MEANING: Final[dict[Kind, str]] = {
    "iteration": "one thread iterates over a dict while another one writes to it",
    "read-modify-write": "another thread may write a key between the read and the write of this one",
    "write": "two threads write one key, and share no lock",
}


def stack_of(frame: FrameType | None) -> Stack:
    """Return the calls that led to a frame, innermost first."""
    calls: list[tuple[CodeType, int]] = []
    while frame is not None and len(calls) < DEPTH:
        calls.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(calls)


def line_of(code: CodeType, lasti: int) -> int:
    """Return the line of an instruction."""
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


@dataclass(frozen=True)
class Place:
    """A line of the program."""

    filename: str
    line: int
    function: str

    def __str__(self) -> str:
        return f'  File "{self.filename}", line {self.line}, in {self.function}'

    def source(self) -> str:
        """Return the line's text; nothing if its file cannot be read."""
        return linecache.getline(self.filename, self.line).strip()


@dataclass(frozen=True)
class Side:
    """What one of the two threads did."""

    thread: str
    """Its name."""
    did: str
    """The operation, as `d[key] = value`."""
    stack: tuple[Place, ...]
    """Where: the innermost call first."""
    locks: tuple[str, ...]
    """The locks that it held all the time, by where they were made."""

    def __str__(self) -> str:
        lines = [f"thread {self.thread!r}: {self.did}, holding {', '.join(self.locks) or 'no lock'}"]
        for place in reversed(self.stack):
            text = place.source()
            lines += [str(place), f"    {text}"] if text else [str(place)]
        return "\n".join(lines)


@dataclass(frozen=True)
class Report:
    """A race: two accesses, of which nothing made one wait for the other. `str(report)` shows it all."""

    kind: Kind
    key: str | None
    """The key's `repr`, shortened; None where it is about the whole dict."""
    found: Side
    """What the thread did that found it.

    With `on_race="raise"`, this is the operation that does not take place.
    """
    other: Side
    """What another thread did before, or might still be doing."""
    note: str | None = None
    """Why it might be a false alarm, if there is a reason to think so."""

    def __str__(self) -> str:
        about = "" if self.key is None else f" (key {self.key})"
        note = "" if self.note is None else f"\n{self.note}"
        return f"{self.kind}{about}: {MEANING[self.kind]}\n{self.found}\n{self.other}{note}"


class RaceError(RuntimeError):
    """A race, raised in the thread that found it. `report` is all that is known of it."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


class Act:
    """One side of a possible race, as it is recorded."""

    __slots__ = ("did", "locks", "name", "stack")

    def __init__(self, name: Callable[[], str], did: str, stack: Stack, locks: frozenset[Identity]) -> None:
        self.name: Callable[[], str] = name
        self.did: str = did
        self.stack: Stack = stack
        self.locks: frozenset[Identity] = locks

    def side(self) -> Side:
        """Return it for people."""
        calls = list(self.stack)
        while len(calls) > 1 and calls[-1][0].co_filename.startswith(OUTSIDE):
            calls.pop()  # how threads begin is no news
        places = tuple(Place(code.co_filename, line_of(code, at), code.co_qualname) for code, at in calls)
        made = (
            f"{lock.kind} made at {lock.code.co_filename}:{line_of(lock.code, lock.lasti)}" for lock in self.locks
        )
        return Side(self.name(), self.did, places, tuple(sorted(made)))


UNWATCHED: Final = "note: watch() was not called; locks made before the first CheckedDict are not seen"

_note: str | None = None
_reports: list[Report] = []
_seen: set[object] = set()


def reports() -> Sequence[Report]:
    """Return all races that were found since the start, or since `forget()`, oldest first."""
    return list(_reports)


def set_note(note: str | None) -> None:
    """Set the note that reports have from now on."""
    global _note  # noqa: PLW0603 - it is about the whole process
    _note = note


def forget() -> None:
    """Forget the races that were found: `reports()` is empty then, and the same places are reported again."""
    _reports.clear()
    _seen.clear()


def found(  # noqa: PLR0917 - a race has two sides
    kind: Kind,
    key: object,
    mine: Act,
    other: Act,
    on_race: str | Callable[[Report], object],
    at: Stack | None = None,
) -> None:
    """Report a race, if it is the first at these places. `at` stands for the place of `mine`.

    Raises RaceError if `on_race` is "raise", or what it raises if it is a function.
    """
    places = frozenset((at or mine.stack)[:1] + other.stack[:1])
    if places in _seen:
        return
    _seen.add(places)
    state = here.state
    state.off += 1  # what `repr` and the handlers of logging do is no access of the program's
    try:
        sides = mine.side(), other.side()
        lines = frozenset((code.co_filename, line_of(code, lasti)) for code, lasti in places)
        if lines in _seen:
            return
        _seen.add(lines)
        report = Report(kind, None if key is WHOLE else shown(key), *sides, note=_note)
        _reports.append(report)
        if on_race == "log":
            logger.warning("%s", report)
    finally:
        state.off -= 1
    if on_race == "raise":
        raise RaceError(report)
    if callable(on_race):
        on_race(report)


WHOLE: Final = object()
"""In the place of a key: all of them."""


def shown(key: object) -> str:
    """Return a short repr of a key, whatever its `__repr__` does."""
    try:
        return reprlib.repr(key)
    except Exception:  # noqa: BLE001 - the report matters more
        return f"<{type(key).__name__}>"

"""The timed loops: the statements that a program would write, with nothing around them that could be left out.

A call of a bound method, or of a wrapper around a lock, would cost more than some of the maps. So the loop is
put together, as source, of a contestant's own statements for the operations of one workload: the most frequent
first, each behind a comparison of small ints.

Phases: the main thread says what phase it is; a thread notices before its next chunk, and notes when that was
and how much it had done by then. So each thread's rate is taken over its own window, from edge to edge exactly,
while all others run too: from before the first one measures until after the last one is done.
"""

from __future__ import annotations

import textwrap
from functools import partial
from itertools import cycle, islice
from time import perf_counter_ns, sleep
from typing import TYPE_CHECKING, Any, Final

from safemap import MISSING
from safemap.bench.script import MADE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WARMING: Final = 0
MEASURING: Final = 1
DRAINING: Final = 2
STOPPED: Final = 3


class Phase:
    """What the threads are to do now. Written by the main thread alone; threads look at it before each chunk."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now: int = WARMING


class Log:
    """What one thread did. Written by that thread alone."""

    __slots__ = ("edges", "late")

    def __init__(self) -> None:
        self.edges: dict[int, tuple[int, int]] = {}
        """When the thread saw each phase begin, in ns, and how many chunks it had done by then."""
        self.late: list[int] = []
        """Paced loops only: how many ns after its intended start each sampled operation was done."""


def increment(count: int) -> int:
    """Add one: the function that `compute` is given."""
    return count + 1


def make(_key: object) -> object:
    """Make a value: the function that `compute_if_absent` is given."""
    return MADE


NAMES: Final[Mapping[str, Any]] = {"increment": increment, "make": make, "islice": islice, "MISSING": MISSING}
"""What statements may use, besides m, key, value, found, and what their contestant gives them."""

# Everything is local: a global would be looked up in a dict that all threads share.
SATURATED: Final = """\
def loop(m, chunks, phase, log, {names}):
    seen, executed = {WARMING}, 0
    for chunk in cycle(chunks):
        now = phase.now
        if now != seen:
            log.edges[now] = clock(), executed
            if now == {STOPPED}:
                return
            seen = now
        for place, key, value in chunk:
{statements}
        executed += 1
"""
"""As fast as it goes."""

PACED: Final = """\
def loop(m, chunks, phase, log, {names}):
    seen, executed = {WARMING}, 0
    sample = log.late.append
    due = clock() + offset
    for first, rest in cycle([(chunk[:1], chunk[1:]) for chunk in chunks]):
        now = phase.now
        if now != seen:
            log.edges[now] = clock(), executed
            if now == {STOPPED}:
                return
            seen = now
            if now == {MEASURING}:
                due = clock() + offset
        early = due - clock()
        if early > 0:
            sleep(early / 1e9)
        for place, key, value in first:
{statements}
        if seen == {MEASURING}:
            sample(clock() - due)
        for place, key, value in rest:
{statements}
        executed += 1
        due += interval
"""
"""A chunk each `interval` ns, whether the last one was late or not. What is measured is the first operation of a
chunk, from the moment when it should have begun: what waits behind a slow one counts, too (no coordinated
omission). Chunks that are due are done without a sleep between them."""


def build(
    template: str, operations: Sequence[str], statements: Mapping[str, str], names: Mapping[str, Any]
) -> Callable[..., None]:
    """Return a loop of these operations, in this order, as a function of (m, chunks, phase, log).

    `statements`: the source for each operation. `names`: what they use; PACED needs `interval` and `offset`.
    """
    known = {**NAMES, "clock": perf_counter_ns, "sleep": sleep, "cycle": cycle, **names}
    source = template.format(
        names=", ".join(known),
        statements=textwrap.indent(_choice(operations, statements), " " * 12),
        WARMING=WARMING,
        MEASURING=MEASURING,
        STOPPED=STOPPED,
    )
    return define("loop", source, known)


def define(name: str, source: str, known: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function of a name that the source defines, which gets `known` by keyword in each call."""
    made: dict[str, Any] = {}
    exec(compile(source, "<timed loop>", "exec"), made)  # noqa: S102 - of the contestants' own statements
    return partial(made[name], **known)


def _choice(operations: Sequence[str], statements: Mapping[str, str]) -> str:
    """Return the source that does the operation of a step."""
    written = [statements[operation].strip("\n") for operation in operations]
    if len(written) == 1:
        return written[0]
    lines: list[str] = []
    for place, statement in enumerate(written):
        word = "if" if place == 0 else "elif" if place < len(written) - 1 else "else"
        condition = f"{word} place == {place}:" if word != "else" else "else:"
        lines += [condition, textwrap.indent(statement, "    ")]
    return "\n".join(lines)

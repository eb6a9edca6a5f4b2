"""Small concurrent programs on a map: made by hypothesis, run by real threads, and judged by the checker.

A program says what each of a few threads does to one map. `programs()` is hypothesis's strategy for them: it draws
from the whole contract, from few keys (some of the same hash), and gives every write a value of its own, so that a
read tells which write it saw. `find_violation` runs a program many times and returns the first history that breaks
the map's guarantees.

Threads are kept from one run to the next, and begin a run by spinning until the last of them is there: a thread
that is woken comes too late for a program of a few microseconds.
"""

from __future__ import annotations

import contextlib
import faulthandler
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from safemap import MISSING
from safemap.testing.guarantees import check_guaranteed
from safemap.testing.hostile import Key
from safemap.testing.linearizability import NotLinearizableError
from safemap.testing.models import OPERATIONS, SINGLE_KEY
from safemap.testing.recorded_map import RecordedMap
from safemap.testing.threads import rapid_switching

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from safemap.testing.history import History
    from safemap.testing.linearizability import Verdict

tried: Counter[str] = Counter()
"""How many "programs", "histories" and "schedules" this process has tried. None of them proves nothing."""

SPINS = 400
"""How often a thread looks whether the others are there, before it begins without them."""
PATIENCE = 30.0
"""Seconds after which a run counts as hanging."""


@dataclass(frozen=True)
class Call:
    """One operation of a program: its name in `models.OPERATIONS`, or `locked` with calls as arguments."""

    name: str
    arguments: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.arguments))})"

    def on(self, m: RecordedMap) -> None:
        """Do and record it. What it raises is part of the record."""
        with contextlib.suppress(Exception):
            if self.name == "locked":
                m.locked(self._inside)
            else:
                m.perform(self.name, *self.arguments)

    def _inside(self, m: RecordedMap) -> None:
        for call in self.arguments:
            call.on(m)


@dataclass(frozen=True)
class Program:
    """What a map holds at first, and what each thread then does to it."""

    initial: tuple[tuple[Any, Any], ...]
    threads: tuple[tuple[Call, ...], ...]

    def __str__(self) -> str:
        lines = [f"m = {dict(self.initial)!r}"]
        for number, calls in enumerate(self.threads, 1):
            lines += [f"thread {number}: {'; '.join(map(repr, calls))}"]
        return "\n".join(lines)


# Functions and keys for programs: each lets other threads run in its middle, while a program runs.


class Stage:
    """Whether a program runs now. If not, who calls its functions and compares its keys is the model."""

    is_open: bool = False

    def __enter__(self) -> None:
        self.is_open = True

    def __exit__(self, *exception: object) -> None:
        self.is_open = False


stage: Stage = Stage()


def pause() -> None:
    """Let other threads run, in a program."""
    if stage.is_open:
        time.sleep(0)


@dataclass(frozen=True)
class Adds:
    """A function that adds a number to what it gets; MISSING counts as 0."""

    number: int

    def __call__(self, *values: Any) -> Any:
        pause()
        return self.number + sum(value for value in values if value is not MISSING)


@dataclass(frozen=True)
class Gives:
    """A function that returns a value, whatever it gets."""

    value: Any

    def __call__(self, *_values: Any) -> Any:
        pause()
        return self.value


@dataclass(frozen=True)
class Fails:
    """A function that raises ValueError."""

    def __call__(self, *_values: Any) -> Any:
        pause()
        raise ValueError("on purpose")


KEYS = ("a", "b", 1, Key("x", on_eq=pause), Key("y", on_eq=pause))

# What each operation is given, after the key for those on a single one.
ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "setitem": ("value",),
    "setdefault": ("value",),
    "swap": ("value",),
    "pop": ("perhaps None",),
    "get": ("perhaps None",),
    "compare_and_set": ("expected or MISSING", "value"),
    "compare_and_delete": ("expected",),
    "compute": ("function", "perhaps 0"),
    "compute_if_absent": ("function",),
    "compute_if_present": ("function",),
    "entry": ("function",),
    "merge": ("value", "function"),
    "update": ("items",),
    "locked": ("calls",),
}


class Drawing:
    """Draws the parts of one program. Every value that is written is a number of its own."""

    def __init__(self, draw: Callable[[Any], Any], keys: Sequence[Any], operations: Collection[str]) -> None:
        from hypothesis import strategies as st  # noqa: PLC0415  # what runs programs does without

        self.st = st
        self.draw = draw
        self.key: SearchStrategy[Any] = st.sampled_from(list(keys))
        self.operations: list[str] = list(operations)
        self.numbers: int = 0

    def program(self, threads: tuple[int, int], calls: tuple[int, int]) -> Program:
        initial = tuple((key, self.value()) for key in self.keys(0, 3))
        bodies = [self.calls(*calls, self.operations) for _ in range(self.draw(self.st.integers(*threads)))]
        return Program(initial, tuple(bodies))

    def calls(self, least: int, most: int, names: Sequence[str]) -> tuple[Call, ...]:
        chosen = self.draw(self.st.lists(self.st.sampled_from(list(names)), min_size=least, max_size=most))
        return tuple(map(self.call, chosen))

    def call(self, name: str) -> Call:
        key = (self.draw(self.key),) if name in SINGLE_KEY else ()
        drawn = [argument for kind in ARGUMENTS.get(name, ()) for argument in self.arguments(kind)]
        return Call(name, (*key, *drawn))

    def arguments(self, kind: str) -> tuple[Any, ...]:  # noqa: PLR0911
        match kind:
            case "value":
                return (self.value(),)
            case "function":
                return (self.function(),)
            case "items":
                return (tuple((key, self.value()) for key in self.keys(1, 3)),)
            case "calls":
                return self.calls(0, 3, [name for name in self.operations if name != "locked"])
            case "expected":
                return (self.draw(self.st.integers(0, self.numbers)),)
            case "expected or MISSING":
                return (self.draw(self.st.sampled_from([MISSING, *range(self.numbers + 1)])),)
            case _:
                given: int = self.draw(self.st.integers(0, 1))
                return (0 if kind == "perhaps 0" else None,) * given

    def function(self) -> Any:
        kind = self.draw(self.st.sampled_from([Adds, Adds, Gives, Fails, None]))
        if kind is None:
            return Gives(MISSING)
        return kind() if kind is Fails else kind(self.value())

    def keys(self, least: int, most: int) -> list[Any]:
        return list(self.draw(self.st.lists(self.key, unique=True, min_size=least, max_size=most)))

    def value(self) -> int:
        self.numbers += 1
        return self.numbers


def programs(
    *,
    keys: Sequence[Any] = KEYS,
    threads: tuple[int, int] = (2, 3),
    calls: tuple[int, int] = (1, 5),
    operations: Collection[str] = (*OPERATIONS, "locked"),
) -> SearchStrategy[Program]:
    """Return a hypothesis strategy for programs.

    `threads` and `calls` (in each): how few and how many. `operations`: the names to choose from; leave out what a
    map does not have.
    """
    from hypothesis import strategies as st  # noqa: PLC0415

    @st.composite
    def program(draw: Any) -> Program:
        return Drawing(draw, keys, operations).program(threads, calls)

    return program()


class Crew:
    """Threads that wait for work, and begin it together. Used by one thread at a time."""

    def __init__(self, size: int) -> None:
        """Start `size` threads."""
        self._work: list[Callable[[], None]] = []
        self._ready = [0] * size
        self._round = 0
        self._begin = [threading.Semaphore(0) for _ in range(size)]
        self._done = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._serve, args=(n,), daemon=True) for n in range(size)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """End the threads."""
        self._work = []
        for begin in self._begin:
            begin.release()
        for thread in self._threads:
            thread.join(PATIENCE)

    def run(self, *work: Callable[[], None]) -> bool:
        """Call the functions, each in a thread, and return True; False if they have not ended in PATIENCE seconds.

        The functions must not raise.
        """
        self._work = list(work)
        self._round += 1
        for begin, _ in zip(self._begin, work, strict=False):
            begin.release()
        deadline = time.monotonic() + PATIENCE
        return all(self._done.acquire(timeout=max(0.0, deadline - time.monotonic())) for _ in work)

    def _serve(self, number: int) -> None:
        while True:
            self._begin[number].acquire()
            work = self._work
            if not work:
                return
            self._ready[number] = this = self._round
            # Bounded: with more threads than processors, one of them may not be running.
            for turn in range(SPINS):
                if self._ready[: len(work)].count(this) == len(work):
                    break
                if turn > SPINS // 2:
                    time.sleep(0)
            work[number]()
            self._done.release()


class HangError(AssertionError):
    """The threads of a program did not come to an end."""


@dataclass
class Runner:
    """Runs programs on maps that `make(items)` makes, and judges what happened.

    `guarantees`: by default those of the map. A context manager.
    """

    make: Callable[[dict[Any, Any]], Any]
    guarantees: Any = None
    check: Callable[[Any], None] | None = None
    """Called with the map after each run: `check(m)` raises AssertionError if it is not whole."""
    _crews: dict[int, Crew] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for crew in self._crews.values():
            crew.end()

    def run(self, program: Program) -> tuple[Any, History]:
        """Run a program once; return the map and the history, to which a look at the end has been added."""
        m = RecordedMap(self.make(dict(program.initial)))
        size = len(program.threads)
        if size not in self._crews:
            self._crews[size] = Crew(size)
        work = [_body(m, calls) for calls in program.threads]
        tried["histories"] += 1
        with stage:
            done = self._crews[size].run(*work)
        if not done:
            faulthandler.dump_traceback()
            raise HangError(f"not done after {PATIENCE} s\n{program}\n{m.history()}")
        m.perform("len")
        m.perform("items")
        return m.mapping, m.history()

    def verdict(self, program: Program) -> Verdict:
        """Run a program once, and return the verdict on its history."""
        mapping, history = self.run(program)
        guarantees = self.guarantees or mapping.guarantees
        verdict = check_guaranteed(history, guarantees, program.initial)
        if verdict and self.check is not None:
            self.check(mapping)
        return verdict

    def find_violation(self, program: Program, runs: int = 100) -> Verdict | None:
        """Run a program `runs` times; return the first verdict that is not *linearizable*, or None."""
        tried["programs"] += 1
        with rapid_switching():
            for _ in range(runs):
                verdict = self.verdict(program)
                if not verdict:
                    return verdict
        return None


def _body(m: RecordedMap, calls: Sequence[Call]) -> Callable[[], None]:
    def body() -> None:
        for call in calls:
            call.on(m)

    return body


def fuzz(
    runner: Runner,
    strategy: SearchStrategy[Program] | None = None,
    *,
    examples: int = 100,
    runs: int = 30,
    seed: int | None = None,
) -> None:
    """Try `examples` programs, each `runs` times; raise NotLinearizableError for the smallest program that fails.

    What a program does depends on the weather. So that hypothesis can make it smaller, one that has failed once
    counts as failing; and one that has not failed when it was made smaller is tried ten times as often.
    """
    import hypothesis  # noqa: PLC0415

    found: dict[str, Verdict | None] = {}
    failed = False

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
    )
    @hypothesis.given(programs() if strategy is None else strategy)
    def try_out(program: Program) -> None:
        nonlocal failed
        name = str(program)
        if name not in found:
            found[name] = runner.find_violation(program, runs * (10 if failed else 1))
        verdict = found[name]
        if verdict is not None:
            failed = True
            raise NotLinearizableError(f"{verdict}\n\nby this program, which is the smallest found:\n{program}")

    if seed is not None:
        try_out = hypothesis.seed(seed)(try_out)
    try_out()

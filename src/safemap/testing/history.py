"""What several threads did to an object: which calls, from when to when, and what came of each.

Every thread writes to a list of its own, with `time.perf_counter_ns`, which is one clock for all of them: a list
shared by the threads would keep them apart, and hide the very races that a history is to show.

A function that is handed to the object (to `compute`, say) is recorded too: what it was called with and what it
returned. Whoever judges the history later repeats that, rather than calling the function again.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

WIDTH = 60
"""Columns of the bars in a timeline."""


@dataclass(frozen=True)
class Returned:
    """The outcome of a call that returned `value`."""

    value: Any

    def __str__(self) -> str:
        return f"-> {self.value!r}"


@dataclass(frozen=True)
class Raised:
    """The outcome of a call that raised an exception of class `error` with these arguments."""

    error: type[BaseException]
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"raised {self.error.__name__}{self.arguments!r}"


@dataclass(frozen=True)
class Pending:
    """The outcome of a call of which it is not known whether it took effect: it may have, once, at any time."""

    reason: str = "has not returned"

    def __str__(self) -> str:
        return f"... {self.reason}"


class RecordedFunction:
    """A function, and what came of each of its calls while it was recorded."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls: list[tuple[tuple[Any, ...], Returned | Raised]] = []

    def __call__(self, *arguments: Any) -> Any:
        try:
            value = self.function(*arguments)
        except BaseException as error:
            self.calls.append((arguments, Raised(type(error), error.args)))
            raise
        self.calls.append((arguments, Returned(value)))
        return value

    def __repr__(self) -> str:
        return getattr(self.function, "__qualname__", None) or repr(self.function)


class RepeatedFunction:
    """Stands for a recorded function: accepts the calls that it got, in their order, and no others."""

    def __init__(self, recorded: RecordedFunction) -> None:
        self.left: list[tuple[tuple[Any, ...], Returned | Raised]] = list(recorded.calls)

    def __call__(self, *arguments: Any) -> Any:
        if not self.left or self.left[0][0] != arguments:
            raise NotRecordedError(arguments)
        _, outcome = self.left.pop(0)
        if isinstance(outcome, Raised):
            raise outcome.error(*outcome.arguments)
        return outcome.value


class NotRecordedError(Exception):
    """A function would have been called with other arguments than it was, or more often."""


@dataclass(frozen=True)
class Operation:
    """One call: by whom, of what, from when to when (nanoseconds), and what came of it.

    `parts` are the operations that a block (`locked`) is made of, with times of their own.
    """

    thread: int
    name: str
    arguments: tuple[Any, ...]
    called: int
    returned: int | None
    outcome: Returned | Raised | Pending
    parts: tuple[Operation, ...] = ()

    def __post_init__(self) -> None:
        if (self.returned is None) != isinstance(self.outcome, Pending):
            raise ValueError("an operation has a time of return if and only if its outcome is known")
        if self.returned is not None and self.returned < self.called:
            raise ValueError("an operation cannot return before it is called")

    def __str__(self) -> str:
        arguments = ", ".join(map(repr, self.arguments))
        return f"{self.name}({arguments}) {self.outcome}"

    def as_pending(self, reason: str) -> Operation:
        """Return the operation as it looked before it had returned."""
        return replace(self, returned=None, outcome=Pending(reason))


@dataclass
class History:
    """Operations of several threads on one object."""

    operations: list[Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.operations = sorted(self.operations, key=lambda operation: operation.called)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    def __str__(self) -> str:
        return timeline(self.operations)


def timeline(operations: Iterable[Operation]) -> str:
    """Return a drawing: a line for each operation, a bar from its call to its return, in the order of the calls.

    The columns are moments at which something began or ended, not a scale of time.
    """
    shown = sorted(operations, key=lambda operation: operation.called)
    # As in the search: where a call and a return have the same time, the call was first.
    moments = sorted(
        {(operation.called, 0) for operation in shown}
        | {(operation.returned, 1) for operation in shown if operation.returned is not None}
    )
    step = max(1, min(4, WIDTH // max(1, len(moments))))
    column = {moment: number * step for number, moment in enumerate(moments)}
    end = len(moments) * step
    lines = []
    for operation in shown:
        start = column[operation.called, 0]
        if operation.returned is None:
            bar = "|" + "-" * (end - start) + ">"
        else:
            bar = "|" + "-" * (column[operation.returned, 1] - start - 1) + "|"
        lines.append(f"thread {operation.thread}  {' ' * start}{bar:<{end - start + 2}}  {operation}")
    return "\n".join(lines)


class Log:
    """One thread's part of a history. Used by that thread alone, and cheap: what can wait is left for later."""

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self._outermost: list[tuple[Any, ...]] = []
        self._done = self._outermost  # of the operation that is open
        self._open: list[tuple[Any, ...]] = []

    def record(
        self,
        name: str,
        arguments: tuple[Any, ...],
        perform: Callable[..., Any],
        maybe: tuple[type[BaseException], ...] = (),
    ) -> Any:
        """Return `perform(*arguments)`, or raise what it raises, and write that down.

        Functions among the arguments are recorded too. After an exception of a class in `maybe` it is not known
        whether the operation took effect.
        """
        arguments = tuple([RecordedFunction(each) if is_function(each) else each for each in arguments])
        outer, self._done = self._done, []
        returned: int | None = None
        outcome: Returned | Raised | Pending = Pending("was interrupted")
        called = time.perf_counter_ns()
        self._open.append((name, arguments, called))
        try:
            value = perform(*arguments)
            returned = time.perf_counter_ns()
            outcome = Returned(value)
        except maybe as error:
            returned, outcome = None, Pending(f"ended in {type(error).__name__}")
            raise
        except BaseException as error:
            returned = time.perf_counter_ns()
            outcome = Raised(type(error), error.args)
            raise
        finally:
            self._open.pop()
            outer.append((name, arguments, called, returned, outcome, self._done))
            self._done = outer
        return value

    def operations(self) -> list[Operation]:
        """Return what is known of a thread that may still run: its operations, and the one that it is in."""
        done = [self._operation(raw) for raw in list(self._outermost)]
        done += [self._operation((*opened, None, Pending(), ())) for opened in self._open[:1]]
        return done

    def _operation(self, raw: tuple[Any, ...]) -> Operation:
        name, arguments, called, returned, outcome, parts = raw
        inner = tuple(self._operation(part) for part in parts)
        return Operation(self.thread, name, arguments, called, returned, outcome, inner)


def is_function(argument: Any) -> bool:
    """Return whether an argument is a function that is handed over, rather than a key or a value."""
    return callable(argument) and not isinstance(argument, type)


class Recorder:
    """Collects the histories of threads.

    >>> recorder = Recorder()
    >>> stock = {"apples": 3}
    >>> recorder.record("pop", ("apples",), stock.pop)
    3
    >>> recorder.history().operations[0].outcome
    Returned(value=3)
    """

    def __init__(self, maybe: Sequence[type[BaseException]] = ()) -> None:
        """After an exception of a class in `maybe`, an operation may or may not have taken effect."""
        self._maybe = tuple(maybe)
        self._logs: list[Log] = []  # appended to, which is atomic
        self._numbers = itertools.count(1)
        self._local = threading.local()

    @property
    def log(self) -> Log:
        """The calling thread's part."""
        log: Log | None = getattr(self._local, "log", None)
        if log is None:
            log = self._local.log = Log(next(self._numbers))
            self._logs.append(log)
        return log

    def record(self, name: str, arguments: tuple[Any, ...], perform: Callable[..., Any]) -> Any:
        """Return what `perform(*arguments)` returns, or raise what it raises, and write that down."""
        return self.log.record(name, arguments, perform, self._maybe)

    def history(self) -> History:
        """Return what has been recorded so far. An operation that has not returned is pending."""
        return History([operation for log in self._logs for operation in log.operations()])

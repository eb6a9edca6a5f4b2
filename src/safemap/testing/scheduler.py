"""One run of a scenario: its threads are real threads, but only one goes on at a time.

A thread runs until it comes to a *point* (a line of what is traced, a lock, a sleep) or has to wait. There
`choose` says who goes on. Time stands still except where everybody waits: then the shortest timeout is over. If
nobody can go on, that is a deadlock, and a failure; then all threads are ended, one after another.
"""

from __future__ import annotations

import _thread
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from safemap.testing.programs import stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

POINTS = 20_000
"""Points after which a run counts as not ending."""
PATIENCE = 60.0
"""Real seconds that a run may take: whoever blocks on what was not replaced is found out."""


@dataclass(frozen=True)
class Scenario:
    """What the threads do, and what must hold when all have ended: `check` raises AssertionError if not."""

    threads: Sequence[Callable[[], Any]]
    check: Callable[[], Any] = lambda: None


class Choose(Protocol):
    """Says who goes on: one of those who are ready, `going` among them, or one whose time is then up."""

    def __call__(self, point: int, going: int | None, ready: list[int], late: list[int], /) -> int: ...


class Tracer(Protocol):
    """Makes points of the lines that a thread comes to."""

    def in_thread(self) -> AbstractContextManager[None]: ...


class AbandonedError(BaseException):
    """Ends a thread of a run that has failed. Nothing should catch it."""


class Waiting:
    """What a thread waits for: until `is_over()`, or until the clock shows `deadline`."""

    def __init__(self, is_over: Callable[[], bool], deadline: float | None) -> None:
        self.is_over = is_over
        self.deadline = deadline
        self.timed_out = False


class Task:
    """A thread of a scenario."""

    def __init__(self, number: int, body: Callable[[], Any]) -> None:
        self.number = number
        self.body = body
        self.gate: _thread.LockType = _thread.allocate_lock()  # open: it is this one's turn
        self.gate.acquire()
        self.known: _thread.LockType = _thread.allocate_lock()  # open: the thread has started
        self.known.acquire()
        self.waiting: Waiting | None = None
        self.ended = False
        self.error: BaseException | None = None
        self.atomic = 0

    def can_time_out(self) -> bool:
        return not self.ended and self.waiting is not None and self.waiting.deadline is not None

    def deadline(self) -> float:
        return self.waiting.deadline or 0.0 if self.waiting is not None else 0.0

    def is_ready(self) -> bool:
        return not self.ended and (self.waiting is None or self.waiting.timed_out or self.waiting.is_over())


class Run:
    """One run of a scenario under one schedule."""

    def __init__(self, scenario: Scenario, choose: Choose, tracer: Tracer) -> None:
        self.choose = choose
        self.tracer = tracer
        self.tasks: list[Task] = [Task(number, body) for number, body in enumerate(scenario.threads)]
        self.by_ident: dict[int, Task] = {}
        self.points: int = 0
        self.now: float = 1000.0
        self.failure: str | None = None
        self.finished: _thread.LockType = _thread.allocate_lock()
        self.finished.acquire()

    def start(self) -> None:
        """Run all threads to their ends, or to a failure."""
        global _run  # noqa: PLW0603
        _run = self
        try:
            with stage:
                for task in self.tasks:
                    _thread.start_new_thread(self._live, (task,))
                    task.known.acquire()
                self._pass_on(None)
                if not self.finished.acquire(timeout=PATIENCE):
                    self.failure = f"a thread blocks on what the scheduler does not know of:\n{self.stacks()}"
        finally:
            _run = None

    def current(self) -> Task | None:
        """Return the calling thread's task; None if it has none, or is in the middle of one step."""
        task = self.by_ident.get(_thread.get_ident())
        return None if task is None or task.atomic else task

    def point(self) -> None:
        """Let the scheduler decide who goes on."""
        task = self.current()
        if task is not None:
            self._switch_from(task)

    def block(self, is_over: Callable[[], bool], timeout: float | None) -> bool:
        """Let others run until `is_over()`, and return True; False if that took more than `timeout` seconds."""
        task = self.by_ident[_thread.get_ident()]
        task.waiting = waiting = Waiting(is_over, None if timeout is None else self.now + timeout)
        try:
            self._switch_from(task)
        finally:
            task.waiting = None
        return not waiting.timed_out

    def stacks(self) -> str:
        """Return what the threads are in the middle of."""
        lines = []
        for ident, frame in sys._current_frames().items():
            if ident in self.by_ident:
                lines.append(f"  thread {self.by_ident[ident].number}:")
                where: Any = frame
                while where is not None:
                    if not where.f_globals.get("__name__", "").startswith("safemap.testing.schedule"):
                        lines.append(f"    {where.f_code.co_filename}:{where.f_lineno} in {where.f_code.co_name}")
                    where = where.f_back
        return "\n".join(lines)

    def _live(self, task: Task) -> None:
        threading.current_thread()  # makes an object, with locks in it, for a thread that has none yet
        self.by_ident[_thread.get_ident()] = task
        task.known.release()
        task.gate.acquire()
        try:
            if self.failure is None:
                with self.tracer.in_thread():
                    task.body()
        except AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001
            task.error = error
            self.failure = self.failure or f"thread {task.number} raised {type(error).__name__}: {error}"
        finally:
            task.ended = True
            self._pass_on(task)

    def _switch_from(self, task: Task) -> None:
        if self._pass_on(task) is not task:
            task.gate.acquire()
        if self.failure is not None:
            raise AbandonedError

    def _pass_on(self, task: Task | None) -> Task | None:
        """Decide who goes on, and let it; return who that is. `task` is who has run so far."""
        if self.failure is None:
            chosen = self._next(task)
            if chosen is not None:
                if chosen is not task:
                    chosen.gate.release()
                return chosen
        left = [each for each in self.tasks if not each.ended]
        if not left:
            self.finished.release()
            return None
        # A failure: one after another is woken, and ends.
        if left[0] is not task:
            left[0].gate.release()
        return left[0]

    def _next(self, task: Task | None) -> Task | None:
        self.points += 1
        if self.points > POINTS:
            self.failure = f"not done after {POINTS} points: threads wait for one another without sleeping"
            return None
        ready = [each.number for each in self.tasks if each.is_ready()]
        late = [each for each in self.tasks if each.number not in ready and each.can_time_out()]
        if not ready:
            if not late:
                if any(not each.ended for each in self.tasks):
                    self.failure = f"deadlock: nobody can go on\n{self.stacks()}"
                return None
            first = min(late, key=Task.deadline)
            late.remove(first)
            ready = [first.number]
        going = task.number if task is not None and task.number in ready else None
        chosen = self.tasks[self.choose(self.points, going, ready, [each.number for each in late])]
        if not chosen.is_ready() and chosen.waiting is not None:
            self.now = max(self.now, chosen.deadline())
            chosen.waiting.timed_out = True
        return chosen


_run: Run | None = None


def run_under_way() -> Run | None:
    """Return the run that is going on."""
    return _run

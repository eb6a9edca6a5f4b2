"""Trying out schedules: in which order threads take turns is decided here, and not by the weather.

`Explorer(scenario).explore()` runs a scenario again and again. Each time its threads are real threads, but only
one of them runs at a time, until it comes to a *point*: a line (or instruction) of a module that is traced, a
lock, a sleep. There the scheduler says who goes on. First every schedule is tried in which a thread is interrupted
(preempted) at most once, then those with two interruptions: most concurrency bugs need no more (Musuvathi, Qadeer:
"Iterative context bounding", 2007). Beyond that, or where there are too many, schedules are drawn at random.

A schedule is written as who goes on where: `"12:1 40:0"` says that at the 12th point thread 1 goes on, and at the
40th thread 0; everywhere else the same thread goes on, or, if it cannot, the first that can. `Explorer.replay`
does that again, with the same outcome: a scenario must not depend on the time, on hashes that differ from run to
run, or on anything else that is not its own.

How a run goes, and when it has failed, stands in `scheduler`; what is replaced while it lasts in
`scheduled_locks`; where the points come from in `tracing`. That a timeout is over before another thread has had
its turn counts as an interruption.
"""

from __future__ import annotations

import contextlib
import gc
import random
import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from safemap.testing.programs import tried
from safemap.testing.scheduled_locks import replaced
from safemap.testing.scheduler import Run, Scenario
from safemap.testing.tracing import Monitoring, Settrace, codes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(frozen=True)
class Exploration:
    """What was tried."""

    schedules: int
    """How many distinct ones."""
    exhausted: bool
    """Whether these were all with so few interruptions."""
    points: int
    """In the longest of them."""


class ScheduleError(AssertionError):
    """A schedule under which a scenario fails. `schedule` replays it."""

    def __init__(self, schedule: str, seed: int | None, reason: str) -> None:
        by = "" if seed is None else f", drawn with seed {seed}"
        super().__init__(f"{reason}\nunder the schedule {schedule!r}{by}: replay({schedule!r})")
        self.schedule = schedule
        self.seed = seed


Choice = tuple[int, int]
"""A point, and the number of the thread that goes on there, though another one would have."""


class Chooser(Protocol):
    """Says who goes on: one of those who are ready, `going` among them, or one whose time is then up."""

    def __call__(self, going: int | None, ready: list[int], late: list[int], /) -> int: ...


class AtRandom:
    """Interrupts whoever runs now and then."""

    def __init__(self, source: random.Random, odds: float) -> None:
        self.source = source
        self.odds = odds

    def __call__(self, going: int | None, ready: list[int], late: list[int], /) -> int:
        if going is not None and self.source.random() > self.odds:
            return going
        return self.source.choice(ready + late if self.source.random() < self.odds else ready)


class Plan:
    """Chooses as planned, then as `otherwise` says, and writes down what else could have been chosen."""

    def __init__(self, choices: Iterable[Choice], otherwise: Chooser, early_timeouts: bool) -> None:  # noqa: FBT001
        self.early_timeouts = early_timeouts
        self.planned: dict[int, int] = dict(choices)
        self.left: set[int] = set(self.planned)
        self.otherwise = otherwise
        self.last: int = max(self.planned, default=0)
        self.made: list[Choice] = []
        self.alternatives: list[tuple[int, int, int]] = []  # point, thread, interruptions that it costs

    def __call__(self, point: int, going: int | None, ready: list[int], late: list[int]) -> int:
        expected = usual(going, ready, late)
        if not self.early_timeouts:
            late = []
        chosen = self.planned.get(point)
        if chosen in ready or chosen in late:
            self.left.discard(point)
        else:
            chosen = self.otherwise(going, ready, late) if point > self.last else expected
        if chosen != expected:
            self.made.append((point, chosen))
        if point > self.last:
            cost = int(going is not None)
            self.alternatives += [(point, each, cost) for each in ready if each != chosen]
            self.alternatives += [(point, each, 1) for each in late if each != chosen]
        return chosen


def usual(going: int | None, ready: list[int], _late: list[int]) -> int:
    """Choose whoever has run so far, or else the first who can."""
    return ready[0] if going is None else going


def written(choices: Iterable[Choice]) -> str:
    return " ".join(f"{point}:{thread}" for point, thread in choices)


def parsed(schedule: str) -> list[Choice]:
    return [(int(point), int(thread)) for point, _, thread in (each.partition(":") for each in schedule.split())]


class Explorer:
    """Tries the schedules of a scenario.

    `scenario()` makes a fresh one. `traced`: modules, classes or functions in which every line (or instruction, by
    `granularity`) is a point; `untraced`: functions in them that are one step. Without `early_timeouts`, a timeout
    is over only when nobody can go on: then time passes only where somebody has not been woken.

    >>> def scenario():
    ...     count = [0]
    ...
    ...     def add():
    ...         n = count[0]
    ...         count[0] = n + 1
    ...
    ...     def check():
    ...         assert count == [2], f"an addition was lost: {count}"
    ...
    ...     return Scenario([add, add], check)
    >>> Explorer(scenario, traced=[scenario]).explore()
    Traceback (most recent call last):
    ...
    safemap.testing.schedules.ScheduleError: an addition was lost: [1]
    under the schedule '3:1': replay('3:1')
    """

    def __init__(
        self,
        scenario: Callable[[], Scenario],
        *,
        traced: Iterable[Any] = (),
        untraced: Iterable[Any] = (),
        granularity: Literal["line", "instruction"] = "line",
        early_timeouts: bool = True,
    ) -> None:
        self.scenario = scenario
        self._early_timeouts = early_timeouts
        codes = set().union(*(codes_of(each) for each in traced)) - set().union(
            *(codes_of(each) for each in untraced)
        )
        tracer = Monitoring if sys.version_info >= (3, 12) else Settrace
        self._tracer = tracer(codes, granularity)

    def explore(
        self, *, interruptions: int = 2, schedules: int = 1000, at_random: int = 0, seed: int = 0
    ) -> Exploration:
        """Try all schedules with up to `interruptions`, but at most `schedules`, and then `at_random` random ones.

        Raises ScheduleError for the first under which a thread raises, nobody can go on, or the check fails.
        """
        done: set[tuple[Choice, ...]] = set()
        to_do: list[deque[tuple[Choice, ...]]] = [deque() for _ in range(interruptions + 1)]
        to_do[0].append(())
        longest = 0
        source = random.Random(seed)  # noqa: S311
        with self._prepared():
            for spent, queue in enumerate(to_do):
                while queue and len(done) < schedules:
                    if len(queue) > schedules - len(done):  # a fair sample
                        queue.rotate(source.randrange(len(queue)))
                    choices = queue.popleft()
                    plan, run = self._try(choices, usual, None)
                    longest = max(longest, run.points)
                    done.add(choices)
                    for point, thread, cost in plan.alternatives:
                        if spent + cost <= interruptions:
                            to_do[spent + cost].append((*choices, (point, thread)))
            exhausted = not any(to_do)
            for number in range(at_random):
                drawn = random.Random(seed * 1_000_003 + number)  # noqa: S311
                odds = drawn.choice((0.02, 0.1, 0.3))
                plan, run = self._try((), AtRandom(drawn, odds), seed)
                longest = max(longest, run.points)
                done.add(tuple(plan.made))
        tried["schedules"] += len(done)
        return Exploration(len(done), exhausted, longest)

    def replay(self, schedule: str) -> None:
        """Run the scenario under a schedule as a ScheduleError has it."""
        with self._prepared():
            self._try(tuple(parsed(schedule)), usual, None)

    @contextlib.contextmanager
    def _prepared(self) -> Iterator[None]:
        collecting = gc.isenabled()
        gc.disable()  # when the collector runs is not the scenario's doing
        try:
            with replaced(), self._tracer.everywhere():
                yield
        finally:
            if collecting:
                gc.enable()

    def _try(self, choices: tuple[Choice, ...], otherwise: Chooser, seed: int | None) -> tuple[Plan, Run]:
        plan = Plan(choices, otherwise, self._early_timeouts)
        scenario = self.scenario()
        run = Run(scenario, plan, self._tracer)
        run.start()
        failure = run.failure
        if plan.left and failure is None:
            failure = "the scenario is not deterministic: a thread could not go on where it could before"
        if failure is None:
            try:
                scenario.check()
            except Exception as error:
                raise ScheduleError(written(plan.made), seed, str(error)) from error
        else:
            cause = next((task.error for task in run.tasks if task.error is not None), None)
            raise ScheduleError(written(plan.made), seed, failure) from cause
        return plan, run

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

What blocks is replaced while a scenario runs, so that the scheduler knows about it: the locks of `threading` (and
what is made of them: conditions, events, queues), `time.sleep`, `time.monotonic`, and those that safemap's own
locks are made of. Time stands still except where everybody waits: then the shortest timeout is over. That one is
over before another thread has had its turn counts as an interruption. If nobody can go on, that is a deadlock, and
a failure.

Compiled code has no lines. The plain files are the same program: set SAFEMAP_PURE=1 to explore safemap itself.
"""

from __future__ import annotations

import _thread
import contextlib
import gc
import importlib
import random
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from safemap.testing.programs import stage, tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

POINTS = 20_000
"""Points after which a run counts as not ending."""
PATIENCE = 60.0
"""Real seconds that a run may take: whoever blocks on what was not replaced is found out."""


@dataclass(frozen=True)
class Scenario:
    """What the threads do, and what must hold when all have ended: `check` raises AssertionError if not."""

    threads: Sequence[Callable[[], Any]]
    check: Callable[[], Any] = lambda: None


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

    def __init__(self, scenario: Scenario, choose: Plan, tracer: Settrace | Monitoring) -> None:
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
        for task in self.tasks:
            _thread.start_new_thread(self._live, (task,))
            task.known.acquire()
        self._pass_on(None)
        if not self.finished.acquire(timeout=PATIENCE):
            self.failure = f"a thread blocks on what the scheduler does not know of:\n{stacks()}"

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
                    self.failure = f"deadlock: nobody can go on\n{stacks()}"
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


def stacks() -> str:
    """Return what all threads of scenarios are in the middle of."""
    lines = []
    run = _run
    for ident, frame in sys._current_frames().items():
        if run is not None and ident in run.by_ident:
            lines.append(f"  thread {run.by_ident[ident].number}:")
            where: Any = frame
            while where is not None:
                if where.f_code.co_filename != __file__:
                    lines.append(f"    {where.f_code.co_filename}:{where.f_lineno} in {where.f_code.co_name}")
                where = where.f_back
    return "\n".join(lines)


# --- what blocks, replaced ------------------------------------------------------------------------------

_run: Run | None = None
"""The run that is going on."""


LEFT_HELD = "this would wait for ever: a lock has been left held"


class ScheduledLock:
    """`threading.Lock`, of which the scheduler knows."""

    def __init__(self) -> None:
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
        run = _run
        if run is not None and run.current() is not None:
            run.point()
            if self._held and blocking and not run.block(lambda: not self._held, None if timeout < 0 else timeout):
                return False
        if self._held:
            if blocking and timeout < 0:
                raise RuntimeError(LEFT_HELD)
            return False
        self._held = True
        return True

    def release(self) -> None:
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False

    def locked(self) -> bool:
        return self._held

    def _at_fork_reinit(self) -> None:
        self._held = False

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()


class ScheduledRLock(ScheduledLock):
    """`threading.RLock`, of which the scheduler knows."""

    def __init__(self) -> None:
        super().__init__()
        self._owner = self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
        me = _thread.get_ident()
        if self._owner != me:
            if not super().acquire(blocking, timeout):
                return False
            self._owner = me
        self._count += 1
        return True

    def release(self) -> None:
        if self._owner != _thread.get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = 0
            super().release()

    def _is_owned(self) -> bool:
        return self._owner == _thread.get_ident()

    def _release_save(self) -> tuple[int, int]:
        state = self._count, self._owner
        self._count = self._owner = 0
        ScheduledLock.release(self)
        return state

    def _acquire_restore(self, state: tuple[int, int]) -> None:
        ScheduledLock.acquire(self)
        self._count, self._owner = state


_sleep, _monotonic = time.sleep, time.monotonic


def sleep_scheduled(seconds: float) -> None:
    """Let others run: `time.sleep`."""
    if _run is None or _run.current() is None:
        _sleep(seconds)
    else:
        _run.now += seconds
        _run.point()


def monotonic_scheduled() -> float:
    """Return the scheduler's time: `time.monotonic`."""
    return _monotonic() if _run is None or _thread.get_ident() not in _run.by_ident else _run.now


def take_scheduled(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
    """Take a plain `safemap.sync.lock.Lock`, which is a `threading.RLock`, as `RLock.acquire` does."""
    run = _run
    if run is None or run.current() is None:
        taken = _thread.RLock.acquire(lock, blocking=False)
        if not taken and blocking:  # whoever has it has ended, and waiting in slices for it would not end
            raise RuntimeError(LEFT_HELD)
        return taken
    run.point()
    taken = _thread.RLock.acquire(lock, blocking=False)
    if blocking and not taken:
        run.block(lambda: repr(lock).startswith("<unlocked"), None if timeout < 0 else timeout)
        taken = _thread.RLock.acquire(lock, blocking=False)
    return taken


def begin_step(_lock: Any) -> None:
    """Begin what is one step for other threads."""
    if _run is not None and (task := _run.by_ident.get(_thread.get_ident())) is not None:
        task.atomic += 1


def end_step(_lock: Any) -> None:
    """End it."""
    if _run is not None and (task := _run.by_ident.get(_thread.get_ident())) is not None:
        task.atomic -= 1


@contextlib.contextmanager
def replaced() -> Iterator[None]:
    """Put what the scheduler knows about in the place of what blocks."""
    replacements: list[tuple[Any, str, Any]] = [
        (time, "sleep", sleep_scheduled),
        (time, "monotonic", monotonic_scheduled),
        (threading, "_time", monotonic_scheduled),
        (threading, "Lock", ScheduledLock),
        (threading, "RLock", ScheduledRLock),
        (threading, "_allocate_lock", ScheduledLock),
    ]
    steps = {"allocate_lock": ScheduledLock, "enter": begin_step, "leave": end_step}
    all_seams: dict[str, dict[str, Any]] = {
        "lock": {"_take": take_scheduled, "YIELDS": 0},
        "deadlock": {"_graph": ScheduledRLock()},
        "field_lock": steps,
        "field_rwlock": steps,
        "rwlock": {"allocate_lock": ScheduledLock},
    }
    for name, seams in all_seams.items():
        module = importlib.import_module(f"safemap.sync.{name}")
        replacements += [(module, seam, new) for seam, new in seams.items() if hasattr(module, seam)]
    for made in vars(importlib.import_module("readerwriterlock.rwlock")).values():
        # It looked up `threading.Lock` when its constructors were defined.
        defaults = getattr(getattr(made, "__init__", None), "__defaults__", None)
        if isinstance(made, type) and defaults and threading.Lock in defaults:
            new = tuple(ScheduledLock if default is threading.Lock else default for default in defaults)
            replacements.append((made.__init__, "__defaults__", new))  # type: ignore[misc]
    former = [(place, name, getattr(place, name)) for place, name, _ in replacements]
    for place, name, new in replacements:
        setattr(place, name, new)
    try:
        yield
    finally:
        for place, name, old in former:
            setattr(place, name, old)


# --- points at lines and instructions -------------------------------------------------------------------


def codes_of(thing: Any, seen: set[int] | None = None) -> set[CodeType]:
    """Return the code of a module, class or function, and of all functions that are defined in it."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return set()
    seen.add(id(thing))
    if isinstance(thing, CodeType):
        inner = [constant for constant in thing.co_consts if isinstance(constant, CodeType)]
        return {thing}.union(*(codes_of(each, seen) for each in inner))
    if isinstance(thing, (classmethod, staticmethod)):
        return codes_of(thing.__func__, seen)
    if isinstance(thing, property):
        return set().union(*(codes_of(each, seen) for each in (thing.fget, thing.fset) if each is not None))
    if isinstance(thing, FunctionType):
        return codes_of(thing.__code__, seen)
    module = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__
    members = [each for each in vars(thing).values() if getattr(each, "__module__", module) == module]
    traceable = (type, FunctionType, classmethod, staticmethod, property)
    return set().union(*(codes_of(each, seen) for each in members if isinstance(each, traceable)))


class Settrace:
    """Points by `sys.settrace`, in each thread for itself."""

    def __init__(self, codes: Iterable[CodeType], granularity: str) -> None:
        self.codes: frozenset[CodeType] = frozenset(codes)
        self.event = "opcode" if granularity == "instruction" else "line"

    @contextlib.contextmanager
    def everywhere(self) -> Iterator[None]:
        yield

    @contextlib.contextmanager
    def in_thread(self) -> Iterator[None]:
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(None)

    def _enter(self, frame: Any, _event: str, _argument: Any) -> Any:
        if frame.f_code not in self.codes:
            return None
        frame.f_trace_lines = self.event == "line"
        frame.f_trace_opcodes = self.event == "opcode"
        return self._inside

    def _inside(self, _frame: Any, event: str, _argument: Any) -> Any:
        if event == self.event and _run is not None:
            _run.point()
        return self._inside


class Monitoring:
    """Points by `sys.monitoring` (Python 3.12), in all threads."""

    def __init__(self, codes: Iterable[CodeType], granularity: str) -> None:
        self.codes: list[CodeType] = list(codes)
        self.granularity = granularity

    @contextlib.contextmanager
    def everywhere(self) -> Iterator[None]:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        tool = next(number for number in range(6) if monitoring.get_tool(number) is None)
        event = monitoring.events.INSTRUCTION if self.granularity == "instruction" else monitoring.events.LINE
        monitoring.use_tool_id(tool, "safemap.testing.schedules")
        monitoring.register_callback(tool, event, self._point)
        for code in self.codes:
            monitoring.set_local_events(tool, code, event)
        try:
            yield
        finally:
            for code in self.codes:
                monitoring.set_local_events(tool, code, 0)
            monitoring.register_callback(tool, event, None)
            monitoring.free_tool_id(tool)

    @contextlib.contextmanager
    def in_thread(self) -> Iterator[None]:
        yield

    @staticmethod
    def _point(_code: CodeType, _where: int) -> None:
        if _run is not None:
            _run.point()


# --- which schedules ------------------------------------------------------------------------------------

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
        global _run  # noqa: PLW0603
        plan = Plan(choices, otherwise, self._early_timeouts)
        scenario = self.scenario()
        _run = run = Run(scenario, plan, self._tracer)
        try:
            with stage:
                run.start()
        finally:
            _run = None
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

"""`safemap.testing` as users write it.

What goes through a recorder can be anything, and what a map of somebody's own is nobody knows: these are `Any`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, assert_type

from hypothesis.strategies import SearchStrategy

from safemap import MutexMap, ShardedMap
from safemap.testing import (
    Call,
    Exploration,
    Explorer,
    HangError,
    History,
    MapModel,
    NotLinearizableError,
    Operation,
    Pending,
    Program,
    Raised,
    RecordedMap,
    Recorder,
    Returned,
    Runner,
    Scenario,
    ScheduleError,
    SequentialModel,
    Verdict,
    assert_linearizable,
    check_guaranteed,
    check_linearizable,
    fuzz,
    programs,
    timeline,
    tried,
)

recorder = Recorder(maybe=[TimeoutError])
assert_type(recorder.record("pop", ("a",), {"a": 1}.pop), Any)
assert_type(recorder.history(), History)

recorded = RecordedMap(ShardedMap(a=1))
recorded["a"] = 2
assert_type(recorded["a"], Any)
assert_type("a" in recorded, bool)
assert_type(len(recorded), int)
assert_type(recorded.perform("swap", "a", 3), Any)
history = recorded.history()
assert_type(history, History)
assert_type(len(history), int)
for operation in history:
    assert_type(operation, Operation)
    assert_type(operation.thread, int)
    assert_type(operation.name, str)
    assert_type(operation.arguments, tuple[Any, ...])
    assert_type(operation.called, int)
    assert_type(operation.returned, int | None)
    assert_type(operation.outcome, Returned | Raised | Pending)
    assert_type(operation.parts, tuple[Operation, ...])
    assert_type(operation.as_pending("forgotten"), Operation)
assert_type(timeline(history), str)


class Register(SequentialModel):
    """A model of something else than a map."""

    def apply(self, state: Any, name: str, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
        return (arguments[0], None) if name == "write" else (state, state)


verdict = check_linearizable(history, MapModel({"a": 1}), steps=1_000)
assert_type(verdict, Verdict)
assert_type(verdict.name, Literal["linearizable", "not linearizable", "undecided"])
assert_type(bool(verdict), bool)
assert_type(verdict.steps, int)
assert_type(verdict.failing, History)
assert_type(check_linearizable([], Register(0)), Verdict)
assert_type(check_guaranteed(history, ShardedMap.guarantees, {"a": 1}), Verdict)
try:
    assert_linearizable(history, MapModel({"a": 1}))
except (NotLinearizableError, HangError) as error:
    assert_type(str(error), str)

program = Program(initial=(("a", 1),), threads=((Call("get", ("a",)),), (Call("len"),)))
assert_type(program.threads, tuple[tuple[Call, ...], ...])
with Runner(MutexMap) as runner:
    assert_type(runner, Runner)
    assert_type(runner.run(program), tuple[Any, History])
    assert_type(programs(keys="ab", threads=(2, 2), calls=(1, 2), operations=["get"]), SearchStrategy[Program])
    fuzz(runner, programs(operations=["get"]), examples=1, runs=1, seed=0)


def scenario() -> Scenario:
    m: MutexMap[str, int] = MutexMap()
    work: Callable[[], int] = lambda: m.compute("a", lambda n: n + 1, 0)  # noqa: E731
    return Scenario([work, work], check=lambda: m["a"])


try:
    exploration = Explorer(scenario, traced=[scenario], granularity="line").explore(interruptions=0, schedules=1)
    assert_type(exploration, Exploration)
    assert_type(exploration.schedules, int)
    assert_type(exploration.exhausted, bool)
    assert_type(exploration.points, int)
except ScheduleError as error:
    assert_type(error.schedule, str)
    assert_type(error.seed, int | None)
assert_type(tried, Counter[str])

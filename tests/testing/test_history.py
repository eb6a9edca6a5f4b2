"""Recording: what is written down of operations, of functions that they call, and of blocks."""

from __future__ import annotations

import threading

import pytest

from safemap import MISSING, MutexMap
from safemap.testing import MapModel, Pending, Raised, RecordedMap, Recorder, Returned, check_linearizable
from safemap.testing.history import RecordedFunction


def test_each_thread_has_its_own_part():
    m = RecordedMap(MutexMap())
    threads = [threading.Thread(target=m.perform, args=("setitem", key, 1)) for key in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = m.history()
    assert {operation.thread for operation in history} == {1, 2, 3}
    assert [operation.called for operation in history] == sorted(operation.called for operation in history)
    assert all(operation.called <= operation.returned for operation in history)
    assert m.mapping == {"a": 1, "b": 1, "c": 1}


def test_outcomes():
    m = RecordedMap(MutexMap(a=1))
    assert m["a"] == 1
    with pytest.raises(KeyError):
        m["b"]
    m["b"] = 2
    del m["b"]
    assert "b" not in m
    assert len(m) == 1
    assert m.snapshot() == frozenset({("a", 1)})
    assert m.popitem() == ("a", 1)
    with pytest.raises(AttributeError):
        m.frobnicate()
    assert [str(operation) for operation in m.history()] == [
        "getitem('a') -> 1",
        "getitem('b') raised KeyError('b',)",
        "setitem('b', 2) -> None",
        "delitem('b') -> None",
        "contains('b') -> False",
        "len() -> 1",
        "snapshot() -> frozenset({('a', 1)})",
        "popitem() -> ('a', 1)",
    ]
    assert check_linearizable(m.history(), MapModel({"a": 1}))


def test_functions_are_not_called_again():
    calls = []

    def function(n):
        calls.append(n)
        return len(calls)  # another value at each call

    m = RecordedMap(MutexMap(a=0))
    m.compute("a", function)
    m.compute("a", function)
    with pytest.raises(ZeroDivisionError):
        m.compute("a", lambda n: 1 / 0)
    assert check_linearizable(m.history(), MapModel({"a": 0}))
    assert not check_linearizable(m.history(), MapModel({"a": 5})), "it was called with 0"
    assert calls == [0, 1]


@pytest.mark.parametrize("times", [0, 2])
def test_a_function_called_too_often_or_too_rarely_is_noticed(times):
    class Wrong(dict):
        def compute(self, key, function, *default):
            for _ in range(times):
                self[key] = function(self.get(key, *default))
            return 1

    m = RecordedMap(Wrong())
    m.compute("a", lambda _: 1, 0)
    assert not check_linearizable(m.history(), MapModel())


def test_a_block_is_one_operation():
    m = RecordedMap(MutexMap(a=1))

    def body(inner):
        inner["b"] = inner["a"] + 1

    m.locked(body)
    (block,) = m.history()
    assert block.name == "locked"
    assert [part.name for part in block.parts] == ["getitem", "setitem"]
    assert check_linearizable(m.history(), MapModel({"a": 1}))
    assert not check_linearizable(m.history(), MapModel({"a": 2}))


def test_entries():
    m = RecordedMap(MutexMap(a=1))
    assert m.entry("a", lambda n: n + 1) == 1
    assert m.entry("b", lambda n: MISSING) is MISSING
    assert m.mapping == {"a": 2}
    assert check_linearizable(m.history(), MapModel({"a": 1}))


def test_what_has_not_returned_is_pending():
    recorder = Recorder()
    inside, go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=recorder.record, args=("wait", (), lambda: (inside.set(), go_on.wait(10))))
    thread.start()
    inside.wait(10)
    (operation,) = recorder.history()
    assert operation.outcome == Pending()
    assert operation.returned is None
    go_on.set()
    thread.join()
    assert isinstance(recorder.history().operations[0].outcome, Returned)


def test_exceptions_after_which_nothing_is_known():
    def interrupted():
        raise KeyboardInterrupt

    for maybe, kind in [((), Raised), ((KeyboardInterrupt,), Pending)]:
        recorder = Recorder(maybe)
        with pytest.raises(KeyboardInterrupt):
            recorder.record("pop", ("a",), lambda _: interrupted())
        (operation,) = recorder.history()
        assert isinstance(operation.outcome, kind)
        assert (operation.returned is None) is (kind is Pending)


def test_recorded_functions_print_as_the_function():
    assert repr(RecordedFunction(len)) == "len"

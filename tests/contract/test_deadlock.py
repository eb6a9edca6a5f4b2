"""A deadlock over maps of different kinds is an error, too; and in one thread alone."""

from __future__ import annotations

import threading
import time

import safemap
from safemap.sync import deadlock
from safemap.testing.conformance.deadlocks import by_compute, crossed


def test_maps_of_different_kinds_crossed():
    m, n = safemap.MutexMap(k=0), safemap.ShardedMap(k=0)
    outcomes = crossed(
        (by_compute(m, "k"), lambda: n.compute("k", lambda v: v + 1)),
        (by_compute(n, "k"), lambda: m["k"]),
    )
    assert outcomes == ["deadlock", "done"]
    assert sorted([m["k"], n["k"]]) in ([0, 1], [1, 1], [0, 2], [1, 2])


def test_while_one_thread_is_about_to_give_up_the_other_does_not(monkeypatch):
    class Slow(safemap.DeadlockError):
        def __init__(self, message):
            time.sleep(2 * deadlock.SLICE)  # by when the other one, too, has found the circle often enough
            super().__init__(message)

    monkeypatch.setattr(deadlock, "DeadlockError", Slow)
    m = safemap.ShardedMap(a=0, b=0)
    outcomes = crossed(
        (by_compute(m, "a"), lambda: m.compute("b", lambda n: n + 1)),
        (by_compute(m, "b"), lambda: m.compute("a", lambda n: n + 1)),
    )
    assert outcomes == ["deadlock", "done"]


def test_who_has_waited_before_is_no_part_of_a_deadlock():
    first, second = safemap.MutexMap(), safemap.MutexMap()
    has_second = threading.Event()

    def wait_for_the_first_and_hold_the_second():
        with first.locked():
            pass
        with second.locked():
            has_second.set()
            time.sleep(4 * deadlock.CONFIRMATIONS * deadlock.STEP)

    thread = threading.Thread(target=wait_for_the_first_and_hold_the_second)
    with first.locked():
        thread.start()
        until = time.monotonic() + 10
        while thread.ident not in deadlock._waiting and time.monotonic() < until:
            time.sleep(0.001)
        assert thread.ident in deadlock._waiting
    assert has_second.wait(10)
    with first.locked(), second.locked():
        pass
    thread.join(10)

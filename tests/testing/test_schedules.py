"""The explorer: it finds what it should, says how to see it again, and tries each schedule once."""

from __future__ import annotations

import queue
import sys
import threading
import time

import pytest

from safemap.testing import Explorer, Scenario, ScheduleError, tried


def lost_update(lock=None):
    """Two threads add 1 in two steps, with a lock or without."""

    def scenario():
        count = [0]
        guard = lock() if lock else None

        def add():
            if guard:
                guard.acquire()
            n = count[0]
            count[0] = n + 1
            if guard:
                guard.release()

        def check():
            assert count == [2], f"an addition was lost: {count}"

        return Scenario([add, add], check)

    return scenario


@pytest.mark.parametrize("granularity", ["line", "instruction"])
def test_finds_a_lost_update_and_replays_it(granularity):
    scenario = lost_update()
    explorer = Explorer(scenario, traced=[scenario], granularity=granularity)
    with pytest.raises(ScheduleError, match="an addition was lost") as found:
        explorer.explore()
    assert f"replay({found.value.schedule!r})" in str(found.value)
    for _ in range(3):
        with pytest.raises(ScheduleError, match="an addition was lost") as again:
            explorer.replay(found.value.schedule)
        assert again.value.schedule == found.value.schedule
    explorer.replay("")


def test_finds_it_at_random_with_a_seed():
    scenario = lost_update()
    explorer = Explorer(scenario, traced=[scenario])
    with pytest.raises(ScheduleError, match="drawn with seed 5") as found:
        explorer.explore(schedules=0, at_random=200, seed=5)
    with pytest.raises(ScheduleError) as again:
        explorer.explore(schedules=0, at_random=200, seed=5)
    assert again.value.schedule == found.value.schedule
    with pytest.raises(ScheduleError, match="lost"):
        explorer.replay(found.value.schedule)


@pytest.mark.parametrize("lock", ["Lock", "RLock", "Semaphore"])
def test_a_lock_mends_it(lock):
    # The name is looked up when the scenario is made: only then is it the scheduler's.
    scenario = lost_update(lambda: getattr(threading, lock)())
    before = tried["schedules"]
    exploration = Explorer(scenario, traced=[scenario]).explore(interruptions=2, schedules=5000)
    assert exploration.exhausted
    assert exploration.schedules > 10
    assert tried["schedules"] == before + exploration.schedules


def test_without_interruptions_it_is_not_found():
    scenario = lost_update()
    exploration = Explorer(scenario, traced=[scenario]).explore(interruptions=0)
    assert exploration.exhausted
    assert exploration.schedules == 2, "either thread may be the first"


def crossed(take):
    def scenario():
        first, second = threading.Lock(), threading.Lock()

        def one_way():
            take(first, second)

        def other_way():
            take(second, first)

        return Scenario([one_way, other_way])

    return scenario


def test_finds_a_deadlock():
    def take(first, second):
        with first, second:
            pass

    explorer = Explorer(crossed(take))
    with pytest.raises(ScheduleError, match="deadlock: nobody can go on") as found:
        explorer.explore()
    assert "test_schedules.py" in str(found.value), "where the threads are is shown"


def test_timeouts_are_over_when_everybody_waits():
    timed_out = []

    def take(first, second):
        with first:
            if second.acquire(timeout=3600):
                second.release()
            else:
                timed_out.append(1)

    began = time.monotonic()
    Explorer(crossed(take)).explore()
    assert timed_out
    assert time.monotonic() - began < 60


def test_a_thread_that_raises_is_a_failure():
    def scenario():
        def bad():
            raise LookupError("not here")

        return Scenario([bad, lambda: None])

    with pytest.raises(ScheduleError, match="thread 0 raised LookupError: not here") as found:
        Explorer(scenario).explore()
    assert isinstance(found.value.__cause__, LookupError)


def test_threads_that_spin_are_a_failure():
    def scenario():
        flag = []

        def spin():
            while not flag:
                pass

        return Scenario([spin])

    with pytest.raises(ScheduleError, match="not done after"):
        Explorer(scenario, traced=[scenario]).explore()


def test_a_lock_left_held_is_noticed():
    def scenario():
        lock = threading.Lock()
        return Scenario([lock.acquire], lock.acquire)

    with pytest.raises(ScheduleError, match="a lock has been left held"):
        Explorer(scenario).explore()


def test_conditions_events_and_queues():
    def scenario():
        jobs, done = queue.Queue(), threading.Event()
        got = []

        def produce():
            for n in range(3):
                jobs.put(n)
            done.wait()

        def consume():
            for _ in range(3):
                got.append(jobs.get())
            done.set()

        def check():
            assert got == [0, 1, 2]

        return Scenario([produce, consume], check)

    assert Explorer(scenario).explore(interruptions=1, schedules=500).schedules > 20


def test_a_scenario_that_differs_from_run_to_run_is_noticed():
    runs = []

    def scenario():
        runs.append(1)

        def work():
            for _ in range(max(0, 5 - len(runs))):
                time.sleep(0)

        return Scenario([work, work])

    with pytest.raises(ScheduleError, match="not deterministic"):
        Explorer(scenario).explore()


def test_everything_is_put_back():
    import safemap.sync.lock

    def state():
        return threading.Lock, threading.RLock, time.sleep, safemap.sync.lock.YIELDS, sys.gettrace()

    before = state()
    scenario = lost_update()
    with pytest.raises(ScheduleError):
        Explorer(scenario, traced=[scenario]).explore()
    assert state() == before
    assert threading.Lock().acquire(timeout=0.01)

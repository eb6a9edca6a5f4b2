"""Workers and sweepers on one workflow: stale and torn on dicts, one step on every map of safemap."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import safemap
from safemap.testing import Explorer, Scenario, ScheduleError
from safemap.testing.threads import in_other_thread, in_threads
from tests.incidents import load, observed

incident = load("conductor_sweeper")
Workflow = incident.Workflow

INCIDENTS_RATE = 90
"""Workflows a second at which it happened."""
WORKERS = 2
SECONDS = 2.0 if safemap.compiled else 0.5
"""That the load lasts."""


def shown_by_a_schedule(scenario, message):
    """Return whether some schedule fails with `message`, each time that it is tried."""
    explorer = Explorer(scenario, traced=[incident.FaultySweeper])
    with pytest.raises(ScheduleError, match=message) as failed:
        explorer.explore()
    with pytest.raises(ScheduleError, match=message):
        explorer.replay(failed.value.schedule)


def test_the_faulty_sweep_brings_a_completed_workflow_back():
    """A worker finishes the only task after the sweep has looked, and before it locks."""

    def scenario():
        sweeper = incident.FaultySweeper()
        sweeper.start("w", 1)

        def check():
            workflow, queued = sweeper.look("w")
            assert workflow.status == "COMPLETED", f"RUNNING with {workflow.todo} task to do, queued: {queued}"

        return Scenario([partial(sweeper.sweep, "w"), partial(sweeper.finish_task, "w")], check)

    shown_by_a_schedule(scenario, "RUNNING with 1 task to do, queued: False")


def test_the_faulty_sweep_shows_a_completed_workflow_in_the_queue():
    """A third thread takes the lock as soon as the sweep has let it go."""

    def scenario():
        sweeper = incident.FaultySweeper()
        sweeper.start("w", 1)
        sweeper.lose_task("w")
        seen = []

        def check():
            assert holds(*seen[0]), f"seen: {seen[0][0].status}, queued: {seen[0][1]}"

        return Scenario([partial(sweeper.sweep, "w"), lambda: seen.append(sweeper.look("w"))], check)

    shown_by_a_schedule(scenario, "seen: COMPLETED, queued: True")


def holds(workflow, queued):
    """Return whether this is no intermediate state."""
    if workflow is safemap.MISSING:
        return not queued
    return queued == (workflow.status == "RUNNING") and (workflow.todo > 0) == queued


@pytest.mark.skipif(safemap.compiled, reason="the explorer knows the locks of the plain files")
def test_no_schedule_shows_an_intermediate_state(variant):
    def scenario():
        sweeper = incident.Sweeper(variant(), variant())
        sweeper.start("w", 2)
        sweeper.lose_task("w")
        seen, completed = [], []

        def sweep():
            completed.append(sweeper.sweep("w"))

        def finish():
            completed.append(sweeper.finish_task("w"))

        def check():
            seen.append(sweeper.look("w"))
            assert all(holds(*state) for state in seen), seen
            assert seen[-1] == (Workflow(0, 0, "COMPLETED"), False)
            assert sorted(completed) == [False, True]

        return Scenario([sweep, finish, lambda: seen.append(sweeper.look("w"))], check)

    exploration = Explorer(scenario, traced=[incident.Sweeper, scenario]).explore(schedules=150)
    assert exploration.schedules == 150 or exploration.exhausted


def test_a_third_thread_that_tries_all_along_sees_no_intermediate_state(variant):
    """Compiled code has no lines, but it asks for the name's hash: each time, another thread tries to get in."""
    sweeper = incident.Sweeper(variant(), variant())
    seen = []

    def look():
        try:
            with (
                sweeper.workflows.entry("w", timeout=0) as workflow,
                sweeper.queue.entry("w", timeout=0) as queued,
            ):
                seen.append((workflow.value, queued.value is not safemap.MISSING))
        except TimeoutError:
            seen.append(None)  # it is held

    class Name(str):
        __slots__ = ()

        def __hash__(self):
            in_other_thread(look)
            return hash(str(self))

    sweeper.start(Name("w"), 2)
    sweeper.lose_task(Name("w"))
    sweeper.finish_task(Name("w"))
    sweeper.sweep(Name("w"))
    states = [state for state in seen if state]
    assert None in seen
    assert all(holds(*state) for state in states), states
    assert (Workflow(1, 1), True) in states
    assert sweeper.look("w") == (Workflow(0, 0, "COMPLETED"), False)


def loaded(workflows, queue):
    """Have workers start workflows as fast as they can and end half of their tasks, and a sweeper find the rest.

    Return how many were started, how many steps completed one, how many that was in a second, and how often
    somebody has looked.
    """
    sweeper = incident.Sweeper(workflows, queue)
    started, completed = [0] * WORKERS, [0] * (WORKERS + 1)
    last, ended = threading.Barrier(WORKERS), threading.Event()
    begin = time.monotonic()

    def work(me, _pause):
        while time.monotonic() < begin + SECONDS:
            name = (me, started[me])
            sweeper.start(name, 2)
            sweeper.lose_task(name)
            completed[me] += sweeper.finish_task(name)
            started[me] += 1
        if last.wait(60) == 0:
            ended.set()

    def sweep(_pause):
        no_more = False
        while not no_more or queue:
            assert time.monotonic() < begin + SECONDS + 20, f"{len(queue)} workflows never complete"
            no_more = ended.is_set()  # before the queue is looked at: what is in it then is all there is
            for name in queue:
                completed[-1] += sweeper.sweep(name)

    def look():
        for me in range(WORKERS):
            name = (me, started[me])  # what the worker is busy with
            assert holds(*sweeper.look(name)), "an intermediate state"
            workflow = workflows.get(name)  # without a lock: complete means out of the queue, and for ever
            if workflow is not None and workflow.status == "COMPLETED":
                assert name not in queue, "complete, and in the queue"
                assert workflows[name] == workflow, "it has changed after it was complete"

    looks = observed([*(partial(work, me) for me in range(WORKERS)), sweep], [look], timeout=60)
    rate = sum(completed) / (time.monotonic() - begin)
    return sum(started), sum(completed), rate, looks[0]


def test_no_third_thread_sees_an_intermediate_state_under_load(variant):
    """The rate is asked of the variants that suit, compiled; twice more, should the machine be busy."""
    is_fast_enough = not (safemap.compiled and incident.workflows_do_not_wait_for_one_another(variant.guarantees))
    for _ in range(3):
        workflows, queue = variant(), variant()
        started, completed, rate, looks = loaded(workflows, queue)
        assert completed == started == len(workflows) > 0
        assert queue == {}
        assert set(workflows.values()) == {Workflow(0, 0, "COMPLETED")}
        assert looks > 1
        is_fast_enough = is_fast_enough or rate >= 100 * INCIDENTS_RATE
        if is_fast_enough:
            return
    pytest.fail(f"{rate:,.0f} workflows a second")


def test_an_audit_of_both_maps_is_of_one_moment(variant, rapid_switching):
    sweeper = incident.Sweeper(variant(), variant())
    number = 300

    def work(pause):
        for n in range(number):
            sweeper.start(n, 2)
            if n % 30 == 0:
                pause()
            sweeper.lose_task(n)
            sweeper.sweep(n)
            sweeper.finish_task(n)

    def audit():
        workflows, queue = sweeper.audit()
        assert set(queue) == {n for n, workflow in workflows.items() if workflow.status == "RUNNING"}

    assert observed([work], [audit])[0] > number // 30
    assert sweeper.audit() == (dict.fromkeys(range(number), Workflow(0, 0, "COMPLETED")), {})


def test_who_waits_while_one_workflow_is_in_a_section(variant):
    """A sweep that takes long: are other workflows swept meanwhile?"""
    workflows, queue = variant(), variant()
    sweeper = incident.Sweeper(workflows, queue)
    for name in ("slow", "quick"):
        sweeper.start(name, 1)
    with ThreadPoolExecutor(1) as pool, workflows.entry("slow"):
        quick = pool.submit(sweeper.finish_task, "quick")
        if incident.workflows_do_not_wait_for_one_another(variant.guarantees):
            assert quick.result(10)
        else:
            with pytest.raises(TimeoutError):
                quick.result(0.1)
    assert sweeper.look("quick") == (Workflow(0, 0, "COMPLETED"), False)
    assert quick.result(10)


def test_a_section_within_a_section_of_the_same_workflow_is_granted(variant):
    sweeper = incident.Sweeper(variant(), variant())
    sweeper.start("w", 2)
    with sweeper.workflows.entry("w", timeout=1), sweeper.queue.entry("w", timeout=1):
        assert not sweeper.sweep("w")
        assert not sweeper.finish_task("w")
    assert sweeper.finish_task("w")


def test_sections_in_the_other_order_are_an_error_and_no_hang(variant):
    workflows, queue = variant(), variant()
    sweeper = incident.Sweeper(workflows, queue)
    sweeper.start("w", 1)
    both = threading.Barrier(2)

    def crossed(first, second):
        try:
            with first.entry("w") as outer:
                both.wait(10)
                with second.entry("w"):
                    outer.delete()
        except safemap.DeadlockError:
            return "DeadlockError"
        return "done"

    results = in_threads(partial(crossed, workflows, queue), partial(crossed, queue, workflows))
    assert sorted(results) == ["DeadlockError", "done"]
    assert (len(workflows), len(queue)) == ((0, 1) if results[0] == "done" else (1, 0))

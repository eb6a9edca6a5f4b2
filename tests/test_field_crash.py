"""The crashes that safemap exists for, on plain dicts, and the same programs on every variant.

Argo Workflows' sync manager scans the map of held locks for a workflow while others insert and delete: "fatal
error: concurrent map iteration and map write". FlyteAdmin's request handlers read and write one shared map.
"""

from __future__ import annotations

import sys
import threading
import time

import pytest

from safemap.testing.threads import in_threads

pytestmark = pytest.mark.usefixtures("rapid_switching")


class SyncManager:
    """The locks that workflows hold, by name: what Argo's manager keeps."""

    def __init__(self, holders):
        self.holders = holders  # lock name -> workflow that holds it

    def try_acquire(self, lock, workflow):
        return self.holders.setdefault(lock, workflow) == workflow

    def release(self, lock):
        self.holders.pop(lock, None)

    def workflow_exists(self, workflow):
        """CheckWorkflowExistence: a scan over the whole map."""
        for _lock, holder in self.holders.items():
            time.sleep(0)  # what the real one does with each: lets others run
            if holder == workflow:
                return True
        return False


def run_controller(holders, seconds=0.5):
    """Scan while others take and release locks; return (scans, cycles of each worker)."""
    manager = SyncManager(holders)
    for n in range(50):
        manager.try_acquire(f"standing/{n}", "standing")
    stop = threading.Event()

    def scan():
        scans = 0
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                assert manager.workflow_exists("standing")
                assert not manager.workflow_exists("unknown")
                scans += 1
        finally:
            stop.set()
        return scans

    def work(name):
        cycles = 0
        while not stop.is_set():
            lock = f"{name}/{cycles % 13}"
            assert manager.try_acquire(lock, name)
            manager.release(lock)
            cycles += 1
        return cycles

    return in_threads(scan, lambda: work("a"), lambda: work("b"))


def test_a_plain_dict_dies_as_in_the_field():
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration|dictionary keys changed"):
        for _ in range(20):
            run_controller({})


def test_every_variant_keeps_the_controller_alive(variant):
    holders = variant()
    scans, *cycles = run_controller(holders)
    assert scans > 0
    assert all(cycles)
    assert holders == {f"standing/{n}": "standing" for n in range(50)}, "exact in the end"
    holders._check()


def handle_requests(executions, increment, handlers=4, requests=400):
    """FlyteAdmin: each handler counts its requests by project, and reads what others wrote."""
    projects = [f"project {n}" for n in range(5)]

    def handler(number):
        for request in range(requests):
            increment(executions, projects[(request + number) % 5])
            executions.get(projects[request % 5])

    in_threads(*(lambda n=n: handler(n) for n in range(handlers)))
    return dict(executions.items())


def read_modify_write(executions, project):
    count = executions.get(project, 0)
    time.sleep(0)  # a handler does something in between
    executions[project] = count + 1


def test_a_plain_dict_loses_requests():
    for _ in range(20):
        counts = handle_requests({}, read_modify_write)
        if sum(counts.values()) < 1600:
            return
    raise AssertionError("no count was lost: the test shows nothing")


def test_every_variant_counts_exactly(variant):
    counts = handle_requests(variant(), lambda m, project: m.compute(project, lambda n: n + 1, 0))
    assert counts == {f"project {n}": 320 for n in range(5)}


def test_a_half_made_state_is_never_seen(variant):
    """A handler publishes a request's record under two keys; readers see both, or neither."""
    state = variant()
    stop = threading.Event()

    def handler():
        for n in range(300):
            with state.locked():
                state["request"] = n
                state["status"] = f"running {n}"
        stop.set()

    def reader():
        while not stop.is_set():
            seen = state.snapshot()
            if seen:
                assert seen["status"] == f"running {seen['request']}"

    in_threads(handler, reader, reader)
    assert sys.getswitchinterval() < 1e-4

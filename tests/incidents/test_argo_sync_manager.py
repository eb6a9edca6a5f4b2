"""The scan over the map of locks: it fails on a dict, and on no map of safemap."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import pytest

import safemap
from safemap.testing.threads import in_other_thread, in_threads
from tests.incidents import load, observed

incident = load("argo_sync_manager")

THREADS = 3
TURNS = 1_500 if safemap.compiled else 600


def while_scanning(manager, others):
    """Scan five locks, and have another thread call `others` in the middle."""
    for n in range(5):
        manager.try_acquire(f"lock-{n}", f"workflow-{n}")
    looked = []

    def exists(workflow):
        if not looked:
            in_other_thread(others)
        looked.append(workflow)
        return workflow != "workflow-4"

    manager.check_existence(exists)
    return looked


@pytest.mark.parametrize(
    "others",
    [
        lambda manager: manager.try_acquire("new", "workflow-9"),
        lambda manager: manager.release("lock-3", "workflow-3"),
    ],
    ids=["take a lock", "release one"],
)
def test_the_faulty_scan_fails_when_others_take_or_release(others):
    manager = incident.FaultySyncManager()
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        while_scanning(manager, lambda: others(manager))


def test_the_lock_upstream_has_others_wait_for_the_scan():
    manager = incident.LockedSyncManager()
    with ThreadPoolExecutor(1) as pool:
        waiting = []

        def others():
            waiting.append(pool.submit(manager.try_acquire, "new", "workflow-9"))
            assert not wait(waiting, timeout=0.05).done

        while_scanning(manager, others)
        assert waiting[0].result(10)


def test_others_take_and_release_in_the_middle_of_a_scan(variant):
    manager = incident.SyncManager(variant())

    def others():
        assert manager.try_acquire("new", "workflow-9")
        assert manager.release("lock-3", "workflow-3")
        assert not manager.try_acquire("lock-0", "workflow-9")

    looked = while_scanning(manager, others)
    assert looked.count("workflow-3") <= 1
    assert set(looked) >= {"workflow-0", "workflow-1", "workflow-2", "workflow-4"}
    assert manager.report() == {**{f"lock-{n}": f"workflow-{n}" for n in range(3)}, "new": "workflow-9"}


def test_a_scan_releases_only_what_it_has_seen(variant):
    """The workflow that was held dead lets go before the scan does, and another one takes the lock."""
    manager = incident.SyncManager(variant())

    def others():
        assert manager.release("lock-4", "workflow-4")
        assert manager.try_acquire("lock-4", "workflow-9")

    while_scanning(manager, others)
    assert manager.report()["lock-4"] == "workflow-9"


def test_no_lock_has_two_holders_while_scans_release_those_of_the_dead(variant, rapid_switching):
    """Workers take locks, alone and in pairs; a tenth of them die holding one. Scans run all the time."""
    holders = variant()
    manager = incident.SyncManager(holders)
    singles = [f"single-{n}" for n in range(8)]
    pairs = [(f"left-{n}", f"right-{n}") for n in range(8)]
    inside, taken = dict.fromkeys(singles), dict.fromkeys(singles, 0)
    granted, dead = [0] * THREADS, {}
    turns = [threading.Event(), threading.Event()]

    def await_a_turn(observer):
        """Wait until a worker has begun a turn since the last look: who looks without end takes all the time."""
        turns[observer].wait(0.01)
        turns[observer].clear()

    def work(me, pause):
        for turn in range(TURNS):
            if turn == TURNS // 2:
                pause()
            for event in turns:
                event.set()
            workflow = f"workflow-{me}-{turn}"
            single, pair = singles[(turn * 7 + me) % 8], pairs[(turn * 3 + me) % 8]
            if manager.try_acquire_all(pair, workflow):
                manager.release_all(pair, workflow)
            if not manager.try_acquire(single, workflow):
                continue
            granted[me] += 1
            before, inside[single] = inside[single], workflow
            assert before is None or before in dead, f"{single} has two holders"
            taken[single] += 1  # nobody else does, or counts are lost
            if granted[me] % 10 == 0:
                dead[workflow] = True
                continue
            inside[single] = None
            assert manager.release(single, workflow)

    def report():
        await_a_turn(0)
        who = manager.report()
        for left, right in pairs:
            assert who.get(left) == who.get(right), "half of a pair is held"

    def scan():
        await_a_turn(1)
        manager.check_existence(lambda workflow: workflow not in dead)

    scans, reports = observed([partial(work, me) for me in range(THREADS)], [scan, report])
    assert min(scans, reports) > 2
    assert sum(taken.values()) == sum(granted) > 10 * THREADS
    assert len(dead) == sum(number // 10 for number in granted)
    assert holders == {}
    holders._check()


@pytest.mark.parametrize("when", range(1, 5))
def test_one_of_two_gets_a_lock_whenever_the_other_comes(variant, when):
    """Taking asks for the name's hash: at one of these times another workflow comes for the same lock."""
    manager = incident.SyncManager(variant())
    others, asked = [], []

    class Name(str):
        __slots__ = ()

        def __hash__(self):
            asked.append(self)
            if len(asked) == when:
                others.append(pool.submit(manager.try_acquire, "lock", "workflow-2"))
                wait(others, timeout=0.1)  # it may have to wait for us
            return hash(str(self))

    with ThreadPoolExecutor(1) as pool:
        mine = manager.try_acquire(Name("lock"), "workflow-1")
        theirs = others[0].result(10) if others else manager.try_acquire("lock", "workflow-2")
    assert sorted([mine, theirs]) == [False, True]


def test_one_of_many_gets_a_lock(variant):
    manager = incident.SyncManager(variant())
    for n in range(200):
        results = in_threads(*(partial(manager.try_acquire, n, me) for me in range(THREADS)))
        assert results.count(True) == 1
        assert manager.report()[n] == results.index(True)


def test_a_report_by_iteration_is_of_one_moment_where_that_is_guaranteed(variant):
    """Another thread lists all locks while a workflow is in the middle of taking forty."""
    holders = variant({"other": "workflow-1"})
    manager = incident.SyncManager(holders)
    with ThreadPoolExecutor(2) as pool:
        with holders.locked():
            for n in range(20):
                holders[n] = "workflow-2"
            listed = pool.submit(lambda: list(holders.items()))
            snapshot = pool.submit(manager.report)
            wait(
                [listed], timeout=10 if variant.tag == "sharded" else 0.1
            )  # others may wait for the section to end
            for n in range(20, 40):
                holders[n] = "workflow-2"
        assert len(snapshot.result(10)) in {1, 41}
        torn = len(listed.result(10)) not in {1, 41}
    if incident.may_iterate_for_a_report(variant.guarantees):
        assert not torn
    if variant.tag == "sharded":
        assert torn

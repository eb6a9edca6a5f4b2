"""Versions that are deleted while somebody needs them: not in any map of safemap, whatever their age."""

from __future__ import annotations

import itertools
import tracemalloc
from functools import partial

import pytest

import safemap
from safemap import Snapshot
from safemap.testing import Explorer, Scenario, ScheduleError
from tests.incidents import load, observed

incident = load("argo_offload")
Head, Row = incident.Head, incident.Row

TTL = 5
WORKERS = 3
TURNS = 1_500 if safemap.compiled else 600
WORKFLOWS = 4


def test_a_stop_during_the_faulty_save_finds_no_more_rows():
    """The controller has read the workflow; somebody stops it before the new version is in."""

    def scenario():
        store = incident.FaultyOffload(TTL)
        nodes = Snapshot({"a": "Running"})
        original = store.heads["w"] = Head(0, store.save("w", nodes, now=0))
        persist = partial(store.persist, "w", original, nodes | {"a": "Succeeded"}, now=TTL)
        return Scenario([persist, lambda: store.stop("w")])

    explorer = Explorer(scenario, traced=[incident.FaultyOffload])
    with pytest.raises(ScheduleError) as failed:
        explorer.explore(interruptions=1)
    assert repr(failed.value.__cause__) == "LookupError('no more rows in this result set')"
    with pytest.raises(ScheduleError):
        explorer.replay(failed.value.schedule)


def states_are_whole(view):
    """Return whether all workflows of a view have the nodes that they name."""
    return all((uid, head.version) in view for uid, head in view.items() if isinstance(head, Head))


def test_a_stop_in_the_middle_of_a_save_is_kept_and_so_are_the_nodes(variant):
    store = incident.Offload(variant(), ttl=0)
    nodes = Snapshot({"a": "Running", "b": "Running"})
    assert store.create("w", nodes, now=0)
    assert not store.create("w", Snapshot({"a": "Pending"}), now=1)
    view = store.begin()
    store.stop("w")
    store.persist("w", store.begin(), nodes | {"b": "Succeeded"}, now=2)
    store.sweep(now=3)
    store.persist("w", view, nodes | {"a": "Failed"}, now=4)  # from a version that was deleted
    store.sweep(now=5)
    head = store.states["w"]
    assert head.stopped
    assert store.states["w", head.version].nodes == {"a": "Failed", "b": "Succeeded"}
    assert len(store.states) == 2
    assert states_are_whole(view)
    assert view["w", view["w"].version].nodes == nodes


@pytest.mark.skipif(safemap.compiled, reason="the explorer knows the locks of the plain files")
def test_no_schedule_deletes_what_counts(variant):
    """A save, a stop and a sweep that deletes all that it may, however young."""

    def scenario():
        store = incident.Offload(variant(), ttl=0)
        nodes = Snapshot({"a": "Running"})
        store.create("w", nodes, now=0)
        store.persist("w", store.begin(), nodes | {"a": "Succeeded"}, now=0)
        view = store.begin()

        def check():
            assert states_are_whole(store.begin())
            head = store.states["w"]
            assert head.stopped
            assert store.states["w", head.version].nodes == nodes  # written again, under its old version

        return Scenario(
            [partial(store.persist, "w", view, nodes, 0), lambda: store.stop("w"), lambda: store.sweep(0)], check
        )

    exploration = Explorer(scenario, traced=[incident.Offload, scenario]).explore(schedules=150)
    assert exploration.schedules == 150 or exploration.exhausted


def test_every_change_and_every_stop_is_kept_while_old_versions_are_swept(variant, rapid_switching):
    """Workers change nodes of the same workflows and stop them in the middle; what counts is never deleted."""
    states = variant()
    store = incident.Offload(states, ttl=0)
    clock = itertools.count()
    uids = [f"workflow-{n}" for n in range(WORKFLOWS)]
    for uid in uids:
        store.create(uid, Snapshot(dict.fromkeys(range(WORKERS), -1)), next(clock))

    def work(me, pause):
        for turn in range(TURNS):
            if turn == TURNS // 2:
                pause()
            uid = uids[(turn + me) % WORKFLOWS]
            view = store.begin()
            nodes = view[uid, view[uid].version].nodes
            store.persist(uid, view, nodes | {me: turn}, next(clock))
            if turn == TURNS // 2 + me:
                store.stop(uid)

    def read():
        view = store.begin()
        assert states_are_whole(view)
        begun = view.to_dict()
        store.sweep(next(clock))
        assert view == begun
        assert states_are_whole(view)

    looks = observed([partial(work, me) for me in range(WORKERS)], [read, lambda: store.sweep(next(clock))])
    assert min(looks) > 2
    store.sweep(next(clock))
    final = store.begin()
    assert states_are_whole(final)
    assert len(final) == 2 * WORKFLOWS  # a head and its row each
    for number, uid in enumerate(uids):
        head = final[uid]
        last = {me: max(t for t in range(TURNS) if (t + me) % WORKFLOWS == number) for me in range(WORKERS)}
        assert final[uid, head.version].nodes == last
        stops = [me for me in range(WORKERS) if (TURNS // 2 + 2 * me) % WORKFLOWS == number]
        assert head.stopped == bool(stops)
        changes = sum((t + me) % WORKFLOWS == number for t in range(TURNS) for me in range(WORKERS))
        assert head.number == changes + len(stops)
    states._check()


def test_a_version_that_is_written_again_is_not_swept(variant):
    """The sweep has looked; before it deletes, somebody makes the old version count again."""
    store = incident.Offload(variant(), ttl=0)
    old, new = Snapshot({"a": "Running"}), Snapshot({"a": "Succeeded"})
    store.create("w", old, now=0)
    store.persist("w", store.begin(), new, now=1)
    view = store.begin()
    store.begin = lambda: view  # what the sweep sees
    store.persist("w", view, old, now=2)
    store.sweep(now=3)
    assert states_are_whole(store.states.snapshot())
    assert len(store.states) == 3


class BeforeComparing:
    """A map whose `compare_and_set` comes late: `then` is called first."""

    def __init__(self, states, then):
        self._states = states
        self._then = then

    def __getattr__(self, name):
        return getattr(self._states, name)

    def compare_and_set(self, *args):
        self._then()
        return self._states.compare_and_set(*args)


@pytest.mark.parametrize("late", [False, True], ids=["sweep", "late writer, sweep"])
def test_a_version_that_is_about_to_count_is_not_swept(variant, late):
    """It is written again, and so as young as its number; a writer who comes late does not make it older."""
    states = variant()
    others = incident.Offload(states, ttl=0)
    old, new = Snapshot({"a": "Running"}), Snapshot({"a": "Succeeded"})
    others.create("w", old, now=0)
    others.persist("w", others.begin(), new, now=1)

    def meanwhile():
        if late:
            others._upsert("w", incident.version_of(old), old, 1, now=3)
        others.sweep(now=4)

    store = incident.Offload(BeforeComparing(states, meanwhile), ttl=0)
    store.persist("w", store.begin(), old, now=2)
    assert states["w"].number == 2
    assert states_are_whole(states.snapshot())


def test_two_lookups_instead_of_a_snapshot_find_no_more_rows(variant):
    store = incident.Offload(variant(), ttl=0)
    store.create("w", Snapshot({"a": "Running"}), now=0)
    head = store.states["w"]
    store.persist("w", store.begin(), Snapshot({"a": "Succeeded"}), now=1)
    store.sweep(now=2)
    with pytest.raises(KeyError):
        store.states["w", head.version]


def test_what_a_snapshot_costs(variant):
    """Bytes, which are counted more reliably than time, with fifty thousand entries."""
    store = incident.Offload(variant({n: n for n in range(50_000)}), TTL)
    store.begin()
    tracemalloc.start()
    try:
        view = store.begin()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(view) == 50_000
    assert (peak < 100_000) is incident.a_look_costs_no_copy(variant.guarantees)

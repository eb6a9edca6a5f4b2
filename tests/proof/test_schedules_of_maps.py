"""The maps under schedules that are decided line by line: what threads saw must keep what the variant guarantees.

Compiled maps have no lines; the plain files that are explored here are their source.
"""

from __future__ import annotations

import pytest

import safemap
from safemap import MISSING
from safemap.maps import _one_dict, _pages, copy_on_write, read_dirty, sharded
from safemap.sync import claims
from safemap.testing import Call, Explorer, Program, RecordedMap, Scenario, check_guaranteed
from safemap.testing.programs import Adds, Fails, Gives

pytestmark = pytest.mark.skipif(safemap.compiled, reason="compiled code has no lines at which to switch threads")


def call(name, *arguments):
    return Call(name, arguments)


def scenario_of(make, initial, *threads):
    """A program on a fresh map, judged by the checker, and by the map's own invariants."""
    program = Program(tuple(initial.items()), tuple(map(tuple, threads)))

    def scenario():
        m = RecordedMap(make(dict(program.initial)))

        def check():
            m.perform("len")
            m.perform("items")
            verdict = check_guaranteed(m.history(), m.mapping.guarantees, program.initial)
            assert verdict, f"{verdict}\nin the program\n{program}"
            m.mapping._check()

        def body(calls):
            return lambda: [each.on(m) for each in calls]

        return Scenario([body(calls) for calls in program.threads], check)

    return scenario


def settled(items):
    """A read/dirty map whose first key is in the read table, and the others in the dirty one."""
    m = safemap.ReadDirtyMap()
    for n, (key, value) in enumerate(items.items()):
        m[key] = value
        if n == 0:
            m.to_dict()
    return m


READ_DIRTY = {
    "promotion by misses, while new keys come": (
        [call("get", "z"), call("get", "b"), call("get", "b")],
        [call("setitem", "c", 3), call("get", "c"), call("len")],
    ),
    "promotion, and a reader of a promoted key": (
        [call("get", "z")],
        [call("get", "b"), call("get", "b")],
    ),
    "promotion, while a key is deleted and comes back": (
        [call("keys"), call("get", "b")],
        [call("pop", "b"), call("get", "b"), call("setitem", "b", 5)],
    ),
    "promotion, while a promoted key is replaced": (
        [call("get", "z"), call("get", "z"), call("get", "b")],
        [call("swap", "b", 4), call("get", "b"), call("compare_and_set", "b", 4, 6)],
    ),
    "clear, while keys are read and promoted": (
        [call("clear"), call("setitem", "b", 7)],
        [call("get", "a"), call("get", "b"), call("get", "a")],
        [call("snapshot")],
    ),
    "the first of two for a new key": (
        [call("setdefault", "n", 1), call("get", "n")],
        [call("compute_if_absent", "n", Gives(2)), call("get", "n")],
        [call("get", "z"), call("contains", "n")],
    ),
    "a function and a promotion": (
        [call("compute", "b", Adds(100)), call("get", "b")],
        [call("items"), call("merge", "b", 7, Adds(0))],
    ),
    "a promotion, and counting": (
        [call("get", "z"), call("get", "z")],
        [call("len"), call("len")],
    ),
    "popitem and a promotion": (
        [call("popitem"), call("popitem")],
        [call("keys"), call("contains", "a"), call("contains", "b")],
    ),
}


@pytest.mark.parametrize("name", READ_DIRTY)
def test_read_dirty(name, effort):
    scenario = scenario_of(settled, {"a": 1, "b": 2}, *READ_DIRTY[name])
    effort.explore(Explorer(scenario, traced=[read_dirty]))


@pytest.fixture
def small_pages(monkeypatch):
    """Pages that are split after two entries."""
    monkeypatch.setattr(copy_on_write, "PAGE_LIMIT", 2)
    monkeypatch.setattr(copy_on_write, "SPARSE", 1)


# Integers, whose hashes are the same in every process: a schedule can be replayed.
# Keys that fall in the page of 1, of two: the second one splits it.
BESIDE_1 = [key for key in range(3, 99) if (hash((key,)) ^ hash((1,))) & 1 == 0]
COPY_ON_WRITE = {
    "a page is split under readers": (
        [call("setitem", BESIDE_1[0], 3), call("setitem", BESIDE_1[1], 4)],
        [call("get", 1), call("get", BESIDE_1[0])],
    ),
    "a page is copied for a snapshot": (
        [call("snapshot"), call("snapshot")],
        [call("setitem", 1, 3), call("setitem", 3, 4), call("delitem", 2)],
    ),
    "a batch appears all at once": (
        [call("update", ((1, 3), (2, 4)))],
        [call("get", 1), call("get", 2), call("get", 1)],
    ),
    "a batch and a snapshot": (
        [call("update", ((1, 3), (3, 4)))],
        [call("snapshot"), call("len"), call("get", 3)],
    ),
    "a locked block and a writer": (
        [call("locked", call("setitem", 1, 3), call("get", 2), call("setitem", 2, 4))],
        [call("setitem", 1, 5), call("get", 2)],
        [call("items")],
    ),
    "a function that fails, and a snapshot": (
        [call("compute", 1, Fails()), call("entry", 2, Adds(10))],
        [call("snapshot"), call("pop", 1, None)],
    ),
    "clear, and pages used again": (
        [call("clear"), call("setitem", 3, 3)],
        [call("get", 1), call("get", 3), call("get", 2)],
    ),
    "filling an empty map": (
        [call("clear"), call("update", ((1, 5), (2, 6), (3, 7)))],
        [call("get", 1), call("items")],
    ),
}


@pytest.mark.parametrize("name", COPY_ON_WRITE)
def test_copy_on_write(name, effort, small_pages):
    scenario = scenario_of(safemap.CopyOnWriteMap, {1: 1, 2: 2}, *COPY_ON_WRITE[name])
    effort.explore(Explorer(scenario, traced=[copy_on_write, _pages]))


SHARDED = {
    "a claim, and a writer of its key": (
        [call("compute", 1, Adds(100)), call("get", 1)],
        [call("setitem", 1, 7), call("compute", 1, Adds(200))],
    ),
    "a claim, and a writer of another key of its shard": (
        [call("entry", 1, Adds(100))],
        [call("setitem", 3, 7), call("pop", 3), call("get", 1)],
    ),
    "two claims, and a section": (
        [call("compute", 1, Adds(100)), call("merge", 2, 8, Adds(0))],
        [call("locked", call("setitem", 1, 4), call("setitem", 2, 5))],
        [call("snapshot")],
    ),
    "a claim, and a section with its key": (
        [call("compute", 1, Adds(100))],
        [call("locked", call("get", 1), call("setitem", 1, 4))],
    ),
    "a section, and a writer": (
        [call("locked", call("get", 1), call("setitem", 2, 3))],
        [call("setitem", 2, 4)],
    ),
    "two sections": (
        [call("locked", call("get", 1), call("setitem", 2, 3))],
        [call("locked", call("get", 2), call("setitem", 1, 4))],
    ),
    "a clear, and a snapshot": (
        [call("clear"), call("len")],
        [call("snapshot"), call("setdefault", 1, 9)],
    ),
    "the one factory of two": (
        [call("compute_if_absent", 5, Fails()), call("compute_if_absent", 5, Gives(6))],
        [call("compute_if_absent", 5, Gives(7))],
    ),
    "popitem takes no key twice, and none that is claimed": (
        [call("popitem"), call("popitem")],
        [call("compute", 1, Gives(MISSING)), call("popitem")],
    ),
}


@pytest.mark.parametrize("name", SHARDED)
def test_sharded(name, effort):
    def make(items):
        return safemap.ShardedMap.configured(items, shards=2)

    scenario = scenario_of(make, {1: 1, 2: 2}, *SHARDED[name])
    effort.explore(Explorer(scenario, traced=[sharded, claims]), times=10 if "a writer" in name else 1)


def test_crossed_claims_have_one_victim(effort):
    """Two functions, each on its key, want the other's: one gets an error, and leaves nothing behind."""

    def scenario():
        m = safemap.ShardedMap.configured({1: 0, 2: 0}, shards=2)
        ends = []

        def cross(mine, other):
            def function(n):
                m.compute(other, lambda n: n + 10)
                return n + 1

            try:
                m.compute(mine, function)
                ends.append("done")
            except safemap.DeadlockError:
                ends.append("victim")

        def check():
            victims = ends.count("victim")
            assert len(ends) == 2
            assert victims <= 1
            assert sum(m.values()) == 11 * (2 - victims), m
            m._check()

        return Scenario([lambda: cross(1, 2), lambda: cross(2, 1)], check)

    effort.explore(Explorer(scenario, traced=[sharded, claims]))


ONE_DICT = {
    "check and act": (
        [call("setdefault", "c", 1), call("compare_and_set", "a", 1, 5)],
        [call("setdefault", "c", 2), call("compare_and_set", "a", 1, 6)],
    ),
    "an update, seen whole": (
        [call("update", (("a", 3), ("b", 4)))],
        [call("get", "a"), call("get", "b"), call("items")],
    ),
    "readers and writers": (
        [call("get", "a"), call("len")],
        [call("setitem", "a", 3), call("delitem", "b")],
        [call("compute", "a", Adds(10))],
    ),
    "a locked block": (
        [call("locked", call("setitem", "a", 3), call("setitem", "b", 4))],
        [call("to_dict"), call("compute_if_present", "a", Adds(10))],
    ),
}


@pytest.mark.parametrize("name", ONE_DICT)
def test_mutex(name, effort):
    scenario = scenario_of(safemap.MutexMap, {"a": 1, "b": 2}, *ONE_DICT[name])
    effort.explore(Explorer(scenario, traced=[_one_dict]))


@pytest.mark.parametrize("name", ONE_DICT)
def test_rwlock(name, effort):
    scenario = scenario_of(safemap.RWLockMap, {"a": 1, "b": 2}, *ONE_DICT[name])
    effort.explore(Explorer(scenario, traced=[_one_dict]))

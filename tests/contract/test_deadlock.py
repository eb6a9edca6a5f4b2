"""A deadlock is an error, within a second, in one of the threads; the others go on."""

from __future__ import annotations

import threading
import time

import pytest

import safemap
from safemap import DeadlockError
from tests.support import Key, in_threads


def crossed(first, second, timeout=10):
    """Run two sections that each enter, meet, and then want what the other has. Return their outcomes."""
    barrier = threading.Barrier(2, timeout=5)

    def run(outer, inner):
        try:
            outer(lambda: (barrier.wait(), inner()))
        except DeadlockError:
            return "deadlock"
        return "done"

    started = time.monotonic()
    outcomes = in_threads(lambda: run(*first), lambda: run(*second), timeout=timeout)
    assert time.monotonic() - started < 1
    return outcomes


def by_compute(m, key):
    def section(inside):
        m.compute(key, lambda n: (inside(), n + 1)[1], 0)

    return section


def by_entry(m, key):
    def section(inside):
        with m.entry(key) as entry:
            inside()
            entry.value = 1

    return section


def by_locked(m, _key):
    def section(inside):
        with m.locked():
            inside()

    return section


WAYS = {"compute": by_compute, "entry": by_entry, "locked": by_locked}


def holding_excludes_all(variant):
    return variant.guarantees.function_excludes != "its key"


@pytest.mark.parametrize("way", ["compute", "entry"])
@pytest.mark.parametrize("inner", ["compute", "entry", "set", "pop", "update"])
def test_two_keys_crossed(variant, way, inner):
    if holding_excludes_all(variant):
        pytest.skip("a function excludes the whole map: the second one does not begin before the first ends")
    for attempt in range(5):
        m = variant(a=0, b=0)

        def want(key, m=m):
            {
                "compute": lambda: m.compute(key, lambda n: n + 10),
                "entry": lambda: m.entry(key).__enter__().__exit__(None, None, None),
                "set": lambda: m.__setitem__(key, 10),
                "pop": lambda: m.pop(key),
                "update": lambda: m.update({key: 10, "c": 1}),
            }[inner]()

        outcomes = crossed(
            (WAYS[way](m, "a"), lambda: want("b")),
            (WAYS[way](m, "b"), lambda: want("a")),
        )
        assert sorted(outcomes) == ["deadlock", "done"], attempt
        m._check()
        with m.locked(timeout=1), m.entry("a", timeout=1), m.entry("b", timeout=1):
            pass


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inner", ["compute", "entry", "locked", "set", "get"])
def test_two_maps_crossed(variant, way, inner):
    if inner == "get" and variant.guarantees.reader_waits_for_writer != "yes":
        pytest.skip("reads do not wait")
    m, n = variant(k=0), variant(k=0)

    def want(other):
        {
            "compute": lambda: other.compute("k", lambda v: v + 10),
            "entry": lambda: other.entry("k").__enter__().__exit__(None, None, None),
            "locked": lambda: other.locked().__enter__() and other.locked().__exit__(None, None, None),
            "set": lambda: other.__setitem__("k", 10),
            "get": lambda: other["k"],
        }[inner]()

    outcomes = crossed((WAYS[way](m, "k"), lambda: want(n)), (WAYS[way](n, "k"), lambda: want(m)))
    assert sorted(outcomes) == ["deadlock", "done"]
    if inner == "locked":
        return  # the one that went on still holds the other map, once: __exit__ above is of a new section
    m._check()
    n._check()


def test_maps_of_different_kinds_crossed():
    m, n = safemap.MutexMap(k=0), safemap.ShardedMap(k=0)
    outcomes = crossed(
        (by_compute(m, "k"), lambda: n.compute("k", lambda v: v + 1)),
        (by_compute(n, "k"), lambda: m["k"]),
    )
    assert sorted(outcomes) == ["deadlock", "done"]
    assert sorted([m["k"], n["k"]]) in ([0, 1], [1, 1], [0, 2], [1, 2])


def test_three_threads_in_a_circle(variant):
    maps = [variant(k=0) for _ in range(3)]
    barrier = threading.Barrier(3, timeout=5)

    def run(i):
        try:
            with maps[i].entry("k") as entry:
                barrier.wait()
                maps[(i + 1) % 3].compute("k", lambda n: n + 10)
                entry.value = 1
        except DeadlockError:
            return "deadlock"
        return "done"

    outcomes = in_threads(*(lambda i=i: run(i) for i in range(3)), timeout=10)
    assert sorted(outcomes) == ["deadlock", "done", "done"]
    for m in maps:
        m._check()


def test_the_victims_change_is_abandoned_whole(variant):
    m, n = variant(k="old"), variant(k="old")
    barrier = threading.Barrier(2, timeout=5)

    def run(mine, other, name):
        try:
            with mine.entry("k") as entry:
                entry.value = f"{name} mine"
                barrier.wait()
                other["k"] = f"{name} other"
        except DeadlockError:
            return name
        return None

    victims = in_threads(lambda: run(m, n, "m"), lambda: run(n, m, "n"), timeout=10)
    assert sorted(victims, key=str) in ([None, "m"], ["n", None], [None, "n"], ["m", None])
    winner = "n" if "m" in victims else "m"
    mine, other = (m, n) if winner == "m" else (n, m)
    assert mine["k"] == f"{winner} mine"
    assert other["k"] == f"{winner} other"


def test_a_deadlock_is_not_a_timeout(variant):
    m, n = variant(k=0), variant(k=0)
    outcomes = crossed(
        (by_entry(m, "k"), lambda: n.entry("k", timeout=30).__enter__().__exit__(None, None, None)),
        (by_entry(n, "k"), lambda: m.entry("k", timeout=30).__enter__().__exit__(None, None, None)),
    )
    assert sorted(outcomes) == ["deadlock", "done"]


def test_no_false_alarm(variant):
    """Sections that nest in one order never deadlock, however they meet."""
    m, n = variant(), variant()

    def work():
        for i in range(150):
            with m.entry(i % 3), n.entry(i % 2) as inner:
                inner.value = m.merge("m", 1, int.__add__) if i % 5 else 0
            n.compute("n", lambda v: v + 1, 0)
            m.update({"x": i, "y": i})
            if i % 10 == 0:
                with m.locked(), n.locked():
                    m.snapshot()
            if i % 7 == 0:
                n.clear()
                m.popitem()

    in_threads(*[work] * 4)
    m._check()
    n._check()


def test_a_deadlock_in_eq(variant):
    """Keys whose comparison looks into the other map, in both directions."""
    if variant.guarantees.reader_waits_for_writer != "yes":
        pytest.skip("reads do not wait")
    barrier = threading.Barrier(2, timeout=5)
    m, n = variant({Key("a"): 1}), variant({Key("a"): 1})

    def run(mine, other):
        armed = [1]

        def callback():
            if armed:
                armed.clear()
                barrier.wait()
                other["x"] = 1

        key = Key("a")
        key.on_eq = callback
        try:
            mine[key] = 2
        except DeadlockError:
            return "deadlock"
        return "done"

    outcomes = in_threads(lambda: run(m, n), lambda: run(n, m), timeout=10)
    assert sorted(outcomes) == ["deadlock", "done"]
    m._check()
    n._check()

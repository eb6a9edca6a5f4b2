"""A deadlock is an error, soon, in one of the threads; the others go on."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from safemap import DeadlockError
from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Key
from safemap.testing.threads import in_threads

SOON = 5.0
"""Seconds. A deadlock is found in a tenth of one, on a machine that has nothing else to do."""


def crossed(first: Any, second: Any) -> Any:
    """Run two sections that each enter, meet, and then want what the other has. Return their outcomes."""
    barrier = threading.Barrier(2, timeout=5)

    def run(outer, inner):
        try:
            outer(lambda: (barrier.wait(), inner()))
        except DeadlockError:
            return "deadlock"
        return "done"

    started = time.monotonic()
    outcomes = in_threads(lambda: run(*first), lambda: run(*second), timeout=10)
    assert time.monotonic() - started < SOON
    return sorted(outcomes)


def by_compute(m: Any, key: Any) -> Any:
    def section(inside):
        m.compute(key, lambda n: (inside(), n + 1)[1], 0)

    return section


def by_entry(m: Any, key: Any) -> Any:
    def section(inside):
        with m.entry(key) as entry:
            inside()
            entry.value = 1

    return section


def by_locked(m: Any, _key: Any) -> Any:
    def section(inside):
        with m.locked():
            inside()

    return section


def enter(section: Any) -> None:
    with section:
        pass


WAYS: dict[str, Any] = {"compute": by_compute, "entry": by_entry, "locked": by_locked}
WANTS: dict[str, Any] = {
    "compute": (("compute",), lambda m, key: m.compute(key, lambda n: n + 10)),
    "entry": (("entry",), lambda m, key: enter(m.entry(key))),
    "locked": (("locked",), lambda m, _key: enter(m.locked())),
    "set": ((), lambda m, key: m.__setitem__(key, 10)),
    "pop": (("pop",), lambda m, key: m.pop(key)),
    "update": (("update",), lambda m, key: m.update({key: 10, "c": 1})),
    "get": ((), lambda m, key: m[key]),
}


class Deadlocks(Suite, needs={"deadlock detection"}):
    def check_all(self, *maps: Any) -> None:
        for m in maps:
            self.check(m)
            self.check_free(m, "k")

    @needs("keys apart")
    @pytest.mark.parametrize("way", ["compute", "entry"])
    @pytest.mark.parametrize("inner", ["compute", "entry", "set", "pop", "update"])
    def test_two_keys_crossed(self, way, inner):
        claims, want = WANTS[inner]
        self.need(way, *claims)
        for attempt in range(2):
            m = self.filled(a=0, b=0)
            outcomes = crossed(
                (WAYS[way](m, "a"), lambda m=m: want(m, "b")),
                (WAYS[way](m, "b"), lambda m=m: want(m, "a")),
            )
            assert outcomes == ["deadlock", "done"], attempt
            self.check_all(m)
            self.check_free(m, "a")
            self.check_free(m, "b")

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("inner", ["compute", "entry", "locked", "set", "get"])
    def test_two_maps_crossed(self, way: Any, inner: Any) -> None:
        claims, want = WANTS[inner]
        self.need(way, *claims)
        if inner == "get" and self.has("reads do not wait"):
            pytest.skip("reads do not wait")
        m, n = self.filled(k=0), self.filled(k=0)
        outcomes = crossed((WAYS[way](m, "k"), lambda: want(n, "k")), (WAYS[way](n, "k"), lambda: want(m, "k")))
        assert outcomes == ["deadlock", "done"]
        self.check_all(m, n)

    @needs("entry", "compute")
    def test_three_threads_in_a_circle(self):
        maps = [self.filled(k=0) for _ in range(3)]
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
        self.check_all(*maps)

    @needs("entry")
    def test_the_victims_change_is_abandoned_whole(self):
        m, n = self.filled(k="old"), self.filled(k="old")
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
        assert victims in (["m", None], [None, "n"])
        winner, mine, other = ("n", n, m) if victims[0] else ("m", m, n)
        assert mine["k"] == f"{winner} mine"
        assert other["k"] == f"{winner} other"

    @needs("entry", "timeouts")
    def test_a_deadlock_is_not_a_timeout(self):
        m, n = self.filled(k=0), self.filled(k=0)
        outcomes = crossed(
            (by_entry(m, "k"), lambda: enter(n.entry("k", timeout=30))),
            (by_entry(n, "k"), lambda: enter(m.entry("k", timeout=30))),
        )
        assert outcomes == ["deadlock", "done"]

    @needs("entry", "merge", "compute", "update", "locked", "snapshot", "clear", "popitem")
    def test_sections_that_nest_in_one_order_never_deadlock(self):
        m, n = self.filled(), self.filled()

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
                    m[threading.get_ident()] = i  # so there is one for each thread to take
                    m.popitem()

        in_threads(*[work] * 4)
        self.check_all(m, n)

    def test_a_deadlock_in_eq(self) -> None:
        """Keys whose comparison looks into the other map, in both directions."""
        if self.has("reads do not wait"):
            pytest.skip("reads do not wait")
        barrier = threading.Barrier(2, timeout=5)
        m, n = self.filled({Key("a"): 1}), self.filled({Key("a"): 1})

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
        self.check_all(m, n)

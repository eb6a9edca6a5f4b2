"""Looking at the whole while others write."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.threads import in_threads

CROSSED: dict[str, Any] = {
    "update": (("update",), lambda a, b: a.update(b)),
    "==": (("equality",), lambda a, b: a == b),
    "|": (("union",), lambda a, b: a | b),
    "|=": (("union",), lambda a, b: a.__ior__(b)),
    "keys": (("views",), lambda a, b: a.keys() & b.keys()),
    "items": (("views",), lambda a, b: a.items() == b.items()),
}


def until(stop: Any, work: Any) -> Any:
    """Return a function that does the work, in rounds, until the others stop."""

    def run():
        n = 0
        while not stop.is_set():
            n += 1
            work(n)

    return run


def then(stop: Any, look: Any) -> Any:
    """Return a function that looks, and stops the others."""

    def run():
        try:
            look()
        finally:
            stop.set()

    return run


class Looking(Suite, rapid=True):
    def writing(self, m: Any, seed: Any) -> Any:
        """Return a function that writes what the map can write, at keys that no one else knows."""
        chance = random.Random(seed)
        ways = [lambda key: m.__setitem__(key, key), lambda key: self.remove(m, key)]
        more = {
            "pop": lambda key: m.pop(key, None),
            "setdefault": lambda key: m.setdefault(key, key),
            "compute": lambda key: m.compute(key, lambda _: key, None),
            "update": lambda key: m.update({key: key, key + "x": key + "x"}),
        }
        ways += [way for claim, way in more.items() if self.has(claim)]
        return lambda _: chance.choice(ways)(f"moving{chance.randrange(300)}")

    @staticmethod
    def remove(m: Any, key: Any) -> None:
        try:
            del m[key]
        except KeyError:
            pass

    @needs("safe iteration")
    def test_iteration_under_writers(self):
        stable = {f"stable{i}": i for i in range(200)}
        m = self.filled(stable)
        stop = threading.Event()
        ways = {
            "iteration": lambda: [key for key in m],  # step by step: `list` of a dict is one step
            "views": lambda: [key for key in m.keys()],
            "reversed": lambda: [key for key in reversed(m)],
        }
        ways = [way for claim, way in ways.items() if self.has(claim)]

        def look():
            for _ in range(60):
                pairs = [(key, value) for key, value in self.pairs(m)]
                for keys in ([key for key, _ in pairs], *(way() for way in ways)):
                    assert len(keys) == len(set(keys)), "a key at most once"
                    assert stable.keys() <= set(keys), "every key that was there throughout"
                for key, value in pairs:
                    assert value == (stable[key] if key in stable else key), "pairs that were there"
                if self.has("len"):
                    assert len(m) >= len(stable)

        in_threads(until(stop, self.writing(m, 1)), until(stop, self.writing(m, 2)), then(stop, look))
        self.check(m)

    @needs("safe iteration")
    def test_other_looks_at_the_whole_under_writers(self):
        stable = {f"stable{i}": i for i in range(200)}
        m = self.filled(stable)
        stop = threading.Event()

        def looks_at_views():
            assert set(stable.values()) <= set(m.values())
            assert stable.items() <= m.items()
            assert stable.keys() <= dict(m.items()).keys()

        def compares():
            assert m == m  # noqa: PLR0124

        def copies():
            assert stable.items() <= dict(self.pairs(m.copy())).items()

        def merges():
            assert stable.items() <= dict(self.pairs(m | {})).items()

        def takes_a_dict():
            assert stable.items() <= m.to_dict().items()

        ways = {
            "views": looks_at_views,
            "equality": compares,
            "copy": copies,
            "union": merges,
            "to_dict": takes_a_dict,
            "repr": lambda: repr(m),
        }
        ways = [way for claim, way in ways.items() if self.has(claim)]

        def look():
            for _ in range(40):
                for way in ways:
                    way()

        in_threads(until(stop, self.writing(m, 1)), until(stop, self.writing(m, 2)), then(stop, look))
        self.check(m)

    @needs("safe iteration")
    def test_writing_in_the_middle_of_an_iteration(self):
        """The iteration may show it or not, but nobody waits for its end: no lock is held between two steps."""
        m = self.filled({i: i for i in range(100)})
        seen = []
        for key, _ in self.pairs(m):
            seen.append(key)
            if key == 50:
                m["mine"] = 1
                self.check_free(m, "theirs")
        assert set(range(100)) <= set(seen)
        assert len(seen) == len(set(seen))

    @needs("safe iteration")
    def test_an_iteration_that_is_left_holds_nothing(self):
        m = self.filled({i: i for i in range(100)})
        iterations = [iter(self.pairs(m))]
        if self.has("iteration"):
            iterations.append(iter(m))
        for iteration in iterations:
            next(iteration)
        self.check_free(m, 50)
        assert len(iterations) > 0, "they are still there"

    @needs("one-moment snapshot", "locked", "to_dict", "snapshot", "reentrant")
    def test_snapshots_of_transfers_always_sum_the_same(self):
        m = self.filled({i: 100 for i in range(10)})
        stop = threading.Event()
        chance = random.Random(1)

        def transfer(_):
            a, b = chance.sample(range(10), 2)
            with m.locked():
                m[a] -= 1
                m[b] += 1

        def look():
            for _ in range(300):
                assert sum(m.snapshot().values()) == 1000
                assert sum(m.to_dict().values()) == 1000
                if self.has("one-moment iteration", "views"):
                    assert sum(m.values()) == 1000
                    assert sum(v for _, v in m.items()) == 1000

        in_threads(until(stop, transfer), until(stop, transfer), then(stop, look))
        self.check(m)

    @needs("snapshot")
    def test_a_snapshot_stays_as_it_is(self):
        m = self.filled({i: 0 for i in range(500)})
        stop = threading.Event()

        def write(n):
            m[n % 700] = n
            self.remove(m, (n * 7) % 700)

        def look():
            for _ in range(40):
                snapshot = m.snapshot()
                first = dict(snapshot.items())
                assert len(first) == len(snapshot)
                for _ in range(3):
                    assert snapshot.to_dict() == first
                    assert {k: snapshot[k] for k in first} == first
                    assert set(snapshot) == set(first)

        in_threads(until(stop, write), until(stop, write), then(stop, look))
        self.check(m)

    @needs("update", "one-moment snapshot", "snapshot")
    def test_an_update_is_seen_as_guaranteed(self):
        m = self.filled(a=0, b=0)
        stop = threading.Event()

        def look():
            for _ in range(1000):
                snapshot = m.snapshot()
                if self.has("all-at-once update"):
                    assert snapshot["a"] == snapshot["b"]
                    b, a = m["b"], m["a"]  # later, so at least as new
                    assert a >= b
                    if self.has("one-moment iteration"):
                        assert len({value for _, value in self.pairs(m)}) == 1
                else:
                    assert snapshot["a"] - snapshot["b"] in (0, 1), "key by key, in order"

        in_threads(until(stop, lambda n: m.update({"a": n, "b": n})), then(stop, look))

    @needs("all-at-once update", "locked", "reentrant")
    def test_a_section_is_seen_whole_or_not_at_all(self):
        m = self.filled(a=0, b=0)
        stop = threading.Event()

        def write(n):
            with m.locked():
                m["a"] = -1
                m["b"] = n
                m["a"] = n

        def look():
            last = 0
            for _ in range(2000):
                b, a = m["b"], m["a"]
                assert a >= b >= last, "never the intermediate value, never back in time"
                last = a

        in_threads(until(stop, write), then(stop, look))

    @needs("len", "exact len")
    def test_len_is_exact_while_others_write(self):
        m = self.filled({i: i for i in range(400)})
        stop = threading.Event()

        def write(_):
            for i in range(400, 420):
                m[i] = i
            for i in range(400, 420):
                del m[i]

        def look():
            for _ in range(2000):
                assert 400 <= len(m) <= 420

        in_threads(until(stop, write), then(stop, look))
        assert len(m) == 400

    @needs("clear", "popitem", "compute", "locked", "to_dict", "reentrant")
    def test_clear_and_popitem_against_compute(self):
        m = self.filled()
        stop = threading.Event()

        def look():
            for _ in range(50):
                m.clear()
                try:
                    m.popitem()
                except KeyError:
                    pass
                with m.locked():
                    before = m.to_dict()
                    assert m.to_dict() == before

        computers = [until(stop, lambda _, key=key: m.compute(key, lambda n: n + 1, 0)) for key in range(3)]
        in_threads(*computers, then(stop, look))
        self.check(m)

    @needs("two maps")
    @pytest.mark.parametrize("operation", CROSSED)
    def test_two_maps_at_once(self, operation):
        claims, operate = CROSSED[operation]
        self.need(*claims)
        a, b = self.filled({i: i for i in range(50)}), self.filled({i: i for i in range(25, 75)})
        in_threads(
            lambda: [operate(a, b) for _ in range(100)],
            lambda: [operate(b, a) for _ in range(100)],
        )
        self.check(a)
        self.check(b)

"""Waiting in a circle: functions that come back to the map, keys and maps crossed, readers that write."""

from __future__ import annotations

import itertools
import threading
import time

import safemap
from safemap import DeadlockError
from safemap.testing.hostile import Key
from safemap.testing.threads import in_other_thread, in_threads
from tests.support import in_fresh_python

ONE_SHARD = {"sharded": {"shards": 1}}


def maps(kind):
    """Return maps of a kind in all its shapes: a rule that depended on the shard would depend on the hash seed."""
    return [safemap.create(kind), safemap.create(kind, **ONE_SHARD.get(kind, {}))]


def compute(m, key, inside):
    m.compute(key, lambda n: (inside(), (n or 0) + 1)[1], None)


def entry(m, key, inside):
    with m.entry(key) as held:
        inside()
        held.value = 1


def locked(m, key, inside):
    with m.locked():
        inside()
        m[key] = 1


def make(m, key, inside):
    m.pop(key, None)
    m.compute_if_absent(key, lambda _: (inside(), 1)[1])


SECTIONS = {"compute": compute, "entry": entry, "locked": locked, "make": make}


def usable(m):
    def use():
        with m.locked(timeout=5), m.entry("probe", timeout=5) as held:
            held.value = 1
        m.clear()

    in_other_thread(use)
    m._check()


@in_fresh_python
def test_a_function_may_come_back_to_the_map(kind):
    """Whatever the inner key: the same, another one of the same shard, of another shard, or of another map."""
    for m in maps(kind):
        for (name, outer), (inner_name, inner) in itertools.product(SECTIONS.items(), repeat=2):
            for key in ("k", "l", 3):
                seen = []
                m.clear()

                def again(m=m, key=key, inner=inner, seen=seen):
                    inner(m, key, lambda: seen.append(len(m.snapshot())))
                    m.get(key), list(m.items()), m.setdefault("s", 1), m.update(u=1, v=2), m.pop("u")

                outer(m, "k", again)
                assert len(seen) == 1, (name, inner_name, key)
                assert m["v"] == 2
                assert m["k"] in (1, 2)
        m.compute("k", lambda _: (m.clear(), "kept")[1])
        assert m == {"k": "kept"}
        m["k"] = 1
        m.compute("k", lambda n: (m.__setitem__("k", 10), n + 1)[1])
        assert m["k"] == 2, "what a function writes to its own key is overwritten by its result"
        other = safemap.create(kind, {"k": 0})
        m.compute("k", lambda n: other.compute("k", lambda o: m.merge("sum", n, int.__add__) + o))
        assert m["k"] == other["k"] == 2
        usable(m)


@in_fresh_python
def test_recursion_through_the_map_ends(kind):
    for m in maps(kind):

        def fib(n, m=m):
            return n if n < 2 else m.compute_if_absent(n - 1, fib) + m.compute_if_absent(n - 2, fib)

        assert m.compute_if_absent(60, fib) == 1548008755920
        usable(m)


def outcomes_of(*functions):
    def run(function):
        try:
            function()
        except DeadlockError:
            return "deadlock"
        return "done"

    started = time.monotonic()
    outcomes = in_threads(*(lambda f=f: run(f) for f in functions), timeout=20)
    assert time.monotonic() - started < 5, "it should take a tenth of a second"
    return sorted(outcomes)


@in_fresh_python
def test_two_maps_crossed_in_every_way(kind):
    """Maps of this kind and of those that follow it; each thread is in a section of one and wants the other."""
    turn = itertools.cycle(itertools.product(SECTIONS, SECTIONS, ["compute", "entry", "locked"]))
    for other in list(safemap.KINDS)[list(safemap.KINDS).index(kind) :]:
        for _ in range(3):
            m, n = safemap.create(kind, {"k": 0}), safemap.create(other, {"k": 0})
            first, second, want = next(turn)
            both = threading.Barrier(2, timeout=10)

            def cross(way, mine, others, want=want, both=both):
                SECTIONS[way](mine, "k", lambda: (both.wait(), SECTIONS[want](others, "k", lambda: None)))

            outcomes = outcomes_of(lambda: cross(first, m, n), lambda: cross(second, n, m))  # noqa: B023
            assert outcomes == ["deadlock", "done"], (kind, other, first, second, want)
            usable(m)
            usable(n)


@in_fresh_python
def test_keys_crossed_by_any_number_of_threads(kind):
    """Where functions exclude their key alone, a circle within one map is possible; elsewhere none can arise."""
    for m, count in itertools.product(maps(kind), (2, 3)):
        if m.guarantees.function_excludes == "its key":
            inside = threading.Barrier(count, timeout=10)
            expected = ["deadlock"] + ["done"] * (count - 1)
        else:
            inside = threading.Barrier(1)
            expected = ["done"] * count

        def work(i, m=m, count=count, inside=inside):
            compute(m, i, lambda: (inside.wait(), m.compute((i + 1) % count, lambda n: (n or 0) + 10, None)))

        assert outcomes_of(*(lambda i=i: work(i) for i in range(count))) == expected
        usable(m)


@in_fresh_python
def test_two_maps_that_take_from_one_another(kind):
    crossed = [
        lambda a, b: a.update(b),
        lambda a, b: a == b,
        lambda a, b: a | b,
        lambda a, b: a.__ior__(b),
        lambda a, b: a.items() ^ b.items(),
        lambda a, b: a.update(b.items()),
        lambda a, b: (a.update(a), a == a, a.__ior__(a)),  # noqa: PLR0124
    ]
    for other in {kind, "mutex", "copy_on_write"}:
        a = safemap.create(kind, {i: i for i in range(40)})
        b = safemap.create(other, {i: i for i in range(20, 60)})

        def work(a, b):
            for i in range(140):
                crossed[i % len(crossed)](a, b)
                if i % 20 == 0:
                    with a.locked(timeout=10):
                        a.update(dict.fromkeys(range(5), i))

        in_threads(lambda: work(a, b), lambda: work(b, a), timeout=30)  # noqa: B023
        assert set(a) == set(range(60)) == set(b)
        usable(a)
        usable(b)


@in_fresh_python
def test_a_reader_that_writes_does_not_wait_for_itself(kind):
    m = safemap.create(kind, {i: i for i in range(50)})
    for key, value in m.items():
        m[key] = value + 1
        m[("new", key)] = value
    for key in m:
        del m[key]
    assert not m

    for _ in range(5):
        m = safemap.create(kind, {Key("a"): 1, Key("b"): 2})
        both = threading.Barrier(2, timeout=10)

        def read_and_write(name, m=m, both=both):
            """Two readers are in the middle of a comparison when both want to write."""
            armed = [1]

            def write():
                if armed:
                    armed.clear()
                    if m.guarantees.mechanism.startswith("one readers-writer lock"):
                        both.wait()
                    m[name] = 1

            return m[Key("b", on_eq=write)]

        assert outcomes_of(lambda: read_and_write("x"), lambda: read_and_write("y")) in (  # noqa: B023
            ["done", "done"],
            ["deadlock", "done"],
        )
        usable(m)

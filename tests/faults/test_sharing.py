"""Threads in the same map: lost updates, torn looks, broken iterations, waiting without end, counts that drift."""

from __future__ import annotations

import copy
import pickle
import random
import sys
import threading
import time

import safemap
from safemap.testing.hostile import Key
from safemap.testing.threads import in_other_thread, in_threads
from tests.support import in_fresh_python

THREADS = 4


def until(stop, *steps):
    """Return functions that do the steps again and again, each in its turn, until `stop` is set."""

    def loop(step):
        number = 0
        while not stop.is_set():
            number += 1
            step(number)

    return [lambda step=step: loop(step) for step in steps]


def watched(look, *writers):
    """Run `look` while others write; they stop when it is done, or fails."""
    stop = threading.Event()

    def looking():
        try:
            look()
        finally:
            stop.set()

    in_threads(looking, *until(stop, *writers))


@in_fresh_python
def test_no_update_is_lost_whatever_way_it_is_made(kind):
    """All ways to change one counter, mixed: they must exclude one another, not only themselves."""
    sys.setswitchinterval(1e-6)
    m = safemap.create(kind, {"n": 0})
    calls = [0] * THREADS

    def work(me):
        def one_more(n, _=None):
            calls[me] += 1
            time.sleep(0)
            return n + 1

        def by_entry():
            with m.entry("n") as entry:
                entry.value = one_more(entry.value)

        def by_section():
            with m.locked():
                m["n"] = one_more(m["n"])

        def by_comparing():
            while not m.compare_and_set("n", n := m["n"], n + 1):
                pass
            calls[me] += 1

        ways = [
            lambda: m.compute("n", one_more),
            lambda: m.merge("n", 1, one_more),
            lambda: m.compute_if_present("n", one_more),
            by_entry,
            by_section,
            by_comparing,
        ]
        for i in range(180):
            ways[(i + me) % len(ways)]()

    in_threads(*(lambda me=me: work(me) for me in range(THREADS)))
    assert m["n"] == sum(calls) == THREADS * 180, (m["n"], calls)


@in_fresh_python
def test_what_is_set_once_is_taken_once(kind):
    sys.setswitchinterval(1e-6)
    m = safemap.create(kind)
    set_, taken = [[] for _ in range(THREADS)], [[] for _ in range(THREADS)]

    def work(me):
        for i in range(400):
            token = (me, i)
            if m.setdefault(i % 3, token) is token:
                set_[me].append(token)
            if i % 2:
                value = m.pop(i % 3, None)
            else:
                try:
                    value = m.popitem()[1]
                except KeyError:
                    value = None
            if value is not None:
                taken[me].append(value)

    in_threads(*(lambda me=me: work(me) for me in range(THREADS)))
    assert sorted(sum(set_, [])) == sorted([*sum(taken, []), *m.values()])
    m._check()


@in_fresh_python
def test_a_look_at_the_whole_is_never_torn(kind):
    sys.setswitchinterval(1e-6)
    m = safemap.create(kind, {i: 100 for i in range(40)})  # in several shards
    at_once = m.guarantees.update == "all at once"

    def transfer(number):
        a, b = number % 40, (number * 7 + 1) % 40
        with m.locked():
            m[a] -= number
            m[b] += number
        if at_once:
            m.update({"a": number, "b": -number})

    def look():
        for _ in range(200):
            for contents in (m.snapshot(), m.to_dict(), m.copy(), m | {}):
                assert sum(contents.values()) == 4000
            if m.guarantees.iteration == "one moment":
                assert sum(m.values()) == sum(value for _, value in m.items()) == 4000

    watched(look, transfer)


@in_fresh_python
def test_iteration_survives_others(kind):
    sys.setswitchinterval(1e-5)
    stable = {("stable", i): i for i in range(120)}
    m = safemap.create(kind, stable)

    def grow_and_shrink(number):
        m[number % 500] = number
        m.pop((number * 3) % 500, None)
        if number % 100 == 0:
            m.update({i: i for i in range(300)})

    def look():
        for _ in range(12):
            for view in (m, m.keys(), m.items(), m.values()):
                seen = []
                for thing in view:
                    seen.append(thing)
                    if len(seen) % 50 == 0:
                        time.sleep(0)  # let the others change what is being iterated over
                if view is m or isinstance(view, type(m.keys())):
                    assert len(seen) == len(set(seen))
                    assert stable.keys() <= set(seen)
            assert stable.items() <= m.items()

    watched(look, grow_and_shrink, grow_and_shrink)


@in_fresh_python
def test_an_iterator_that_stands_still_keeps_nobody_waiting(kind):
    m = safemap.create(kind, {i: i for i in range(100)})
    looks = [iter(m), iter(m.keys()), iter(m.values()), iter(m.items()), reversed(m), iter(m.snapshot())]
    for look in looks:
        next(look)

    def use():
        m[0] = "new"
        with m.locked(timeout=1), m.entry(1, timeout=1) as entry:
            entry.delete()
        m.popitem()
        m.clear()
        m.update({i: -i for i in range(200)})

    in_other_thread(use, timeout=5)
    for look in looks[::2]:
        list(look)  # ends, whatever it shows
    del look, looks  # the rest is given up half-way
    in_other_thread(use, timeout=5)
    m._check()


@in_fresh_python
def test_nobody_waits_for_ever_in_a_crowd(kind):
    """Three threads do nothing but read, or write, or run functions; a fourth must get its turns."""
    m = safemap.create(kind, {i: 0 for i in range(8)})
    m[Key("slow")] = 0
    crowds = {
        "readers": lambda n: m.get(n % 8),
        "slow readers": lambda n: m.get(
            Key("slow", on_eq=lambda: time.sleep(0.001))
        ),  # one of them is always inside
        "lookers": lambda n: m.snapshot(),
        "writers": lambda n: m.__setitem__(n % 8, n),
        "functions": lambda n: m.compute(n % 8, lambda v: v),
    }

    def turns():
        for i in range(8):
            started = time.monotonic()
            m.get(i)
            m[i] = -1
            m.compute(i, lambda v: v)
            with m.locked():
                m.snapshot()
            longest.append(time.monotonic() - started)

    for crowd, step in crowds.items():
        longest = []
        watched(turns, step, step, step)
        assert max(longest) < 10, (crowd, max(longest))


@in_fresh_python
def test_counts_are_exact_when_nobody_writes(kind):
    """Also after operations that failed, and after whatever else could make a count drift from the contents."""
    sys.setswitchinterval(1e-6)
    m = safemap.create(kind)

    class Unlucky:
        def __hash__(self):
            return chance.randrange(8)

        def __eq__(self, other):
            raise LookupError

    chance = random.Random(kind)

    def work(seed):
        mine = random.Random(seed)
        for _ in range(250):
            key = mine.randrange(400)
            try:
                mine.choice(
                    [
                        lambda: m.__setitem__(key, 1),
                        lambda: m.__delitem__(key),
                        lambda: m.popitem(),
                        lambda: m.update({key: 1, key + 1: 2, key + 2: 3}),
                        lambda: m.compute(key, lambda _: safemap.MISSING, 0),
                        lambda: m.pop(key),
                        lambda: m.setdefault(key, 1),
                        lambda: m.compute(key, lambda _: 1 / 0, 0),
                        lambda: m.get(Unlucky()),
                        lambda: m.clear() if key < 20 else m.get(key),
                    ]
                )()
            except (KeyError, LookupError, ZeroDivisionError):
                pass

    for round_ in range(3):
        in_threads(*(lambda s=s: work((round_, s).__hash__()) for s in range(THREADS)))
        assert len(m) == len(list(m)) == len(m.to_dict()) == len(m.snapshot()) == sum(1 for _ in m.items())
        m._check()


@in_fresh_python
def test_copies_made_while_others_write_are_whole_and_free(kind):
    sys.setswitchinterval(1e-5)
    m = safemap.create(kind, {i: 100 for i in range(30)})

    def transfer(number):
        with m.locked():
            m[number % 30] -= 1
            m[(number + 11) % 30] += 1

    copies = {
        "copy": lambda: m.copy(),
        "copy.copy": lambda: copy.copy(m),
        "deepcopy": lambda: copy.deepcopy(m),
        "pickle": lambda: pickle.loads(pickle.dumps(m)),
        "or": lambda: m | {},
        "class": lambda: type(m)(m),
        "snapshot": lambda: pickle.loads(pickle.dumps(m.snapshot())),
    }

    def look():
        for name, make in [*copies.items()] * 12:
            made = make()
            assert sum(made.values()) == 3000, name

    watched(look, transfer, transfer)
    with m.locked():  # no lock, and no hold of one, goes with a copy
        made = [make() for name, make in copies.items() if name != "snapshot"]
        in_other_thread(lambda: [each.compute(1, lambda n: n + 1) for each in made], timeout=5)
        in_other_thread(lambda: [each._check() for each in made], timeout=5)

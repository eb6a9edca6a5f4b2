"""Finalizers and the collector in the middle of everything; what a map must let go of."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import time
import weakref

import safemap
from safemap.testing.threads import in_threads
from tests.support import in_fresh_python


class Thing:
    """A key or a value that can be watched dying."""


def use(m, tag):
    m[tag, "set"] = 1
    m.compute((tag, "compute"), lambda n: n + 1, 0)
    m.update({(tag, "a"): 1, (tag, "b"): 2})
    with m.entry((tag, "entry")) as entry:
        entry.value = 1
    m.pop((tag, "a"))
    with m.locked():
        m[tag, "locked"] = 1
    assert len(m.snapshot()) >= 4, "its own writes"
    list(m.items())


REMOVALS = {
    "set": lambda m, k: m.__setitem__(k, 1),
    "del": lambda m, k: m.__delitem__(k),
    "pop": lambda m, k: m.pop(k) and None,
    "popitem": lambda m, k: m.popitem() and None,
    "clear": lambda m, k: m.clear(),
    "update": lambda m, k: m.update({k: 1, "other": 2}),
    "swap": lambda m, k: m.swap(k, 1) and None,
    "compute": lambda m, k: m.compute(k, lambda _: 1),
    "compute remove": lambda m, k: m.compute(k, lambda _: safemap.MISSING),
    "compare_and_delete": lambda m, k: m.compare_and_delete(k, m[k]),
    "entry": lambda m, k: remove_by_entry(m, k),
}


def remove_by_entry(m, key):
    with m.entry(key) as entry:
        entry.delete()


@in_fresh_python
def test_what_dies_may_use_the_map(kind):
    """A value's finalizer and a weak reference's callback, whatever removed the value; and both at once."""
    for name, remove in REMOVALS.items():
        ran = []

        class Dying(Thing):
            def __del__(self):
                use(m, "finalizer")  # noqa: B023
                ran.append("finalizer")  # noqa: B023

        m = safemap.create(kind, {"k": Dying()})
        watched = weakref.ref(m["k"], lambda _: (use(m, "weak"), ran.append("weak")))  # noqa: B023
        remove(m, "k")
        gc.collect()
        assert sorted(ran) == ["finalizer", "weak"], name
        assert watched() is None
        if name != "clear":
            assert m["finalizer", "locked"] == m["weak", "locked"] == 1, name
        m._check()


@in_fresh_python(each=True)
def test_a_finalizer_that_comes_while_a_snapshot_is_made(kind):
    """At each allocation in turn, it adds many keys. Those that were there before are in the snapshot."""

    class Cycle:
        def __init__(self, left):
            self.me, self.left = self, left

        def __del__(self):
            if done:
                return
            if self.left:
                Cycle(self.left - 1)  # for the next run of the collector
            else:
                done.append(1)
                m.update(dict.fromkeys(range(1000, 1400)))

    for n in range(30):
        done = []
        m = safemap.create(kind, dict.fromkeys(range(150)))
        gc.collect()
        gc.disable()
        Cycle(n)
        kept = [{} for _ in range(100)]  # new objects are allocated from here on, not taken from free lists
        gc.set_threshold(1)
        gc.enable()
        snapshot = m.snapshot()
        gc.set_threshold(700)
        done.append(1)
        assert set(range(150)) <= set(snapshot), n
        assert len(snapshot) == len(list(snapshot)) == len(snapshot.to_dict()), n
        m._check()
        del kept


@in_fresh_python(each=True)
def test_ten_thousand_finalizers_at_any_allocation(kind):
    """The collector at threshold 1: cycles die in the middle of any operation, and their finalizers write.

    What `queue.SimpleQueue` promises for `put`, for every operation.
    """

    class Cycle:
        def __init__(self):
            self.me = self

        def __del__(self):
            n = next(died)
            # Keys enough that no two that are in the middle of one another have the same.
            m.merge(("died", n % 500), 1, int.__add__)
            m[n % 20] = n
            m.pop((n + 7) % 20, None)
            if n % 100 == 0:
                list(m.items()), m.snapshot()

    died = itertools.count()
    m = safemap.create(kind, {i: i for i in range(20)})
    gc.collect()
    gc.freeze()  # what is there already need not be looked at ten thousand times
    gc.set_threshold(1)
    for i in range(2000):
        for _ in range(5):
            Cycle()
        m[i % 20] = [i]
        m.update({"a": [i], "b": [i]})
        m.setdefault(("t", i % 20), [])
        m.compute("c", lambda n: n + 1, 0)
        if i % 20 == 0:
            snapshot = m.snapshot()
            assert snapshot.to_dict() == dict(snapshot.items())
            contents = m.to_dict()
            assert len(contents) == len(list(contents))
    gc.set_threshold(700)
    gc.collect()
    assert m["c"] == 2000
    assert next(died) == 10_000
    assert {n for key, n in m.items() if isinstance(key, tuple) and key[0] == "died"} == {20}, "none was lost"
    assert len(m) == len(m.to_dict())
    m._check()


@in_fresh_python(each=True)
def test_a_finalizer_meets_a_section_that_is_about_to_begin(kind):
    for section in (lambda m: m.clear(), lambda m: in_section(m)):
        m = safemap.create(kind)
        dying, outcomes = threading.Event(), []

        class Value:
            def __del__(self):
                dying.set()  # noqa: B023
                time.sleep(0.1)
                try:
                    m.compute("died", lambda n: n + 1, 0)  # noqa: B023
                    outcomes.append("done")  # noqa: B023
                except safemap.DeadlockError as error:
                    outcomes.append(error)  # noqa: B023

        m["k"] = Value()
        m.get("k"), m.snapshot()

        def work(section=section, m=m, dying=dying):
            dying.wait(10)
            section(m)

        thread = threading.Thread(target=work)
        thread.start()
        m["k"] = 1
        thread.join(10)
        assert outcomes == ["done"]
        assert not thread.is_alive()
        m._check()


def in_section(m):
    with m.locked():
        m["section"] = 1


@in_fresh_python
def test_finalizers_in_two_threads_do_not_wait_for_one_another(kind):
    class Value:
        def __init__(self, number):
            self.number = number

        def __del__(self):
            m.compute(("died", self.number), lambda n: n + 1, 0)
            m[self.number % 5] = None

    m = safemap.create(kind)
    sys.setswitchinterval(1e-6)

    def work(offset):
        for i in range(200):
            m[(i + offset) % 5] = Value(i + 1000 * offset)
            m.swap((i + 2) % 5, None)
            if i % 40 == 0 and kind != "read_dirty":  # see the test before this one
                m.clear()

    in_threads(lambda: work(0), lambda: work(2), timeout=30)
    m.update(dict.fromkeys(range(5)))
    gc.collect()
    counts = [n for key, n in m.items() if isinstance(key, tuple)]
    assert set(counts) <= {1}
    m._check()


@in_fresh_python
def test_keys_and_values_die_when_they_are_removed(kind):
    """Also those that have been read often, that were claimed, and that others waited for."""
    for name, remove in REMOVALS.items():
        m = safemap.create(kind)
        key, value = Thing(), Thing()
        m[key] = value
        for _ in range(5):
            assert m[key] is m.get(key) is value
            list(m.items())
            with m.entry(key) as entry:
                assert entry.value is value
        computing = [lambda m=m, key=key: [m.compute(key, lambda v: v) for _ in range(5)]] * 2
        in_threads(*computing)
        gone = [weakref.ref(value)] + (
            [weakref.ref(key)] if name not in ("set", "update", "swap", "compute") else []
        )
        remove(m, key)
        del key, value, entry, computing
        gc.collect()
        assert [reference() for reference in gone] == [None] * len(gone), name


@in_fresh_python
def test_snapshots_and_iterators_keep_what_they_show_and_no_more(kind):
    m = safemap.create(kind, {i: Thing() for i in range(300)})
    gone = [weakref.ref(value) for value in m.values()]
    looks = [m.snapshot(), iter(m.items()), iter(m.values()), m.snapshot().items()]
    m.update(dict.fromkeys(range(300)))
    gc.collect()
    assert all(reference() is not None for reference in gone), "the first snapshot shows them"
    assert all(isinstance(value, Thing) for value in looks[0].values())
    looks.clear()
    gc.collect()
    assert not any(reference() for reference in gone)
    if kind == "copy_on_write" and not safemap.compiled:
        m[0] = 1  # finds that no version is left
        assert not [live for live in m._live if live()]
    m._check()


@in_fresh_python
def test_threads_that_are_gone_leave_nothing_behind(kind):
    """Idents are used again: whatever is kept by ident would be taken for the new thread's."""
    m = safemap.create(kind, {"n": 0})

    def work():
        m.compute("n", lambda n: n + 1)
        m.get("n")
        with m.entry("k"):
            pass
        with m.locked():
            pass

    def run(count):
        for _ in range(count):
            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        gc.collect()
        return len(gc.get_objects())

    run(20)
    before = run(20)
    after = run(400)
    assert after - before < 100, (before, after)
    assert m["n"] == 2 * 440
    m._check()


@in_fresh_python(
    skip="" if sys.version_info[:2] != (3, 13) or sys._is_gil_enabled() else "it keeps classes for ever"
)
def test_a_map_in_a_cycle_is_collected(kind):
    class Holder(Thing):
        pass

    def cycle():
        m = safemap.create(kind)
        holder = Holder()
        holder.map = m
        m["itself"], m["holder"], m["method"], m["look"] = m, holder, m.get, iter(m.items())
        return weakref.ref(m), weakref.ref(holder)

    gone = [reference for _ in range(20) for reference in cycle()]
    for _ in range(3):
        gc.collect()
    assert not any(reference() for reference in gone)

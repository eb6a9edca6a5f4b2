"""A thread may use a map from anywhere: from __eq__, __hash__, __del__, a weak reference's callback, a collector
run, a signal handler. Reads work, writes work, nothing hangs."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import weakref

import pytest

from tests.support import Key, in_other_thread, in_threads


def use_all_of(m, tag):
    """Do a bit of everything with the map, on keys of its own."""
    m[f"{tag} set"] = 1
    assert m[f"{tag} set"] == 1
    m.get("plain")
    m.setdefault(f"{tag} default", 2)
    m.compute(f"{tag} compute", lambda n: n + 1, 0)
    m.update({f"{tag} update": 1, f"{tag} set": 2})
    m.pop(f"{tag} default", None)
    with m.entry(f"{tag} entry") as entry:
        entry.value = 3
    with m.locked():
        m[f"{tag} locked"] = 4
    list(m.items())
    list(m.keys() | set())
    m.snapshot().to_dict()
    m.to_dict()
    len(m)


OPERATIONS = {
    "m[k]": lambda m, k: m[k],
    "get": lambda m, k: m.get(k),
    "in": lambda m, k: k in m,
    "m[k] = v": lambda m, k: m.__setitem__(k, "new"),
    "del": lambda m, k: m.__delitem__(k),
    "setdefault": lambda m, k: m.setdefault(k, "new"),
    "pop": lambda m, k: m.pop(k),
    "update": lambda m, k: m.update({k: "new", "other": 1}),
    "swap": lambda m, k: m.swap(k, "new"),
    "compare_and_set": lambda m, k: m.compare_and_set(k, 2, "new"),
    "compute": lambda m, k: m.compute(k, lambda _: "new"),
    "compute_if_absent": lambda m, k: m.compute_if_absent(k, lambda _: "new"),
    "merge": lambda m, k: m.merge(k, "new", lambda _, new: new),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("where", ["on_eq", "on_hash"])
def test_from_a_keys_eq_and_hash(variant, name, where):
    m = variant({Key("a"): 1, Key("b"): 2, "plain": 3})
    depth = []

    def callback():
        if not depth:
            depth.append(1)
            use_all_of(m, name)
            depth.clear()

    hostile = Key("b")
    setattr(hostile, where, callback)
    OPERATIONS[name](m, hostile)
    setattr(hostile, where, None)
    assert m[f"{name} set"] == 2
    assert m[f"{name} entry"] == 3
    expected = {"m[k]": 2, "get": 2, "in": 2, "del": None, "pop": None, "compute_if_absent": 2, "setdefault": 2}
    assert m.get(hostile) == expected.get(name, "new")
    m._check()
    assert in_other_thread(lambda: m.compute(hostile, lambda _: "free", None)) == "free"


def test_an_eq_that_changes_the_very_key(variant):
    m = variant({Key("a"): 1, Key("b"): 2})
    hostile = Key("b")
    seen = []

    def callback():
        if not seen:
            seen.append(1)
            del m[Key("b")]
            m[Key("c")] = 3

    hostile.on_eq = callback
    m[hostile] = "new"
    hostile.on_eq = None
    assert {k.name: v for k, v in m.items()} == {"a": 1, "b": "new", "c": 3}
    m._check()


def test_an_eq_that_grows_the_map_past_all_its_tables(variant):
    m = variant({Key("a"): 1, Key("b"): 2})
    hostile = Key("x")
    seen = []

    def callback():
        if not seen:
            seen.append(1)
            for i in range(2000):
                m[i] = i

    hostile.on_eq = callback
    m[hostile] = "new"
    hostile.on_eq = None
    assert m[hostile] == "new"
    assert len(m) == 2003
    m._check()


@pytest.mark.parametrize("how", ["set", "del", "pop", "clear", "update", "compute", "swap", "popitem"])
def test_from_an_old_values_del(variant, how):
    class Value:
        def __del__(self):
            use_all_of(m, "del")
            ran.append(1)

    ran = []
    m = variant(k=Value())
    {
        "set": lambda: m.__setitem__("k", 1),
        "del": lambda: m.__delitem__("k"),
        "pop": lambda: m.pop("k") and None,
        "clear": lambda: m.clear(),
        "update": lambda: m.update(k=1, other=2),
        "compute": lambda: m.compute("k", lambda _: 1),
        "swap": lambda: m.swap("k", 1) and None,
        "popitem": lambda: m.popitem() and None,
    }[how]()
    gc.collect()
    assert ran == [1]
    assert m["del entry"] == 3
    m._check()


def test_from_a_weak_references_callback(variant):
    class Value:
        pass

    ran = []
    m = variant(k=Value())
    reference = weakref.ref(m["k"], lambda _: (use_all_of(m, "weak"), ran.append(1)))
    m["k"] = 1
    gc.collect()
    assert ran == [1]
    assert reference() is None
    assert m["weak entry"] == 3
    m._check()


def test_from_finalizers_at_any_allocation(variant):
    """With the collector run at every allocation, finalizers come in the middle of everything."""

    class Cycle:
        def __init__(self):
            self.me = self

        def __del__(self):
            n = m.compute("finalized", lambda n: n + 1, 0)
            m[n % 50] = n
            m.pop((n + 25) % 50, None)
            list(m.items())
            m.snapshot()

    m = variant({i: i for i in range(100)})
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for i in range(150):
            Cycle()
            m[i] = [i]
            m.update({i: [i], i + 1: [i + 1]})
            snapshot = m.snapshot()
            assert snapshot.to_dict() == dict(snapshot.items())
            m.to_dict()
            list(m.items())
            m.compute(i, lambda v: [v])
            m.setdefault(("t", i), [])
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert m["finalized"] == 150
    assert len(m) == len(m.to_dict())
    m._check()


@pytest.mark.parametrize("copy", ["to_dict", "snapshot"])
def test_from_a_finalizer_in_the_middle_of_copying(variant, copy):
    """A copy's length and contents belong together; up to 3.11 `dict.copy` itself gets this wrong."""

    class Cycle:
        def __init__(self, left):
            self.me, self.left = self, left

        def __del__(self):
            if self.left:
                Cycle(self.left - 1)  # for the next run of the collector
            if self.left % 2:
                m.pop("more", None)
            else:
                m["more"] = self

    threshold = gc.get_threshold()
    for n in range(40):
        m = variant({i: [i] for i in range(100)})
        gc.collect()
        gc.disable()
        Cycle(n)
        kept = [{} for _ in range(100)]  # new dicts are allocated from here on, not taken from the free list
        gc.set_threshold(1)
        gc.enable()
        try:
            copied = getattr(m, copy)()
        finally:
            gc.set_threshold(*threshold)
        if copy == "snapshot":
            copied = copied.to_dict()
        assert len(list(copied)) == len(copied)
        del kept


def test_finalizers_in_two_threads(variant):
    class Value:
        def __init__(self, number):
            self.number = number

        def __del__(self):
            # A key of its own: without the GIL one finalizer can come in the middle of another's `compute`.
            m.compute(("finalized", self.number), lambda n: n + 1, 0)
            m.merge("all", 1, int.__add__)
            m.get(self.number % 7)

    m = variant()

    def work(offset):
        for i in range(300):
            m[(i + offset) % 5] = Value(i + 1000 * offset)

    in_threads(lambda: work(0), lambda: work(2))
    for key in range(5):
        m.pop(key, None)
    gc.collect()
    finalized = {key: n for key, n in m.items() if isinstance(key, tuple)}
    assert len(finalized) == 600
    assert set(finalized.values()) == {1}
    m._check()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers on this system")
def test_from_a_signal_handler(variant):
    m = variant({i: 0 for i in range(50)})
    handled = []
    running = []
    stop = threading.Event()

    def handler(*_):
        if running:
            return  # in the middle of itself it would overwrite its own `compute`, as any function may
        running.append(1)
        handled.append(1)
        n = len(handled)
        m[n % 50] = n
        m.compute("signals", lambda s: s + 1, 0)
        list(m.items())
        m.snapshot()
        m.pop(f"x{n % 3}", None)
        running.clear()

    def other():
        while not stop.is_set():
            for i in range(50):
                m.compute(i, lambda n: n)
                m[f"x{i % 3}"] = i
                m.update({1: 2, 3: 4})

    thread = threading.Thread(target=other, daemon=True)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        thread.start()
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        for _ in range(60):
            for i in range(50):
                m[i] = i
                m.compute(i, lambda n: n)
            m.update({1: 1, 2: 2})
            list(m.items())
            m.snapshot().to_dict()
            len(m)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert m["signals"] == len(handled) > 0
    m._check()


@pytest.mark.skipif(
    sys.version_info[:2] == (3, 13) and not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="free-threaded 3.13 keeps classes for ever, and what they refer to",
)
def test_the_collector_frees_maps_and_lets_finalizers_use_them(variant):
    seen = []

    def cycle():
        class Value(int):  # not known to the collector: it dies only when the map's own tables are cleared
            __slots__ = ()

            def __del__(self):
                try:
                    type(self).map["written by a finalizer"] = 1
                    seen.append(type(self).map.get("k", "gone"))
                except BaseException as error:  # would be ignored where it is raised
                    seen.append(error)

        m = variant()
        Value.map = m
        m["itself"] = m
        m["k"] = Value(3)
        return weakref.ref(m)

    gone = cycle()
    for _ in range(3):
        gc.collect()
    assert gone() is None
    assert len(seen) == 1
    assert not isinstance(seen[0], BaseException), seen

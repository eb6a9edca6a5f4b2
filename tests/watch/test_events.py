"""Which events there are, of which operation, and in which order in one thread."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

import safemap.watch
from safemap import MISSING, CopyOnWriteMap, MutexMap, ShardedMap, Snapshot
from safemap.testing.hostile import Hostile, Key
from safemap.testing.threads import in_other_thread, in_threads
from safemap.watch import Event, WatchedMap
from tests.support import come_at_every_line
from tests.watch.support import WAIT

A = {"a": 1}


def raising(*_):
    raise Hostile


def assign(entry, value):
    entry.value = value


def with_entry(m, key, change):
    with m.entry(key) as entry:
        change(entry)


def in_section(m):
    with m.locked():
        m["b"] = 2
        m.compute("a", lambda n: n + 1)
        del m["b"]


OPERATIONS = {
    # name: (operation on a map with a=1, its events as (kind, key, old, new))
    "set": (lambda m: m.__setitem__("a", 2), [("changed", "a", 1, 2)]),
    "set to the same": (lambda m: m.__setitem__("a", 1), [("changed", "a", 1, 1)]),
    "set new": (lambda m: m.__setitem__("b", 2), [("added", "b", MISSING, 2)]),
    "set None": (lambda m: m.__setitem__("b", None), [("added", "b", MISSING, None)]),
    "del": (lambda m: m.__delitem__("a"), [("removed", "a", 1, MISSING)]),
    "pop": (lambda m: m.pop("a"), [("removed", "a", 1, MISSING)]),
    "pop absent": (lambda m: m.pop("b", None), []),
    "popitem": (lambda m: m.popitem(), [("removed", "a", 1, MISSING)]),
    "setdefault": (lambda m: m.setdefault("b", 2), [("added", "b", MISSING, 2)]),
    "setdefault present": (lambda m: m.setdefault("a", 2), []),
    "swap": (lambda m: m.swap("a", 2), [("changed", "a", 1, 2)]),
    "compare_and_set": (lambda m: m.compare_and_set("a", 1, 2), [("changed", "a", 1, 2)]),
    "compare_and_set other": (lambda m: m.compare_and_set("a", 5, 2), []),
    "compare_and_delete": (lambda m: m.compare_and_delete("a", 1), [("removed", "a", 1, MISSING)]),
    "compare_and_delete other": (lambda m: m.compare_and_delete("a", 5), []),
    "compute": (lambda m: m.compute("a", lambda n: n + 1), [("changed", "a", 1, 2)]),
    "compute removes": (lambda m: m.compute("a", lambda _: MISSING), [("removed", "a", 1, MISSING)]),
    "compute nothing": (lambda m: m.compute("b", lambda _: MISSING, 0), []),
    "compute_if_absent": (lambda m: m.compute_if_absent("b", lambda _: 2), [("added", "b", MISSING, 2)]),
    "compute_if_absent present": (lambda m: m.compute_if_absent("a", raising), []),
    "compute_if_present": (lambda m: m.compute_if_present("a", lambda _: 2), [("changed", "a", 1, 2)]),
    "merge": (lambda m: m.merge("a", 2, int.__add__), [("changed", "a", 1, 3)]),
    "entry": (lambda m: with_entry(m, "a", lambda e: (assign(e, 5), assign(e, 2))), [("changed", "a", 1, 2)]),
    "entry deletes": (lambda m: with_entry(m, "a", lambda e: e.delete()), [("removed", "a", 1, MISSING)]),
    "entry looks": (lambda m: with_entry(m, "a", lambda e: e.value), []),
    "entry deletes nothing": (lambda m: with_entry(m, "b", lambda e: e.delete()), []),
    "update": (lambda m: m.update(a=2, b=3), [("changed", "a", 1, 2), ("added", "b", MISSING, 3)]),
    "update one": (lambda m: m.update(a=2), [("changed", "a", 1, 2)]),
    "|=": (lambda m: m.__ior__({"b": 2}), [("added", "b", MISSING, 2)]),
    "clear": (lambda m: m.clear(), [("cleared", MISSING, A, MISSING)]),
    "locked": (in_section, [("added", "b", MISSING, 2), ("changed", "a", 1, 2), ("removed", "b", 2, MISSING)]),
    "read": (lambda m: (m["a"], m.get("b"), m.snapshot(), list(m)), []),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_events_of_an_operation(variant, name):
    operation, expected = OPERATIONS[name]
    m = WatchedMap(variant(A))
    events = m.watch()
    operation(m)
    m.close()
    events = list(events)
    assert [tuple(event[:4]) for event in events] == expected
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))


FAILING = {
    "compute": lambda m: m.compute("a", raising),
    "compute_if_absent": lambda m: m.compute_if_absent("b", raising),
    "merge": lambda m: m.merge("a", 1, raising),
    "entry": lambda m: with_entry(m, "a", lambda e: (assign(e, 2), raising())),
    "update": lambda m: m.update(pair for pair in [("a", 2), raising]),
    "del": lambda m: m.__delitem__("b"),
    "unhashable": lambda m: m.__setitem__([], 1),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_raises_is_no_event(variant, name):
    m = WatchedMap(variant(A))
    events = m.watch()
    with pytest.raises((Hostile, KeyError, TypeError)):
        FAILING[name](m)
    m.close()
    assert list(events) == []
    assert m == A


def test_clearing_an_empty_map_is_no_event(variant):
    m = WatchedMap(variant())
    events = m.watch()
    m.clear()
    m.close()
    assert list(events) == []


def test_a_default_factory_of_the_inner_map_makes_an_event(variant):
    m = WatchedMap(variant.cls.configured(default_factory=list))
    events = m.watch()
    m["a"].append(1)
    assert next(events)[:4] == ("added", "a", MISSING, [1])
    assert m.default_factory is list


def test_an_event_is_a_tuple_with_names():
    event = Event("changed", "a", 1, 2, 7)
    match event:
        case Event(kind="changed", key="a", old=1, new=new, sequence=7):
            assert new == 2
        case _:
            raise AssertionError


class TestKeys:
    def test_only_these(self, variant):
        m = WatchedMap(variant(a=1, b=2))
        events = m.watch(keys=["a", "x"])
        m["b"] = 3
        m["a"] = 2
        m["c"] = 3
        m.update(x=1, y=2)
        m.clear()
        m["y"] = 1
        m.clear()
        m.close()
        kinds = [(event.kind, event.key) for event in events]
        assert kinds == [("changed", "a"), ("added", "x"), ("cleared", MISSING)], (
            "the second clear was not of these"
        )

    def test_of_the_initial_contents_too(self, variant):
        m = WatchedMap(variant(a=1, b=2))
        events = m.watch(keys=["a", "x"], initial=True)
        m.close()
        assert [(event.kind, event.key, event.new) for event in events] == [("added", "a", 1)]

    @pytest.mark.parametrize("keys", ["name", b"name"])
    def test_one_key_is_not_several(self, keys):
        with pytest.raises(TypeError, match="write"):
            WatchedMap().watch(keys=keys)

    def test_a_key_that_cannot_be_compared_is_told_to_all(self):
        m = WatchedMap()
        events = m.watch(keys=[Key("x", hash_=hash("a"), on_eq=raising)])
        m["a"] = 1
        m.close()
        assert [event.key for event in events] == ["a"]


class TestReentrant:
    """A key that writes to the map in the middle of a write: the replica is right in the end."""

    @pytest.mark.parametrize("when", range(12))
    def test_a_write_to_the_very_key_from_its_eq(self, variant, when):
        m = WatchedMap(variant({Key("a"): 1}))
        events = m.watch(initial=True)
        calls = []

        def callback():
            calls.append(1)
            if len(calls) == when + 1:
                key.on_eq = None
                m["a-like"] = "other"
                m[Key("a")] = "nested"

        key = Key("a", on_eq=callback)
        m[key] = "outer"
        key.on_eq = None
        m.close()
        replica = {}
        for event in events:
            replica[getattr(event.key, "name", event.key)] = event.new
        assert replica == {getattr(key, "name", key): value for key, value in m.items()}

    def test_finalizers_that_write_at_any_allocation(self, variant):
        class Cycle:
            def __init__(self, n):
                self.me, self.n = self, n

            def __del__(self):
                m["k"] = self.n

        m = WatchedMap(variant())
        events = m.watch(initial=True)
        threshold = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(1)
        try:
            for n in range(300):
                Cycle(n)
                m["k"] = [n]
                m.update(k=[n, 1], j=[n])
        finally:
            gc.set_threshold(*threshold)
            gc.unfreeze()
        gc.collect()
        m.close()
        replica = {}
        for event in events:
            replica[event.key] = event.new
        assert replica == m.to_dict()

    @pytest.mark.parametrize("heard", [False, True])
    def test_a_finalizer_may_use_the_map_at_any_line(self, variant, heard):
        def begin():
            m = WatchedMap(variant(a=1))
            events = m.watch() if heard else []
            going = [True]

            def operation():
                m["a"] = 2
                with m.entry("b") as entry, m.locked():
                    entry.value = 3
                    m.update(c=4, d=5)
                m.clear()
                m["e"] = 6
                going.clear()
                m._check()
                m.close()
                replica = {"a": 1}
                for event in events:
                    if event.kind == "cleared":
                        replica.clear()
                    else:
                        replica[event.key] = event.new
                assert m["e"] == 6
                assert not heard or replica == m.to_dict()

            def come():
                if going:
                    with m.locked():
                        m.compute("finalized", lambda n: n + 1, 0)
                    assert m["finalized"] == 1

            return operation, come

        assert come_at_every_line(str(Path(safemap.watch.__file__).parent), begin) > 100


class Interrupted(BaseException):
    """What comes from outside."""


class Interruptible(ShardedMap):
    """A map that can be interrupted just after it was changed, as signal handlers and finalizers do it."""

    then = None
    first = None

    def _before(self):
        first, self.first = self.first, None
        if first is not None:
            first()

    def _interrupt(self):
        then, self.then = self.then, None
        if then is not None:
            then()

    def swap(self, key, value, default=None):
        self._before()
        previous = super().swap(key, value, default)
        self._interrupt()
        return previous

    def pop(self, key, *default):
        self._before()
        previous = super().pop(key, *default)
        self._interrupt()
        return previous

    def popitem(self):
        self._before()
        item = super().popitem()
        self._interrupt()
        return item

    def clear(self):
        self._before()
        super().clear()
        self._interrupt()

    def update(self, *items, **named):
        self._before()
        super().update(*items, **named)
        self._interrupt()


class InterruptibleAtOnce(Interruptible):
    """The same, where an `update` is one step of the inner map."""

    guarantees = MutexMap.guarantees


INTERRUPTED = {
    "set": lambda m: m.__setitem__("k", "outer"),
    "pop": lambda m: m.pop("k"),
    "compute": lambda m: m.compute("k", lambda _: "outer"),
    "clear": lambda m: m.clear(),
    "update": lambda m: m.update(k="outer", j="outer"),
    "popitem": lambda m: m.popitem(),
}


def replica_of(events):
    contents = {}
    for event in events:
        if event.kind == "cleared":
            contents.clear()
        elif event.new is MISSING:
            del contents[event.key]
        else:
            contents[event.key] = event.new
    return contents


@pytest.mark.parametrize("inner", [Interruptible, InterruptibleAtOnce])
@pytest.mark.parametrize("name", INTERRUPTED)
class TestInterrupted:
    @pytest.mark.parametrize("nested", ["set", "pop"])
    def test_by_a_write_of_its_own_thread_just_after_the_change(self, inner, name, nested):
        m = WatchedMap(inner(k="old"))
        events = m.watch(initial=True)
        m.inner.then = lambda: m.__setitem__("k", "nested") if nested == "set" else m.pop("k", None)
        INTERRUPTED[name](m)
        assert m.inner.then is None
        m.close()
        assert replica_of(events) == m.to_dict()
        assert ("k" in m) == (nested == "set")

    def test_by_somebody_who_begins_to_listen_just_before_the_change(self, inner, name):
        """Whoever has begun to listen is told of what is changed afterwards, and need not wait for it."""
        m = WatchedMap(inner(k="old"))
        began = []
        m.inner.first = lambda: began.append(in_other_thread(m.watch))
        INTERRUPTED[name](m)
        m.close()
        (events,) = began
        told = list(events)
        assert told
        assert told[0].old == ({"k": "old"} if name == "clear" else "old")

    def test_by_an_exception_just_after_the_change(self, inner, name):
        if name == "popitem":
            pytest.skip("nobody knows then which item it was")
        m = WatchedMap(inner(k="old"))
        events = m.watch(initial=True)

        def interrupt():
            raise Interrupted

        m.inner.then = interrupt
        with pytest.raises(Interrupted):
            INTERRUPTED[name](m)
        m.close()
        assert replica_of(events) == m.to_dict()
        assert m.get("k") != "old", "it was changed"


def test_around_another_map():
    inner = ShardedMap(a=1)
    m = WatchedMap(inner)
    assert m.inner is inner
    m["b"] = 2
    assert inner == {"a": 1, "b": 2}
    assert m.guarantees.update == inner.guarantees.update
    assert "tells" in m.guarantees.mechanism
    with pytest.raises(TypeError, match="inner"):
        WatchedMap.configured(inner={})


def test_a_watched_map_in_a_watched_map():
    inner = WatchedMap(MutexMap(a=1))
    m = WatchedMap(inner)
    near, far = m.watch(), inner.watch()
    m["a"] = 2
    with m.locked():
        m.update(b=1, c=2)
    m.clear()
    m.close()
    inner.close()
    assert [event[:2] for event in near] == [event[:2] for event in far]


def test_copies_have_the_inner_kind_and_no_subscribers(variant):
    m = WatchedMap(variant.cls.configured({"a": 1}, default_factory=int))
    events = m.watch()
    for copy in (m.copy(), m | {}):
        assert type(copy) is WatchedMap
        assert type(copy.inner) is variant.cls
        assert copy == A
        copy["b"] += 1
    m.close()
    assert list(events) == []
    assert m == A


def test_what_clear_removed_is_a_snapshot(variant):
    m = WatchedMap(variant(a=1))
    with m.watch() as events:
        m.clear()
        event = next(events)
    assert isinstance(event.old, Snapshot)


def test_an_event_comes_when_its_change_can_be_seen(variant, rapid_switching):
    """A section shows its changes at its end, where the class guarantees it; nobody hears of them before."""
    m = WatchedMap(variant(a=0))
    seen = []
    m.subscribe(lambda event: seen.append((event.new, m["a"])))
    done = threading.Event()

    def write():
        for n in range(1, 2_000, 2):
            with m.locked():
                m["a"] = n
                m["a"] = n + 1
        done.set()

    def distribute():
        while not done.is_set():
            m.watch().close()

    in_threads(write, distribute)
    m.close(WAIT)
    assert [new for new, _ in seen] == list(range(1, 2_001))
    assert all(now >= new for new, now in seen)


def test_nobody_hears_of_a_section_that_is_just_ending():
    class Late(CopyOnWriteMap):
        def _release_all(self):
            if self:
                in_other_thread(look)
            super()._release_all()

    def look():
        """As another writer does, while the section's changes cannot be seen yet."""
        m._log.distribute()
        with pytest.raises(TimeoutError):
            events.take(0)
        looked.append("a" in m)

    looked = []
    m = WatchedMap(Late())
    events = m.watch()
    with m.locked():
        m["a"] = 1
    assert looked == [False]
    assert events.take(0).key == "a"

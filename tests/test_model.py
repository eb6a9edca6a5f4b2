"""Every variant side by side with a dict, driven by hypothesis; invariants are checked after every step."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from safemap import MISSING, CopyOnWriteMap, ReadDirtyMap
from safemap.testing.hostile import Key
from safemap.testing.threads import in_threads
from tests.conftest import VARIANTS

KEYS = st.sampled_from([0, 1, 2, "a", None, (1, 2), *(Key(name) for name in "wxyz"), *range(100, 130)])
VALUES = st.sampled_from([0, 1, None, "v", (), 2.5])


def outcome(operation):
    """Return what an operation returns, or the error that it raises."""
    try:
        return operation()
    except (KeyError, RuntimeError) as error:
        return type(error), error.args


class Model(RuleBasedStateMachine):
    """A dict and a map, given the same operations. Subclasses say which map."""

    make = staticmethod(dict)

    @initialize()
    def start(self):
        self.map = self.make()
        self.dict = {}
        self.snapshots = []

    def same(self, on_map, on_dict):
        assert outcome(on_map) == outcome(on_dict)

    @rule(key=KEYS, value=VALUES)
    def set(self, key, value):
        self.map[key] = value
        self.dict[key] = value

    @rule(key=KEYS)
    def get(self, key):
        self.same(lambda: self.map[key], lambda: self.dict[key])
        assert self.map.get(key, "?") == self.dict.get(key, "?")
        assert (key in self.map) is (key in self.dict)

    @rule(key=KEYS)
    def delete(self, key):
        self.same(lambda: self.map.__delitem__(key), lambda: self.dict.__delitem__(key))

    @rule(key=KEYS, value=VALUES)
    def setdefault(self, key, value):
        self.same(lambda: self.map.setdefault(key, value), lambda: self.dict.setdefault(key, value))

    @rule(key=KEYS)
    def pop(self, key):
        self.same(lambda: self.map.pop(key), lambda: self.dict.pop(key))

    @rule()
    def popitem(self):
        if not self.dict:
            self.same(self.map.popitem, self.dict.popitem)
        else:
            key, value = self.map.popitem()
            assert self.dict.pop(key) == value

    @rule(items=st.dictionaries(KEYS, VALUES, max_size=8))
    def update(self, items):
        self.map.update(items)
        self.dict.update(items)

    @rule(n=st.integers(0, 400))
    def grow(self, n):
        self.map.update({("grown", i): i for i in range(n)})
        self.dict.update({("grown", i): i for i in range(n)})

    @rule(key=KEYS, value=VALUES)
    def swap(self, key, value):
        assert self.map.swap(key, value, MISSING) == self.dict.get(key, MISSING)
        self.dict[key] = value

    @rule(key=KEYS, expected=VALUES | st.just(MISSING), value=VALUES)
    def compare_and_set(self, key, expected, value):
        matches = self.dict.get(key, MISSING) == expected
        assert self.map.compare_and_set(key, expected, value) is matches
        if matches:
            self.dict[key] = value

    @rule(key=KEYS, expected=VALUES)
    def compare_and_delete(self, key, expected):
        matches = key in self.dict and self.dict[key] == expected
        assert self.map.compare_and_delete(key, expected) is matches
        if matches:
            del self.dict[key]

    @rule(key=KEYS, value=VALUES | st.just(MISSING))
    def compute(self, key, value):
        assert self.map.compute(key, lambda _: value, None) is value
        self.settle(key, value)

    @rule(key=KEYS, value=VALUES | st.just(MISSING))
    def merge(self, key, value):
        if key in self.dict:
            self.map.merge(key, 1, lambda _current, _new: value)
            self.settle(key, value)
        else:
            assert self.map.merge(key, 1, lambda _current, _new: value) == 1
            self.dict[key] = 1

    def settle(self, key, value):
        if value is MISSING:
            self.dict.pop(key, None)
        else:
            self.dict[key] = value

    @rule(key=KEYS, value=VALUES, fail=st.booleans())
    def entry(self, key, value, fail):
        try:
            with self.map.entry(key) as entry:
                assert entry.value == self.dict.get(key, MISSING)
                entry.value = value
                if fail:
                    raise RuntimeError
        except RuntimeError:
            return
        self.dict[key] = value

    @rule()
    def clear(self):
        self.map.clear()
        self.dict.clear()

    @rule()
    def take_snapshot(self):
        self.snapshots = [*self.snapshots[-3:], (self.map.snapshot(), dict(self.dict))]

    @rule()
    def drop_snapshots(self):
        self.snapshots = []

    @invariant()
    def is_the_same(self):
        assert self.map == self.dict
        assert len(self.map) == len(self.dict)
        if self.map.guarantees.insertion_order:
            assert list(self.map.items()) == list(self.dict.items())
        for snapshot, contents in self.snapshots:
            assert snapshot == contents
            assert len(snapshot) == len(contents)
        self.map._check()


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.tag)
def test_behaves_as_a_dict(variant):
    machine = type("Machine", (Model,), {"make": staticmethod(variant)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_pages_split_and_the_directory_doubles():
    m = CopyOnWriteMap()
    for i in range(3000):
        m[i] = i
        if i % 500 == 0:
            m._check()
    assert len(m._pages) >= 16
    m._check()


def test_keys_of_one_hash_do_not_blow_up_the_directory():
    m = CopyOnWriteMap()
    for i in range(400):
        m[Key(str(i))] = i
    assert len(m._pages) <= 32
    assert len(m) == 400
    m._check()


def test_a_write_copies_one_page_and_only_for_a_living_snapshot():
    m = CopyOnWriteMap({i: i for i in range(10_000)})
    snapshot = m.snapshot()
    assert m.snapshot()._version is snapshot._version, "nothing was written in between"
    m[1] = "new"
    m[1] = "newer"
    assert len(snapshot._version.saved) == 1
    assert len(next(iter(snapshot._version.saved.values()))) <= 200
    version = snapshot._version
    del snapshot
    import gc

    gc.collect()
    m[2] = "new"
    assert len(version.saved) <= 2
    del version
    gc.collect()
    m[3] = "new"
    assert m._live == [], "a dropped snapshot costs later writes nothing"


def test_a_key_read_often_never_takes_the_lock():
    m = ReadDirtyMap({i: i for i in range(10)})
    for _ in range(20):
        m.get(1)

    held, done = threading.Event(), threading.Event()

    def hold():
        with m.locked():
            held.set()
            done.wait(10)

    def read():
        held.wait(10)
        assert m[1] == 1
        assert m.get(2) == 2
        assert 3 in m
        assert "absent" not in m
        done.set()

    in_threads(hold, read, timeout=9)


def test_misses_promote():
    m = ReadDirtyMap({i: i for i in range(10)})
    assert len(m._dirty) == 10
    for _ in range(9):
        assert "absent" not in m
    assert len(m._dirty) == 10
    assert "absent" not in m
    assert len(m._dirty) == 0
    assert len(m._read) == 10

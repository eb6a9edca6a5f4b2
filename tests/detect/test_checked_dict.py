"""A checked dict is a dict: what CPython asks of mappings, copies, C code, hostile keys, memory."""

from __future__ import annotations

import collections
import copy
import gc
import json
import pickle
import sys
import threading
import weakref
from pathlib import Path

import pytest

from safemap import detect
from safemap.detect import CheckedDict, keys, threads
from safemap.testing.hostile import Key
from safemap.testing.threads import in_other_thread, in_threads, rapid_switching
from tests.support import come_at_every_line


@pytest.fixture(autouse=True)
def fresh():
    detect.forget()
    yield
    found = detect.reports()
    detect.forget()
    assert found == []


def test_it_is_a_dict():
    d = CheckedDict({"a": 1}, b=2)
    assert isinstance(d, dict)
    assert d == {"a": 1, "b": 2}
    assert not d != {"a": 1, "b": 2}
    assert json.loads(json.dumps(d)) == json.loads(json.dumps(d, indent=1)) == d
    assert (lambda **named: named)(**d) == {**d} == dict(d) == d
    assert type(d | {}) is type({} | d) is dict
    assert d | {"c": 3} == {"a": 1, "b": 2, "c": 3}
    assert {"b": 0} | d == d
    with pytest.raises(TypeError):
        d | [("c", 3)]
    d |= [("c", 3)]
    assert type(d) is CheckedDict
    assert d.pop("c") == 3
    assert list(d) == [*d] == ["a", "b"]
    assert list(reversed(d)) == list(reversed(d.keys())) == ["b", "a"]
    assert list(reversed(d.items())) == [("b", 2), ("a", 1)]
    assert list(reversed(d.values())) == [2, 1]
    assert {**CheckedDict()} == {} == dict(CheckedDict())
    assert dict[str, int](d) == d
    assert CheckedDict[str, int](d) == d
    match d:
        case {"a": value, **rest}:
            assert (value, rest) == (1, {"b": 2})
    assert type(CheckedDict.configured({"a": 1}, kinds=["write"])) is CheckedDict


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_copies_are_plain(protocol):
    d = CheckedDict({"a": [1]})
    for made in (pickle.loads(pickle.dumps(d, protocol)), copy.copy(d), copy.deepcopy(d), d.copy()):
        assert type(made) is dict
        assert made == d
    assert copy.copy(d)["a"] is d["a"] is not copy.deepcopy(d)["a"]


def test_views_are_those_of_a_dict():
    d = CheckedDict({"a": 1, "b": 2})
    assert d.keys() == {"a", "b"} == d.keys()
    assert d.keys() & ["a"] == {"a"} & d.keys() == {"a"}
    assert d.keys() | {"c"} == {"c"} | d.keys() == {"a", "b", "c"}
    assert d.keys() - {"a"} == {"b"}
    assert {"a", "x"} - d.keys() == {"x"}
    assert d.items() ^ {("a", 1)} == {("a", 1)} ^ d.items() == {("b", 2)}
    assert d.keys() <= {"a", "b"} >= d.keys()
    assert d.keys() < {"a", "b", "c"} > d.keys()
    assert d.keys().isdisjoint({"c"})
    assert ("a", 1) in d.items() and "a" in d.keys() and 1 in d.values()
    assert len(d.keys()) == len(d.items()) == len(d.values()) == 2
    assert repr(d.keys()) == "dict_keys(['a', 'b'])"
    assert d.items().mapping == d
    assert isinstance(d.keys(), collections.abc.KeysView)
    assert isinstance(d.items(), collections.abc.ItemsView)
    assert isinstance(d.values(), collections.abc.ValuesView)
    with pytest.raises(TypeError):
        hash(d.keys())
    view = d.values()
    d["c"] = 3
    assert list(view) == [1, 2, 3]


def test_an_iterator_ends_and_stays_ended():
    steps = iter(CheckedDict({"a": 1}))
    assert iter(steps) is steps
    assert steps.__length_hint__() == 1
    assert [next(steps), next(steps, None), next(steps, None)] == ["a", None, None]


def test_errors_are_those_of_a_dict():
    d = CheckedDict()
    for function in (d.__getitem__, d.__delitem__, d.pop):
        with pytest.raises(KeyError) as caught:
            function("k")
        assert caught.value.args == ("k",)
    with pytest.raises(KeyError):
        d.popitem()
    for function in (d.__getitem__, d.get, d.__contains__, d.pop, d.setdefault):
        with pytest.raises(TypeError, match="unhashable"):
            function([])
    with pytest.raises(TypeError, match="unhashable"):
        d[[]] = 1
    with pytest.raises(TypeError):
        CheckedDict(1)
    with pytest.raises(ValueError, match="unknown kind 'x'; known are: iteration"):
        CheckedDict.configured(kinds=["x"])
    with pytest.raises(ValueError, match="on_race must be"):
        CheckedDict.configured(on_race="x")


def test_a_subclass_may_have_missing():
    class Missing(CheckedDict):
        def __missing__(self, key):
            self[key] = value = []
            return value

    d = Missing()
    d["k"].append(1)
    assert d == {"k": [1]}


def test_hostile_keys_and_finalizers_may_use_the_dict():
    d = CheckedDict()
    used = []

    def use():
        if len(used) < 50:
            used.append(1)
            d["other"] = d.get("other", 0) + 1
            d.pop("other", None)

    for n in range(3):
        d[Key(n, on_eq=use, on_hash=use)] = n
    assert Key(1) in d and d[Key(1)] == 1
    del d[Key(1)]

    class Finalized:
        def __del__(self):
            use()
            list(d)

    d["f"] = Finalized()
    d["f"] = None
    d["f"] = Finalized()
    d.clear()
    assert used


def test_a_finalizer_may_use_the_dict_at_any_line_of_a_threads_first_use():
    def begin():
        d = CheckedDict(a=1)

        def operation():
            begun = threads.here.state  # where it was begun, a thread gets this
            del threads.here.state
            d["a"] = 2
            assert d["a"] == 2
            threads.here.state = begun

        def come():
            d["finalized"] = d.get("finalized", 0) + 1
            assert list(d) == ["a", "finalized"]

        return operation, come

    assert come_at_every_line(str(Path(detect.__file__).parent), begin) > 30


def test_keys_values_and_dicts_live_no_longer():
    class Thing:
        pass

    d, key, value, absent = CheckedDict(), Thing(), Thing(), Thing()
    alive = [weakref.ref(each) for each in (key, value, absent)]
    d.setdefault(key, value)
    d[key] = value
    assert absent not in d
    assert d.get((absent,)) is None
    d[absent, 1] = 1
    assert d.pop((absent, 1)) == 1
    dict(d)
    del d[key], key, value, absent
    gc.collect()
    assert [ref() for ref in alive] == [None] * 3
    d[Thing()] = 1
    d.popitem()
    d[Thing()] = 2
    ref = weakref.ref(next(iter(d)))
    d.clear()
    gc.collect()
    assert ref() is None


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(keys, "KEYS", 100)
    d = CheckedDict()
    for n in range(1000):
        d[n] = n
        assert n in d
    check, state = d._check, threads.here.state
    assert len(check.keys.young) + len(check.keys.old) <= 202
    assert len(state.reads) + len(state.older) <= 2 * threads.PENDING + 2
    monkeypatch.setattr(threads, "REMEMBERED", 20)
    with detect.watching():
        for _ in range(60):
            in_other_thread(lambda: d.setdefault(1))
    assert len(threads.here.state.clock) < 60
    assert len(check.writers) <= 65
    assert len(check.keys.of(1).writes) <= 65


def test_copies_are_of_one_moment_while_others_write():
    d, done = CheckedDict({n: 0 for n in range(100)}), threading.Event()

    def write():
        for n in range(300):
            d[1000 + n] = 0
            del d[1000 + n]
        done.set()

    def copy_it():
        while not done.is_set():
            for made in (dict(d), {**d}, d.copy(), dict.fromkeys(d, 0), dict(list(d.items())), d | {}):
                assert len(made) in (100, 101)
            for made in (d.keys() | set(), d.keys() - set(), d.keys() ^ set()):
                assert len(made) in (100, 101)

    with rapid_switching(), detect.watching():
        in_threads(write, copy_it, copy_it)


def test_a_copy_that_is_given_up_is_forgotten():

    d = CheckedDict({"a": 1, "b": 2})

    def fails(**named):
        raise AssertionError

    with pytest.raises(TypeError):
        fails(a=1, **d)
    d["b"] = 3
    assert [d[key] for key in d] == [1, 3]
    assert threads.here.state.bulk is None


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="without the GIL a dict's own iterator says now and then that the keys have changed",
)
def test_threads_may_share_an_iterator():
    d = CheckedDict.configured({n: n for n in range(2000)}, kinds=())
    steps = iter(d)
    with rapid_switching():
        taken = in_threads(*[lambda: [key for key in steps]] * 3)
    assert len(sum(taken, [])) >= 2000


def test_it_is_made_of_slots():
    assert not hasattr(CheckedDict(), "__dict__")
    assert sys.getsizeof(CheckedDict()) < 200

"""The recorder: it is the map that it wraps, counts what is done to it, and keeps nothing alive."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import tracemalloc
import weakref

import pytest

import safemap
from safemap import MISSING
from safemap.bench import Recorder
from safemap.testing.conformance import CONTRACT, Conformance
from safemap.testing.threads import in_threads
from tests.support import run_python

BY_ITS_CLASS = {"fromkeys", "generic alias", "subclass", "missing", "default_factory"}
"""Claims about how a class makes maps; a recorder is made of a map."""
OF_A_COPY = {"copy", "pickle", "union"}
"""Claims that are kept, by maps of the inner map's class."""


def around(kind):
    def make(items=(), /, **named):
        return Recorder(safemap.KINDS[kind](items, **named))

    make.guarantees = safemap.KINDS[kind].guarantees
    return make


class Recorded(Conformance):
    claims = CONTRACT - BY_ITS_CLASS - OF_A_COPY
    test_calling_init_again_updates = None  # it wraps another map


# Recording is the same around each variant but for this: whether it is one lock, and whether batches are whole.


class TestAroundMutexMap(Recorded):
    make = around("mutex")


class TestAroundShardedMap(Recorded):
    make = around("sharded")


@pytest.fixture(params=[*safemap.KINDS])
def recorder(request):
    return Recorder(safemap.create(request.param, {"a": 1, "b": 2}))


def events(recorder):
    """Return the counts of all threads together, of what happened at all."""
    total = {}
    for counts in recorder.seen().threads:
        for event, count in counts.items():
            total[event] = total.get(event, 0) + count
    return {event: count for event, count in total.items() if count}


def locked(m):
    with m.locked() as section:
        assert section is m


def raising(error, function):
    with pytest.raises(error):
        function()


DONE = {
    "m[k]": (lambda m: m["a"], {"get hit": 1}),
    "m[k] of an absent key": (lambda m: raising(KeyError, lambda: m["x"]), {"get miss": 1}),
    "get": (lambda m: m.get("a"), {"find hit": 1}),
    "get of an absent key": (lambda m: m.get("x", default=5), {"find miss": 1}),
    "in": (lambda m: "a" in m, {"contains hit": 1}),
    "in, absent": (lambda m: "x" in m, {"contains miss": 1}),
    "set": (lambda m: m.__setitem__("a", 5), {"set": 1}),
    "swap": (lambda m: m.swap("a", 5), {"swap hit": 1}),
    "swap, absent": (lambda m: m.swap("x", 5), {"swap miss": 1}),
    "del": (lambda m: m.__delitem__("a"), {"delete hit": 1}),
    "del, absent": (lambda m: raising(KeyError, lambda: m.__delitem__("x")), {"delete miss": 1}),
    "pop": (lambda m: m.pop("a"), {"delete hit": 1}),
    "pop, absent": (lambda m: raising(KeyError, lambda: m.pop("x")), {"delete miss": 1}),
    "pop with a default": (lambda m: m.pop("x", None), {"delete miss": 1}),
    "popitem": (lambda m: m.popitem(), {"popitem": 1}),
    "setdefault": (lambda m: m.setdefault("a", 5), {"setdefault hit": 1}),
    "setdefault, absent": (lambda m: m.setdefault("x", 5), {"setdefault maybe": 1}),
    "compute": (lambda m: m.compute("a", lambda value: value + 1), {"compute": 1}),
    "compute that removes": (lambda m: m.compute("a", lambda _: MISSING), {"compute removed": 1}),
    "compute_if_absent": (lambda m: m.compute_if_absent("a", str), {"compute_if_absent hit": 1}),
    "compute_if_absent, absent": (lambda m: m.compute_if_absent("x", str), {"compute_if_absent made": 1}),
    "compute_if_present": (lambda m: m.compute_if_present("a", str), {"compute": 1}),
    "compute_if_present, absent": (lambda m: m.compute_if_present("x", str), {"compute none": 1}),
    "merge": (lambda m: m.merge("a", 1, max), {"compute": 1}),
    "entry": (lambda m: m.entry("a").__enter__().__exit__(None, None, None), {"compute": 1}),
    "compare_and_set": (lambda m: m.compare_and_set("a", 1, 5), {"compare_and_set hit": 1}),
    "compare_and_set that fails": (lambda m: m.compare_and_set("a", 7, 5), {"compare_and_set miss": 1}),
    "compare_and_set, absent": (lambda m: m.compare_and_set("x", MISSING, 5), {"compare_and_set new": 1}),
    "compare_and_delete": (lambda m: m.compare_and_delete("a", 1), {"compare_and_delete hit": 1}),
    "compare_and_delete that fails": (lambda m: m.compare_and_delete("a", 5), {"compare_and_delete miss": 1}),
    "for": (lambda m: [None for _ in m], {"scan": 1}),
    "for in keys": (lambda m: [None for _ in m.keys()], {"scan": 1}),
    "for in values": (lambda m: [None for _ in m.values()], {"scan": 1}),
    "for in items": (lambda m: [None for _ in m.items()], {"scan": 1}),
    "reversed": (lambda m: [None for _ in reversed(m)], {"scan": 1}),
    "in keys": (lambda m: "a" in m.keys(), {"contains hit": 1}),
    "in items": (lambda m: ("a", 1) in m.items(), {"find hit": 1}),
    "snapshot": (lambda m: m.snapshot(), {"snapshot": 1}),
    "to_dict": (lambda m: m.to_dict(), {"snapshot": 1}),
    "copy": (lambda m: m.copy(), {"snapshot": 1}),
    "==": (lambda m: m == {}, {"snapshot": 1}),
    "|": (lambda m: m | {}, {"snapshot": 1}),
    "repr": (repr, {"snapshot": 1}),
    "update": (lambda m: m.update({"c": 3}, d=4), {"update": 1, "updated": 2}),
    "update from pairs": (lambda m: m.update(iter([("c", 3), ("d", 4)])), {"update": 1, "updated": 2}),
    "|=": (lambda m: m.__ior__({"c": 3}), {"update": 1, "updated": 1}),
    "len": (len, {"length": 1}),
    "bool": (bool, {"length": 1}),
    "clear": (lambda m: m.clear(), {"clear": 1, "cleared": 2}),
    "locked": (locked, {"locked": 1}),
}


@pytest.mark.parametrize("what", DONE)
def test_what_is_counted(recorder, what):
    do, expected = DONE[what]
    do(recorder)
    assert events(recorder) == expected


def test_it_does_what_the_map_does(recorder):
    """The same operations, on the recorder and on a map alone: the same results, the same contents."""
    inner = recorder._map
    for do, _ in DONE.values():
        alone = type(inner)({"a": 1, "b": 2})
        recorder.clear()
        recorder.update({"a": 1, "b": 2})
        results = [do(m) for m in (recorder, alone)]
        if not any(isinstance(result, (safemap.ConcurrentMapping, safemap.Entry)) for result in results):
            assert results[0] == results[1]
        assert recorder == alone


def test_all_of_the_contract_is_the_inner_maps(recorder):
    """Nothing public is left to the class that it inherits from, but for what is made of the other operations."""
    inherited = {"keys", "values", "items", "options"}
    for name in dir(safemap.ConcurrentMapping):
        if not name.startswith("_") and name not in inherited:
            owner = next(cls for cls in Recorder.__mro__ if name in vars(cls))
            assert owner.__module__.startswith("safemap.bench"), name
    assert recorder.guarantees is type(recorder._map).guarantees
    assert isinstance(recorder, safemap.ConcurrentMapping)


def test_copies_are_of_the_inner_map(recorder):
    for made in (
        recorder.copy(),
        copy.copy(recorder),
        copy.deepcopy(recorder),
        pickle.loads(pickle.dumps(recorder)),
    ):
        assert type(made) is type(recorder._map)
        assert made == recorder
    assert type(recorder | {"c": 3}) is type({"c": 3} | recorder) is type(recorder._map)


def test_the_inner_maps_factory_makes_missing_values():
    made = Recorder(safemap.ShardedMap.configured(default_factory=list))
    made["a"].append(1)
    made["a"].append(2)
    assert made == {"a": [1, 2]}
    assert made.default_factory is list


@pytest.mark.parametrize("make", [Recorder.configured, lambda: Recorder.fromkeys("ab"), lambda: Recorder([1])])
def test_it_is_made_of_a_map(make):
    with pytest.raises(TypeError, match="wraps? a"):
        make()


def test_a_plain_dict_stays_one():
    recorder = Recorder({"a": 1})
    recorder["b"] = recorder["a"] + recorder.get("x", 1)
    assert dict(recorder.items()) == {"a": 1, "b": 2} == recorder.to_dict()
    assert recorder.pop("b") == 2
    with pytest.raises(AttributeError, match="compute"):
        recorder.compute("a", str)
    assert events(recorder)["set"] == 1


@pytest.mark.parametrize("kind", safemap.KINDS)
def test_counts_are_exact(kind):
    recorder = Recorder(safemap.create(kind, {key: 0 for key in range(10)}))

    def work():
        for n in range(5_000):
            recorder[n % 10]
            recorder[n % 10] = n
            recorder.get(-1)
            recorder.pop(-1, None)

    in_threads(*[work] * 4, timeout=60)
    assert events(recorder) == {"get hit": 20_000, "set": 20_000, "find miss": 20_000, "delete miss": 20_000}
    assert recorder.seen().ever == 4


def test_threads_by_the_thousand_leave_no_memory():
    """In an interpreter where nothing else remembers threads, as tests of the detector may have it."""
    run_python("from tests.bench.test_recorder import start_threads_by_the_thousand as go; go()", timeout=100)


def start_threads_by_the_thousand():
    recorder = Recorder(safemap.ShardedMap({"a": 1}))

    def some(number):
        for _ in range(number):
            thread = threading.Thread(target=recorder.get, args=("a",))
            thread.start()
            thread.join()

    some(1_000)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        some(10_000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 200_000, "a thread leaves a sample now and then, and nothing else"
    assert events(recorder) == {"find hit": 11_000}
    assert recorder.seen().ever == 11_000
    assert recorder.recording().threads == 1, "never two at a time"


class Counted:
    """A key that counts the calls of its `__eq__`."""

    calls = 0

    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        Counted.calls += 1
        return isinstance(other, Counted) and self.number == other.number

    def __hash__(self):
        return self.number % 3  # so that comparisons are needed to tell keys apart


@pytest.mark.parametrize("kind", safemap.KINDS)
def test_keys_are_compared_no_more_often_than_by_the_map(kind):
    def compared(m):
        Counted.calls = 0
        for n in range(1_000):
            m[Counted(n % 7)] = n
            m.get(Counted(n % 9))
            m.setdefault(Counted(n % 7), n)
            m.update(iter([(Counted(n % 7), n), (Counted(n % 7 + 3), n), (Counted(n % 7 + 6), n)]))
            m.compute_if_absent(Counted(n % 8), str)
            m.swap(Counted(n % 6), n)
            if n % 5 == 0:
                m.pop(Counted(n % 7), None)
        return Counted.calls

    alone = compared(safemap.create(kind))
    assert compared(Recorder(safemap.create(kind))) == alone > 0


def test_a_hash_that_raises_is_nobodys_but_the_maps():
    class Fickle:
        calls = 0

        def __hash__(self):
            Fickle.calls += 1
            if Fickle.calls > 1:
                raise ZeroDivisionError
            return 1

    recorder = Recorder({})
    recorder._note(0)
    recorder._local.cells[13] = 0  # the next set is sampled
    recorder[Fickle()] = 1
    assert Fickle.calls == 2
    assert events(recorder)["set"] == 1


def test_keys_and_values_are_not_kept_alive(recorder):
    class Thing:
        pass

    things = []
    for _ in range(2_000):  # enough that some are sampled, and a run is noted
        key, value = Thing(), Thing()
        recorder[key] = value
        recorder.get(key)
        things += [weakref.ref(key), weakref.ref(value)]
        del recorder[key]
    del key, value
    recorder.snapshot()
    recorder.recording()
    recorder.clear()
    recorder["a"] = 1  # whatever a map keeps of the last removal
    gc.collect()
    seen = recorder.seen()
    assert seen.samples and any(seen.runs)
    assert not [thing for thing in things if thing() is not None]


def test_a_recorder_that_nobody_has_any_more_goes():
    recorder = Recorder({})
    recorder["a"] = 1
    gone = weakref.ref(recorder)
    del recorder
    gc.collect()
    assert gone() is None


def test_reset_forgets(recorder):
    recorder["a"] = 1
    recorder.reset()
    assert events(recorder) == {}
    in_threads(lambda: recorder.get("a"))
    recorder.get("a")
    assert events(recorder) == {"find hit": 2}


def test_nobody_waits_for_the_ledger(recorder):
    """Not in a signal handler that comes while the lock is held, and not in a finalizer."""
    with recorder._ledger.lock:
        for n in range(20_000):
            recorder[n % 10] = n
        in_threads(lambda: recorder.get("a"), timeout=10)
    assert events(recorder)["set"] == 20_000


def test_a_size_is_not_waited_for():
    """A function under the map waits for another thread, which must not wait for the map then."""
    recorder = Recorder(safemap.MutexMap({"a": 1}))
    entered, done = threading.Event(), threading.Event()

    def hold():
        with recorder.locked():
            entered.set()
            assert done.wait(20)

    def look():
        assert entered.wait(20)
        recorder._ledger._note_size()
        done.set()

    in_threads(hold, look, timeout=20)


def test_a_child_process_goes_on():
    run_python("""
        import os, sys
        import safemap
        from safemap.bench import Recorder
        if not hasattr(os, "fork"):
            sys.exit()
        recorder = Recorder(safemap.MutexMap())
        recorder["a"] = 1
        recorder._ledger.lock.acquire()
        child = os.fork()
        if not child:
            for n in range(20_000):
                recorder["a"] = n
            os._exit(0 if sum(each["set"] for each in recorder.seen().threads) == 20_001 else 1)
        assert os.waitpid(child, 0)[1] == 0
    """)


def test_importing_the_package_imports_little():
    run_python("""
        import sys, safemap.bench
        assert "safemap.bench.recorder" not in sys.modules
        safemap.bench.Recorder
        assert not {"rich", "fastjsonschema"} & sys.modules.keys()
        try:
            safemap.bench.Recoder
        except AttributeError as error:
            assert "Recoder" in str(error)
        else:
            raise AssertionError
    """)

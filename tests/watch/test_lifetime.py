"""What becomes of threads, subscribers and events: a map is dropped, forked or copied, or the program ends."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import threading
import warnings
import weakref
from pathlib import Path

import safemap
from safemap.watch import WatchedMap
from tests.support import in_fresh_python, run_python
from tests.watch.support import WAIT, Gate

NO_FORK = "" if hasattr(os, "fork") else "no fork on this system"


class Value:
    """What can be referred to weakly."""


def collected(reference):
    for _ in range(3):
        gc.collect()
    return reference() is None


class TestDropped:
    def test_a_map_that_is_dropped_ends_its_threads_and_delivers_first(self, variant):
        before = set(threading.enumerate())
        m = WatchedMap(variant())
        gate = Gate()
        m.subscribe(gate)
        events = m.watch()
        m["a"] = 1
        m["b"] = 2
        assert gate.reached.wait(WAIT)
        (thread,) = set(threading.enumerate()) - before
        reference = weakref.ref(m)
        del m
        assert collected(reference)
        gate.open.set()
        thread.join(WAIT)
        assert not thread.is_alive()
        assert [event.key for event in gate.events] == ["a", "b"]
        assert [event.key for event in events] == ["a", "b"]

    def test_a_subscription_and_an_iterator_do_not_keep_it(self, variant):
        m = WatchedMap(variant())
        subscription, events = m.subscribe(lambda _: None), m.watch()
        reference = weakref.ref(m)
        del m
        assert collected(reference)
        assert list(events) == []
        subscription.close()

    def test_one_dropped_behind_a_gap(self):
        m = WatchedMap(safemap.MutexMap())
        events = m.watch(limit=2)
        m.update({n: n for n in range(10)})
        reference = weakref.ref(m)
        del m
        assert collected(reference)
        assert [event.kind for event in events] == ["added", "added", "lost"]
        assert events.lost == 8

    def test_many_maps_leave_no_thread_behind(self, variant):
        before = set(threading.enumerate())
        for _ in range(50):
            m = WatchedMap(variant())
            m.subscribe(lambda _: None)
            m["a"] = 1
        del m
        gc.collect()
        for thread in set(threading.enumerate()) - before:
            thread.join(WAIT)
            assert not thread.is_alive()

    def test_values_are_let_go_when_they_are_delivered(self, variant):
        m = WatchedMap(variant())
        m.subscribe(lambda _: None)
        m["a"] = Value()
        reference = weakref.ref(m["a"])
        m["a"] = Value()
        m["b"] = 1
        m.flush(WAIT)
        assert collected(reference)
        m.close(WAIT)


def test_a_pickle_has_no_subscribers(variant):
    m = WatchedMap(variant({1: 2}))
    events = m.watch()
    duplicate = pickle.loads(pickle.dumps(m))
    assert type(duplicate.inner) is variant.cls
    duplicate[1] = 3
    m.close()
    assert m == {1: 2}
    assert list(events) == []


def forked(child):
    """Return the exit status of a child in which `child` is called."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        status = 1
        try:
            child()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@in_fresh_python(skip=NO_FORK)
def test_a_child_has_the_map_and_no_subscribers(kind):
    m = WatchedMap(safemap.create(kind, {"a": 1}))
    heard = []
    subscription = m.subscribe(heard.append)
    events = m.watch()
    m["a"] = 2
    m.flush(WAIT)

    def child():
        m["a"] = 3
        assert m == {"a": 3}
        assert list(events) == []
        assert subscription.closed
        m.flush(0)
        again = []
        m.subscribe(again.append)
        later = m.watch()
        m["b"] = 4
        m.close(WAIT)
        assert [event.key for event in again] == ["b"]
        assert again == list(later)
        assert again[0].sequence == 2
        assert [event.new for event in heard] == [2]

    assert forked(child) == 0
    m["a"] = 5
    m.close(WAIT)
    assert [event.new for event in heard] == [2, 5]
    assert [event.new for event in events] == [2, 5]


@in_fresh_python(skip=NO_FORK)
def test_a_child_inside_a_section(kind):
    m = WatchedMap(safemap.create(kind, {"a": 1}))
    with m.locked():
        m["a"] = 2

        def child():
            m["a"] = 3

        assert forked(child) == 0
    with m.entry("a") as entry:
        entry.value = 4
        assert forked(lambda: m.__setitem__("b", 1)) == 0
    m.subscribe(lambda _: None)
    m.close(WAIT)


def test_a_stuck_subscriber_does_not_keep_the_program_from_ending():
    printed = run_python(
        """
        import threading
        from safemap.watch import WatchedMap

        m = WatchedMap()
        stuck = threading.Event()
        m.subscribe(lambda _: (stuck.set(), threading.Event().wait()))
        m["a"] = 1
        assert stuck.wait(20)
        events = m.watch()
        print("end")
        """,
        timeout=30,
    )
    assert printed == "end\n"


def test_a_program_ends_silently():
    """Maps and iterators that are still there at the end, in globals and in cycles, complain of nothing."""
    code = """
from safemap import ShardedMap
from safemap.watch import WatchedMap

m = WatchedMap(ShardedMap())
m.subscribe(lambda event: None)
m["itself"] = m
n = WatchedMap(a=1)
events = n.watch()
n["events"] = events
def function(map=m, events=events): pass
function.itself = function
"""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env=os.environ | {"PYTHONPATH": str(Path(safemap.__file__).parent.parent)},
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_closed_is_delivered_before_the_program_ends():
    printed = run_python(
        """
        from safemap.watch import WatchedMap

        m = WatchedMap()
        m.subscribe(lambda event: print(event.key))
        m.update(a=1, b=2)
        m.close()
        """
    )
    assert printed == "a\nb\n"


def test_the_package_does_not_import_it():
    run_python("import sys, safemap; assert 'safemap.watch' not in sys.modules")

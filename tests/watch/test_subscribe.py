"""Callbacks: where they run, what they may do, and that a slow or raising one harms nobody."""

from __future__ import annotations

import threading

import pytest

from safemap import MutexMap, ShardedMap
from safemap.testing.threads import in_other_thread, in_threads
from safemap.watch import WatchedMap
from tests.watch.support import WAIT, Flag, Gate, Replica


def test_a_callback_runs_in_a_thread_of_its_own(variant):
    m = WatchedMap(variant())
    threads = []
    for _ in range(2):
        m.subscribe(lambda _: threads.append(threading.get_ident()))
    m["a"] = 1
    m["b"] = 1
    m.flush(WAIT)
    assert len(set(threads)) == 2
    assert threading.get_ident() not in threads
    m.close(WAIT)


def test_a_callback_runs_under_no_lock(variant):
    """While it runs, others can do everything with the map; and it can itself."""
    m = WatchedMap(variant(a=0))
    gate = Gate()
    m.subscribe(gate)
    m["a"] = 1
    assert gate.reached.wait(WAIT)

    def use():
        m["a"] = 2
        m.compute("a", lambda n: n + 1)
        with m.locked(timeout=WAIT):
            m.update(b=1, c=2)
        m.clear()

    in_other_thread(use, timeout=WAIT)
    gate.open.set()
    m.close(WAIT)
    assert len(gate.events) == 6


def test_a_callback_may_write_to_its_map(variant):
    m = WatchedMap(variant())
    keys = []

    def count_down(event):
        keys.append(event.key)
        if event.key:
            with m.entry(event.key - 1) as entry:
                entry.value = "made"
            m.snapshot()

    m.subscribe(count_down)
    m[100] = "made"
    reached = m.wait_for(0, lambda value: value == "made", timeout=WAIT)
    m.close(WAIT)
    assert reached == "made"
    assert keys == list(range(100, -1, -1))


def test_a_slow_subscriber_delays_nobody(variant):
    m = WatchedMap(variant())
    gate, flag = Gate(), Flag("last")
    m.subscribe(gate)
    m.subscribe(flag)
    m["first"] = 1
    assert gate.reached.wait(WAIT)
    m["last"] = 1  # while it is stuck
    assert flag.seen.wait(WAIT)
    assert gate.events == []
    gate.open.set()
    m.close(WAIT)
    assert [event.key for event in gate.events] == ["first", "last"]


class TestErrors:
    def test_go_to_the_hook_and_the_next_event_comes(self, variant):
        m = WatchedMap(variant())
        errors, healthy = [], []

        def fail(event):
            raise LookupError(event.key)

        m.subscribe(fail, on_error=lambda error, event: errors.append((str(error), event.key)))
        m.subscribe(healthy.append)
        m["a"] = 1
        m["b"] = 2
        m.close(WAIT)
        assert errors == [("a", "a"), ("b", "b")]
        assert [event.key for event in healthy] == ["a", "b"]

    @pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
    def test_go_to_the_excepthook_of_threads_otherwise(self, monkeypatch, error):
        shown = []
        monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(args.exc_type))
        m = WatchedMap()

        def fail(_):
            raise error

        m.subscribe(fail)
        m["a"] = 1
        m["b"] = 2
        m.close(WAIT)
        assert shown == [error, error]

    def test_of_the_hook_itself(self, monkeypatch):
        shown = []
        monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(args.exc_type))
        m = WatchedMap()

        def fail(*_):
            raise LookupError

        m.subscribe(fail, on_error=fail)
        m["a"] = 1
        m.close(WAIT)
        assert shown == [LookupError]


class TestFull:
    """More events than fit while the subscriber is busy."""

    def fill(self, m, gate, keys):
        m["first"] = 0
        assert gate.reached.wait(WAIT)
        for key in range(keys):
            m[key] = key

    def test_what_fits_is_delivered(self, variant):
        m = WatchedMap(variant())
        gate = Gate()
        subscription = m.subscribe(gate, limit=10)
        self.fill(m, gate, 10)
        gate.open.set()
        m.close(WAIT)
        assert [event.key for event in gate.events] == ["first", *range(10)]
        assert subscription.lost == 0

    def test_it_begins_again_with_the_contents(self, variant):
        m = WatchedMap(variant())
        gate = Gate()
        subscription = m.subscribe(gate, limit=3)
        self.fill(m, gate, 10)
        del m[0]
        gate.open.set()
        m.flush(WAIT)
        m["after"] = 1
        m.close(WAIT)
        kinds = [event.kind for event in gate.events]
        assert kinds == ["added"] * 4 + ["lost"] + ["added"] * 11
        lost = gate.events[4]
        assert lost.new == subscription.lost == 8
        assert {event.key: event.new for event in gate.events[5:]} == m.to_dict()
        assert gate.events[-1].key == "after"

    def test_or_it_goes_on_behind_the_gap(self, variant):
        m = WatchedMap(variant())
        gate = Gate()
        m.subscribe(gate, limit=3, when_full="skip")
        self.fill(m, gate, 10)
        gate.open.set()
        m.flush(WAIT)
        m["after"] = 1
        m.close(WAIT)
        told = [(event.kind, event.new) for event in gate.events]
        assert told == [("added", 0), *[("added", n) for n in range(3)], ("lost", 7), ("added", 1)]

    @pytest.mark.parametrize("when_full", ["restart", "skip"])
    def test_a_map_that_is_closed_meanwhile(self, when_full):
        m = WatchedMap(ShardedMap())
        gate = Gate()
        subscription = m.subscribe(gate, limit=3, when_full=when_full)
        self.fill(m, gate, 10)
        with pytest.raises(TimeoutError):
            m.close(0)
        gate.open.set()
        m.close(WAIT)
        assert subscription.lost == 7
        assert len(gate.events) == 4 + 1 + (11 if when_full == "restart" else 0)

    def test_an_update_larger_than_the_queue(self, variant):
        m = WatchedMap(variant())
        replica = Replica()
        m.subscribe(replica, limit=100)
        m.update({n: n for n in range(1_000)})
        m.close(WAIT)
        assert replica.contents == {n: n for n in range(1_000)}
        assert replica.wrong == []


class TestInitial:
    def test_the_present_contents_come_first(self, variant):
        m = WatchedMap(variant(a=1, b=2))
        m["c"] = 3  # before anybody listens: it has no number
        events = []
        m.subscribe(events.append, initial=True)
        m["d"] = 4
        m.close(WAIT)
        assert sorted(event[:2] for event in events[:3]) == [("added", "a"), ("added", "b"), ("added", "c")]
        assert [event.sequence for event in events] == [0, 0, 0, 1]

    def test_inside_a_section(self, variant):
        """What the section did before is in the contents, what it does afterwards is not."""
        m = WatchedMap(variant(a=1))
        replica, plain = Replica(), []
        with m.locked():
            m["a"] = 2
            m.subscribe(replica, initial=True)
            m.subscribe(plain.append)
            m["a"] = 3
        m.close(WAIT)
        assert replica.wrong == []
        assert replica.contents == {"a": 3}
        assert replica.count == 2
        assert [event.new for event in plain] == [3]

    def test_it_waits_for_open_sections(self, variant):
        m = WatchedMap(variant(a=1))
        inside, leave = threading.Event(), threading.Event()
        replica = Replica()

        def hold():
            with m.entry("a") as entry:
                inside.set()
                assert leave.wait(WAIT)
                entry.value = 2

        def subscribe():
            assert inside.wait(WAIT)
            threading.Timer(0.05, leave.set).start()
            m.subscribe(replica, initial=True)

        in_threads(hold, subscribe)
        m.close(WAIT)
        assert replica.contents == {"a": 2}
        assert replica.wrong == []


class TestSubscription:
    def test_nothing_is_delivered_after_it_was_closed(self, variant):
        m = WatchedMap(variant())
        events = []
        with m.subscribe(events.append) as subscription:
            m["a"] = 1
            m.flush(WAIT)
            assert not subscription.closed
        m["b"] = 2
        subscription.close()
        assert subscription.closed
        m.close(WAIT)
        assert [event.key for event in events] == ["a"]

    def test_it_can_be_closed_by_its_callback(self, variant):
        m = WatchedMap(variant())
        events = []

        def once(event):
            events.append(event.key)
            subscription.close()

        subscription = m.subscribe(once)
        m.update({n: n for n in range(100)})
        m.close(WAIT)
        assert events == [0]

    def test_closing_one_that_is_stuck_frees_who_waits_for_it(self):
        m = WatchedMap()
        gate = Gate()
        subscription = m.subscribe(gate)
        m["a"] = 1
        assert gate.reached.wait(WAIT)
        subscription.close()
        m["b"] = 1
        m.flush(WAIT)
        m.close(WAIT)
        gate.open.set()

    def test_a_closed_one_lets_go_of_a_waiting_flush(self):
        m = WatchedMap()
        gate = Gate()
        subscription = m.subscribe(gate, limit=1)
        m["a"] = 1
        assert gate.reached.wait(WAIT)
        m.update({n: n for n in range(10)})

        def let_go():
            subscription.close()
            gate.open.set()

        in_threads(lambda: m.flush(WAIT), let_go)
        assert gate.passed.wait(WAIT)
        assert len(gate.events) == 1


BAD = {
    "callback": (TypeError, lambda m: m.subscribe("print")),
    "limit": (ValueError, lambda m: m.subscribe(print, limit=0)),
    "when_full": (ValueError, lambda m: m.subscribe(print, when_full="block")),
    "keys": (TypeError, lambda m: m.subscribe(print, keys=[[]])),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name):
    error, call = BAD[name]
    m = WatchedMap(MutexMap())
    before = threading.active_count()
    with pytest.raises(error):
        call(m)
    assert threading.active_count() == before
    assert not m._log.mailboxes

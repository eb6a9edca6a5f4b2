"""Iterators, and waiting for a value."""

from __future__ import annotations

import gc
import queue
import threading

import pytest

from safemap.testing.hostile import Hostile
from safemap.testing.threads import in_other_thread, in_threads
from safemap.watch import WatchedMap
from tests.watch.support import WAIT


class TestWatch:
    def test_a_loop_in_a_thread_ends_when_the_map_is_closed(self, variant):
        m = WatchedMap(variant())
        watching = threading.Event()

        def listen():
            events = m.watch()
            watching.set()
            return [event.new for event in events]

        def write():
            assert watching.wait(WAIT)
            for n in range(100):
                m["n"] = n
            m.close()

        heard, _ = in_threads(listen, write)
        assert heard == list(range(100))

    def test_it_begins_when_it_is_made(self, variant):
        m = WatchedMap(variant())
        m["before"] = 1
        events = m.watch()
        m["after"] = 1
        assert next(events).key == "after"

    def test_taking_with_a_timeout(self, variant):
        m = WatchedMap(variant())
        events = m.watch()
        with pytest.raises(TimeoutError, match=r"0\.01 seconds"):
            events.take(0.01)
        m["a"] = 1
        assert events.take(0).key == "a"
        m.close()
        assert events.take() is None
        assert list(events) == []

    def test_one_that_waits_is_woken_by_close(self, variant):
        for how in ("iterator", "map"):
            m = WatchedMap(variant())
            events = m.watch()
            assert (
                in_threads(lambda events=events: list(events), (events if how == "iterator" else m).close)[0] == []
            )

    def test_it_is_closed_at_the_end_of_a_block_and_when_it_is_dropped(self, variant):
        m = WatchedMap(variant())
        with m.watch() as events:
            m["a"] = 1
        assert list(events) == []
        m.watch()
        for _ in m.watch(initial=True):
            break
        gc.collect()
        assert not m._log.mailboxes

    def test_threads_share_one(self, variant, rapid_switching):
        m = WatchedMap(variant())
        events = m.watch()

        def write():
            for n in range(500):
                m["n"] = n
            m.close()

        _, *shares = in_threads(write, *[lambda: [event.new for event in events]] * 3)
        assert sorted(n for share in shares for n in share) == list(range(500))
        for share in shares:
            assert share == sorted(share)

    def test_one_that_nobody_takes_from_stays_bounded(self, variant):
        m = WatchedMap(variant())
        events = m.watch(limit=10)
        for n in range(1_000):
            m["n"] = n
        assert events._mailbox._queue.qsize() == 11
        m.close()
        told = [(event.kind, event.new) for event in events]
        assert told[-2:] == [("lost", 990), ("added", 999)]
        assert events.lost == 990


class TestWaitFor:
    def test_a_value_that_is_there(self, variant):
        m = WatchedMap(variant(a=1))
        assert m.wait_for("a", lambda value: value == 1, timeout=0) == 1
        with m.entry("a"):
            assert m.wait_for("a", lambda value: value == 1) == 1, "it need not wait"

    def test_a_value_that_comes(self, variant):
        m = WatchedMap(variant(a=1))
        waits = threading.Event()

        def waiter():
            return m.wait_for("a", lambda value: (waits.set(), value == 3)[1], timeout=WAIT)

        def writer():
            assert waits.wait(WAIT)
            m["b"] = 3
            m["a"] = 2
            m["a"] = 3
            m["a"] = 4

        assert in_threads(waiter, writer)[0] == 3

    def test_no_value_is_missed_between_the_look_and_the_wait(self, variant, rapid_switching):
        m = WatchedMap(variant(n=-1))
        last = 1_000

        def write():
            for n in range(last + 1):
                m["n"] = n
                m["other"] = n

        def wait():
            values = [m.wait_for("n", lambda n: n >= 0, timeout=WAIT)]
            while values[-1] < last:
                values.append(m.wait_for("n", lambda n: n > values[-1], timeout=WAIT))
            return values

        _, values = in_threads(write, wait)
        assert values == sorted(set(values))
        assert not m._log.mailboxes, "nothing is left behind"

    def test_it_sees_each_value_once_in_order(self, variant, rapid_switching):
        m = WatchedMap(variant(n=0))
        seen = []
        begun = threading.Event()

        def wait():
            def predicate(n):
                seen.append(n)
                begun.set()
                return n == 300

            m.wait_for("n", predicate, timeout=WAIT)

        def write():
            assert begun.wait(WAIT)
            for n in range(1, 301):
                m["n"] = n

        in_threads(wait, write)
        assert seen == [*range(301)]

    def test_values_set_within_the_first_call_of_the_predicate(self, variant):
        """What the key has for a short while between the first look and the next is not missed."""
        m = WatchedMap(variant(a=0))

        def write():
            m["a"] = 1
            m["a"] = 2

        def predicate(value):
            if value == 0:
                in_other_thread(write)
            return value == 1

        assert m.wait_for("a", predicate, timeout=WAIT) == 1

    def test_absent_is_no_value(self, variant):
        m = WatchedMap(variant())
        with pytest.raises(TimeoutError, match="'a'"):
            m.wait_for("a", lambda _: 1 / 0, timeout=0.01)
        events = m.watch()
        calls = []

        def predicate(value):
            calls.append(value)
            return value == 2

        def write():
            m["a"] = 1
            del m["a"]
            m.clear()
            m["a"] = 2

        m["a"] = 0
        in_threads(lambda: m.wait_for("a", predicate, timeout=WAIT), write)
        assert set(calls) <= {0, 1, 2}
        events.close()

    def test_it_times_out_while_the_key_is_held(self, variant):
        m = WatchedMap(variant())
        with m.entry("a"), pytest.raises(TimeoutError):
            in_other_thread(lambda: m.wait_for("a", bool, timeout=0.05))
        assert not m._log.mailboxes

    def test_what_the_predicate_raises(self, variant):
        m = WatchedMap(variant())

        for error in (Hostile, queue.Empty):

            def refuse(_, error=error):
                raise error

            with pytest.raises(error):
                in_threads(lambda refuse=refuse: m.wait_for("a", refuse, timeout=WAIT), lambda: m.update(a=1))
            assert not m._log.mailboxes

    def test_a_map_that_is_closed_meanwhile(self, variant):
        m = WatchedMap(variant(a=0))
        waits = threading.Event()

        def wait():
            with pytest.raises(RuntimeError, match="closed"):
                m.wait_for("a", lambda _: waits.set(), timeout=WAIT)

        def close():
            assert waits.wait(WAIT)
            m.close()

        in_threads(wait, close)

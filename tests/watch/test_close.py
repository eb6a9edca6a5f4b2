"""`flush`, and the two phases of `close`: no more is taken in, then all that was is delivered."""

from __future__ import annotations

import threading

import pytest

from safemap.testing.threads import in_other_thread, in_threads
from safemap.watch import WatchedMap
from tests.watch.support import WAIT, Gate


def test_whoever_stops_the_source_finds_all_delivered(variant):
    """A worker applies changes, and notifies; whoever stops it looks at what the listener has."""
    config = WatchedMap(variant())
    applied = []
    config.subscribe(applied.append)
    stop = threading.Event()

    def worker():
        n = 0
        while not stop.is_set():
            config["n"] = n
            n += 1
        return n

    def stopper():
        config.wait_for("n", lambda n: n >= 100, timeout=WAIT)
        stop.set()

    count, _ = in_threads(worker, stopper)
    config.close(WAIT)
    assert [event.new for event in applied] == list(range(count))


class TestFlush:
    def test_waits_for_all_up_to_now(self, variant):
        m = WatchedMap(variant())
        seen = []
        m.subscribe(seen.append)
        for n in range(50):
            m["n"] = n
            m.flush(WAIT)
            assert seen[-1].new == n

    def test_waits_until_a_callback_has_returned(self, variant):
        m = WatchedMap(variant())
        gate = Gate()
        m.subscribe(gate)
        m["a"] = 1
        assert gate.reached.wait(WAIT)
        with pytest.raises(TimeoutError, match=r"0\.01 seconds"):
            m.flush(0.01)
        with pytest.raises(TimeoutError):
            m.flush(0)
        gate.open.set()
        m.flush(WAIT)
        assert len(gate.events) == 1

    def test_does_not_wait_for_what_comes_later(self, variant):
        m = WatchedMap(variant())
        seen, stop = [], threading.Event()
        m.subscribe(seen.append)

        def write():
            while not stop.is_set():
                m["n"] = 1

        def flush():
            for _ in range(20):
                m.flush(WAIT)
            stop.set()

        in_threads(write, flush)

    def test_without_subscribers_and_with_iterators(self, variant):
        m = WatchedMap(variant())
        m.flush(0)
        events = m.watch()
        m["a"] = 1
        m.flush(WAIT)  # who iterates takes it when he likes
        assert events.take(0).key == "a"

    def test_in_a_callback_is_an_error(self, variant):
        m = WatchedMap(variant())
        errors = []
        m.subscribe(lambda _: m.flush(), on_error=lambda error, _: errors.append(type(error)))
        m["a"] = 1
        m.close(WAIT)
        assert errors == [RuntimeError]

    @pytest.mark.parametrize("wait", ["flush", "close", "next", "wait_for"])
    @pytest.mark.parametrize("how", ["entry", "locked", "compute"])
    def test_where_the_thread_holds_something_is_an_error(self, variant, how, wait):
        m = WatchedMap(variant(a=1))
        events = m.watch()
        waits = {
            "flush": m.flush,
            "close": m.close,
            "next": lambda: next(events),
            "wait_for": lambda: m.wait_for("a", lambda _: False),
        }

        def attempt(value=None):
            with pytest.raises(RuntimeError, match="holds"):
                waits[wait]()
            return value

        if how == "compute":
            m.compute("a", attempt)
        else:
            with m.entry("a") if how == "entry" else m.locked():
                attempt()
        assert not m.closed
        m.flush(WAIT)

    def test_a_timeout_out_of_range(self):
        m = WatchedMap()
        events = m.watch()
        for wait in (m.flush, m.close, events.take, lambda timeout: m.wait_for("a", bool, timeout)):
            for timeout in (-1, float("nan")):
                with pytest.raises(ValueError, match="timeout"):
                    wait(timeout)
        m.flush(1e12)


class TestClose:
    def test_delivers_what_was_accepted_and_takes_in_no_more(self, variant):
        m = WatchedMap(variant())
        gate = Gate()
        m.subscribe(gate)
        m["a"] = 1
        m["b"] = 2
        assert gate.reached.wait(WAIT)
        with pytest.raises(TimeoutError, match="0 seconds"):
            m.close(0)
        assert m.closed
        m["c"] = 3  # the map goes on; nobody hears of it
        gate.open.set()
        m.close(WAIT)
        m.flush(WAIT)
        assert [event.key for event in gate.events] == ["a", "b"]
        assert m == {"a": 1, "b": 2, "c": 3}

    def test_again_and_from_several_threads(self, variant):
        m = WatchedMap(variant())
        gate = Gate()
        m.subscribe(gate)
        m["a"] = 1
        assert gate.reached.wait(WAIT)

        def close():
            m.close(WAIT)
            return len(gate.events)

        closed = in_threads(close, close, lambda: (m.flush(WAIT), len(gate.events))[1], gate.open.set)
        assert closed[:3] == [1, 1, 1]

    def test_ends_its_threads(self, variant):
        before = threading.active_count()
        m = WatchedMap(variant())
        for _ in range(5):
            m.subscribe(lambda _: None)
        m["a"] = 1
        assert threading.active_count() == before + 5
        m.close(WAIT)
        assert threading.active_count() == before

    def test_in_a_callback_does_not_wait(self, variant):
        m = WatchedMap(variant())
        seen = []

        def close(event):
            seen.append(event.key)
            m.close()
            m["more"] = 1

        m.subscribe(close)
        m.subscribe(close)
        m["a"] = 1
        m["b"] = 1
        in_other_thread(lambda: m.close(WAIT), timeout=WAIT)
        assert seen.count("a") == 2
        assert "more" not in seen

    def test_nobody_can_begin_to_listen_afterwards(self, variant):
        m = WatchedMap(variant(a=1))
        m.close()
        for listen in (m.watch, lambda: m.subscribe(print), lambda: m.wait_for("a", lambda value: value == 2)):
            with pytest.raises(RuntimeError, match="closed"):
                listen()
        assert m.wait_for("a", lambda value: value == 1) == 1

    def test_while_others_write_and_listen(self, variant, rapid_switching):
        """Each subscriber has a beginning of the changes, without a gap, and all iterators end."""
        for _ in range(20):
            m = WatchedMap(variant())
            seen = []
            m.subscribe(seen.append)
            watched = m.watch()

            def write(m=m):
                for n in range(200):
                    m["n"] = n

            def listen(m=m):
                try:
                    while True:
                        for _ in m.watch(initial=True):
                            pass
                except RuntimeError:
                    return

            def close(m=m, seen=seen):
                m.wait_for("n", lambda n: n > 20, timeout=WAIT)
                m.close(WAIT)
                return list(seen)

            *_, accepted = in_threads(write, listen, close)
            assert [event.new for event in accepted] == list(range(len(accepted)))
            assert seen == accepted == list(watched)
            assert len(accepted) > 20

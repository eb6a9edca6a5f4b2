"""Who waits for whom, and for how long."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.threads import in_threads

READING = {"read held", "read other"}
LOOKING = {"iterate", "snapshot", "len"}
WRITING = {"write held", "write other", "compute other"}
APART = {"write other", "compute other"}


class Waiting(Suite, rapid=True):
    def during(self, m: Any, section: Any) -> Any:
        """Return what others can do, within a little while, during a section on the key "held"."""
        inside, leave = threading.Event(), threading.Event()

        def holder():
            with section():
                inside.set()
                leave.wait(20)

        done = set()

        def attempt(name, operation):
            operation()
            done.add(name)

        attempts = {
            "read held": lambda: m["held"],
            "read other": lambda: m["other"],
            "write held": lambda: m.__setitem__("held", 2),
            "write other": lambda: m.__setitem__("other", 2),
            "iterate": lambda: list(self.pairs(m)),
        }
        if self.has("len"):
            attempts["len"] = lambda: len(m)
        if self.has("compute"):
            attempts["compute other"] = lambda: m.compute("other", lambda n: n)
        if self.has("snapshot"):
            attempts["snapshot"] = m.snapshot
        thread = threading.Thread(target=holder, daemon=True)
        thread.start()
        assert inside.wait(10)
        threads = [threading.Thread(target=attempt, args=a, daemon=True) for a in attempts.items()]
        for each in threads:
            each.start()
        deadline = time.monotonic() + 0.4
        for each in threads:
            each.join(max(0, deadline - time.monotonic()))
        could = set(done)
        leave.set()
        for each in [thread, *threads]:
            each.join(10)
            assert not each.is_alive()
        assert done == set(attempts), "all go on when the section is over"
        return could, set(attempts)

    def settled(self) -> Any:
        m = self.filled(held=1, other=1)
        for _ in range(5):
            m["held"], m["other"]  # where reading changes where a map keeps a key
        return m

    def guaranteed(self, attempts: Any) -> Any:
        """Return what others can do while a function runs, by what the map claims."""
        could = set()
        if self.has("reads do not wait"):
            could |= READING
        if self.has("looks do not wait"):
            could |= LOOKING
        if self.has("keys apart"):
            could |= APART
        return could & attempts

    @needs("entry")
    def test_what_an_entry_keeps_others_from(self):
        m = self.settled()
        could, attempts = self.during(m, lambda: m.entry("held"))
        assert could >= self.guaranteed(attempts)
        assert "write held" not in could
        if hasattr(m, "guarantees"):
            assert could == self.guaranteed(attempts), "neither less nor more than the class guarantees"
        self.check(m)

    @needs("locked")
    def test_what_a_section_keeps_others_from(self):
        m = self.settled()
        could, attempts = self.during(m, m.locked)
        assert not could & WRITING
        if self.has("reads do not wait"):
            assert could >= READING
        guarantees = getattr(m, "guarantees", None)
        if guarantees is not None and guarantees.snapshot == "O(1)":
            assert could >= LOOKING & attempts
        self.check(m)

    @needs("compute_if_absent", "keys apart")
    def test_functions_on_different_keys_do_not_wait_for_one_another(self):
        m = self.filled()
        barrier = threading.Barrier(8, timeout=10)  # all of them inside at the same time
        values = in_threads(
            *(lambda i=i: m.compute_if_absent(i, lambda key: (barrier.wait(), key)[1]) for i in range(8))
        )
        assert values == list(range(8))
        self.check(m)

    @needs("timeouts")
    @pytest.mark.parametrize("how", ["entry", "locked"])
    @pytest.mark.parametrize("held_by", ["entry", "locked"])
    def test_timeouts_are_kept(self, how, held_by):
        self.need(how, held_by)
        m = self.filled(a=1)
        inside, leave = threading.Event(), threading.Event()

        def holder():
            with m.entry("a") if held_by == "entry" else m.locked():
                inside.set()
                leave.wait(20)

        def wanted(timeout):
            return m.entry("a", timeout=timeout) if how == "entry" else m.locked(timeout=timeout)

        def waiter():
            assert inside.wait(10)
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                wanted(0.2).__enter__()
            waited = time.monotonic() - started
            with pytest.raises(TimeoutError):
                wanted(0).__enter__()
            leave.set()
            return waited

        _, waited = in_threads(holder, waiter)
        assert 0.19 <= waited < 5
        with wanted(5):
            pass
        self.check(m, {"a": 1})
        self.check_free(m, "a")

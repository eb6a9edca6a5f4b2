"""A thread may use a map from anywhere: from `__eq__` and `__hash__`, and from a signal handler."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from typing import Any

import pytest

from safemap.testing.conformance.suite import Suite
from safemap.testing.hostile import Hostile, Key, Yielding
from safemap.testing.threads import in_other_thread

OPERATIONS: dict[str, Any] = {
    "m[k]": ((), lambda m, k: m[k], 2),
    "get": (("get",), lambda m, k: m.get(k), 2),
    "in": (("in",), lambda m, k: k in m, 2),
    "m[k] = v": ((), lambda m, k: m.__setitem__(k, "new"), "new"),
    "del": ((), lambda m, k: m.__delitem__(k), None),
    "setdefault": (("setdefault",), lambda m, k: m.setdefault(k, "new"), 2),
    "pop": (("pop",), lambda m, k: m.pop(k), None),
    "update": (("update",), lambda m, k: m.update({k: "new", "other": 1}), "new"),
    "swap": (("swap",), lambda m, k: m.swap(k, "new"), "new"),
    "compare_and_set": (("compare_and_set",), lambda m, k: m.compare_and_set(k, 2, "new"), "new"),
    "compute": (("compute",), lambda m, k: m.compute(k, lambda _: "new"), "new"),
    "compute_if_absent": (("compute_if_absent",), lambda m, k: m.compute_if_absent(k, lambda _: "new"), 2),
    "merge": (("merge",), lambda m, k: m.merge(k, "new", lambda _, new: new), "new"),
}


SIGNALS = 40
"""Enough for one of them to come at any place where a map spends a few percent of its time."""

CHANGES = 50
"""How often a key's comparison may change the map that compares it. A dict begins a lookup anew when a comparison
has made it grow; one that always does, as two keys set and deleted may do where a dict is small, never ends it."""


class Reentrant(Suite):
    """What the parts on re-entrant use share."""

    def use_all_of(self, m: Any, tag: Any) -> None:
        """Do a bit of everything with the map, on keys of its own. Afterwards `f"{tag} set"` is 1."""
        m[f"{tag} set"] = 1
        assert m[f"{tag} set"] == 1
        m[f"{tag} gone"] = 1
        del m[f"{tag} gone"]
        if self.has("get"):
            m.get("plain")
        if self.has("setdefault"):
            m.setdefault(f"{tag} default", 2)
        if self.has("compute"):
            m.compute(f"{tag} compute", lambda n: n + 1, 0)
        if self.has("update"):
            m.update({f"{tag} update": 1})
        if self.has("pop"):
            m.pop(f"{tag} default", None)
        if self.has("entry"):
            with m.entry(f"{tag} entry") as entry:
                entry.value = 3
        if self.has("locked"):
            with m.locked():
                m[f"{tag} locked"] = 4
        self.look_at_all_of(m)

    def look_at_all_of(self, m: Any) -> None:
        list(self.pairs(m))
        if self.has("views"):
            list(m.keys() | set())
        if self.has("snapshot"):
            m.snapshot().to_dict()
        if self.has("to_dict"):
            m.to_dict()
        if self.has("len"):
            len(m)


class Callbacks(Reentrant, needs={"reentrant"}):
    @pytest.mark.parametrize("where", ["on_eq", "on_hash"])
    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_used_from_a_keys_eq_or_hash(self, operation: Any, where: Any) -> None:
        claims, operate, expected = OPERATIONS[operation]
        self.need(*claims)
        m = self.filled({Key("a"): 1, Key("b"): 2, "plain": 3})
        depth: list[Any] = []
        used: list[Any] = []

        def callback():
            if not depth and len(used) < CHANGES:
                depth.append(1)
                used.append(1)
                self.use_all_of(m, operation)
                depth.clear()

        hostile = Key("b")
        setattr(hostile, where, callback)
        operate(m, hostile)
        setattr(hostile, where, None)
        assert used
        assert m[f"{operation} set"] == 1
        if self.has("entry"):
            assert m[f"{operation} entry"] == 3
        by_name = {getattr(key, "name", key): value for key, value in self.pairs(m)}
        assert by_name.get("b") == expected
        self.check(m)
        self.check_free(m, hostile)

    def test_an_eq_that_changes_the_very_key(self) -> None:
        m = self.filled({Key("a"): 1, Key("b"): 2})
        hostile = Key("b")
        seen: list[Any] = []

        def callback():
            if not seen:
                seen.append(1)
                del m[Key("b")]
                m[Key("c")] = 3

        hostile.on_eq = callback
        m[hostile] = "new"
        hostile.on_eq = None
        assert {key.name: value for key, value in self.pairs(m)} == {"a": 1, "b": "new", "c": 3}
        self.check(m)

    def test_an_eq_that_grows_the_map_past_all_its_tables(self) -> None:
        m = self.filled({Key("a"): 1, Key("b"): 2})
        hostile = Key("x")
        seen: list[Any] = []

        def callback():
            if not seen:
                seen.append(1)
                for i in range(2000):
                    m[i] = i

        hostile.on_eq = callback
        m[hostile] = "new"
        hostile.on_eq = None
        assert m[hostile] == "new"
        self.check(m, {Key("a"): 1, Key("b"): 2, Key("x"): "new"} | {i: i for i in range(2000)})


class Signals(Reentrant, needs={"reentrant"}, rapid=True, main_thread=True):
    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers on this system")
    def test_used_from_a_signal_handler(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            pytest.skip("only a main thread gets signals")
        m = self.filled({i: 0 for i in range(50)})
        handled: list[Any] = []
        running: list[Any] = []
        stop = threading.Event()
        deadline = time.monotonic() + self.limit

        def handler(*_):
            if running:  # in the middle of itself it would overwrite its own writes, as any function may
                if time.monotonic() > deadline:
                    raise Hostile("hangs: a signal handler waits for the operation that it came into")
                return
            running.append(1)
            try:
                n = len(handled)
                handled.append(1)
                m[n % 50] = n
                m["signals"] = n + 1
                if self.has("compute"):
                    m.compute("computed", lambda n: n + 1, 0)
                if self.has("pop"):
                    m.pop(f"x{n % 3}", None)
                self.look_at_all_of(m)
            finally:
                running.clear()

        def other():
            while not stop.is_set():
                for i in range(50):
                    m[i] = m[i]
                    m[f"x{i % 3}"] = i
                if self.has("compute"):
                    m.compute(1, lambda n: n)
                if self.has("update"):
                    m.update({1: 2, 3: 4})

        thread = threading.Thread(target=other, daemon=True)
        before = signal.signal(signal.SIGALRM, handler)
        try:
            thread.start()
            signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
            for i in itertools.cycle(range(50)):
                m[i] = i
                m[Yielding(i)] = i  # at its hash, a signal can come in
                if self.has("compute"):
                    m.compute(i, lambda n: n)
                if self.has("update"):
                    m.update({1: 1, 2: 2})
                if i % 10 == 0:
                    self.look_at_all_of(m)
                if len(handled) >= SIGNALS:
                    break
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            stop.set()
        thread.join(10)
        assert not thread.is_alive()
        assert m["signals"] == len(handled) > 0
        if self.has("compute"):
            assert m["computed"] == len(handled)
        in_other_thread(lambda: self.check(m))

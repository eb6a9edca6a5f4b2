"""A thread may use a map from `__del__`, from a weak reference's callback, and in a run of the collector."""

from __future__ import annotations

import gc
import sys
import weakref
from contextlib import contextmanager

import pytest

from safemap.testing.conformance.reentrancy import Reentrant
from safemap.testing.conformance.suite import needs
from safemap.testing.threads import in_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REPLACEMENTS: dict[str, Any] = {
    "set": ((), lambda m: m.__setitem__("k", 1)),
    "del": ((), lambda m: m.__delitem__("k")),
    "pop": (("pop",), lambda m: m.pop("k") and None),
    "clear": (("clear",), lambda m: m.clear()),
    "update": (("update",), lambda m: m.update({"k": 1, "other": 2})),
    "compute": (("compute",), lambda m: m.compute("k", lambda _: 1)),
    "swap": (("swap",), lambda m: m.swap("k", 1) and None),
    "popitem": (("popitem",), lambda m: m.popitem() and None),
}


@contextmanager
def little_garbage():
    """Keep what there is out of the collector's sight, so that it is quick."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def eager_collector():
    """Have the collector run at every allocation."""
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    gc.enable()
    try:
        yield
    finally:
        gc.set_threshold(*threshold)


class Finalizers(Reentrant, needs={"reentrant"}):
    @pytest.mark.parametrize("how", REPLACEMENTS)
    def test_used_from_an_old_values_del(self, how: Any) -> None:
        claims, replace = REPLACEMENTS[how]
        self.need(*claims)

        class Value:
            def __del__(_):
                self.use_all_of(m, "del")
                ran.append(1)

        ran: list[Any] = []
        m = self.filled()
        m["k"] = Value()
        replace(m)
        gc.collect()
        assert ran == [1]
        assert m["del set"] == 1
        if self.has("entry"):
            assert m["del entry"] == 3
        self.check(m)

    def test_used_from_a_weak_references_callback(self) -> None:
        class Value:
            pass

        ran: list[Any] = []
        m = self.filled()
        m["k"] = Value()

        def use(_):
            self.use_all_of(m, "weak")
            ran.append(1)

        reference = weakref.ref(m["k"], use)
        m["k"] = 1
        gc.collect()
        assert ran == [1]
        assert reference() is None
        assert m["weak set"] == 1
        self.check(m)

    def test_used_from_finalizers_at_any_allocation(self) -> None:
        """With the collector run at every allocation, finalizers come in the middle of everything."""

        class Cycle:
            def __init__(self):
                self.me = self

            def __del__(_):
                ran.append(1)
                n = len(ran)
                m["finalized"] = n
                m[n % 50] = n
                if self.has("compute"):
                    m.compute("computed", lambda n: n + 1, 0)
                if self.has("pop"):
                    m.pop((n + 25) % 50, None)
                self.look_at_all_of(m)

        ran: list[Any] = []
        m = self.filled({i: i for i in range(100)})
        with little_garbage(), eager_collector():
            for i in range(150):
                Cycle()
                m[i] = [i]
                if self.has("update"):
                    m.update({i: [i], i + 1: [i + 1]})
                if self.has("snapshot"):
                    snapshot = m.snapshot()
                    assert snapshot.to_dict() == dict(snapshot.items())
                self.look_at_all_of(m)
                if self.has("compute"):
                    m.compute(i, lambda v: [v], None)
                if self.has("setdefault"):
                    m.setdefault(("t", i), [])
        gc.collect()
        assert m["finalized"] == len(ran) == 150
        if self.has("compute"):
            assert m["computed"] == 150
        self.check(m)

    @needs("pop")
    @pytest.mark.parametrize("copy", ["to_dict", "snapshot"])
    def test_used_from_a_finalizer_in_the_middle_of_copying(self, copy):
        """A copy's length and contents belong together; up to 3.11 `dict.copy` itself gets this wrong."""
        self.need(copy)

        class Cycle:
            def __init__(self, left):
                self.me, self.left = self, left

            def __del__(self):
                if self.left:
                    Cycle(self.left - 1)  # for the next run of the collector
                if self.left % 2:
                    m.pop("more", None)
                else:
                    m["more"] = self

        def copied(n):
            gc.collect()
            gc.disable()
            Cycle(n)
            kept = [{} for _ in range(100)]  # new dicts are allocated from here on, not taken from the free list
            with eager_collector():
                copied = getattr(m, copy)()
            del kept
            return copied if copy == "to_dict" else copied.to_dict()

        with little_garbage():
            # Since 3.12 it runs between bytecodes alone, and without the GIL each run looks at all that there is.
            for n in range(0, 40, 1 if sys.version_info < (3, 12) else 4):
                m = self.filled({i: [i] for i in range(100)})
                contents = copied(n)
                assert len(list(contents)) == len(contents)

    def test_finalizers_in_two_threads(self) -> None:
        class Value:
            def __init__(self, number):
                self.number = number

            def __del__(_):
                # A key of its own: without the GIL one finalizer can come in the middle of another's `compute`.
                m["finalized", _.number] = 1
                if self.has("compute"):
                    m.compute(("computed", _.number), lambda n: n + 1, 0)
                if self.has("merge"):
                    m.merge("all", 1, int.__add__)
                self.look_at_all_of(m)

        m = self.filled()

        def work(offset):
            for i in range(100):
                m[(i + offset) % 5] = Value(i + 1000 * offset)

        in_threads(lambda: work(0), lambda: work(2))
        for key in range(5):
            del m[key]
        gc.collect()
        for kind in ("finalized", "computed") if self.has("compute") else ("finalized",):
            assert [n for key, n in self.pairs(m) if key[0] == kind] == [1] * 200
        self.check(m)

    @needs("weakref")
    @pytest.mark.skipif(
        sys.version_info[:2] == (3, 13) and not getattr(sys, "_is_gil_enabled", lambda: True)(),
        reason="free-threaded 3.13 keeps classes for ever, and what they refer to",
    )
    def test_the_collector_frees_maps_and_lets_finalizers_use_them(self) -> None:
        seen = []

        def cycle() -> Any:
            class Value(int):  # not known to the collector: it dies only when the map's own tables are cleared
                __slots__ = ()
                map: Any = None

                def __del__(self):
                    try:
                        type(self).map["written by a finalizer"] = 1
                        try:
                            seen.append(type(self).map["k"])
                        except KeyError:
                            seen.append("gone")
                    except BaseException as error:  # would be ignored where it is raised
                        seen.append(error)

            m = self.filled()
            Value.map = m
            m["itself"] = m
            m["k"] = Value(3)
            return weakref.ref(m)

        gone = cycle()
        for _ in range(3):
            gc.collect()
        assert gone() is None
        assert len(seen) == 1
        assert not isinstance(seen[0], BaseException), seen

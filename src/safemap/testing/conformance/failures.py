"""All or nothing: whatever raises, the map is as before the operation, or as after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from safemap import MISSING
from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Hostile, Key, RaisesOnce

OPERATIONS: dict[str, Any] = {
    "m[k]": ((), lambda m, k: m[k]),
    "get": (("get",), lambda m, k: m.get(k)),
    "in": (("in",), lambda m, k: k in m),
    "m[k] = v": ((), lambda m, k: m.__setitem__(k, "new")),
    "del": ((), lambda m, k: m.__delitem__(k)),
    "setdefault": (("setdefault",), lambda m, k: m.setdefault(k, "new")),
    "pop": (("pop",), lambda m, k: m.pop(k)),
    "update": (("update",), lambda m, k: m.update({k: "new"})),
    "|=": (("union",), lambda m, k: m.__ior__({k: "new"})),
}
COMPOUND: dict[str, Any] = {
    "swap": (("swap",), lambda m, k: m.swap(k, "new")),
    "compare_and_set": (("compare_and_set",), lambda m, k: m.compare_and_set(k, 2, "new")),
    "compare_and_set absent": (("compare_and_set",), lambda m, k: m.compare_and_set(k, MISSING, "new")),
    "compare_and_delete": (("compare_and_delete",), lambda m, k: m.compare_and_delete(k, 2)),
    "compute": (("compute",), lambda m, k: m.compute(k, lambda _: "new", None)),
    "compute remove": (("compute",), lambda m, k: m.compute(k, lambda _: MISSING, None)),
    "compute_if_absent": (("compute_if_absent",), lambda m, k: m.compute_if_absent(k, lambda _: "new")),
    "compute_if_present": (("compute_if_present",), lambda m, k: m.compute_if_present(k, lambda _: "new")),
    "merge": (("merge",), lambda m, k: m.merge(k, "new", lambda _, new: new)),
}

MOST_CALLS = 400
"""Comparisons in one operation, of a key that collides with three others. A map around a map of several tables
has been seen to make 69."""


class Failures(Suite, needs={"all or nothing"}):
    def by_name(self, m: Any) -> Any:
        """Return the contents without asking hostile keys anything."""
        return [(getattr(key, "name", key), value) for key, value in self.pairs(m)]

    @pytest.mark.parametrize("where", ["on_hash", "on_eq"])
    @pytest.mark.parametrize("present", [True, False], ids=["present", "absent"])
    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_a_key_that_raises_changes_nothing(self, operation: Any, present: Any, where: Any) -> None:
        """Whichever call of `__hash__` or `__eq__` raises."""
        claims, operate = OPERATIONS[operation]
        self.need(*claims)
        for n in range(MOST_CALLS):
            m = self.filled({Key("a"): 1, Key("b"): 2, Key("c"): 3, "plain": 4})
            before = self.by_name(m)
            hostile = Key("b" if present else "x")
            raises = RaisesOnce(n)
            setattr(hostile, where, raises)
            try:
                operate(m, hostile)
            except Hostile:
                assert self.by_name(m) == before
            except KeyError:
                assert not present
            setattr(hostile, where, None)
            self.check(m)
            if not raises.raised:
                break
        else:
            raise AssertionError("the key was never left alone")

    @pytest.mark.parametrize("where", ["on_hash", "on_eq"])
    @pytest.mark.parametrize("present", [True, False], ids=["present", "absent"])
    @pytest.mark.parametrize("operation", COMPOUND)
    def test_a_key_that_raises_changes_nothing_or_all(self, operation: Any, present: Any, where: Any) -> None:
        """And the key can be used afterwards."""
        claims, operate = COMPOUND[operation]
        self.need(*claims)
        hostile = Key("b" if present else "x")
        done = self.filled({Key("a"): 1, Key("b"): 2, Key("c"): 3})
        operate(done, hostile)
        outcomes = [{"a": 1, "b": 2, "c": 3}, dict(self.by_name(done))]
        for n in range(MOST_CALLS):
            m = self.filled({Key("a"): 1, Key("b"): 2, Key("c"): 3})
            raises = RaisesOnce(n)
            setattr(hostile, where, raises)
            try:
                operate(m, hostile)
            except Hostile:
                assert dict(self.by_name(m)) in outcomes
            setattr(hostile, where, None)
            self.check_free(m, hostile)
            self.check(m)
            if not raises.raised:
                break
        else:
            raise AssertionError("the key was never left alone")

    @needs("update")
    @pytest.mark.parametrize("where", ["on_hash", "on_eq"])
    def test_an_update_that_raises_half_way_changes_nothing_of_a_step(self, where):
        for n in range(100):
            keys = [Key(name) for name in "abcd"]
            m = self.filled({keys[0]: 1, keys[1]: 2, "plain": 3})
            hostile = Key("d")
            raises = RaisesOnce(n)
            setattr(hostile, where, raises)
            failed = False
            try:
                m.update([(Key("c"), 30), (Key("a"), 10), (hostile, 40), ("plain", 0)])
            except Hostile:
                failed = True
            fired = raises.raised
            setattr(hostile, where, None)
            contents = dict(self.by_name(m))
            if failed and self.has("all-at-once update"):
                assert contents == {"a": 1, "b": 2, "plain": 3}
            self.check(m)
            if not fired:
                assert contents == {"a": 10, "b": 2, "c": 30, "d": 40, "plain": 0}
                break
        else:
            raise AssertionError("the key was never left alone")

    @needs("update")
    def test_an_update_that_meets_a_hostile_key_in_the_map_changes_nothing_of_a_step(self):
        """The new keys are harmless; one of them has the hash of a key in the map that cannot be compared."""

        def refuse():
            raise Hostile

        stored = Key("stored", hash_=hash("c"))
        m = self.filled({stored: 1, "a": 2})
        stored.on_eq = refuse
        with pytest.raises(Hostile):
            m.update({"a": 20, "b": 30, "c": 40, "d": 50})
        stored.on_eq = None
        assert m[stored] == 1
        self.check(m, {stored: 1, "a": 2} if self.has("all-at-once update") else None)

    def pairs_that_raise(self) -> Iterator[Any]:
        yield "b", 2
        raise Hostile

    @needs("update", "whole updates")
    def test_an_update_with_an_iterable_that_raises_changes_nothing(self):
        m = self.filled(a=1)
        with pytest.raises(Hostile):
            m.update(self.pairs_that_raise())
        self.check(m, {"a": 1})

    @needs("union", "whole updates")
    def test_a_union_with_an_iterable_that_raises_changes_nothing(self):
        m = self.filled(a=1)
        with pytest.raises(Hostile):
            m |= self.pairs_that_raise()
        self.check(m, {"a": 1})

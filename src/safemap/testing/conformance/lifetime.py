"""Nothing is kept alive that is not in the map any more."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from safemap.testing.conformance.suite import Suite, needs

REMOVALS: dict[str, Any] = {
    "m[k] = v": ((), lambda m: m.__setitem__(1, 1)),
    "del": ((), lambda m: m.__delitem__(1)),
    "pop": (("pop",), lambda m: m.pop(1) and None),
    "clear": (("clear",), lambda m: m.clear()),
    "update": (("update",), lambda m: m.update({1: 1, "other": 2})),
}


class Value:
    """What can be referred to weakly."""


class Lifetime(Suite):
    @needs("weakref")
    def test_weak_references(self):
        m = self.filled(a=1)
        reference = weakref.ref(m)
        assert reference() is m
        del m
        gc.collect()
        assert reference() is None

    @needs("weakref")
    def test_cycles_are_collected(self):
        m = self.filled()
        m["self"] = m
        reference = weakref.ref(m)
        del m
        gc.collect()
        assert reference() is None

    @needs("lets go")
    @pytest.mark.parametrize("removal", REMOVALS)
    def test_values_die_when_replaced_or_removed(self, removal):
        claims, remove = REMOVALS[removal]
        self.need(*claims)
        m = self.filled({1: Value(), 2: 2})
        if self.has("get"):
            m.get(3)
        reference = weakref.ref(m[1])
        assert reference() is not None
        remove(m)
        gc.collect()
        assert reference() is None

    @needs("lets go")
    def test_keys_die_when_removed(self):
        m = self.filled({i: i for i in range(300)})
        for reads in (0, 1000):  # which may change where a map keeps a key
            key = Value()
            m[key] = 1
            for _ in range(reads):
                m[key]
                if self.has("get"):
                    m.get("absent")
            reference = weakref.ref(key)
            del m[key]
            del key
            gc.collect()
            assert reference() is None

"""Copies, shallow and deep, and pickles."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest

from safemap.testing.conformance.suite import Suite, needs


class Copies(Suite):
    @needs("copy")
    def test_a_copy_is_shallow_and_separate(self):
        inner = []
        m = self.filled(a=inner)
        for duplicate in (m.copy(), copy.copy(m)):
            assert type(duplicate) is self.cls
            self.check(duplicate, {"a": inner})
            assert duplicate["a"] is inner
            duplicate["b"] = 1
            self.check(m, {"a": inner})

    @needs("deepcopy")
    def test_deepcopy(self):
        m = self.filled(a=[1])
        m["self"] = m
        duplicate = copy.deepcopy(m)
        assert duplicate["a"] == [1]
        assert duplicate["a"] is not m["a"]
        assert duplicate["self"] is duplicate

    @needs("pickle")
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickle(self, protocol):
        m = self.filled({i: [i] for i in range(300)})
        duplicate = pickle.loads(pickle.dumps(m, protocol))
        assert type(duplicate) is self.cls
        self.check(duplicate, {i: [i] for i in range(300)})
        m = self.filled()
        m["self"] = m
        duplicate = pickle.loads(pickle.dumps(m, protocol))
        assert duplicate["self"] is duplicate

    @needs("copy", "deepcopy", "pickle", "subclass")
    def test_attributes_of_a_subclass_travel(self, monkeypatch):
        tagged = type("Tagged", (self.cls,), {"__module__": __name__, "__qualname__": "Tagged"})
        monkeypatch.setattr(sys.modules[__name__], "Tagged", tagged, raising=False)  # where pickle looks for it
        m = tagged()
        m["a"] = 1
        m.tag = "t"
        for duplicate in (copy.copy(m), copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
            assert type(duplicate) is tagged
            assert duplicate.tag == "t"
            self.check(duplicate, {"a": 1})

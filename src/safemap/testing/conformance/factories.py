"""`default_factory`, and factories that many ask at once."""

from __future__ import annotations

import pickle
import time
from typing import Any

import pytest

from safemap.testing.conformance.compound import raising
from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Hostile
from safemap.testing.threads import in_threads


class DefaultFactories(Suite, needs={"default_factory"}):
    @needs("get", "in", "compute")
    def test_a_default_factory_makes_missing_values(self):
        m = self.cls.configured(default_factory=list)
        m["a"].append(1)
        m["a"].append(2)
        self.check(m, {"a": [1, 2]})
        assert m.get("b") is None
        assert "b" not in m
        assert m.default_factory is list
        assert m.compute("n", lambda v: [*v, 3]) == [3]

    @needs("copy", "pickle", "union")
    def test_a_default_factory_travels_with_copies(self):
        m = self.cls.configured({"a": 1}, default_factory=int)
        for duplicate in (m.copy(), pickle.loads(pickle.dumps(m)), m | {}):
            assert duplicate["b"] == 0
            assert type(duplicate) is self.cls

    def test_a_default_factory_that_raises(self) -> None:
        m = self.cls.configured(default_factory=raising)
        with pytest.raises(Hostile):
            m["a"]
        self.check(m, {})

    @needs("missing")
    def test_missing_comes_before_the_default_factory(self):
        class Doubling(self.cls):
            def __missing__(self, key):
                return key * 2

        assert Doubling.configured(default_factory=list)["a"] == "aa"

    def test_a_default_factory_must_be_callable(self) -> None:
        with pytest.raises(TypeError, match="default_factory"):
            self.cls.configured(default_factory=1)


class Once(Suite, rapid=True):
    def once(self, m: Any, get: Any, calls: Any) -> None:
        values = in_threads(*[lambda: get("k")] * 6)
        assert len(calls) == 1
        assert len(set(values)) == 1
        assert m["k"] is values[0]

    @needs("compute_if_absent")
    def test_a_factory_runs_once_for_all_who_wait(self):
        calls = []

        def factory(_key):
            calls.append(1)
            time.sleep(0.05)
            return object()

        m = self.filled()
        self.once(m, lambda key: m.compute_if_absent(key, factory), calls)

    @needs("default_factory")
    def test_a_default_factory_runs_once_for_all_who_wait(self):
        calls = []

        def factory():
            calls.append(1)
            time.sleep(0.05)
            return object()

        m = self.cls.configured(default_factory=factory)
        self.once(m, m.__getitem__, calls)

    @needs("compute_if_absent")
    def test_if_the_factory_raises_the_next_one_tries(self):
        m = self.filled()
        calls = []

        def factory(_key):
            calls.append(1)
            time.sleep(0.01)
            if len(calls) < 3:
                raise LookupError
            return "made"

        def work():
            try:
                return m.compute_if_absent("k", factory)
            except LookupError:
                return None

        assert sorted(in_threads(*[work] * 5), key=str) == [None, None, "made", "made", "made"]
        assert len(calls) == 3
        self.check(m, {"k": "made"})

"""Compound operations on one key, in one thread: what they return, store and refuse."""

from __future__ import annotations

from operator import add
from typing import Any

import pytest

from safemap import MISSING
from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Hostile


def raising(*_: Any) -> None:
    raise Hostile


FUNCTIONS: dict[str, Any] = {
    "compute": (("compute",), lambda m: m.compute("a", raising)),
    "compute absent": (("compute",), lambda m: m.compute("x", raising, 1)),
    "compute_if_absent": (("compute_if_absent",), lambda m: m.compute_if_absent("x", raising)),
    "compute_if_present": (("compute_if_present",), lambda m: m.compute_if_present("a", raising)),
    "merge": (("merge",), lambda m: m.merge("a", 1, raising)),
}
UNHASHABLE: dict[str, Any] = {
    "swap": lambda m, k: m.swap(k, 1),
    "compare_and_set": lambda m, k: m.compare_and_set(k, MISSING, 1),
    "compare_and_delete": lambda m, k: m.compare_and_delete(k, 1),
    "compute": lambda m, k: m.compute(k, raising, 1),
    "compute_if_absent": lambda m, k: m.compute_if_absent(k, raising),
    "compute_if_present": lambda m, k: m.compute_if_present(k, raising),
    "merge": lambda m, k: m.merge(k, 1, raising),
    "entry": lambda m, k: m.entry(k).__enter__(),
}


class Compound(Suite):
    @needs("swap")
    def test_swap_returns_the_previous_value(self):
        m = self.filled(a=1, n=None)
        assert m.swap("a", 2) == 1
        assert m.swap("b", 3) is None
        assert m.swap("c", 4, MISSING) is MISSING
        assert m.swap("n", 5, 0) is None
        self.check(m, {"a": 2, "b": 3, "c": 4, "n": 5})

    @needs("compare_and_set")
    def test_compare_and_set_by_identity_or_equality(self):
        nan = float("nan")
        m = self.filled(a=1000, n=None, nan=nan)
        assert m.compare_and_set("a", 500 * 2, 2) is True
        assert m.compare_and_set("a", 1000, 3) is False
        assert m.compare_and_set("nan", nan, 4) is True
        assert m.compare_and_set("n", None, 5) is True
        self.check(m, {"a": 2, "n": 5, "nan": 4})

    @needs("compare_and_set")
    def test_compare_and_set_if_missing(self):
        m = self.filled(a=None)
        assert m.compare_and_set("b", MISSING, 1) is True
        assert m.compare_and_set("b", MISSING, 2) is False
        assert m.compare_and_set("a", MISSING, 2) is False
        assert m.compare_and_set("c", None, 2) is False
        self.check(m, {"a": None, "b": 1})

    @needs("compare_and_delete")
    def test_compare_and_delete(self):
        m = self.filled(a=[1], n=None)
        assert m.compare_and_delete("a", [2]) is False
        assert m.compare_and_delete("a", [1]) is True
        assert m.compare_and_delete("a", [1]) is False
        assert m.compare_and_delete("a", None) is False
        assert m.compare_and_delete("a", MISSING) is False
        assert m.compare_and_delete("n", None) is True
        self.check(m, {})

    @pytest.mark.parametrize("operation", ["compare_and_set", "compare_and_delete"])
    def test_a_comparison_that_raises_changes_nothing(self, operation: Any) -> None:
        self.need(operation)

        class Odd:
            def __eq__(self, other):
                raise Hostile

        odd = Odd()
        m = self.filled(a=odd)
        with pytest.raises(Hostile):
            m.compare_and_set("a", 1, 2) if operation == "compare_and_set" else m.compare_and_delete("a", 1)
        assert m["a"] is odd
        self.check(m)

    @needs("compute")
    def test_compute_of_a_present_key(self):
        m = self.filled(a=1)
        assert m.compute("a", lambda n: n + 1) == 2
        assert m.compute("a", lambda n: n + 1, 100) == 3
        self.check(m, {"a": 3})

    @needs("compute")
    def test_compute_of_an_absent_key(self):
        m = self.filled()
        with pytest.raises(KeyError) as raised:
            m.compute("a", raising)
        assert raised.value.args == ("a",)
        assert m.compute("a", lambda n: n + 1, 10) == 11
        assert m.compute("b", lambda v: v, None) is None
        assert m.compute("c", lambda v: (v, 1), default=MISSING) == (MISSING, 1)
        self.check(m, {"a": 11, "b": None, "c": (MISSING, 1)})

    @needs("compute")
    def test_compute_removes_what_becomes_missing(self):
        m = self.filled(a=1)
        assert m.compute("a", lambda _: MISSING) is MISSING
        assert m.compute("b", lambda _: MISSING, 1) is MISSING
        self.check(m, {})

    @needs("compute_if_absent")
    def test_compute_if_absent(self):
        m = self.filled(a=None)
        assert m.compute_if_absent("a", raising) is None
        assert m.compute_if_absent("b", lambda key: key * 2) == "bb"
        assert m.compute_if_absent("b", raising) == "bb"
        assert m.compute_if_absent("c", lambda _: MISSING) is MISSING
        self.check(m, {"a": None, "b": "bb"})

    @needs("compute_if_present")
    def test_compute_if_present(self):
        m = self.filled(a=None, b=1)
        assert m.compute_if_present("a", lambda v: (v,)) == (None,)
        assert m.compute_if_present("b", lambda _: MISSING) is MISSING
        assert m.compute_if_present("x", raising) is None
        assert m.compute_if_present("x", raising, 5) == 5
        self.check(m, {"a": (None,)})

    @needs("merge")
    def test_merge(self):
        m = self.filled(a=1)
        assert m.merge("a", 2, add) == 3
        assert m.merge("b", 2, raising) == 2
        self.check(m, {"a": 3, "b": 2})
        assert m.merge("a", 2, lambda _current, _value: MISSING) is MISSING
        self.check(m, {"b": 2})

    @pytest.mark.parametrize("operation", FUNCTIONS)
    def test_a_function_that_raises_changes_nothing(self, operation: Any) -> None:
        claims, operate = FUNCTIONS[operation]
        self.need(*claims)
        m = self.filled(a=1)
        with pytest.raises(Hostile):
            operate(m)
        self.check(m, {"a": 1})
        self.check_free(m, "a")
        self.check_free(m, "x")

    @pytest.mark.parametrize("operation", UNHASHABLE)
    def test_an_unhashable_key_is_a_type_error_before_the_function_runs(self, operation: Any) -> None:
        self.need(operation)
        m = self.filled(a=1)
        unhashable: tuple[Any, ...] = ([], {}, set())
        for key in unhashable:
            with pytest.raises(TypeError, match="unhashable"):
                UNHASHABLE[operation](m, key)
        self.check(m, {"a": 1})

    @needs("compute", "reentrant", "update", "pop", "snapshot")
    def test_the_function_may_use_the_map(self):
        m = self.filled(a=1, b=2)

        def function(n):
            m["c"] = m["b"] + n
            m.update(d=4)
            m.pop("b")
            m["a"] = 100  # overwritten by the result
            assert m.snapshot()["c"] == 3
            return m.compute("c", lambda c: c * 10)

        assert m.compute("a", function) == 30
        self.check(m, {"a": 30, "c": 30, "d": 4})

    @needs("compute", "reentrant")
    def test_a_function_may_compute_the_same_key(self):
        m = self.filled(a=1)
        assert m.compute("a", lambda n: n + m.compute("a", lambda k: k * 10)) == 11
        self.check(m, {"a": 11})

    @needs("compute_if_absent", "reentrant")
    def test_memoised_recursion(self):
        m = self.filled()

        def fib(n):
            return n if n < 2 else m.compute_if_absent(n - 1, fib) + m.compute_if_absent(n - 2, fib)

        assert m.compute_if_absent(50, fib) == 12586269025

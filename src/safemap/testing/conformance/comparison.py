"""`==`, `hash`, `repr`, and what else a mapping is used for."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping

import pytest

import safemap
from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Hostile


class Comparison(Suite):
    @needs("equality")
    def test_equality(self):
        assert self.filled(a=1) == {"a": 1}
        assert {"a": 1} == self.filled(a=1)
        assert self.filled(a=1, b=2) == self.filled(b=2, a=1)
        assert self.filled(a=1) != {"a": 2}
        assert self.filled(a=1) != {"b": 1}
        assert self.filled(a=1) != {}
        assert self.filled() != []
        assert self.filled() != None  # noqa: E711
        assert self.filled() == safemap.MutexMap()

    @needs("equality")
    def test_comparing_lets_errors_of_values_through(self):
        class Odd:
            def __eq__(self, other):
                raise Hostile

        with pytest.raises(Hostile):
            self.filled(a=Odd()) == {"a": 1}

    @needs("unhashable")
    def test_is_not_ordered_and_not_hashable(self):
        with pytest.raises(TypeError):
            self.filled() < self.filled()
        with pytest.raises(TypeError):
            hash(self.filled())

    @needs("repr")
    def test_repr(self):
        assert repr(self.filled()) == "{}"
        assert repr(self.filled(a=1)) == "{'a': 1}"
        assert str(self.filled({1: [None]})) == "{1: [None]}"
        m = self.filled()
        m["self"] = m
        assert repr(m) == "{'self': {...}}"

    @needs("mapping")
    def test_is_a_mutable_mapping(self):
        assert isinstance(self.filled(), Mapping)
        assert isinstance(self.filled(), MutableMapping)

    @needs("views")
    def test_json_of_a_plain_dict(self):
        m = self.filled(a=[1, None])
        assert json.dumps(dict(m.items())) == '{"a": [1, null]}'

    @needs("mapping")
    def test_unpacking(self):
        m = self.filled(a=1)
        assert {**m, "b": 2} == {"a": 1, "b": 2}
        assert dict(**m) == {"a": 1}
        assert [*m] == ["a"]
        match m:
            case {"a": n}:
                assert n == 1
            case _:
                raise AssertionError

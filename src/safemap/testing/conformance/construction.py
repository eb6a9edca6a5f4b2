"""Making a map: from what `dict` can be made from."""

from __future__ import annotations

import collections

import pytest

import safemap
from safemap.testing.conformance.suite import Suite, needs


class Construction(Suite):
    @needs("construction")
    def test_construction_accepts_what_dict_accepts(self):
        class WithKeys:
            def keys(self):
                return ["a"]

            def __getitem__(self, key):
                return key * 2

        make = self.make
        self.check(make(), {})
        self.check(make({"a": 1}), {"a": 1})
        self.check(make([("a", 1), ("b", 2)]), {"a": 1, "b": 2})
        self.check(make(iter(["ab", "cd"])), {"a": "b", "c": "d"})
        self.check(make(a=1), {"a": 1})
        self.check(make({"a": 1}, a=2, self=3, items=4), {"a": 2, "self": 3, "items": 4})
        self.check(make(WithKeys()), {"a": "aa"})
        self.check(make(make(a=1)), {"a": 1})
        self.check(make(safemap.ShardedMap(a=1)), {"a": 1})
        self.check(make(safemap.CopyOnWriteMap(a=1).snapshot(), b=2), {"a": 1, "b": 2})
        self.check(make(collections.UserDict(a=1)), {"a": 1})

    @needs("construction")
    @pytest.mark.parametrize(
        ("items", "error"),
        [(None, TypeError), (0, TypeError), ([1], TypeError), (["abc"], ValueError), ([([], 1)], TypeError)],
    )
    def test_construction_refuses_what_dict_refuses(self, items, error):
        with pytest.raises(error) as by_dict:
            dict(items)
        with pytest.raises(error) as raised:
            self.make(items)
        assert str(raised.value) == str(by_dict.value)

    @needs("construction")
    def test_two_positional_arguments_are_too_many(self):
        with pytest.raises(TypeError):
            self.make({}, {})

    @needs("construction", "subclass")
    def test_calling_init_again_updates(self):
        m = self.make(a=1, b=2)
        m.__init__({"b": 3})
        self.check(m, {"a": 1, "b": 3})

    @needs("fromkeys")
    def test_fromkeys(self):
        self.check(self.cls.fromkeys("ab"), {"a": None, "b": None})
        self.check(self.cls.fromkeys("ab", 1), {"a": 1, "b": 1})

    @needs("fromkeys", "subclass")
    def test_fromkeys_of_a_subclass(self):
        class Doubling(self.cls):
            def __setitem__(self, key, value):
                super().__setitem__(key, value * 2)

        self.check(Doubling.fromkeys("a", 1), {"a": 2})
        assert type(Doubling.fromkeys("a", 1)) is Doubling

    @needs("generic alias")
    def test_generic_alias(self):
        alias = self.cls[str, int]
        assert alias.__origin__ is self.cls
        assert alias.__args__ == (str, int)
        assert type(alias()) is self.cls

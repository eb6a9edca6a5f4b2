"""What a program makes of the class."""

from __future__ import annotations

import pytest

from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Hostile


class Subclasses(Suite):
    @needs("missing", "in", "get", "pop")
    def test_missing(self):
        class Doubling(self.cls):
            def __missing__(self, key):
                return key * 2

        m = Doubling()
        m["a"] = 1
        assert m["a"] == 1
        assert m["b"] == "bb"
        assert m.get("b") is None
        assert "b" not in m
        assert m.pop("b", 0) == 0
        self.check(m, {"a": 1})

    @needs("subclass", "construction")
    def test_attributes_and_init_of_a_subclass(self):
        class Named(self.cls):
            def __init__(self, name):
                self.name = name  # the base's __init__ need not be called

        m = Named("n")
        m["a"] = 1
        assert m.name == "n"
        self.check(m, {"a": 1})
        assert isinstance(m, self.cls)

    @needs("no attributes")
    def test_a_plain_instance_has_no_attributes(self):
        with pytest.raises(AttributeError):
            self.filled().name = 1

    @needs("subclass", "construction", "views", "update", "setdefault", "get", "pop")
    def test_overridden_get_and_set_are_not_used_by_others(self):
        class Strict(self.cls):
            def __setitem__(self, key, value):
                raise Hostile

            def __getitem__(self, key):
                raise Hostile

        m = Strict(a=1)
        m.update(b=2)
        assert m.setdefault("c", 3) == 3
        assert m.get("b") == 2
        assert m.pop("a") == 1
        assert dict(m.items()) == {"b": 2, "c": 3}

"""`keys()`, `values()`, `items()`."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView

import pytest

from safemap.testing.conformance.suite import Suite, needs


class Views(Suite, needs={"views"}):
    def test_views_are_live(self) -> None:
        m = self.filled(a=1)
        keys, values, items = m.keys(), m.values(), m.items()
        m["b"] = 2
        assert len(keys) == len(values) == len(items) == 2
        assert set(keys) == {"a", "b"}
        assert sorted(values) == [1, 2]
        assert set(items) == {("a", 1), ("b", 2)}

    def test_types_of_views(self) -> None:
        m = self.filled(a=1)
        assert isinstance(m.keys(), KeysView)
        assert isinstance(m.values(), ValuesView)
        assert isinstance(m.items(), ItemsView)

    def test_membership_in_views(self) -> None:
        nan = float("nan")
        m = self.filled(a=1, b=nan)
        assert "a" in m.keys()
        assert "c" not in m.keys()
        assert 1 in m.values()
        assert nan in m.values()
        assert 2 not in m.values()
        assert ("a", 1) in m.items()
        assert ("b", nan) in m.items()
        assert ("a", 2) not in m.items()
        assert ("c", 1) not in m.items()
        assert "ab" not in m.items()

    def test_keys_are_a_set(self) -> None:
        keys = self.filled(a=1, b=2).keys()
        assert keys & {"a", "c"} == {"a"}
        assert {"a", "c"} & keys == {"a"}
        assert keys | {"c"} == {"a", "b", "c"}
        assert keys - {"a"} == {"b"}
        assert {"a", "c"} - keys == {"c"}
        assert keys ^ {"a", "c"} == {"b", "c"}
        assert type(keys & keys) is set
        assert keys == {"a", "b"}
        assert keys != {"a"}
        assert keys < {"a", "b", "c"}
        assert keys <= keys
        assert keys > {"a"}
        assert keys >= self.filled(a=2).keys()
        assert keys.isdisjoint({"c"})
        assert not keys.isdisjoint(["a"])
        with pytest.raises(TypeError):
            hash(keys)
        with pytest.raises(TypeError):
            keys < ["a"]

    def test_items_are_a_set(self) -> None:
        items = self.filled(a=1, b=2).items()
        assert items & {("a", 1)} == {("a", 1)}
        assert items - {("a", 1)} == {("b", 2)}
        assert items == {"a": 1, "b": 2}.items()
        assert items == self.filled(b=2, a=1).items()
        with pytest.raises(TypeError):
            self.filled(a=[]).items() & {1}

    @needs("repr")
    def test_repr_of_views(self):
        m = self.filled(a=1)
        assert repr(m.keys()) == "dict_keys(['a'])"
        assert repr(m.values()) == "dict_values([1])"
        assert repr(m.items()) == "dict_items([('a', 1)])"

    @needs("mapping")
    def test_views_know_their_mapping(self):
        m = self.filled(a=1)
        for view in (m.keys(), m.values(), m.items()):
            proxy = view.mapping
            assert proxy["a"] == 1
            with pytest.raises(TypeError):
                proxy["a"] = 2

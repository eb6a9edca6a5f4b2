"""Setting many keys, and merging maps."""

from __future__ import annotations

from typing import Any

import pytest

from safemap.testing.conformance.suite import Suite, needs


class Updates(Suite):
    @needs("update")
    def test_update_accepts_what_dict_accepts(self):
        m = self.filled(a=1)
        assert m.update({"b": 2}) is None
        m.update([("c", 3)], d=4)
        m.update(e=5, self=6)
        m.update()
        m.update(self.filled(f=7))
        self.check(m, {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "self": 6, "f": 7})

    @needs("update", "all or nothing")
    @pytest.mark.parametrize(
        ("items", "error"),
        [(None, TypeError), (0, TypeError), ([1], TypeError), (["abc"], ValueError), ([([], 1)], TypeError)],
    )
    def test_update_refuses_what_dict_refuses(self, items, error):
        m = self.filled(a=1)
        with pytest.raises(error):
            m.update(items)
        self.check(m, {"a": 1})

    @needs("update")
    def test_update_with_itself(self):
        m = self.filled(a=1, b=2)
        m.update(m)
        self.check(m, {"a": 1, "b": 2})

    @needs("union")
    def test_union(self):
        m = self.filled(a=1, b=2)
        self.check(m | {"b": 3}, {"a": 1, "b": 3})
        self.check({"b": 3, "c": 4} | m, {"a": 1, "b": 2, "c": 4})
        assert type(m | {}) is self.cls
        same = m
        m |= {"c": 5}
        m |= [("d", 6)]
        assert m is same
        self.check(m, {"a": 1, "b": 2, "c": 5, "d": 6})
        with pytest.raises(TypeError):
            m | [("a", 1)]
        with pytest.raises(TypeError):
            m | None

    def order(self) -> Any:
        m = self.filled()
        for key in "cab":
            m[key] = 1
        m["z"] = 1
        m["a"] = 2
        return m

    @needs("ordered")
    def test_order(self):
        assert list(self.pairs(self.order())) == [("c", 1), ("a", 2), ("b", 1), ("z", 1)]

    @needs("ordered", "update")
    def test_order_of_an_update(self):
        m = self.filled(c=1, a=1)
        m.update({"z": 1, "a": 2, "b": 3})
        assert list(self.pairs(m)) == [("c", 1), ("a", 2), ("z", 1), ("b", 3)]

    @needs("reversed")
    def test_reversed(self):
        m = self.order()
        assert sorted(reversed(m)) == ["a", "b", "c", "z"]
        if self.has("ordered"):
            assert list(reversed(m)) == ["z", "b", "a", "c"]

    @needs("reversed", "views")
    def test_reversed_views(self):
        m = self.order()
        assert list(reversed(m.keys())) == list(reversed(m))
        assert dict(reversed(m.items())) == {"a": 2, "b": 1, "c": 1, "z": 1}
        assert sorted(reversed(m.values())) == [1, 1, 1, 2]
        if self.has("ordered"):
            assert list(reversed(m.items())) == [("z", 1), ("b", 1), ("a", 2), ("c", 1)]
            assert list(reversed(m.values())) == [1, 1, 2, 1]

"""Operations on one key."""

from __future__ import annotations

from typing import Any

import pytest

from safemap.testing.conformance.suite import Suite, needs

ABSENT: dict[str, Any] = {
    "m[k]": ((), lambda m: m["x"]),
    "del": ((), lambda m: m.__delitem__("x")),
    "pop": (("pop",), lambda m: m.pop("x")),
}
UNHASHABLE: dict[str, Any] = {
    "m[k]": ((), lambda m, k: m[k]),
    "get": (("get",), lambda m, k: m.get(k)),
    "in": (("in",), lambda m, k: k in m),
    "m[k] = v": ((), lambda m, k: m.__setitem__(k, 1)),
    "del": ((), lambda m, k: m.__delitem__(k)),
    "setdefault": (("setdefault",), lambda m, k: m.setdefault(k, 1)),
    "pop": (("pop",), lambda m, k: m.pop(k, None)),
    "update": (("update",), lambda m, k: m.update({1: 1}) or m.update([(k, 1)])),
}


class Keys(Suite):
    def test_set_and_delete(self) -> None:
        m = self.filled()
        m["a"] = 1
        m["a"] = 2
        assert m["a"] == 2
        self.check(m, {"a": 2})
        del m["a"]
        self.check(m, {})

    @needs("in")
    def test_in(self):
        m = self.filled(a=None)
        assert "a" in m
        assert "b" not in m
        del m["a"]
        assert "a" not in m

    @needs("get")
    def test_get(self):
        m = self.filled(a=2)
        assert m.get("a") == 2
        assert m.get("a", 5) == 2
        assert m.get("b") is None
        assert m.get("b", 5) == 5

    @needs("len")
    def test_len_and_truth(self):
        m = self.filled(a=1)
        assert len(m) == 1
        assert m
        del m["a"]
        assert len(m) == 0
        assert not m

    @pytest.mark.parametrize("operation", ABSENT)
    def test_an_absent_key_is_a_key_error_of_the_key(self, operation: Any) -> None:
        claims, operate = ABSENT[operation]
        self.need(*claims)
        m = self.filled(a=1)
        with pytest.raises(KeyError) as raised:
            operate(m)
        assert raised.value.args == ("x",)
        self.check(m, {"a": 1})

    def test_a_tuple_is_a_key_error_of_the_tuple(self) -> None:
        with pytest.raises(KeyError) as raised:
            self.filled()[1,]
        assert raised.value.args == ((1,),)

    @pytest.mark.parametrize("operation", UNHASHABLE)
    def test_an_unhashable_key_is_a_type_error(self, operation: Any) -> None:
        claims, operate = UNHASHABLE[operation]
        self.need(*claims)
        m = self.filled({1: 1})
        with pytest.raises(TypeError, match="unhashable"):
            operate(m, [])
        self.check(m, {1: 1})

    @needs("setdefault")
    def test_setdefault(self):
        m = self.filled()
        assert m.setdefault("a") is None
        assert m.setdefault("a", 1) is None
        assert m.setdefault("b", 2) == 2
        self.check(m, {"a": None, "b": 2})

    @needs("pop")
    def test_pop(self):
        m = self.filled(a=None, b=2)
        assert m.pop("a") is None
        assert m.pop("a", 3) == 3
        assert m.pop("a", None) is None
        self.check(m, {"b": 2})

    def test_none_is_an_ordinary_key_and_value(self) -> None:
        m = self.filled({None: None})
        assert m[None] is None
        self.check(m, {None: None})
        if self.has("in"):
            assert None in m
        if self.has("get"):
            assert m.get(None, 1) is None
        if self.has("setdefault"):
            assert m.setdefault(None, 1) is None
        if self.has("pop"):
            assert m.pop(None, 1) is None
            self.check(m, {})

    def test_nan_is_found_by_identity(self) -> None:
        nan = float("nan")
        m = self.filled({nan: 1})
        assert m[nan] == 1
        with pytest.raises(KeyError):
            m[float("nan")]
        self.check(m, {nan: 1})

    def test_an_equal_key_keeps_the_first_object(self) -> None:
        m = self.filled()
        m[1] = "int"
        m[True] = "bool"
        m[1.0] = "float"
        ((key, value),) = self.pairs(m)
        assert type(key) is int
        assert value == "float"
        self.check(m, {1: "float"})

    @needs("popitem")
    def test_popitem_of_an_empty_map(self):
        with pytest.raises(KeyError) as raised:
            self.filled().popitem()
        assert raised.value.args == ("popitem(): dictionary is empty",)

    @needs("popitem")
    def test_popitem_returns_each_item_once(self):
        m = self.filled({i: str(i) for i in range(500)})
        items = [m.popitem() for _ in range(500)]
        assert dict(items) == {i: str(i) for i in range(500)}
        self.check(m, {})
        if self.has("ordered"):
            assert [key for key, _ in items] == list(range(499, -1, -1))

    @needs("clear")
    def test_clear(self):
        m = self.filled({i: i for i in range(500)})
        assert m.clear() is None
        self.check(m, {})
        m["a"] = 1
        self.check(m, {"a": 1})

    def test_many_keys(self) -> None:
        m = self.filled()
        for i in range(20_000):
            m[i << 12] = i  # a stride that leaves the low bits of the hash alike
        assert all(m[i << 12] == i for i in range(20_000))
        for i in range(0, 20_000, 2):
            del m[i << 12]
        self.check(m, {i << 12: i for i in range(1, 20_000, 2)})

"""What a dict does, every variant does: each test runs on plain dict too."""

from __future__ import annotations

import collections
import copy
import gc
import json
import pickle
import weakref
from collections.abc import ItemsView, KeysView, Mapping, MutableMapping, ValuesView

import pytest

import safemap
from tests.support import Hostile, Key, RaisesOnce


def ordered(mapping):
    return mapping.cls is dict or mapping.guarantees.insertion_order


class TestConstruction:
    def test_accepts_what_dict_accepts(self, mapping):
        class WithKeys:
            def keys(self):
                return ["a"]

            def __getitem__(self, key):
                return key * 2

        assert mapping() == {}
        assert mapping({"a": 1}) == {"a": 1}
        assert mapping([("a", 1), ("b", 2)]) == {"a": 1, "b": 2}
        assert mapping(iter(["ab", "cd"])) == {"a": "b", "c": "d"}
        assert mapping(a=1) == {"a": 1}
        assert mapping({"a": 1}, a=2, self=3, items=4) == {"a": 2, "self": 3, "items": 4}
        assert mapping(WithKeys()) == {"a": "aa"}
        assert mapping(mapping(a=1)) == {"a": 1}
        assert mapping(safemap.ShardedMap(a=1)) == {"a": 1}
        assert mapping(safemap.CopyOnWriteMap(a=1).snapshot(), b=2) == {"a": 1, "b": 2}
        assert mapping(collections.UserDict(a=1)) == {"a": 1}

    @pytest.mark.parametrize(
        ("items", "error"),
        [(None, TypeError), (0, TypeError), ([1], TypeError), (["abc"], ValueError), ([([], 1)], TypeError)],
    )
    def test_refuses_what_dict_refuses(self, mapping, items, error):
        with pytest.raises(error) as by_dict:
            dict(items)
        with pytest.raises(error) as raised:
            mapping(items)
        assert str(raised.value) == str(by_dict.value)
        m = mapping(a=1)
        with pytest.raises(error):
            m.update(items)
        assert m == {"a": 1}

    def test_two_positional_arguments_are_too_many(self, mapping):
        with pytest.raises(TypeError):
            mapping({}, {})

    def test_calling_init_again_updates(self, mapping):
        m = mapping(a=1, b=2)
        m.__init__({"b": 3})
        assert m == {"a": 1, "b": 3}

    def test_fromkeys(self, mapping):
        assert mapping.cls.fromkeys("ab") == {"a": None, "b": None}
        assert mapping.cls.fromkeys("ab", 1) == {"a": 1, "b": 1}

        class Doubling(mapping.cls):
            def __setitem__(self, key, value):
                super().__setitem__(key, value * 2)

        assert Doubling.fromkeys("a", 1) == {"a": 2}
        assert type(Doubling.fromkeys("a", 1)) is Doubling


class TestSingleKeys:
    def test_get_set_delete(self, mapping):
        m = mapping()
        m["a"] = 1
        m["a"] = 2
        assert m["a"] == 2
        assert "a" in m
        assert m.get("a") == 2
        del m["a"]
        assert "a" not in m
        assert m.get("a") is None
        assert m.get("a", 5) == 5
        assert len(m) == 0
        assert not m

    @pytest.mark.parametrize(
        "operation",
        [
            lambda m: m["x"],
            lambda m: m.pop("x"),
            lambda m: m.__delitem__("x"),
        ],
    )
    def test_absent_key_is_a_key_error_of_the_key(self, mapping, operation):
        m = mapping(a=1)
        with pytest.raises(KeyError) as raised:
            operation(m)
        assert raised.value.args == ("x",)
        assert m == {"a": 1}

    def test_a_tuple_is_a_key_error_of_the_tuple(self, mapping):
        with pytest.raises(KeyError) as raised:
            mapping()[1,]
        assert raised.value.args == ((1,),)

    def test_popitem_of_an_empty_map(self, mapping):
        with pytest.raises(KeyError) as raised:
            mapping().popitem()
        assert raised.value.args == ("popitem(): dictionary is empty",)

    @pytest.mark.parametrize(
        "operation",
        [
            lambda m, k: m[k],
            lambda m, k: m.get(k),
            lambda m, k: k in m,
            lambda m, k: m.__setitem__(k, 1),
            lambda m, k: m.__delitem__(k),
            lambda m, k: m.setdefault(k, 1),
            lambda m, k: m.pop(k, None),
            lambda m, k: m.update({1: 1}) or m.update([(k, 1)]),
        ],
    )
    def test_an_unhashable_key_is_a_type_error(self, mapping, operation):
        m = mapping({1: 1})
        with pytest.raises(TypeError, match="unhashable"):
            operation(m, [])
        assert m == {1: 1}

    def test_setdefault_and_pop(self, mapping):
        m = mapping()
        assert m.setdefault("a") is None
        assert m.setdefault("a", 1) is None
        assert m.setdefault("b", 2) == 2
        assert m.pop("a") is None
        assert m.pop("a", 3) == 3
        assert m == {"b": 2}

    def test_none_is_an_ordinary_key_and_value(self, mapping):
        m = mapping({None: None})
        assert m[None] is None
        assert None in m
        assert m.get(None, 1) is None
        assert m.setdefault(None, 1) is None
        assert m.pop(None, 1) is None

    def test_nan_is_found_by_identity(self, mapping):
        nan = float("nan")
        m = mapping({nan: 1})
        assert m[nan] == 1
        assert m.get(float("nan")) is None
        assert m == {nan: 1}

    def test_an_equal_key_keeps_the_first_object(self, mapping):
        m = mapping()
        m[1] = "int"
        m[True] = "bool"
        m[1.0] = "float"
        assert len(m) == 1
        assert type(next(iter(m))) is int
        assert m == {1: "float"}

    def test_popitem_returns_each_item_once(self, mapping):
        m = mapping({i: str(i) for i in range(500)})
        items = [m.popitem() for _ in range(500)]
        assert dict(items) == {i: str(i) for i in range(500)}
        assert len(m) == 0
        if ordered(mapping):
            assert [key for key, _ in items] == list(range(499, -1, -1))

    def test_clear(self, mapping):
        m = mapping({i: i for i in range(500)})
        assert m.clear() is None
        assert m == {}
        assert list(m) == []
        m["a"] = 1
        assert m == {"a": 1}

    def test_large(self, mapping):
        m = mapping()
        for i in range(20_000):
            m[i << 12] = i  # a stride that leaves the low bits of the hash alike
        assert len(m) == 20_000
        assert all(m[i << 12] == i for i in range(20_000))
        for i in range(0, 20_000, 2):
            del m[i << 12]
        assert len(m) == 10_000
        assert sum(m.values()) == sum(range(1, 20_000, 2))


class TestUpdate:
    def test_accepts_what_dict_accepts(self, mapping):
        m = mapping(a=1)
        assert m.update({"b": 2}) is None
        m.update([("c", 3)], d=4)
        m.update(e=5, self=6)
        m.update()
        m.update(mapping(f=7))
        assert m == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "self": 6, "f": 7}

    def test_with_itself(self, mapping):
        m = mapping(a=1, b=2)
        m.update(m)
        assert m == {"a": 1, "b": 2}

    def test_merge_operators(self, mapping):
        m = mapping(a=1, b=2)
        assert m | {"b": 3} == {"a": 1, "b": 3}
        assert {"b": 3, "c": 4} | m == {"a": 1, "b": 2, "c": 4}
        assert type(m | {}) is mapping.cls
        same = m
        m |= {"c": 5}
        m |= [("d", 6)]
        assert m is same
        assert m == {"a": 1, "b": 2, "c": 5, "d": 6}
        with pytest.raises(TypeError):
            m | [("a", 1)]
        with pytest.raises(TypeError):
            m | None

    def test_order(self, mapping):
        m = mapping()
        for key in "cab":
            m[key] = 1
        m.update({"z": 1, "a": 2})
        if ordered(mapping):
            assert list(m) == ["c", "a", "b", "z"]
            assert list(reversed(m)) == ["z", "b", "a", "c"]
            assert list(reversed(m.items())) == [("z", 1), ("b", 1), ("a", 2), ("c", 1)]
            assert list(reversed(m.values())) == [1, 1, 2, 1]
        else:
            assert sorted(reversed(m)) == sorted(m) == ["a", "b", "c", "z"]


class TestViews:
    def test_are_live(self, mapping):
        m = mapping(a=1)
        keys, values, items = m.keys(), m.values(), m.items()
        m["b"] = 2
        assert len(keys) == len(values) == len(items) == 2
        assert set(keys) == {"a", "b"}
        assert sorted(values) == [1, 2]
        assert set(items) == {("a", 1), ("b", 2)}

    def test_types(self, mapping):
        m = mapping(a=1)
        assert isinstance(m, (Mapping, MutableMapping))
        assert isinstance(m.keys(), KeysView)
        assert isinstance(m.values(), ValuesView)
        assert isinstance(m.items(), ItemsView)

    def test_membership(self, mapping):
        nan = float("nan")
        m = mapping(a=1, b=nan)
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

    def test_keys_are_a_set(self, mapping):
        keys = mapping(a=1, b=2).keys()
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
        assert keys >= mapping(a=2).keys()
        assert keys.isdisjoint({"c"})
        assert not keys.isdisjoint(["a"])
        with pytest.raises(TypeError):
            hash(keys)
        with pytest.raises(TypeError):
            keys < ["a"]

    def test_items_are_a_set(self, mapping):
        items = mapping(a=1, b=2).items()
        assert items & {("a", 1)} == {("a", 1)}
        assert items - {("a", 1)} == {("b", 2)}
        assert items == {"a": 1, "b": 2}.items()
        assert items == mapping(b=2, a=1).items()
        with pytest.raises(TypeError):
            mapping(a=[]).items() & {1}

    def test_repr_and_mapping(self, mapping):
        m = mapping(a=1)
        assert repr(m.keys()) == "dict_keys(['a'])"
        assert repr(m.values()) == "dict_values([1])"
        assert repr(m.items()) == "dict_items([('a', 1)])"
        proxy = m.keys().mapping
        assert proxy["a"] == 1
        with pytest.raises(TypeError):
            proxy["a"] = 2


class TestComparison:
    def test_equality(self, mapping):
        assert mapping(a=1) == {"a": 1}
        assert {"a": 1} == mapping(a=1)
        assert mapping(a=1, b=2) == mapping(b=2, a=1)
        assert mapping(a=1) != {"a": 2}
        assert mapping(a=1) != {"b": 1}
        assert mapping(a=1) != {}
        assert mapping() != []
        assert mapping() != None  # noqa: E711
        assert mapping() == safemap.MutexMap()

    def test_is_not_ordered_and_not_hashable(self, mapping):
        with pytest.raises(TypeError):
            mapping() < mapping()
        with pytest.raises(TypeError):
            hash(mapping())

    def test_errors_of_values_come_through(self, mapping):
        class Odd:
            def __eq__(self, other):
                raise Hostile

        with pytest.raises(Hostile):
            mapping(a=Odd()) == {"a": 1}

    def test_repr(self, mapping):
        assert repr(mapping()) == "{}"
        assert repr(mapping(a=1)) == "{'a': 1}"
        assert str(mapping({1: [None]})) == "{1: [None]}"
        m = mapping()
        m["self"] = m
        assert repr(m) == "{'self': {...}}"


class TestCopies:
    def test_copy_is_shallow_and_separate(self, mapping):
        inner = []
        m = mapping(a=inner)
        for duplicate in (m.copy(), copy.copy(m)):
            assert type(duplicate) is mapping.cls
            assert duplicate == m
            assert duplicate["a"] is inner
            duplicate["b"] = 1
            assert "b" not in m

    def test_deepcopy(self, mapping):
        m = mapping(a=[1])
        m["self"] = m
        duplicate = copy.deepcopy(m)
        assert duplicate["a"] == [1]
        assert duplicate["a"] is not m["a"]
        assert duplicate["self"] is duplicate

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickle(self, mapping, protocol):
        m = mapping({i: [i] for i in range(300)})
        duplicate = pickle.loads(pickle.dumps(m, protocol))
        assert type(duplicate) is mapping.cls
        assert duplicate == m
        m.clear()
        m["self"] = m
        duplicate = pickle.loads(pickle.dumps(m, protocol))
        assert duplicate["self"] is duplicate

    def test_json_of_a_plain_dict(self, mapping):
        m = mapping(a=[1, None])
        assert json.dumps(dict(m.items())) == '{"a": [1, null]}'

    def test_unpacking(self, mapping):
        m = mapping(a=1)
        assert {**m, "b": 2} == {"a": 1, "b": 2}
        assert dict(**m) == {"a": 1}
        assert [*m] == ["a"]
        match m:
            case {"a": n}:
                assert n == 1
            case _:
                raise AssertionError


class Tagged(safemap.MutexMap):
    """A subclass that can be pickled, with an attribute."""

    tag = None


class TestSubclasses:
    def test_missing(self, mapping):
        class Doubling(mapping.cls):
            def __missing__(self, key):
                return key * 2

        m = Doubling(a=1)
        assert m["a"] == 1
        assert m["b"] == "bb"
        assert m.get("b") is None
        assert "b" not in m
        assert m.pop("b", 0) == 0
        assert m == {"a": 1}

    def test_attributes_and_init(self, mapping):
        class Named(mapping.cls):
            def __init__(self, name):
                self.name = name  # the base's __init__ need not be called

        m = Named("n")
        m["a"] = 1
        assert m.name == "n"
        assert m == {"a": 1}
        assert isinstance(m, mapping.cls)

    def test_a_plain_instance_has_no_attributes(self, mapping):
        with pytest.raises(AttributeError):
            mapping().name = 1

    def test_overridden_get_and_set_are_not_used_by_others(self, mapping):
        class Strict(mapping.cls):
            def __setitem__(self, key, value):
                raise Hostile

            def __getitem__(self, key):
                raise Hostile

        m = Strict(a=1)
        m.update(b=2)
        assert m.setdefault("c", 3) == 3
        assert m.get("b") == 2
        assert m.pop("a") == 1
        assert m == {"b": 2, "c": 3}

    @pytest.mark.parametrize("cls", safemap.KINDS.values())
    def test_generic_alias(self, cls):
        alias = cls[str, int]
        assert alias.__origin__ is cls
        assert alias.__args__ == (str, int)
        m = alias(a=1)
        assert type(m) is cls
        assert m == {"a": 1}

    def test_attributes_travel(self):
        m = Tagged(a=1)
        m.tag = "t"
        for duplicate in (copy.copy(m), copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
            assert type(duplicate) is Tagged
            assert duplicate.tag == "t"
            assert duplicate == {"a": 1}


class TestLifetime:
    def test_weak_references(self, variant):
        m = variant(a=1)
        reference = weakref.ref(m)
        assert reference() is m
        del m
        gc.collect()
        assert reference() is None

    def test_values_die_when_replaced_or_removed(self, mapping):
        class Value:
            pass

        def gone(reference):
            gc.collect()
            return reference() is None

        removals = [
            lambda m, k: m.__setitem__(k, 1),
            lambda m, k: m.__delitem__(k),
            lambda m, k: m.pop(k) and None,
            lambda m, k: m.clear(),
            lambda m, k: m.update({k: 1, "other": 2}),
        ]
        for remove in removals:
            m = mapping({1: Value(), 2: 2})
            m.get(3)
            reference = weakref.ref(m[1])
            assert reference() is not None
            remove(m, 1)
            assert gone(reference), remove

    def test_keys_die_when_removed(self, mapping):
        class Value:
            pass

        m = mapping({i: i for i in range(300)})
        for read_often in (False, True):
            key = Value()
            m[key] = 1
            for _ in range(1000 if read_often else 0):
                m.get(key), m.get("absent")
            reference = weakref.ref(key)
            del m[key]
            del key
            gc.collect()
            assert reference() is None

    def test_cycles_are_collected(self, variant):
        m = variant()
        m["self"] = m
        reference = weakref.ref(m)
        del m
        gc.collect()
        assert reference() is None

    def test_an_empty_map_is_small(self, variant):
        gc.collect()
        before = len(gc.get_objects())
        maps = [variant() for _ in range(10)]
        # 16 shards of three objects each (3.14 counts empty dicts, too), and the map's own few
        assert (len(gc.get_objects()) - before) / 10 < 16 * 3 + 12
        assert len(maps) == 10


OPERATIONS = {
    "m[k]": lambda m, k: m[k],
    "get": lambda m, k: m.get(k),
    "in": lambda m, k: k in m,
    "m[k] = v": lambda m, k: m.__setitem__(k, "new"),
    "del": lambda m, k: m.__delitem__(k),
    "setdefault": lambda m, k: m.setdefault(k, "new"),
    "pop": lambda m, k: m.pop(k),
    "update": lambda m, k: m.update({k: "new"}),
    "|=": lambda m, k: m.__ior__({k: "new"}),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("where", ["on_hash", "on_eq"])
def test_a_key_that_raises_changes_nothing(mapping, name, present, where):
    """Whichever call of `__hash__` or `__eq__` raises: the map is as before, or as after the operation."""
    for n in range(40):
        m = mapping({Key("a"): 1, Key("b"): 2, Key("c"): 3, "plain": 4})
        before = [(getattr(k, "name", k), v) for k, v in m.items()]
        hostile = Key("b" if present else "x")
        raises = RaisesOnce(n)
        setattr(hostile, where, raises)
        try:
            OPERATIONS[name](m, hostile)
        except Hostile:
            after = [(getattr(k, "name", k), v) for k, v in m.items()]
            assert after == before
            assert len(m) == len(before)
        except KeyError:
            assert not present
        setattr(hostile, where, None)
        if hasattr(m, "_check"):
            m._check()
        if not raises.raised:
            break
    else:
        raise AssertionError("the key was never left alone")

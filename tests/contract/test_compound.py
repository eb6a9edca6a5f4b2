"""Atomic compound operations, options and snapshots, in one thread: what they return, store and refuse."""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Mapping
from operator import add

import pytest

import safemap
from safemap import MISSING
from tests.support import Hostile, Key, RaisesOnce


def raising(*_):
    raise Hostile


class TestSwap:
    def test_returns_the_previous_value(self, variant):
        m = variant(a=1, n=None)
        assert m.swap("a", 2) == 1
        assert m.swap("b", 3) is None
        assert m.swap("c", 4, MISSING) is MISSING
        assert m.swap("n", 5, 0) is None
        assert m == {"a": 2, "b": 3, "c": 4, "n": 5}


class TestCompareAndSet:
    def test_by_identity_or_equality(self, variant):
        nan = float("nan")
        m = variant(a=1000, n=None, nan=nan)
        assert m.compare_and_set("a", 500 * 2, 2) is True
        assert m.compare_and_set("a", 1000, 3) is False
        assert m.compare_and_set("nan", nan, 4) is True
        assert m.compare_and_set("n", None, 5) is True
        assert m == {"a": 2, "n": 5, "nan": 4}

    def test_missing_means_only_if_absent(self, variant):
        m = variant(a=None)
        assert m.compare_and_set("b", MISSING, 1) is True
        assert m.compare_and_set("b", MISSING, 2) is False
        assert m.compare_and_set("a", MISSING, 2) is False
        assert m.compare_and_set("c", None, 2) is False
        assert m == {"a": None, "b": 1}

    def test_delete(self, variant):
        m = variant(a=[1], n=None)
        assert m.compare_and_delete("a", [2]) is False
        assert m.compare_and_delete("a", [1]) is True
        assert m.compare_and_delete("a", [1]) is False
        assert m.compare_and_delete("a", None) is False
        assert m.compare_and_delete("a", MISSING) is False
        assert m.compare_and_delete("n", None) is True
        assert m == {}

    def test_a_comparison_that_raises_changes_nothing(self, variant):
        class Odd:
            __hash__ = None

            def __eq__(self, other):
                raise Hostile

        odd = Odd()
        m = variant(a=odd)
        with pytest.raises(Hostile):
            m.compare_and_set("a", 1, 2)
        with pytest.raises(Hostile):
            m.compare_and_delete("a", 1)
        assert m["a"] is odd
        m._check()


class TestCompute:
    def test_present(self, variant):
        m = variant(a=1)
        assert m.compute("a", lambda n: n + 1) == 2
        assert m.compute("a", lambda n: n + 1, 100) == 3
        assert m == {"a": 3}

    def test_absent(self, variant):
        m = variant()
        with pytest.raises(KeyError) as raised:
            m.compute("a", raising)
        assert raised.value.args == ("a",)
        assert m.compute("a", lambda n: n + 1, 10) == 11
        assert m.compute("b", lambda v: v, None) is None
        assert m.compute("c", lambda v: (v, 1), default=MISSING) == (MISSING, 1)
        assert m == {"a": 11, "b": None, "c": (MISSING, 1)}

    def test_missing_removes(self, variant):
        m = variant(a=1)
        assert m.compute("a", lambda _: MISSING) is MISSING
        assert m.compute("b", lambda _: MISSING, 1) is MISSING
        assert m == {}

    def test_if_absent(self, variant):
        m = variant(a=None)
        assert m.compute_if_absent("a", raising) is None
        assert m.compute_if_absent("b", lambda key: key * 2) == "bb"
        assert m.compute_if_absent("b", raising) == "bb"
        assert m.compute_if_absent("c", lambda _: MISSING) is MISSING
        assert m == {"a": None, "b": "bb"}

    def test_if_present(self, variant):
        m = variant(a=None, b=1)
        assert m.compute_if_present("a", lambda v: (v,)) == (None,)
        assert m.compute_if_present("b", lambda _: MISSING) is MISSING
        assert m.compute_if_present("x", raising) is None
        assert m.compute_if_present("x", raising, 5) == 5
        assert m == {"a": (None,)}

    def test_merge(self, variant):
        m = variant(a=1)
        assert m.merge("a", 2, add) == 3
        assert m.merge("b", 2, raising) == 2
        assert m.merge("a", 2, lambda _current, _value: MISSING) is MISSING
        assert m == {"b": 2}

    @pytest.mark.parametrize(
        "operation",
        [
            lambda m: m.compute("a", raising),
            lambda m: m.compute("x", raising, 1),
            lambda m: m.compute_if_absent("x", raising),
            lambda m: m.compute_if_present("a", raising),
            lambda m: m.merge("a", 1, raising),
        ],
    )
    def test_a_function_that_raises_changes_nothing(self, variant, operation):
        m = variant(a=1)
        with pytest.raises(Hostile):
            operation(m)
        assert m == {"a": 1}
        m._check()
        assert m.compute("a", lambda n: n + 1) == 2

    @pytest.mark.parametrize("key", [[], {}, set()])
    def test_an_unhashable_key_is_a_type_error_before_the_function_runs(self, variant, key):
        m = variant(a=1)
        for operation in (
            lambda: m.compute(key, raising, 1),
            lambda: m.compute_if_absent(key, raising),
            lambda: m.compute_if_present(key, raising),
            lambda: m.merge(key, 1, raising),
            lambda: m.swap(key, 1),
            lambda: m.compare_and_set(key, MISSING, 1),
            lambda: m.compare_and_delete(key, 1),
            lambda: m.entry(key).__enter__(),
        ):
            with pytest.raises(TypeError, match="unhashable"):
                operation()
        assert m == {"a": 1}
        m._check()

    def test_the_function_may_use_the_map(self, variant):
        m = variant(a=1, b=2)

        def function(n):
            m["c"] = m["b"] + n
            m.update(d=4)
            m.pop("b")
            m["a"] = 100  # overwritten by the result
            assert m.snapshot()["c"] == 3
            return m.compute("c", lambda c: c * 10)

        assert m.compute("a", function) == 30
        assert m == {"a": 30, "c": 30, "d": 4}
        m._check()

    def test_recursive_use_of_the_same_key(self, variant):
        m = variant(a=1)
        assert m.compute("a", lambda n: n + m.compute("a", lambda k: k * 10)) == 11
        assert m["a"] == 11
        m._check()

    def test_memoised_recursion(self, variant):
        m = variant()

        def fib(n):
            return n if n < 2 else m.compute_if_absent(n - 1, fib) + m.compute_if_absent(n - 2, fib)

        assert m.compute_if_absent(50, fib) == 12586269025


COMPOUND = {
    "swap": lambda m, k: m.swap(k, "new"),
    "compare_and_set": lambda m, k: m.compare_and_set(k, 2, "new"),
    "compare_and_set absent": lambda m, k: m.compare_and_set(k, MISSING, "new"),
    "compare_and_delete": lambda m, k: m.compare_and_delete(k, 2),
    "compute": lambda m, k: m.compute(k, lambda _: "new", None),
    "compute remove": lambda m, k: m.compute(k, lambda _: MISSING, None),
    "compute_if_absent": lambda m, k: m.compute_if_absent(k, lambda _: "new"),
    "compute_if_present": lambda m, k: m.compute_if_present(k, lambda _: "new"),
    "merge": lambda m, k: m.merge(k, "new", lambda _, new: new),
}


@pytest.mark.parametrize("name", COMPOUND)
@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("where", ["on_hash", "on_eq"])
def test_a_key_that_raises_changes_nothing_or_all(variant, name, present, where):
    """Whichever call of `__hash__` or `__eq__` raises, the map is as before the operation or as after it."""
    hostile = Key("b" if present else "x")
    done = variant({Key("a"): 1, Key("b"): 2, Key("c"): 3})
    COMPOUND[name](done, hostile)
    as_after = {k.name: v for k, v in done.items()}
    for n in range(60):
        m = variant({Key("a"): 1, Key("b"): 2, Key("c"): 3})
        raises = RaisesOnce(n)
        setattr(hostile, where, raises)
        try:
            COMPOUND[name](m, hostile)
        except Hostile:
            assert {k.name: v for k, v in m.items()} in ({"a": 1, "b": 2, "c": 3}, as_after)
        setattr(hostile, where, None)
        assert m.compute(hostile, lambda _: 5, 0) == 5, "the key can be used again"
        m._check()
        if not raises.raised:
            break
    else:
        raise AssertionError("the key was never left alone")


@pytest.mark.parametrize("where", ["on_hash", "on_eq"])
def test_an_update_that_raises_half_way_changes_nothing_of_a_step(variant, where):
    for n in range(100):
        keys = [Key(name) for name in "abcd"]
        m = variant({keys[0]: 1, keys[1]: 2, "plain": 3})
        hostile = Key("d")
        raises = RaisesOnce(n)
        setattr(hostile, where, raises)
        failed = False
        try:
            m.update([(Key("c"), 30), (Key("a"), 10), (hostile, 40), ("plain", 0)])
        except Hostile:
            failed = True
        fired = raises.raised
        setattr(hostile, where, None)
        contents = {getattr(k, "name", k): v for k, v in m.items()}
        if failed and variant.guarantees.update == "all at once":
            assert contents == {"a": 1, "b": 2, "plain": 3}
        m._check()
        if not fired:
            assert contents == {"a": 10, "b": 2, "c": 30, "d": 40, "plain": 0}
            break


def test_an_update_that_meets_a_hostile_key_in_the_map_changes_nothing_of_a_step(variant):
    """The new keys are harmless; one of them has the hash of a key in the map that cannot be compared."""

    def refuse():
        raise Hostile

    stored = Key("stored", hash_=hash("c"))
    m = variant({stored: 1, "a": 2})
    stored.on_eq = refuse
    with pytest.raises(Hostile):
        m.update({"a": 20, "b": 30, "c": 40, "d": 50})
    stored.on_eq = None
    if variant.guarantees.update == "all at once":
        assert m == {stored: 1, "a": 2}
    m._check()


def test_an_iterable_that_raises_changes_nothing(variant):
    def pairs():
        yield "b", 2
        raise Hostile

    m = variant(a=1)
    with pytest.raises(Hostile):
        m.update(pairs())
    with pytest.raises(Hostile):
        m |= pairs()
    assert m == {"a": 1}


class TestEntry:
    def test_reads_and_assigns(self, variant):
        m = variant(a=1)
        with m.entry("a") as entry:
            assert entry.key == "a"
            assert entry.value == 1
            entry.value = 2
            assert entry.value == 2
            assert m["a"] == 1, "nothing happens before the block ends"
        assert m["a"] == 2

    def test_absent_and_delete(self, variant):
        m = variant(a=1)
        with m.entry("b") as entry:
            assert entry.value is MISSING
        assert "b" not in m
        with m.entry("b") as entry:
            entry.value = None
        assert m["b"] is None
        with m.entry("b") as entry:
            entry.delete()
            assert entry.value is MISSING
        with m.entry("a") as entry:
            entry.value = MISSING
        with m.entry("c") as entry:
            entry.delete()
        assert m == {}

    def test_a_block_that_raises_changes_nothing(self, variant):
        m = variant(a=1)
        with pytest.raises(Hostile), m.entry("a") as entry:
            entry.value = 2
            raise Hostile
        assert m == {"a": 1}
        m._check()

    def test_nested_entries(self, variant):
        m = variant(a=1, b=2)
        with m.entry("a") as a, m.entry("b") as b, m.entry("a") as again:
            a.value, b.value = b.value, a.value
            again.value = 5  # ends first
        assert m == {"a": 2, "b": 1}
        m._check()

    def test_direct_writes_inside(self, variant):
        m = variant(a=1)
        with m.entry("a") as entry:
            m["a"] = 5
            assert entry.value == 5
        assert m["a"] == 5

    def test_only_inside_its_block(self, variant):
        m = variant(a=1)
        entry = m.entry("a")
        for use in (lambda: entry.value, lambda: setattr(entry, "value", 1), entry.delete):
            with pytest.raises(RuntimeError):
                use()
        with entry, pytest.raises(RuntimeError):
            entry.__enter__()
        with entry:  # but as often as one likes, one after the other
            assert entry.value == 1
        m._check()

    @pytest.mark.parametrize("timeout", [-1, -0.1, float("nan")])
    def test_a_timeout_out_of_range(self, variant, timeout):
        m = variant()
        with pytest.raises(ValueError, match="timeout"):
            m.entry("a", timeout=timeout)
        with pytest.raises(ValueError, match="timeout"):
            m.locked(timeout=timeout)

    def test_long_timeouts(self, variant):
        m = variant()
        with m.entry("a", timeout=1e12) as entry, m.locked(timeout=1e12):
            entry.value = 1
        assert m == {"a": 1}


class TestLocked:
    def test_writes_inside(self, variant):
        m = variant(a=1)
        with m.locked() as same:
            assert same is m
            m["a"] += 1
            m.pop("x", None)
            m.update(b=2, c=3)
            assert m.compute("b", lambda n: n + 1) == 3
            with m.locked(), m.entry("c") as entry:
                entry.value = 4
            assert m.to_dict() == {"a": 2, "b": 3, "c": 4}
            assert len(m) == 3
        assert m == {"a": 2, "b": 3, "c": 4}
        m._check()

    def test_a_block_that_raises_lets_go(self, variant):
        m = variant(a=1)
        with pytest.raises(Hostile), m.locked():
            m["a"] = 2
            raise Hostile
        assert m == {"a": 2}
        m._check()


class TestDefaultFactory:
    def test_makes_missing_values(self, variant):
        m = variant.cls.configured(default_factory=list)
        m["a"].append(1)
        m["a"].append(2)
        assert m == {"a": [1, 2]}
        assert m.get("b") is None
        assert "b" not in m
        assert m.default_factory is list
        assert m.compute("n", lambda v: [*v, 3]) == [3]

    def test_travels_with_copies(self, variant):
        m = variant.cls.configured({"a": 1}, default_factory=int)
        for duplicate in (m.copy(), pickle.loads(pickle.dumps(m)), m | {}):
            assert duplicate["b"] == 0
            assert type(duplicate) is variant.cls

    def test_that_raises(self, variant):
        m = variant.cls.configured(default_factory=raising)
        with pytest.raises(Hostile):
            m["a"]
        assert m == {}
        m._check()

    def test_missing_comes_first(self, variant):
        class Doubling(variant.cls):
            def __missing__(self, key):
                return key * 2

        assert Doubling.configured(default_factory=list)["a"] == "aa"

    def test_must_be_callable(self, variant):
        with pytest.raises(TypeError, match="default_factory"):
            variant.cls.configured(default_factory=1)


class TestCreate:
    @pytest.mark.parametrize("kind", safemap.KINDS)
    def test_kinds(self, kind):
        m = safemap.create(kind, {"a": 1}, default_factory=int)
        assert type(m) is safemap.KINDS[kind]
        assert m["b"] == 0

    @pytest.mark.parametrize("kind", ["nope", None, 1, []])
    def test_an_unknown_kind_lists_the_kinds(self, kind):
        with pytest.raises(ValueError, match="mutex.*rwlock.*sharded.*copy_on_write.*read_dirty"):
            safemap.create(kind)

    def test_an_unknown_option_lists_the_options(self, variant):
        with pytest.raises(TypeError, match="default_factory"):
            variant.cls.configured(bogus=1)

    @pytest.mark.parametrize("shards", [0, -1, 65_537, 1 << 70])
    def test_shards_out_of_range(self, shards):
        with pytest.raises(ValueError, match=r"shards.*1.*65536"):
            safemap.create("sharded", shards=shards)

    def test_shards(self):
        with pytest.raises(TypeError):
            safemap.create("sharded", shards=1.5)
        for shards in (1, 3, 64):
            m = safemap.create("sharded", {i: i for i in range(100)}, shards=shards)
            assert m == {i: i for i in range(100)}
            m._check()

    def test_what_is_no_readers_writer_lock(self):
        with pytest.raises(ValueError, match="lock"):
            safemap.create("rwlock", lock=object())


class TestGuarantees:
    def test_are_frozen_data(self, variant):
        with pytest.raises(AttributeError):
            variant.guarantees.update = "never"

    def test_single_keys_are_linearizable_everywhere(self, variant):
        assert variant.guarantees.single_key == "linearizable"


class TestSnapshot:
    def test_does_not_change(self, variant):
        m = variant({i: i for i in range(1000)})
        snapshot = m.snapshot()
        m[1] = "new"
        del m[2]
        m["new"] = 1
        m.update({3: "new", 4: "new"})
        assert snapshot == {i: i for i in range(1000)}
        m.clear()
        assert len(snapshot) == 1000
        assert snapshot[2] == 2
        assert dict(snapshot.items()) == {i: i for i in range(1000)}

    def test_is_a_mapping(self, variant):
        m = variant(a=1, b=2)
        s = m.snapshot()
        assert isinstance(s, safemap.Snapshot)
        assert isinstance(s, Mapping)
        assert set(s) == set(s.keys()) == {"a", "b"}
        assert sorted(s.values()) == [1, 2]
        assert sorted(s.items()) == [("a", 1), ("b", 2)]
        assert sorted(reversed(s)) == ["a", "b"]
        assert s["a"] == 1
        assert "a" in s
        assert "x" not in s
        assert s.get("x") is None
        with pytest.raises(KeyError) as raised:
            s["x"]
        assert raised.value.args == ("x",)
        with pytest.raises(TypeError):
            s["a"] = 2
        assert s.to_dict() == {"a": 1, "b": 2}
        assert s.copy() is s
        assert s.keys() & {"a"} == {"a"}
        assert ("a", 1) in s.items()

    def test_compares_merges_hashes_and_pickles(self, variant):
        s = variant(a=1).snapshot()
        assert s == variant(a=1).snapshot()
        assert s == {"a": 1}
        assert {"a": 1} == s
        assert s == variant(a=1)
        assert s != {"a": 2}
        assert hash(s) == hash(variant(a=1).snapshot())
        assert s | {"b": 2} == {"a": 1, "b": 2}
        assert {"a": 0, "b": 2} | s == {"a": 1, "b": 2}
        assert isinstance(s | {}, safemap.Snapshot)
        assert pickle.loads(pickle.dumps(s)) == s
        assert repr(s) == "Snapshot({'a': 1})"
        with pytest.raises(TypeError):
            hash(variant(a=[]).snapshot())

    def test_outlives_its_map(self, variant):
        m = variant({i: i for i in range(300)})
        s = m.snapshot()
        del m
        assert s == {i: i for i in range(300)}

    def test_is_let_go(self, variant):
        m = variant(a=1)
        s = m.snapshot()
        reference = weakref.ref(s)
        del s
        m["a"] = 2
        import gc

        gc.collect()
        assert reference() is None

    def test_to_dict_is_private_and_plain(self, variant):
        m = variant(a=1)
        d = m.to_dict()
        assert type(d) is dict
        d["a"] = 2
        assert m["a"] == 1

"""All of the contract, on each of the five classes and on what stands on it.

Checkers look at an operation of a union in each of its members; it gives the union of what these give.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from types import MappingProxyType
from typing import TypeAlias, assert_type

from safemap import (
    MISSING,
    ConcurrentMapping,
    CopyOnWriteMap,
    Entry,
    Guarantees,
    MissingType,
    MutexMap,
    ReadDirtyMap,
    RWLockMap,
    ShardedMap,
    Snapshot,
)
from safemap.watch import WatchedMap

Map: TypeAlias = (
    MutexMap[str, int]
    | RWLockMap[str, int]
    | ShardedMap[str, int]
    | CopyOnWriteMap[str, int]
    | ReadDirtyMap[str, int]
    | WatchedMap[str, int]
    | ConcurrentMapping[str, int]
)


def increment(n: int) -> int:
    return n + 1


def increment_or_begin(n: int | None) -> int:
    return 1 if n is None else n + 1


def decrement_or_remove(n: int) -> int | MissingType:
    return n - 1 if n > 1 else MISSING


def single_keys(m: Map) -> None:
    m["a"] = 1
    assert_type(m["a"], int)
    assert_type("a" in m, bool)
    assert_type(m.get("a"), int | None)
    assert_type(m.get("a", None), int | None)
    assert_type(m.get("a", 0), int)
    assert_type(m.get("a", default=0), int)
    assert_type(m.get("a", "none"), int | str)
    assert_type(m.get("a", MISSING), int | MissingType)
    assert_type(m.setdefault("a", 1), int)
    assert_type(m.pop("a"), int)
    assert_type(m.pop("a", 0), int)
    assert_type(m.pop("a", None), int | None)
    assert_type(m.pop("a", default="none"), int | str)
    m["b"] = 2
    assert_type(m.popitem(), tuple[str, int])
    m["a"] = 1
    del m["a"]


def compound(m: Map) -> None:
    assert_type(m.swap("a", 1), int | None)
    assert_type(m.swap("a", 2, None), int | None)
    assert_type(m.swap("a", 2, 0), int)
    assert_type(m.swap("a", 3, default="none"), int | str)
    assert_type(m.compare_and_set("a", 3, 4), bool)
    assert_type(m.compare_and_set("b", MISSING, 1), bool)
    assert_type(m.compare_and_delete("b", 1), bool)
    assert_type(m.compute("a", increment), int)
    assert_type(m.compute("b", increment, 0), int)
    assert_type(m.compute("c", increment_or_begin, None), int)
    assert_type(m.compute("a", decrement_or_remove), int | MissingType)
    assert_type(m.compute("b", decrement_or_remove, 0), int | MissingType)
    assert_type(m.compute_if_absent("abc", len), int)
    assert_type(m.compute_if_present("a", increment), int | None)
    assert_type(m.compute_if_present("a", increment, None), int | None)
    assert_type(m.compute_if_present("a", increment, 0), int)
    assert_type(m.compute_if_present("a", increment, "none"), int | str)
    assert_type(m.compute_if_present("a", decrement_or_remove), int | MissingType | None)
    assert_type(m.compute_if_present("a", decrement_or_remove, 0), int | MissingType)
    assert_type(m.merge("a", 1, int.__add__), int)
    assert_type(m.merge("a", 1, max), int)


def with_lambdas(m: Map) -> None:
    """Checkers infer them, too: see `M` in `safemap._types`."""
    m["a"] = 5
    assert_type(m.compute("a", lambda n: n + 1), int)
    assert_type(m.compute("a", lambda n: n - 1 if n > 1 else MISSING), int | MissingType)
    assert_type(m.compute("b", lambda n: n + 1, 0), int)
    assert_type(m.compute("c", lambda n: 1 if n is None else n + 1, None), int)
    assert_type(m.compute("d", lambda n: len(n) if isinstance(n, str) else n, ""), int)
    assert_type(m.compute_if_absent("e", lambda key: len(key)), int)
    assert_type(m.compute_if_present("a", lambda n: n + 1), int | None)
    assert_type(m.compute_if_present("a", lambda n: n + 1, 0), int)
    assert_type(m.compute_if_present("a", lambda n: n + 1, "none"), int | str)
    assert_type(m.merge("a", 1, lambda old, new: old + new), int)
    assert_type(m.merge("a", 1, lambda old, new: old + new if new else MISSING), int | MissingType)


def of_lists(lists: ShardedMap[str, list[int]]) -> None:
    """An empty list says nothing of its elements; the map does."""
    assert_type(lists.get("a", []), list[int])
    assert_type(lists.setdefault("a", []), list[int])
    assert_type(lists.swap("a", [1], []), list[int])
    # mypy 2.4 makes Any of `lambda numbers: numbers + [1]` here, as long as it does not know what `numbers` are.
    assert_type(lists.compute("a", lambda numbers: [*numbers, 1], []), list[int])
    assert_type(lists.compute_if_present("a", lambda numbers: [*numbers, 1], []), list[int])
    assert_type(lists.merge("a", [1], lambda old, new: old + new), list[int])


def sections(m: Map) -> None:
    with m.entry("a", timeout=1.0) as entry:
        assert_type(entry, Entry[str, int])
        assert_type(entry.key, str)
        assert_type(entry.value, int | MissingType)
        if entry.value is not MISSING:
            entry.value += 1
        entry.value = MISSING
        entry.delete()
    with m.locked(timeout=None) as whole:
        assert_type(whole, ConcurrentMapping[str, int])


def looking(m: Map) -> None:
    assert_type(len(m), int)
    assert_type(iter(m), Iterator[str])
    assert_type(reversed(m), Iterator[str])
    assert_type(list(m), list[str])
    assert_type(m.to_dict(), dict[str, int])
    assert_type(m.snapshot(), Snapshot[str, int])
    assert_type(m == {"a": 1}, bool)
    assert_type(repr(m), str)
    assert_type(m.guarantees, Guarantees)
    assert_type(m.guarantees.insertion_order, bool)
    assert_type(m.options, tuple[str, ...])
    assert_type(m.default_factory, Callable[[], int] | None)
    for key, value in m.items():
        assert_type(key, str)
        assert_type(value, int)
    for key in m.keys():
        assert_type(key, str)
    for value in m.values():
        assert_type(value, int)


def views(m: Map) -> None:
    keys: KeysView[str] = m.keys()
    values: ValuesView[int] = m.values()
    items: ItemsView[str, int] = m.items()
    assert_type([len(keys), len(values), len(items)], list[int])
    assert_type(m.keys() & {"a"}, set[str])
    assert_type(m.keys() | [1], set[str | int])
    assert_type(m.keys() - {"a"}, set[str])
    assert_type(m.keys() ^ {"a"}, set[str])
    assert_type(m.keys() == {"a"}, bool)
    assert_type(m.keys() <= {"a"}, bool)
    assert_type(m.keys().isdisjoint(["a"]), bool)
    assert_type(m.items() & {("a", 1)}, set[tuple[str, int]])
    assert_type(m.items() | {("a", 1)}, set[tuple[str, int]])
    assert_type(m.items() - {("a", 1)}, set[tuple[str, int]])
    assert_type(m.items() ^ {("a", 1)}, set[tuple[str, int]])
    assert_type(m.keys().mapping, MappingProxyType[str, int])
    assert_type(list(reversed(m.keys())), list[str])
    assert_type(list(reversed(m.values())), list[int])
    assert_type(list(reversed(m.items())), list[tuple[str, int]])


def many_keys(m: Map) -> None:
    m.update({"a": 1})
    m.update(ShardedMap(a=1))
    m.update([("a", 1)])
    m.update(a=1)
    m.update({"a": 1}, b=2)
    m.update([("a", 1)], b=2)
    m |= {"a": 1}
    m |= [("a", 1)]
    assert_type(m, Map)
    assert_type(m.copy(), Map)
    assert_type(m | {"b": 2}, Map)
    assert_type(m | MutexMap(b=2), Map)
    assert_type({"b": 2} | m, Map)
    m.clear()


def takes_a_mapping(_mapping: MutableMapping[str, int]) -> None: ...
def takes_any_variant(_mapping: ConcurrentMapping[str, int]) -> None: ...


def as_an_argument(m: Map) -> None:
    takes_a_mapping(m)
    takes_any_variant(m)

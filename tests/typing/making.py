"""How maps are made: constructors, `configured`, `fromkeys`, `create`, subclasses."""

from __future__ import annotations

import copy
from typing import Any, TypeVar, assert_type

from readerwriterlock.rwlock import RWLockWrite

import safemap
from safemap import (
    ConcurrentMapping,
    CopyOnWriteMap,
    MutexMap,
    ReadDirtyMap,
    RWLockMap,
    ShardedMap,
    create,
)

K = TypeVar("K")
V = TypeVar("V")
PAIRS = [("a", 1), ("b", 2)]

# --- constructors are dict's

empty: ShardedMap[str, int] = ShardedMap()
assert_type(ShardedMap[str, int](), ShardedMap[str, int])
assert_type(MutexMap({"a": 1}), MutexMap[str, int])
assert_type(RWLockMap(PAIRS), RWLockMap[str, int])
assert_type(ShardedMap(zip("ab", [1, 2], strict=True)), ShardedMap[str, int])
assert_type(CopyOnWriteMap(a=1, b=2), CopyOnWriteMap[str, int])
assert_type(ReadDirtyMap({"a": 1}, b=2), ReadDirtyMap[str, int])
assert_type(ReadDirtyMap(PAIRS, b=2), ReadDirtyMap[str, int])
assert_type(MutexMap(ShardedMap(a=1)), MutexMap[str, int])
assert_type(MutexMap(ShardedMap(a=1).snapshot()), MutexMap[str, int])
assert_type(copy.copy(empty), ShardedMap[str, int])

# --- options, and keys alone: a class method of `MutexMap` without its parameters is inferred by mypy only

words: MutexMap[str, list[str]] = MutexMap[str, list[str]].configured(default_factory=list)
assert_type(ShardedMap[str, int].configured(shards=4), ShardedMap[str, int])
assert_type(ShardedMap[str, int].configured({"a": 1}, shards=4), ShardedMap[str, int])
assert_type(RWLockMap[str, int].configured(PAIRS, lock=RWLockWrite), RWLockMap[str, int])
assert_type(MutexMap[str, int].configured({"a": 1}, default_factory=int), MutexMap[str, int])
assert_type(MutexMap[str, int].fromkeys("ab", 0), MutexMap[str, int])
assert_type(MutexMap[str, None].fromkeys("ab"), MutexMap[str, None])

# --- by name

by_name: ShardedMap[str, int] = create("sharded")
assert_type(create("mutex", {"a": 1}), MutexMap[str, int])
assert_type(create("rwlock", PAIRS, lock=RWLockWrite), RWLockMap[str, int])
assert_type(create("sharded", {"a": 1}, shards=4), ShardedMap[str, int])
assert_type(create("copy_on_write", PAIRS), CopyOnWriteMap[str, int])
assert_type(create("read_dirty", {"a": 1}, default_factory=int), ReadDirtyMap[str, int])
for kind in safemap.KINDS:
    assert_type(create(kind, {"a": 1}), ConcurrentMapping[str, int])
assert_type(safemap.KINDS["mutex"], type[ConcurrentMapping[Any, Any]])  # whose keys and values nobody knows
assert_type(safemap.compiled, bool)
assert_type(safemap.__version__, str)


# --- subclasses


class Hits(ShardedMap[str, int]):
    """Of given keys and values."""

    def hit(self, path: str) -> int:
        return self.compute(path, lambda n: n + 1, 0)


hits = Hits(index=0)
assert_type(hits.hit("index"), int)
assert_type(hits.copy(), Hits)
assert_type(hits | {"a": 1}, Hits)
assert_type(Hits.configured(shards=4), Hits)
assert_type(Hits.configured({"a": 1}, shards=4), Hits)
assert_type(Hits.fromkeys(["a", "b"], 0), Hits)


class Registry(MutexMap[K, V]):
    """Of any."""

    def register(self, key: K, value: V) -> bool:
        return self.compare_and_set(key, safemap.MISSING, value)

    def first(self, key: K, value: V) -> V:
        return self.compute_if_absent(key, lambda _key: value)


registry = Registry({"a": 1})
assert_type(registry, Registry[str, int])
assert_type(registry.register("b", 2), bool)
assert_type(registry.first("c", 3), int)
assert_type(registry.copy(), Registry[str, int])

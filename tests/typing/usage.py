"""Typed usage, as users write it: checked by mypy and pyright in strict mode, never run."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import assert_type

from safemap import MISSING, ConcurrentMapping, MissingType, ShardedMap, Snapshot


def increment(n: int) -> int:
    return n + 1


hits: ShardedMap[str, int] = ShardedMap()
hits["/"] = 1
assert_type(hits["/"], int)
counted: int = hits.compute("/", lambda n: n + 1)
assert_type(hits.get("/"), int | None)
assert_type(hits.get("/", 0), int)
assert_type(hits.pop("/"), int)
made: int = hits.setdefault("/", 1)
assert_type(hits.compute("/", increment), int)
assert_type(hits.compute_if_absent("/", len), int)
assert_type(hits.merge("/", 1, int.__add__), int)
assert_type(hits.compare_and_set("/", MISSING, 1), bool)
assert_type(hits.swap("/", 2), int | None)
assert_type(hits.snapshot(), Snapshot[str, int])
assert_type(hits.to_dict(), dict[str, int])
assert_type(hits.copy(), ShardedMap[str, int])


def remove_when_zero(n: int) -> int | MissingType:
    return n - 1 if n > 1 else MISSING


assert_type(hits.compute("/", remove_when_zero), int | MissingType)

with hits.entry("/") as entry:
    assert_type(entry.value, int | MissingType)
    if entry.value is not MISSING:
        entry.value += 1

for key, value in hits.items():
    assert_type(key, str)
    assert_type(value, int)


def takes_a_mapping(mapping: MutableMapping[str, int]) -> None: ...
def takes_any_variant(mapping: ConcurrentMapping[str, int]) -> None: ...


takes_a_mapping(hits)
takes_any_variant(hits)

"""Snapshots: what is read from them, and what they may be handed to."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import assert_type

from safemap import MISSING, CopyOnWriteMap, MissingType, Snapshot

prices = CopyOnWriteMap(apple=3, pear=4).snapshot()
assert_type(prices, Snapshot[str, int])
assert_type(prices["apple"], int)
assert_type(prices.get("plum"), int | None)
assert_type(prices.get("plum", 0), int)
assert_type(prices.get("plum", MISSING), int | MissingType)
assert_type("plum" in prices, bool)
assert_type(len(prices), int)
assert_type(iter(prices), Iterator[str])
assert_type(reversed(prices), Iterator[str])
assert_type(prices.keys(), KeysView[str])
assert_type(prices.values(), ValuesView[int])
assert_type(prices.items(), ItemsView[str, int])
assert_type(prices.to_dict(), dict[str, int])
assert_type(prices.copy(), Snapshot[str, int])
assert_type(prices == {"apple": 3}, bool)
assert_type(hash(prices), int)
assert_type(prices | {"plum": 5}, Snapshot[str, int])
assert_type(prices | prices, Snapshot[str, int])
assert_type(prices | {1: "one"}, Snapshot[str | int, int | str])
assert_type({"plum": 5} | prices, Snapshot[str, int])
assert_type(Snapshot({"plum": 5}), Snapshot[str, int])


def takes_a_mapping(_mapping: Mapping[str, int]) -> None: ...
def takes_objects(_snapshot: Snapshot[str, object]) -> None: ...


takes_a_mapping(prices)
takes_objects(prices)  # it cannot be written to

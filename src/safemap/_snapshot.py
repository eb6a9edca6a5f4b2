"""The contents of a map at one moment, unchangeable."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from reprlib import recursive_repr

from safemap._types import K, V

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Snapshot(Mapping[K, V]):
    """An immutable mapping: what a map held at one moment. `ConcurrentMapping.snapshot` makes it.

    It can be read from any thread without a lock, compared, merged (`|` gives a new snapshot), pickled,
    and hashed if all its values can. It has the order of its map.
    """

    __slots__ = ("__weakref__", "_data")
    _data: dict[K, V]

    def __init__(self, data: dict[K, V], /) -> None:
        """Wrap `data`, which must be the snapshot's alone. O(1)."""
        self._data = data

    def to_dict(self) -> dict[K, V]:
        """Return the contents as a new plain dict. O(n)."""
        return self._data.copy()

    def copy(self) -> Snapshot[K, V]:
        """Return the snapshot itself, which cannot change."""
        return self

    def __getitem__(self, key: K, /) -> V:
        return self._data[key]

    def __contains__(self, key: object, /) -> bool:
        return key in self._data

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[K]:
        return iter(self._data)

    def __reversed__(self) -> Iterator[K]:
        return reversed(self._data)

    def keys(self) -> KeysView[K]:
        """Return a set-like view of the keys."""
        return self._data.keys()

    def values(self) -> ValuesView[V]:
        """Return a view of the values."""
        return self._data.values()

    def items(self) -> ItemsView[K, V]:
        """Return a set-like view of the pairs."""
        return self._data.items()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Snapshot):
            return other is self or self.to_dict() == other.to_dict()
        # A map that others may write to compares itself, at one moment.
        return self.to_dict() == other if isinstance(other, dict) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    def __or__(self, other: dict[K, V] | Snapshot[K, V]) -> Snapshot[K, V]:
        if not isinstance(other, (dict, Snapshot)):
            return NotImplemented
        return Snapshot(self.to_dict() | dict(other))

    def __ror__(self, other: dict[K, V]) -> Snapshot[K, V]:
        if not isinstance(other, dict):
            return NotImplemented
        return Snapshot(other | self.to_dict())

    @recursive_repr("Snapshot(...)")
    def __repr__(self) -> str:
        return f"Snapshot({self.to_dict()!r})"

    def __copy__(self) -> Snapshot[K, V]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, (self.to_dict(),)

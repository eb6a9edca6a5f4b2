"""The contents of a map at one moment, unchangeable."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from reprlib import recursive_repr

from safemap._types import E, K, T, V_co

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Snapshot(Mapping[K, V_co]):
    """An immutable mapping: what a map held at one moment. `ConcurrentMapping.snapshot` makes it.

    It can be read from any thread without a lock, compared, merged (`|` gives a new snapshot), pickled,
    and hashed if all its values can. It has the order of its map.

    Cost: that of a dict. While one of a `CopyOnWriteMap` lives, the map copies each page that it changes, once.
    Atomicity: good - it cannot change.
    Errors: those of a dict; TypeError for assignments.

    >>> stock = ShardedMap(apples=3)
    >>> before = stock.snapshot()
    >>> stock["apples"] = 5
    >>> before
    Snapshot({'apples': 3})
    """

    __slots__ = ("__weakref__", "_data")
    _data: dict[K, V_co]

    def __init__(self, data: dict[K, V_co], /) -> None:
        """Wrap `data`, which must be the snapshot's alone.

        Cost: O(1): it is not copied.
        Atomicity: good - nobody else knows the snapshot yet.
        Errors: none of its own.

        >>> Snapshot({"apples": 3})["apples"]
        3
        """
        self._data = data

    def to_dict(self) -> dict[K, V_co]:
        """Return the contents as a new plain dict.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> ShardedMap(apples=3).snapshot().to_dict()
        {'apples': 3}
        """
        return self._data.copy()

    def copy(self) -> Snapshot[K, V_co]:
        """Return the snapshot itself, which cannot change.

        Cost: O(1).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> before = ShardedMap(apples=3).snapshot()
        >>> before.copy() is before
        True
        """
        return self

    def __getitem__(self, key: K, /) -> V_co:
        """Return the value of `key`.

        Cost: O(1).
        Atomicity: good - it cannot change.
        Errors: KeyError(key) if it is absent.

        >>> ShardedMap(apples=3).snapshot()["apples"]
        3
        """
        return self._data[key]

    def __contains__(self, key: object, /) -> bool:
        """Return whether `key` was in the map.

        Cost: O(1).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> "pears" in ShardedMap(apples=3).snapshot()
        False
        """
        return key in self._data

    def __len__(self) -> int:
        """Return the number of keys.

        Cost: O(1).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> len(ShardedMap(apples=3).snapshot())
        1
        """
        return len(self._data)

    def __iter__(self) -> Iterator[K]:
        """Iterate over the keys.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> list(ShardedMap(apples=3).snapshot())
        ['apples']
        """
        return iter(self._data)

    def __reversed__(self) -> Iterator[K]:
        """Iterate over the keys in reverse.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> list(reversed(ShardedMap(apples=3).snapshot()))
        ['apples']
        """
        return reversed(self._data)

    def keys(self) -> KeysView[K]:
        """Return a set-like view of the keys.

        Cost: O(1).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> ShardedMap(apples=3).snapshot().keys() & {"apples", "pears"}
        {'apples'}
        """
        return self._data.keys()

    def values(self) -> ValuesView[V_co]:
        """Return a view of the values.

        Cost: O(1).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> sum(ShardedMap(apples=3, pears=4).snapshot().values())
        7
        """
        return self._data.values()

    def items(self) -> ItemsView[K, V_co]:
        """Return a set-like view of the pairs.

        Cost: O(1).
        Atomicity: good - it cannot change.
        Errors: none of its own.

        >>> stock = ShardedMap(apples=3)
        >>> before = stock.snapshot()
        >>> stock["pears"] = 4
        >>> dict(stock.items() - before.items())
        {'pears': 4}
        """
        return self._data.items()

    def __eq__(self, other: object) -> bool:
        """Compare with a dict, a snapshot or a map, which is taken at one moment.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: what comparing two values raises.

        >>> ShardedMap(apples=3).snapshot() == {"apples": 3}
        True
        """
        if isinstance(other, Snapshot):
            return other is self or self.to_dict() == other.to_dict()
        # A map that others may write to compares itself, at one moment.
        return self.to_dict() == other if isinstance(other, dict) else NotImplemented

    def __hash__(self) -> int:
        """Return a hash of the contents.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: TypeError if a value cannot be hashed.

        >>> len({ShardedMap(apples=3).snapshot(), ShardedMap(apples=3).snapshot()})
        1
        """
        return hash(frozenset(self.items()))

    def __or__(self, other: dict[T, E] | Snapshot[T, E]) -> Snapshot[K | T, V_co | E]:
        """Return a new snapshot, updated with a dict or another snapshot.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: TypeError if `other` is neither.

        >>> ShardedMap(apples=3).snapshot() | {"apples": 5}
        Snapshot({'apples': 5})
        """
        if not isinstance(other, (dict, Snapshot)):
            return NotImplemented
        return Snapshot(self.to_dict() | dict(other))

    def __ror__(self, other: dict[T, E]) -> Snapshot[K | T, V_co | E]:
        """Return a new snapshot: a dict, updated with this one's contents.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: TypeError if `other` is no dict.

        >>> {"apples": 5} | ShardedMap(apples=3).snapshot()
        Snapshot({'apples': 3})
        """
        if not isinstance(other, dict):
            return NotImplemented
        return Snapshot(other | self.to_dict())

    @recursive_repr("Snapshot(...)")
    def __repr__(self) -> str:
        """Return `Snapshot({...})`, with what `repr` of a dict with the same contents gives.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: what the `repr` of a key or a value raises.

        >>> ShardedMap(apples=3).snapshot()
        Snapshot({'apples': 3})
        """
        return f"Snapshot({self.to_dict()!r})"

    def __copy__(self) -> Snapshot[K, V_co]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the contents.

        Cost: O(n).
        Atomicity: good - it cannot change.
        Errors: what pickling a key or a value raises.

        >>> pickle.loads(pickle.dumps(ShardedMap(apples=3).snapshot()))
        Snapshot({'apples': 3})
        """
        return Snapshot, (self.to_dict(),)

"""Live views of a map's keys, values and items.

They replace the views of `collections.abc`, which look every key up again while they iterate. Set
operations and comparisons work on the contents of one moment, as plain dict's own views of a private
copy: so they return, accept and refuse what dict's do.
"""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from types import MappingProxyType

from safemap._missing import MISSING
from safemap._types import E, Generic, K, T, V

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, ClassVar

    from safemap._contract import ConcurrentMapping


class _View(Generic[K, V]):
    """What the three views share."""

    __slots__ = ()

    def __init__(self, mapping: ConcurrentMapping[K, V], /) -> None:
        # The slot is that of `collections.abc.MappingView`: two could not be inherited.
        self._mapping = mapping  # type: ignore[misc]

    @property
    def mapping(self) -> MappingProxyType[K, V]:
        """A read-only proxy of the map that this is a view of.

        Cost: O(1).
        Atomicity: good - it is always the same map.
        Errors: none of its own.

        >>> ShardedMap(apples=3).keys().mapping["apples"]
        3
        """
        return MappingProxyType(self._mapping)

    def __len__(self) -> int:
        return len(self._mapping)

    def _plain(self) -> Any:
        """Return dict's own view of a private copy: the contents of one moment."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return repr(self._plain())


class _SetView(_View[K, V], Generic[K, V, E]):
    """What the two views that are sets share."""

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __and__(self, other: Iterable[Any]) -> set[E]:
        return self._plain() & _plain(other)  # type: ignore[no-any-return]

    def __rand__(self, other: Iterable[T]) -> set[T]:
        return _plain(other) & self._plain()  # type: ignore[no-any-return]

    def __or__(self, other: Iterable[T]) -> set[E | T]:
        return self._plain() | _plain(other)  # type: ignore[no-any-return]

    def __ror__(self, other: Iterable[T]) -> set[E | T]:
        return _plain(other) | self._plain()  # type: ignore[no-any-return]

    def __sub__(self, other: Iterable[Any]) -> set[E]:
        return self._plain() - _plain(other)  # type: ignore[no-any-return]

    def __rsub__(self, other: Iterable[T]) -> set[T]:
        return _plain(other) - self._plain()  # type: ignore[no-any-return]

    def __xor__(self, other: Iterable[T]) -> set[E | T]:
        return self._plain() ^ _plain(other)  # type: ignore[no-any-return]

    def __rxor__(self, other: Iterable[T]) -> set[E | T]:
        return _plain(other) ^ self._plain()  # type: ignore[no-any-return]

    def isdisjoint(self, other: Iterable[Any]) -> bool:
        """Return whether the view and `other` have nothing in common.

        Cost: O(n).
        Atomicity: good - the map is taken at one moment; another map at a moment of its own.
        Errors: TypeError if `other` is not iterable.

        >>> ShardedMap(apples=3).keys().isdisjoint({"pears"})
        True
        """
        return self._plain().isdisjoint(_plain(other))  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        return self._plain().__eq__(_plain(other))  # type: ignore[no-any-return]

    def __le__(self, other: Any) -> bool:
        return self._plain().__le__(_plain(other))  # type: ignore[no-any-return]

    def __lt__(self, other: Any) -> bool:
        return self._plain().__lt__(_plain(other))  # type: ignore[no-any-return]

    def __ge__(self, other: Any) -> bool:
        return self._plain().__ge__(_plain(other))  # type: ignore[no-any-return]

    def __gt__(self, other: Any) -> bool:
        return self._plain().__gt__(_plain(other))  # type: ignore[no-any-return]


def _plain(other: Any) -> Any:
    return other._plain() if isinstance(other, _SetView) else other


class Keys(_SetView[K, V, K], KeysView[K]):
    """The live keys of a map: a set-like view, as `dict.keys()` gives.

    Cost: O(1) for `in` and `len`; O(n) to iterate, and for set operations and comparisons, which copy.
    Atomicity: maybe - `guarantees.iteration` and `guarantees.length` say it of iterating and of `len`; `in` is one
        look, set operations and comparisons take the map at one moment.
    Errors: those of dict's view.

    >>> stock = ShardedMap(apples=3)
    >>> names = stock.keys()
    >>> stock["pears"] = 4
    >>> names == {"apples", "pears"}
    True
    """

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def _plain(self) -> Any:
        return self._mapping.to_dict().keys()

    def __contains__(self, key: object) -> bool:
        return key in self._mapping

    def __iter__(self) -> Iterator[K]:
        return self._mapping._iter_keys()

    def __reversed__(self) -> Iterator[K]:
        return reversed(list(self._mapping._iter_keys()))


class Values(_View[K, V], ValuesView[V]):
    """The live values of a map, as `dict.values()` gives.

    Cost: O(1) for `len`; O(n) to iterate, and for `in`.
    Atomicity: maybe - `guarantees.iteration` and `guarantees.length` say it of iterating, `in`, and of `len`.
    Errors: those of dict's view.

    >>> 3 in ShardedMap(apples=3).values()
    True
    """

    __slots__ = ()

    def _plain(self) -> Any:
        return self._mapping.to_dict().values()

    def __contains__(self, value: object) -> bool:
        return value in list(self._mapping._iter_values())

    def __iter__(self) -> Iterator[V]:
        return self._mapping._iter_values()

    def __reversed__(self) -> Iterator[V]:
        return reversed(list(self._mapping._iter_values()))


class Items(_SetView[K, V, tuple[K, V]], ItemsView[K, V]):
    """The live pairs of a map: a set-like view, as `dict.items()` gives.

    Iterating never looks a key up again, so a pair was in the map as such.

    Cost: O(1) for `in` and `len`; O(n) to iterate, and for set operations and comparisons, which copy.
    Atomicity: maybe - `guarantees.iteration` and `guarantees.length` say it of iterating and of `len`; `in` is one
        look, set operations and comparisons take the map at one moment.
    Errors: those of dict's view: TypeError for set operations if a value cannot be hashed.

    >>> ("apples", 3) in ShardedMap(apples=3).items()
    True
    """

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def _plain(self) -> Any:
        return self._mapping.to_dict().items()

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004
            return False
        key, expected = item
        value = self._mapping._lookup(key)
        return value is not MISSING and (value is expected or bool(value == expected))

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._mapping._iter_items()

    def __reversed__(self) -> Iterator[tuple[K, V]]:
        return reversed(list(self._mapping._iter_items()))

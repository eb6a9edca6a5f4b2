"""Iterating over copies, part by part.

`in_parts(parts)` is `itertools.chain.from_iterable(parts)`, for parts that are copies made by `keys_of` and its
like, which nobody else has. Compiled, it hands out the copies' own references instead of making new ones, and
two threads may share it without the GIL.
"""

from __future__ import annotations

from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Self

in_parts = chain.from_iterable


class PartIterator:
    """Yields the items of lists, one list after another, and empties them by that. Used where it is compiled."""

    def __new__(cls, parts: Iterable[list[Any]]) -> Self:
        """Return an iterator over lists that nobody else has."""
        self = super().__new__(cls)
        self.__cinit__(parts)
        return self

    def __cinit__(self, parts: Iterable[list[Any]]) -> None:
        self._parts = iter(parts)
        self._items: list[Any] = []
        self._next = self._count = 0

    def __iter__(self) -> PartIterator:
        return self

    def __next__(self) -> Any:
        return taken(self)

    def __length_hint__(self) -> int:
        return self._count - self._next

    def __reduce__(self) -> tuple[Any, ...]:
        return iter, (list(self),)


def taken(iterator: PartIterator) -> Any:
    """Return the next item."""
    while iterator._next == iterator._count:
        iterator._items = next(iterator._parts)
        iterator._next, iterator._count = 0, len(iterator._items)
    iterator._next += 1
    return iterator._items[iterator._next - 1]

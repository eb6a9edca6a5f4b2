"""Iterating over copies, part by part.

`in_parts(parts)` is `itertools.chain.from_iterable(parts)`, for parts that are copies made by `keys_of` and its
like, which nobody else has. Compiled, it hands out the copies' own references instead of making new ones, and
two threads may share it without the GIL.
"""

from __future__ import annotations

from itertools import chain

from safemap.sync.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Self


def in_parts(parts: Iterable[Iterable[Any]]) -> Iterator[Any]:
    """Return an iterator over parts. Two threads may share it: `chain` is not made for that over a generator."""
    return chain.from_iterable(list(parts))


class PartIterator:
    """Yields the items of lists, one list after another, and empties them by that. Used where it is compiled."""

    def __new__(cls, parts: Iterable[list[Any]]) -> Self:
        """Return an iterator over lists that nobody else has."""
        self = super().__new__(cls)
        self.__cinit__(parts)
        return self

    def __cinit__(self, parts: Iterable[list[Any]]) -> None:
        self._parts = iter(parts)
        self._turn = Lock()  # to ask `_parts`: a generator has no two callers at once
        self._items: list[Any] = []
        self._next = self._count = 0

    def __iter__(self) -> PartIterator:
        return self

    def __next__(self) -> Any:
        return taken(self)

    def __length_hint__(self) -> int:
        return left(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return iter, (list(self),)

    def _refill(self) -> None:
        """Ask for the next list, unless another thread has done so meanwhile."""
        self._turn.acquire()
        try:
            if left(self) == 0:
                put(self, next(self._parts))
        finally:
            self._turn.release()


def taken(iterator: PartIterator) -> Any:
    """Return the next item."""
    while iterator._next == iterator._count:
        iterator._refill()
    iterator._next += 1
    return iterator._items[iterator._next - 1]


def left(iterator: PartIterator) -> int:
    """Return how many items of the present list are left."""
    return iterator._count - iterator._next


def put(iterator: PartIterator, items: list[Any]) -> None:
    """Set the present list."""
    iterator._items = items
    iterator._next, iterator._count = 0, len(items)

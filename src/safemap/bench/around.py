"""What a recorder puts around what the inner map gives, and how it asks for that one's size."""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any

from safemap import ConcurrentMapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType


class Walk:
    """Gives what `items` gives; the first of `walk` is how many that were."""

    __slots__ = ("_items", "_walk")

    def __init__(self, items: Iterator[Any], walk: list[int]) -> None:
        self._items, self._walk = items, walk

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> Any:
        item = next(self._items)
        self._walk[0] += 1
        return item

    def __length_hint__(self) -> int:
        return length_hint(self._items)


class Section:
    """The inner map's `locked` block, in which the recorder stands for the map."""

    __slots__ = ("_begun", "_recorder", "_section")

    def __init__(self, recorder: Any, section: Any, begun: Callable[[], None]) -> None:
        """`begun` is called inside."""
        self._recorder, self._section, self._begun = recorder, section, begun

    def __enter__(self) -> Any:
        self._section.__enter__()
        self._begun()
        return self._recorder

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return self._section.__exit__(kind, error, trace)


def size_of(inner: Any) -> int | None:
    """Return how many entries a map has; None where that would have to wait for another thread.

    To wait here could hang the program: for a thread that waits, in the map, for what this one does next.
    """
    try:
        if isinstance(inner, ConcurrentMapping) and inner.guarantees.function_excludes == "the map":
            with inner.locked(timeout=0):
                return len(inner)
        return len(inner)
    except Exception:  # noqa: BLE001 - TimeoutError, DeadlockError, or whatever another map raises: not now
        return None

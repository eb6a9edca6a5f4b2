"""Exclusive sections: one key (`Entry`), the whole map (`Locked`)."""

from __future__ import annotations

from safemap._missing import MISSING, UNSET, MissingType, UnsetType
from safemap._types import Generic, K, V

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from safemap._contract import ConcurrentMapping


def check_timeout(timeout: float | None) -> None:
    """Raise ValueError unless `timeout` is None or a number of seconds, 0 or more."""
    if timeout is not None and not timeout >= 0:  # so that NaN is refused too
        message = f"timeout must be None or at least 0 seconds, not {timeout!r}"
        raise ValueError(message)


class Entry(Generic[K, V]):
    """One key of a map, held: until the `with` block ends no other thread can change it.

    What is assigned to `value` (or `delete`) takes effect when the block ends, and not at all if the block
    raises. Made by `ConcurrentMapping.entry`; it serves for one block. `key` is the key.

    Cost: O(1).
    Atomicity: good - nobody changes the key in the block; its end is one step.
    Errors: TimeoutError where the block begins, if the key is not to be had in time; RuntimeError for an entry
        that is in use already.

    >>> stock = ShardedMap(apples=3)
    >>> with stock.entry("apples") as apples:
    ...     apples.value += 4
    >>> stock["apples"]
    7
    """

    __slots__ = ("_map", "_pending", "_timeout", "_token", "key")
    _pending: V | MissingType | UnsetType

    def __init__(self, map_: ConcurrentMapping[K, V], key: K, timeout: float | None) -> None:
        self.key: K = key
        self._map = map_
        self._timeout = timeout
        self._pending = UNSET
        self._token: Any = None

    def __enter__(self) -> Entry[K, V]:
        if self._token is not None:
            message = "this entry is in use: ask the map for another one"
            raise RuntimeError(message)
        token = self._map._hold(self.key, self._timeout)
        if token is None:
            message = f"the key {self.key!r} was not to be had in {self._timeout} seconds"
            raise TimeoutError(message)
        if self._token is not None:  # another thread was faster, with the same entry
            self._map._release(self.key, token)
            message = "this entry is in use: ask the map for another one"
            raise RuntimeError(message)
        self._pending = UNSET
        self._token = token
        return self

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        token, self._token = self._token, None
        if token is None:
            message = "cannot release an entry that is not held"
            raise RuntimeError(message)
        try:
            if exc_type is None and self._pending is not UNSET:
                self._map._settle(self.key, self._pending)
        finally:
            self._map._release(self.key, token)

    @property
    def value(self) -> V | MissingType:
        """What the key will have when the block ends: what was assigned, or else what the map holds.

        `MISSING` where the key is absent. Assigning `MISSING` is `delete()`.

        Cost: O(1).
        Atomicity: good - nobody else changes the key in the block.
        Errors: RuntimeError outside the block.

        >>> with ShardedMap(apples=3).entry("pears") as pears:
        ...     pears.value
        MISSING
        """
        self._check_open()
        if self._pending is UNSET:
            return self._map._lookup_held(self.key)
        return self._pending

    @value.setter
    def value(self, value: V | MissingType) -> None:
        self._check_open()
        self._pending = value

    def delete(self) -> None:
        """Remove the key when the block ends. Not an error if it is absent.

        Cost: O(1).
        Atomicity: good - the removal is one step, at the end of the block.
        Errors: RuntimeError outside the block.

        >>> stock = ShardedMap(apples=3)
        >>> with stock.entry("apples") as apples:
        ...     apples.delete()
        >>> stock
        {}
        """
        self._check_open()
        self._pending = MISSING

    def _check_open(self) -> None:
        if self._token is None:
            message = "an entry can be used only inside its `with` block"
            raise RuntimeError(message)


class Locked(Generic[K, V]):
    """A `with` block in which no other thread writes to a map; what `with` gives is the map.

    Made by `ConcurrentMapping.locked`, which says what it costs and promises. It serves for any number of blocks.
    """

    __slots__ = ("_map", "_timeout")

    def __init__(self, map_: ConcurrentMapping[K, V], timeout: float | None) -> None:
        self._map = map_
        self._timeout = timeout

    def __enter__(self) -> ConcurrentMapping[K, V]:
        if not self._map._hold_all(self._timeout):
            message = f"the map was not to be had in {self._timeout} seconds"
            raise TimeoutError(message)
        return self._map

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        self._map._release_all()

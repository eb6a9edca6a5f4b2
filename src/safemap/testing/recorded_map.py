"""A map whose operations are recorded, for `check_linearizable` or `check_guaranteed`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from safemap.testing.history import History, Recorder
from safemap.testing.models import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class RecordedMap:
    """A map, or anything like a shared dict, whose use by several threads becomes a history.

    It has the operations of `models.OPERATIONS` as methods, under these names, and the operators of dict. What
    looks at the whole (`items`, `snapshot`, ...) returns a frozenset of pairs.

    >>> m = RecordedMap({})
    >>> m["a"] = 1
    >>> m.pop("a")
    1
    >>> print(m.history())
    thread 1  |---|            setitem('a', 1) -> None
    thread 1          |---|    pop('a') -> 1
    """

    def __init__(self, mapping: Any, maybe: Sequence[type[BaseException]] = ()) -> None:
        """Record what is done to `mapping` through this object.

        After an exception of a class in `maybe`, an operation may or may not have taken effect.
        """
        self.mapping = mapping
        self.recorder: Recorder = Recorder(maybe)

    def history(self) -> History:
        """Return what was done so far."""
        return self.recorder.history()

    def perform(self, name: str, *arguments: Any) -> Any:
        """Do and record an operation of `models.OPERATIONS`, or `locked`."""
        if name == "locked":
            return self.locked(*arguments)
        return self.recorder.record(name, arguments, partial(OPERATIONS[name], self.mapping))

    def locked(self, function: Callable[[RecordedMap], Any]) -> Any:
        """Return `function(self)`, called inside the map's `locked` block. What it does becomes one operation."""

        def block() -> Any:
            with self.mapping.locked():
                return function(self)

        return self.recorder.record("locked", (), block)

    def __getattr__(self, name: str) -> Any:
        if name not in OPERATIONS:
            raise AttributeError(name)
        return partial(self.perform, name)

    def __getitem__(self, key: Any) -> Any:
        return self.perform("getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.perform("setitem", key, value)

    def __delitem__(self, key: Any) -> None:
        self.perform("delitem", key)

    def __contains__(self, key: Any) -> bool:
        return bool(self.perform("contains", key))

    def __len__(self) -> int:
        return int(self.perform("len"))

"""One dict under one lock: what `MutexMap` and `RWLockMap` share. Which lock, is theirs to say.

Invariants
  1. `_data` is one dict for the map's whole life.
  2. It is read under `_lock` held for reading or writing, and written under `_lock` held for writing.
  3. A thread holds `_lock` for writing while a user's function runs that it handed to the map.

Linearization point of every operation: the one dict operation that it ends in. `update` and `clear` are
series under one hold of the lock, so no other thread sees a part of them; for the same reason `len` takes
the lock, although a dict's length can be read at any time.

Re-entrant use (a key's `__eq__` that writes to the map that is just comparing it) reaches `_data` under
the thread's own hold of the lock; that a dict survives this is dict's own promise.
"""

from __future__ import annotations

from safemap._contract import ConcurrentMapping
from safemap._lookup import MISSING, copy_of, find, items_of, keys_of, values_of
from safemap._missing import UNSET, MissingType
from safemap._parts import in_parts
from safemap._types import K, V

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    class ReadWriteLock(Protocol):
        """A re-entrant lock that is held for reading or for writing."""

        def acquire_read(self) -> None: ...
        def release_read(self) -> None: ...
        def acquire(self) -> None: ...
        def acquire_within(self, timeout: float | None, /) -> bool: ...
        def release(self) -> None: ...
        def forget_lost_owner(self) -> None: ...


class OneDictMap(ConcurrentMapping[K, V]):
    """A mapping that is one dict under one lock. Subclasses set `_lock` in `_configure`."""

    __slots__ = ("_data", "_lock")
    _lock: ReadWriteLock
    _data: dict[K, V]

    def _hold(self, key: Any, timeout: float | None = None) -> Any:
        hash(key)  # dict's own error for an unhashable key, before a function is called
        return True if self._lock.acquire_within(timeout) else None

    def _release(self, _key: Any, token: Any) -> None:  # noqa: ARG002
        self._lock.release()

    def _lookup(self, key: Any) -> V | MissingType:
        self._lock.acquire_read()
        try:
            return find(self._data, key, MISSING)
        finally:
            self._lock.release_read()

    def _lookup_held(self, key: Any) -> V | MissingType:
        return find(self._data, key, MISSING)

    def _store_held(self, key: K, value: V) -> None:
        self._data[key] = value

    def _remove_held(self, key: K) -> None:
        del self._data[key]

    def _hold_all(self, timeout: float | None = None) -> bool:
        return self._lock.acquire_within(timeout)

    def _release_all(self) -> None:
        self._lock.release()

    def _after_fork_in_child(self) -> None:
        self._lock.forget_lost_owner()

    # --- the dict operation itself, under the lock: faster than what the hooks give ------------------

    def __getitem__(self, key: K, /) -> V:
        self._lock.acquire_read()
        try:
            value = find(self._data, key, MISSING)
        finally:
            self._lock.release_read()
        return self._absent(key) if value is MISSING else value

    def __contains__(self, key: object, /) -> bool:
        self._lock.acquire_read()
        try:
            return key in self._data
        finally:
            self._lock.release_read()

    def __len__(self) -> int:
        self._lock.acquire_read()
        try:
            return len(self._data)
        finally:
            self._lock.release_read()

    def _store(self, key: K, value: V) -> None:
        self._lock.acquire()
        try:
            self._data[key] = value
        finally:
            self._lock.release()

    if not TYPE_CHECKING:  # for whom the contract's signature stands
        __setitem__ = _store

    def popitem(self) -> tuple[K, V]:
        self._lock.acquire()
        try:
            return self._data.popitem()
        finally:
            self._lock.release()

    def clear(self) -> None:
        self._lock.acquire()
        try:
            self._data.clear()
        finally:
            self._lock.release()

    def _update(self, staged: dict[K, V]) -> None:
        self._lock.acquire()
        try:
            if len(staged) == 1:
                self._data.update(staged)  # cannot fail half-way
            else:
                self._update_or_undo(staged)
        finally:
            self._lock.release()

    def _update_or_undo(self, staged: dict[K, V]) -> None:
        data = self._data
        before = [(key, find(data, key, MISSING)) for key in staged] if data else None
        try:
            data.update(staged)
        except BaseException:
            if before is None:
                data.clear()
            else:
                for key, value in before:
                    try:
                        if value is not MISSING:
                            data[key] = value
                        else:
                            data.pop(key, None)
                    except Exception:  # noqa: BLE001, S112
                        continue  # what cannot be compared was not written either
            raise

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def get(self, key: K, /, default: Any = None) -> Any:
            self._lock.acquire_read()
            try:
                return find(self._data, key, default)
            finally:
                self._lock.release_read()

        def setdefault(self, key: K, default: Any = None, /) -> Any:
            self._lock.acquire()
            try:
                return self._data.setdefault(key, default)
            finally:
                self._lock.release()

        def _pop(self, key: K, /, default: Any = UNSET) -> Any:
            self._lock.acquire()
            try:
                value = self._data.pop(key, UNSET)
            finally:
                self._lock.release()
            if value is not UNSET:
                return value
            if default is UNSET:
                raise KeyError(key)
            return default

        pop = _pop

        def compute(self, key: K, function: Callable[[Any], Any], default: Any = UNSET) -> Any:
            self._lock.acquire()
            try:
                current = find(self._data, key, MISSING)
                if current is MISSING:
                    current = self._default_for(key, default)
                result = function(current)
                if result is MISSING:
                    self._settle(key, result)
                else:
                    self._data[key] = result
            finally:
                self._lock.release()
            return result

        def merge(self, key: K, value: V, function: Callable[[V, V], Any]) -> Any:
            self._lock.acquire()
            try:
                current = find(self._data, key, MISSING)
                result = value if current is MISSING else function(current, value)
                if result is MISSING:
                    self._settle(key, result)
                else:
                    self._data[key] = result
            finally:
                self._lock.release()
            return result

        def swap(self, key: K, value: V, default: Any = None) -> Any:
            self._lock.acquire()
            try:
                previous = find(self._data, key, default)
                self._data[key] = value
            finally:
                self._lock.release()
            return previous

    # --- the whole: a copy made under the lock -------------------------------------------------------

    def to_dict(self) -> dict[K, V]:
        self._lock.acquire_read()
        try:
            return copy_of(self._data)
        finally:
            self._lock.release_read()

    def _iter_keys(self) -> Iterator[K]:
        self._lock.acquire_read()
        try:
            return in_parts((keys_of(self._data),))
        finally:
            self._lock.release_read()

    def _iter_values(self) -> Iterator[V]:
        self._lock.acquire_read()
        try:
            return in_parts((values_of(self._data),))
        finally:
            self._lock.release_read()

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        self._lock.acquire_read()
        try:
            return in_parts((items_of(self._data),))
        finally:
            self._lock.release_read()

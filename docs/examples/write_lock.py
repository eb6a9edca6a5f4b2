"""WriteLockMap: one dict, and one lock for all but the readers of a key.

Writers take the lock, and so does whoever looks at the whole. A reader of one key takes none: a dict's lookup is
atomic (under the GIL; by dict's own lock-free lookup without it).

Invariants
  1. `_data` is one dict for the map's whole life. That is what makes unlocked reads safe: there is no moment at
     which a reader could hold a dict that is no longer the map's.
  2. `_data` is written under `_lock`, and copied, counted and emptied under it.
  3. A thread holds `_lock` while a user's function runs that it handed to the map, and during `locked`.

Linearization points: of a read, the dict's lookup; of a write, the one dict operation under the lock. Of
`to_dict`, `snapshot`, `len`, `clear` and an iteration: any moment of their hold of the lock, when by 3 no function
runs and no section is open in another thread. `update` is one write after another.

What a reader without a lock can see, and a reader of `MutexMap` cannot: the first half of an `update`, a `clear`
or a `locked` section.

Re-entrant use (a key's `__eq__` that writes to the map that is just comparing it) reaches `_data` under the
thread's own hold of the lock, or in the middle of a lookup; that a dict survives both is dict's own promise.

Rejected: looking at the whole without the lock, too. It would show the middle of a `locked` section; and copying a
dict is one step only where it compares no keys.
"""

from __future__ import annotations

from safemap._contract import ConcurrentMapping, Guarantees
from safemap._missing import MISSING, UNSET, MissingType
from safemap._types import K, V
from safemap.sync.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class WriteLockMap(ConcurrentMapping[K, V]):
    """A mapping in insertion order whose readers never wait: writers take one lock, readers of a key none.

    Take it where order matters and reads must go on while a slow function computes a value: a table of routes, a
    registry. The function keeps every other writer out, and whoever looks at the whole. What it does not have: an
    `update` or a `locked` section that readers see whole, and writers that do not meet.

    >>> routes = WriteLockMap({"/": "home"})
    >>> routes.setdefault("/about", "about"), list(routes)
    ('about', ['/', '/about'])
    """

    __slots__ = ("_data", "_lock")

    guarantees: ClassVar[Guarantees] = Guarantees(
        mechanism="one lock, one dict; reads of a key take no lock",
        single_key="linearizable",
        reader_waits_for_writer="no",
        function_excludes="the map",
        iteration="one moment",
        insertion_order=True,
        update="key by key",
        length="exact",
        snapshot="O(n)",
    )

    def __cinit__(self, *_args: Any, **_items: Any) -> None:  # compiled; see `ConcurrentMapping.__new__`
        self._configure()

    def _configure(self) -> None:
        self._data: dict[K, V] = {}
        self._lock = Lock()

    # --- hooks --------------------------------------------------------------------------------------

    def _lookup(self, key: Any) -> V | MissingType:
        return self._data.get(key, MISSING)

    def _hold(self, key: Any, timeout: float | None = None) -> Any:
        hash(key)  # dict's own error for an unhashable key, before a function is called
        return True if self._lock.acquire_within(timeout) else None

    def _release(self, _key: Any, token: Any) -> None:  # noqa: ARG002
        self._lock.release()

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

    def to_dict(self) -> dict[K, V]:
        self._lock.acquire()
        try:
            return dict(self._data)
        finally:
            self._lock.release()

    def __len__(self) -> int:
        self._lock.acquire()
        try:
            return len(self._data)
        finally:
            self._lock.release()

    # --- the dict operation itself, under the lock --------------------------------------------------

    # The contract makes these of the hooks, and ends them in `_release`. Ctrl-C can come at the start of a Python
    # function; here the lock is let go by the one call into C, before which nothing comes (`sync.lock`).

    def _store(self, key: K, value: V) -> None:
        self._lock.acquire()
        try:
            self._data[key] = value
        finally:
            self._lock.release()

    __setitem__ = _store

    def popitem(self) -> tuple[K, V]:
        self._lock.acquire()
        try:
            return self._data.popitem()
        finally:
            self._lock.release()

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def setdefault(self, key: K, default: Any = None, /) -> Any:
            self._lock.acquire()
            try:
                return self._data.setdefault(key, default)
            finally:
                self._lock.release()

        def swap(self, key: K, value: V, default: Any = None) -> Any:
            self._lock.acquire()
            try:
                previous = self._data.get(key, default)
                self._data[key] = value
            finally:
                self._lock.release()
            return previous

        def _pop(self, key: K, default: Any = UNSET) -> Any:
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

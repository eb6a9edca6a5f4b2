"""RWLockMap: one readers-writer lock, one dict.

The mechanism is that of `_one_dict`; its lock lets readers in together, and a writer alone.
The lock is `sync.rwlock.RWLock` over a lock of the package `readerwriterlock`, which decides who goes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from safemap._contract import Guarantees
from safemap.maps._one_dict import OneDictMap
from safemap.sync.rwlock import RWLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from safemap.sync.rwlock import Policy

K = TypeVar("K")
V = TypeVar("V")


class RWLockMap(OneDictMap[K, V]):
    """A mapping behind a readers-writer lock: many readers at once, or one writer.

    Take it where reads are long (large copies, keys with slow `__eq__`) and writes are rare. In plain
    Python the lock itself costs several times what a short read does, so for single-key operations
    `MutexMap` is usually faster; measure. User's functions run as writers.

    Option `lock=`: the policy, as a lock of the package `readerwriterlock` or its class: `RWLockFair`
    (default: in order of arrival), `RWLockRead` (readers first; writers may starve), `RWLockWrite`
    (writers first; readers may starve), or one of their downgradable versions. A lock belongs to
    one map; copies of the map get a new one of the same class.

    >>> from readerwriterlock.rwlock import RWLockWrite
    >>> routes = RWLockMap.configured({"/": "home"}, lock=RWLockWrite())
    >>> routes["/"]
    'home'
    """

    __slots__ = ("_policy",)

    guarantees: ClassVar[Guarantees] = Guarantees(
        mechanism="one readers-writer lock, one dict",
        single_key="linearizable",
        reader_waits_for_writer="yes",
        function_excludes="the map",
        iteration="one moment",
        insertion_order=True,
        update="all at once",
        length="exact",
        snapshot="O(n)",
    )
    options: ClassVar[tuple[str, ...]] = ("default_factory", "lock")

    def _configure(self, *, lock: Policy | Callable[[], Policy] | None = None) -> None:
        if lock is None:
            # Here, so that `import safemap` does not pay for a package that may not be used.
            from readerwriterlock.rwlock import RWLockFair  # noqa: PLC0415

            lock = RWLockFair
        make: Any = lock if isinstance(lock, type) else type(lock)
        if not (hasattr(make, "gen_rlock") and hasattr(make, "gen_wlock")):
            message = (
                "lock must be a readers-writer lock of the package readerwriterlock "
                f"(RWLockFair, RWLockRead, RWLockWrite, or ...D) or its class, not {lock!r}"
            )
            raise ValueError(message)
        self._policy = make
        self._lock = RWLock(make() if isinstance(lock, type) else lock, make)  # type: ignore[arg-type]
        self._data = {}

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"lock": self._policy}

"""RWLockMap: one readers-writer lock, one dict.

The mechanism is that of `_one_dict`; its lock lets readers in together, and a writer alone. The lock is
`sync.rwlock.RWLock` over a lock of the package `readerwriterlock`, which decides who goes first; compiled, it is
`sync.field_rwlock.FieldRWLock`, which knows the package's policies itself.
"""

from __future__ import annotations

from safemap._compiled import COMPILED
from safemap._contract import Guarantees
from safemap._types import K, V
from safemap.maps._one_dict import OneDictMap
from safemap.sync.field_rwlock import FieldRWLock
from safemap.sync.rwlock import RWLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from safemap._types import Contents, T, overload
    from safemap.sync.rwlock import Policy

# Who goes first: the package's locks, by their names. Those that can be downgraded are no different here.
FIRST = {
    "RWLockFair": "fair",
    "RWLockFairD": "fair",
    "RWLockRead": "readers",
    "RWLockReadD": "readers",
    "RWLockWrite": "writers",
    "RWLockWriteD": "writers",
}


class RWLockMap(OneDictMap[K, V]):
    """A mapping behind a readers-writer lock: many readers at once, or one writer.

    Take it where reads are long (large copies, keys with slow `__eq__`) and writes are rare. The lock costs
    more than a mutex, in plain Python several times what a short read does, so for single-key operations
    `MutexMap` is usually faster; measure. User's functions run as writers.

    Option `lock=`: the policy, as a lock of the package `readerwriterlock` or its class: `RWLockFair`
    (default: in order of arrival), `RWLockRead` (readers first; writers may starve), `RWLockWrite`
    (writers first; readers may starve), or one of their downgradable versions. A lock belongs to
    one map; copies of the map get a new one of the same class. (Compiled, a class of the package stands for
    its policy, which a lock of our own follows at a tenth of the cost; an instance is used as it is.)

    Cost: one readers-writer lock an operation; beginning to iterate is O(n).
    Atomicity: good - every operation is one step, `update`, `clear` and a `locked` block too.
    Errors: ValueError for a `lock` that is none of the package's.

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

    if TYPE_CHECKING:

        @overload
        def __init__(self, items: Contents[K, V] = (), /) -> None: ...
        @overload
        def __init__(self: RWLockMap[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
        def __init__(self, items: Any = (), /, **named: Any) -> None: ...

    def __cinit__(self, *_args: Any, **_items: Any) -> None:
        self._configure()

    def _configure(self, *, lock: Policy | Callable[[], Policy] | None = None) -> None:
        self._data = {}
        self._policy = lock
        first = FIRST.get(getattr(lock, "__qualname__", "RWLockFair" if lock is None else ""))
        if COMPILED and first is not None and (lock is None or lock.__module__ == "readerwriterlock.rwlock"):
            self._lock = FieldRWLock(first)
            return
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

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"lock": self._policy}

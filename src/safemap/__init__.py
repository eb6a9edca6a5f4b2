"""safemap: thread-safe mappings behind one contract.

    registry = safemap.ShardedMap()      # where `registry = {}` stood

Five maps, one contract (`ConcurrentMapping`: all of dict, atomic compound operations, exclusive sections, safe
iteration, snapshots), each with another mechanism and other strengths (`guarantees`). How it is built, each layer
on those before it:

    sync        locks that know nothing of maps: deadlock detection, readers-writer lock, per-key claims
    _contract   what every map promises, and what can be derived from a few hooks
                (_missing, _lookup, _views, _snapshot, _entry belong to it)
    maps        one mechanism in each file; none knows of another
    here        the public names
    bench       on the public names alone: measures the maps, and tells which to take
    testing     on the public names alone: proves maps
    watch       on the public names alone: tells what changes in a map
    detect      on its own: finds races in programs that use plain dicts
"""

from __future__ import annotations

from types import FunctionType

from safemap import _speed as _speed  # first: it decides which files the others are loaded from
from safemap._contract import ConcurrentMapping, Guarantees
from safemap._entry import Entry
from safemap._missing import MISSING, MissingType
from safemap._snapshot import Snapshot
from safemap._types import overload
from safemap._version import __version__
from safemap.maps.copy_on_write import CopyOnWriteMap
from safemap.maps.mutex import MutexMap
from safemap.maps.read_dirty import ReadDirtyMap
from safemap.maps.rwlock import RWLockMap
from safemap.maps.sharded import ShardedMap
from safemap.sync.deadlock import DeadlockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final, Generic, Literal, TypedDict, Unpack

    from safemap._types import Contents, K, V
    from safemap.sync.rwlock import Policy

    class Options(TypedDict, Generic[V], total=False):
        """What every variant can be set up with."""

        default_factory: Callable[[], V] | None

    class RWLockOptions(Options[V], total=False):
        """What `RWLockMap` can be set up with."""

        lock: Policy | Callable[[], Policy]

    class ShardedOptions(Options[V], total=False):
        """What `ShardedMap` can be set up with."""

        shards: int

    class AnyOptions(RWLockOptions[V], ShardedOptions[V], total=False):
        """What some variant can be set up with."""


__all__ = [
    "KINDS",
    "MISSING",
    "ConcurrentMapping",
    "CopyOnWriteMap",
    "DeadlockError",
    "Entry",
    "Guarantees",
    "MissingType",
    "MutexMap",
    "RWLockMap",
    "ReadDirtyMap",
    "ShardedMap",
    "Snapshot",
    "__version__",
    "compiled",
    "create",
]


compiled: Final[bool] = not isinstance(ConcurrentMapping.get, FunctionType)
"""Whether the maps that are loaded are compiled. Without a compiler at installation, or with SAFEMAP_PURE=1 in the
environment, they are plain Python: slower, and the same in all else."""

KINDS: Final[Mapping[str, type[ConcurrentMapping[Any, Any]]]] = {
    "mutex": MutexMap,
    "rwlock": RWLockMap,
    "sharded": ShardedMap,
    "copy_on_write": CopyOnWriteMap,
    "read_dirty": ReadDirtyMap,
}
"""The variants by the name that `create` takes."""


@overload
def create(
    kind: Literal["mutex"], items: Contents[K, V] = (), /, **options: Unpack[Options[V]]
) -> MutexMap[K, V]: ...
@overload
def create(
    kind: Literal["rwlock"], items: Contents[K, V] = (), /, **options: Unpack[RWLockOptions[V]]
) -> RWLockMap[K, V]: ...
@overload
def create(
    kind: Literal["sharded"], items: Contents[K, V] = (), /, **options: Unpack[ShardedOptions[V]]
) -> ShardedMap[K, V]: ...
@overload
def create(
    kind: Literal["copy_on_write"], items: Contents[K, V] = (), /, **options: Unpack[Options[V]]
) -> CopyOnWriteMap[K, V]: ...
@overload
def create(
    kind: Literal["read_dirty"], items: Contents[K, V] = (), /, **options: Unpack[Options[V]]
) -> ReadDirtyMap[K, V]: ...
@overload
def create(
    kind: str, items: Contents[K, V] = (), /, **options: Unpack[AnyOptions[V]]
) -> ConcurrentMapping[K, V]: ...
def create(kind: str, items: Any = (), /, **options: Any) -> ConcurrentMapping[Any, Any]:
    """Return a map of the given kind, filled with `items` and set up with `options`.

    Kinds: "mutex", "rwlock", "sharded", "copy_on_write", "read_dirty". Options: see the class.

    Cost: O(n).
    Atomicity: good - nobody else knows the map yet.
    Errors: ValueError for an unknown kind or an option out of range; TypeError for an option that it does not
        have.

    >>> create("sharded", {"apples": 3}, shards=4)
    {'apples': 3}
    """
    try:
        cls = KINDS[kind]
    except (KeyError, TypeError):
        message = f"unknown kind {kind!r}; known are: {', '.join(KINDS)}"
        raise ValueError(message) from None
    return cls.configured(items, **options)

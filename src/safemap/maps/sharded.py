"""ShardedMap: the keys are spread over shards, each a lock and a dict.

A key's shard is chosen by its hash and never changes. Writers of different shards do not meet. Readers take
no lock at all: a dict's lookup is atomic (under the GIL; by dict's own lock-free lookup without it).

Invariants
  1. `_shards`, and each shard's `data`, are the same objects for the map's whole life. That is what
     makes unlocked reads safe: there is no moment at which a reader could hold a table that is no
     longer the map's.
  2. A key is only ever in the dict of its own shard.
  3. A shard's `data` is written under the shard's lock, by a thread that holds the key's claim or after
     waiting for whoever does (`sync.claims`, invariant 4).
  4. No shard's lock is held while a user's function runs, only the key's claim. `locked` is the exception
     that its name announces.

Linearization points: of a read, the dict's lookup; of a write, the one dict operation under the lock. Of
`to_dict`, `snapshot`, `clear`, and of `popitem` on an empty map: any moment at which all shards' locks are
held. `update` is one write after another. An iteration copies each shard when it comes to it (an atomic
`list(dict)`; in plain Python, all of them when it begins), so it is weak; `len` adds up the shards' lengths and is
approximate while others write.

The shard's number is taken from the mixed hash (`_lookup`).

Why reading without a lock is safe: by 1 the tables outlive every reader, who holds the map; so the compiled read
path counts no references to them (without the GIL, counting is what would keep threads apart). Looking up a key
in a dict that others change is dict's own promise.

A replaced value dies after its shard's lock is free: a finalizer that wrote to another shard from under this one
would wait for another finalizer that does the opposite. To know it costs a lookup, which compiled shards save as
long as they hold nothing but values that die quietly (numbers, strings, ...).

Rejected: locks for readers (they would only wait); resizing the number of shards (every reader would have
to look which table is in force); a lock per key for all writes (a claim costs three times a shard's lock).
"""

from __future__ import annotations

import operator

from safemap._compiled import COMPILED
from safemap._contract import ConcurrentMapping, Guarantees
from safemap._lookup import (
    MISSING,
    copy_of,
    dies_quietly,
    find,
    items_of,
    keys_of,
    mixed_hash,
    values_of,
)
from safemap._missing import UNSET, MissingType
from safemap._parts import in_parts
from safemap._types import Generic, K, V
from safemap.maps._pages import PagedSnapshot, Version
from safemap.sync.claims import Partition, Section, acquire_for, unclaim
from safemap.sync.lock import release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from safemap._snapshot import Snapshot
    from safemap._types import Contents, T, overload
    from safemap.sync.claims import Claim


DEFAULT_SHARDS = 16
"""Enough that 8 threads writing at once seldom meet (at 16 shards two given writers do in 1 case of 16), few
enough that an empty map stays small (7 kB). Java's ConcurrentHashMap had 16 segments for the same reasons."""
MAX_SHARDS = 65_536


class Shard(Partition, Generic[K, V]):
    """A part of the map: a lock with claims (`Partition`), and the dict that it guards."""

    __slots__ = ("data", "quiet")

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[K, V] = {}
        self.quiet: bool = COMPILED  # under the lock: no value runs Python code when it dies

    def put(self, key: K, value: V) -> V | None:
        """Set a key and return what must not die before the lock is free. The caller holds it."""
        previous = None
        if not self.quiet:
            previous = find(self.data, key, None)
        elif not dies_quietly(value):
            self.quiet = False
        self.data[key] = value
        return previous


class ShardedMap(ConcurrentMapping[K, V]):
    """A mapping of independent shards: readers never wait, writers only for writers of the same shard.

    Take it where several threads write, and for slow functions in `compute`, `compute_if_absent` and
    `entry`: these claim their key alone, so nobody waits but those who want that key. What it does not
    have: insertion order, `update` in one step, an iteration of one moment (`snapshot` is).

    Option `shards=`: how many, 1 to 65,536, rounded up to a power of two; 16 by default.

    Cost: reads take no lock, writes their shard's; what holds the whole takes all, O(shards).
    Atomicity: maybe - one step on each key, and for `snapshot`, `to_dict` and `copy`; of the rest say
        `guarantees.update`, `guarantees.iteration` and `guarantees.length`.
    Errors: ValueError for `shards` out of range, TypeError for no whole number.

    >>> hits = ShardedMap.configured(shards=64)
    >>> hits.merge("/", 1, int.__add__)
    1
    """

    __slots__ = ("_mask", "_section", "_shards")

    guarantees: ClassVar[Guarantees] = Guarantees(
        mechanism="shards, each a lock and a dict; reads take no lock",
        single_key="linearizable",
        reader_waits_for_writer="no",
        function_excludes="its key",
        iteration="weak",
        insertion_order=False,
        update="key by key",
        length="approximate",
        snapshot="O(n)",
    )
    options: ClassVar[tuple[str, ...]] = ("default_factory", "shards")

    if TYPE_CHECKING:

        @overload
        def __init__(self, items: Contents[K, V] = (), /) -> None: ...
        @overload
        def __init__(self: ShardedMap[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
        def __init__(self, items: Any = (), /, **named: Any) -> None: ...

    def __cinit__(self, *_args: Any, **_items: Any) -> None:
        self._configure()

    def _configure(self, *, shards: int = DEFAULT_SHARDS) -> None:
        count = operator.index(shards)
        if not 1 <= count <= MAX_SHARDS:
            message = f"shards must be from 1 to {MAX_SHARDS}, not {shards!r}"
            raise ValueError(message)
        count = 1 << (count - 1).bit_length()
        self._mask = count - 1
        self._shards: tuple[Shard[K, V], ...] = tuple([Shard() for _ in range(count)])
        self._section = Section(self._shards)

    def _options(self) -> dict[str, Any]:
        return super()._options() | {"shards": len(self._shards)}

    # --- hooks --------------------------------------------------------------------------------------

    def _lookup(self, key: Any) -> V | MissingType:
        return find_in_shard(self, key, MISSING)  # type: ignore[no-any-return]

    def _shard_of(self, key: Any) -> Shard[K, V]:
        return self._shards[mixed_hash(key) & self._mask]

    def _hold(self, key: Any, timeout: float | None = None) -> Claim | None:
        return self._shard_of(key).claim(self._section, key, timeout)

    def _release(self, _key: Any, token: Claim) -> None:
        unclaim(token)

    def _store_held(self, key: K, value: V) -> None:
        shard = self._shard_of(key)
        shard.acquire()
        try:
            previous = shard.put(key, value)  # noqa: F841
        finally:
            release(shard)

    def _remove_held(self, key: K) -> None:
        shard = self._shard_of(key)
        shard.acquire()
        try:
            previous = shard.data.pop(key)  # noqa: F841  # as in _store
        finally:
            release(shard)

    def _hold_all(self, timeout: float | None = None) -> bool:
        return self._section.enter(timeout)

    def _release_all(self) -> None:
        self._section.leave()

    def _after_fork_in_child(self) -> None:
        self._section.forget_lost_owners()

    def _check(self) -> None:
        super()._check()
        for number, shard in enumerate(self._shards):
            assert not shard.listed()
            for key in shard.data:
                assert mixed_hash(key) & self._mask == number

    # --- single keys --------------------------------------------------------------------------------

    def __getitem__(self, key: K, /) -> V:
        value = find_in_shard(self, key, MISSING)
        return self._absent(key) if value is MISSING else value

    def __contains__(self, key: object, /) -> bool:
        return find_in_shard(self, key, MISSING) is not MISSING

    def _store(self, key: K, value: V) -> None:
        shard = self._shard_of(key)
        acquire_for(shard, key)
        try:
            previous = shard.put(key, value)  # noqa: F841  # dies after the lock is free
        finally:
            release(shard)

    if not TYPE_CHECKING:  # for whom the contract's signatures stand
        __setitem__ = _store

        def get(self, key: K, /, default: Any = None) -> Any:
            return find_in_shard(self, key, default)

        def setdefault(self, key: K, default: Any = None, /) -> Any:
            shard = self._shard_of(key)
            acquire_for(shard, key)
            try:
                shard.quiet = shard.quiet and dies_quietly(default)
                return shard.data.setdefault(key, default)
            finally:
                release(shard)

        def _pop(self, key: K, /, default: Any = UNSET) -> Any:
            shard = self._shard_of(key)
            acquire_for(shard, key)
            try:
                value = shard.data.pop(key, UNSET)
            finally:
                release(shard)
            if value is not UNSET:
                return value
            if default is UNSET:
                raise KeyError(key)
            return default

        pop = _pop

        def swap(self, key: K, value: V, default: Any = None) -> Any:
            shard = self._shard_of(key)
            acquire_for(shard, key)
            try:
                previous = find(shard.data, key, default)
                shard.put(key, value)
            finally:
                release(shard)
            return previous

    # --- the whole ----------------------------------------------------------------------------------

    def popitem(self) -> tuple[K, V]:
        for shard in self._shards:
            item = self._pop_from(shard) if shard.data else None
            if item is not None:
                return item
        self._section.enter()  # to say "empty" of one moment, or to wait for claimed keys
        try:
            for shard in self._shards:
                if shard.data:
                    return shard.data.popitem()
        finally:
            self._section.leave()
        message = "popitem(): dictionary is empty"
        raise KeyError(message)

    def _pop_from(self, shard: Shard[K, V]) -> tuple[K, V] | None:
        """Remove and return an item of a shard, or None if it has none, or only claimed ones."""
        shard.acquire()
        try:
            if not shard.listed():
                return shard.data.popitem() if shard.data else None
            for key in reversed(list(shard.data)):
                claim = shard.known(key)
                if claim is None or not claim.is_foreign():
                    return key, shard.data.pop(key)
        finally:
            release(shard)
        return None

    def clear(self) -> None:
        dying = []  # until the locks are free: what dies may write to the map, and that must stay
        self._section.enter()
        try:
            for shard in self._shards:
                dying.append(copy_of(shard.data))
                shard.data.clear()
        finally:
            self._section.leave()

    def __len__(self) -> int:
        return self._count()

    def _count(self) -> int:
        count = 0
        for shard in self._shards:
            count += len(shard.data)
        return count

    def _copies(self) -> tuple[dict[K, V], ...]:
        """Return copies of the shards' dicts, all of one moment."""
        self._section.lock_all()
        try:
            copies = []
            for shard in self._shards:
                copies.append(copy_of(shard.data))  # noqa: PERF401  # a loop is what Cython can type
            return tuple(copies)
        finally:
            self._section.unlock_all()

    def to_dict(self) -> dict[K, V]:
        contents: dict[K, V] = {}
        for copy in self._copies():  # merging them compares keys, which is no business of the locks
            contents.update(copy)
        return contents

    def snapshot(self) -> Snapshot[K, V]:
        copies = self._copies()
        return PagedSnapshot(Version(copies, sum(map(len, copies))))

    # Each copies a shard when it comes to it.

    def _iter_keys(self) -> Iterator[K]:
        return in_parts(keys_of(shard.data) for shard in self._shards)

    def _iter_values(self) -> Iterator[V]:
        return in_parts(values_of(shard.data) for shard in self._shards)

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        return in_parts(items_of(shard.data) for shard in self._shards)


def find_in_shard(map_: ShardedMap[Any, Any], key: Any, default: Any) -> Any:
    """Return the value of `key`, or `default`. Compiled: see the `.pxd`."""
    return find(map_._shards[mixed_hash(key) & map_._mask].data, key, default)

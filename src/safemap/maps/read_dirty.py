"""ReadDirtyMap: a read table that needs no lock, a dirty table under one. After Go's sync.Map.

The algorithm is that of Go's sync.Map before Go 1.24 (src/sync/map.go, B. C. Mills, 2017): a key that has been
looked for often enough is found without a lock, and stays so; new keys wait in the dirty table, under a lock,
until misses have paid for promoting them. A key's value lives in an *entry*, so that changing the value of a
known key touches no table.

    m[k] ── in `_read`? ── yes ──> entry[0]                                (no lock)
                └── no ── anything in `_dirty`? ── no ──> absent           (no lock)
                                  └── yes ──> lock, look in both, count a miss;
                                              as many misses as dirty keys: promote

What differs from Go, and why
  - Promotion moves the dirty entries into the standing read table, instead of making the dirty table the
    read table. A dict can be read while it is written, as Go's map cannot; so a reader never holds a
    table that is no longer in force, and the dirty table holds new keys only: it is never rebuilt by
    copying all of the read table, Go's worst case.
  - A deleted key leaves its table at once, its entry marked EXPUNGED for those who still hold it. In
    Go a deleted key stays in the read table until a promotion, which has kept keys alive for ever
    (golang/go #40999).
  - Writers take the lock, Go's do not for known keys: Python has no compare-and-swap.

Invariants
  1. `_read` and `_dirty` are the same two dicts for the map's whole life, written under `_lock`.
  2. A key that is in the map has exactly one entry that is not EXPUNGED; it is in `_read`, or in `_dirty`,
     or, while it is being promoted, in both.
  3. An entry is a one-slot list. Slot 0 is written under `_lock`, read by anyone. EXPUNGED is final.
  4. An entry gets into `_read` only while it is in `_dirty`, and out of `_dirty` only after it is in
     `_read` or is EXPUNGED. So whoever finds `_dirty` empty *and after that* misses the key in `_read` may
     call it absent.
  5. While a user's function runs, its thread holds the key's claim, not `_lock` (`sync.claims`).

Linearization points: of a read, the load of slot 0; of a miss (EXPUNGED is one), finding `_dirty` empty, or the
look under the lock. Of a write, the
store into slot 0 (known key) or into `_dirty` (new key); of a removal, the key's leaving its table (a reader that
has found the entry before that may still see the value: it began before). Of `clear`, the emptying of the read
table: from then on readers miss there and, if anything is dirty, wait for the lock. Of `snapshot`, any moment
of its hold of the lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from safemap._contract import ConcurrentMapping, Guarantees
from safemap._missing import MISSING, UNSET, MissingType
from safemap.maps._find import find
from safemap.sync.claims import Partition, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safemap.sync.claims import Claim

K = TypeVar("K")
V = TypeVar("V")

EXPUNGED: Final[Any] = type("Expunged", (), {"__slots__": (), "__repr__": lambda _: "EXPUNGED"})()
"""In slot 0 of an entry that is, or is about to be, in no table: its key was removed."""


class ReadDirtyMap(ConcurrentMapping[K, V]):
    """A mapping whose settled keys are read without a lock: Go's `sync.Map`.

    Take it where keys are written once and read many times (caches that only grow, registries), or where
    threads work on different keys. New keys cost a lock and a promotion later; a map that keeps getting and
    losing keys is better off sharded. It has no insertion order and no `update` in one step; iteration is weak.
    An entry costs some 90 bytes on top of dict's.

    >>> seen = ReadDirtyMap()
    >>> seen.setdefault("a", 1), seen.setdefault("a", 2)
    (1, 1)
    """

    __slots__ = ("_changes", "_dirty", "_lock", "_misses", "_read", "_section")

    guarantees: ClassVar[Guarantees] = Guarantees(
        mechanism="Go's sync.Map: a read table without a lock, a dirty table under one",
        single_key="linearizable",
        reader_waits_for_writer="no, once the key is in the read table",
        function_excludes="its key",
        iteration="weak",
        insertion_order=False,
        update="key by key",
        length="approximate",
        snapshot="O(n)",
    )

    def _configure(self) -> None:
        self._section: Section[Partition] = Section(Partition)
        self._lock = self._section.partitions[0]
        self._read: dict[K, list[V]] = {}  # read by anyone, written under _lock
        self._dirty: dict[K, list[V]] = {}  # read (but for whether it is empty) and written under _lock
        self._changes = 0  # of what keys there are; under _lock
        self._misses = 0  # looks into _dirty since the last promotion; under _lock

    # --- the two tables -----------------------------------------------------------------------------

    def _lookup(self, key: Any, /) -> V | MissingType:
        entry = find(self._read, key)
        if entry is not None:
            value = entry[0]
            if value is not EXPUNGED:
                return value
        return self._missed(key)

    def _missed(self, key: Any) -> V | MissingType:
        """Look up a key that was not in the read table, or was expunged there."""
        if not self._dirty:
            entry = find(self._read, key)  # again: it may have been promoted since (invariant 4)
        else:
            self._lock.acquire()
            try:
                entry = self._entry_locked(key)
                self._misses += 1
                if self._misses >= len(self._dirty):
                    self._promote_locked()
            finally:
                self._lock.release()
        if entry is None:
            return MISSING
        value = entry[0]
        return MISSING if value is EXPUNGED else value

    def _entry_locked(self, key: Any) -> list[V] | None:
        """Return the entry of a key from either table, or None."""
        # The dirty table first: a promotion from inside a key's __eq__ moves entries from it to the other.
        entry = find(self._dirty, key) if self._dirty else None
        if entry is None:
            entry = find(self._read, key)
        return None if entry is None or entry[0] is EXPUNGED else entry

    def _put_locked(self, key: K, value: V) -> None:
        """Set a key: a known one in its entry, a new one in the dirty table."""
        entry = self._entry_locked(key)
        if entry is None:
            self._changes += 1
            self._dirty[key] = [value]
        else:
            entry[0] = value

    def _take_locked(self, key: Any) -> V | MissingType:
        """Remove a key and return its value, or MISSING. If a comparison raises, nothing has changed."""
        self._changes += 1
        entry = self._dirty.pop(key, None) if self._dirty else None
        if entry is None:
            entry = self._read.pop(key, None)
        if entry is None or entry[0] is EXPUNGED:
            return MISSING
        value, entry[0] = entry[0], EXPUNGED
        return value

    def _promote_locked(self) -> None:
        """Move all dirty entries to the read table. O(number of dirty entries)."""
        self._misses = 0
        changes = self._changes
        moved = self._dirty.copy()
        try:
            self._read.update(moved)  # takes over the hashes; compares keys of the same hash
            if self._changes == changes:
                self._dirty.clear()
                return
        except Exception:  # noqa: BLE001, S110
            pass  # somebody's __eq__, in an operation that is none of its business
        finally:
            if self._dirty:
                self._tidy_locked(moved)

    def _tidy_locked(self, moved: dict[K, list[V]]) -> None:
        """Finish a promotion that was interrupted, or in which a key's __eq__ changed the map."""
        for key, entry in moved.items():
            try:
                if find(self._read, key) is not entry:
                    continue
                if entry[0] is EXPUNGED:
                    del self._read[key]
                elif find(self._dirty, key) is entry:
                    del self._dirty[key]
            except Exception:  # noqa: BLE001, S112
                continue  # such a key stays in both tables until a promotion succeeds

    def _check(self) -> None:
        assert not self._lock.claims
        assert self._misses <= len(self._dirty)
        assert not self._read.keys() & self._dirty.keys()
        for entry in [*self._read.values(), *self._dirty.values()]:
            assert len(entry) == 1
            assert entry[0] is not EXPUNGED
        super()._check()

    # --- hooks --------------------------------------------------------------------------------------

    def _hold(self, key: Any, timeout: float | None = None, /) -> Claim | None:
        return self._lock.claim(key, timeout)

    def _release(self, _key: Any, token: Claim, /) -> None:
        self._lock.unclaim(token)

    def _store_held(self, key: K, value: V, /) -> None:
        self._lock.acquire()
        try:
            self._put_locked(key, value)
        finally:
            self._lock.release()

    def _remove_held(self, key: K, /) -> None:
        self._lock.acquire()
        try:
            self._take_locked(key)
        finally:
            self._lock.release()

    def _hold_all(self, timeout: float | None = None, /) -> bool:
        return self._section.enter(timeout)

    def _release_all(self) -> None:
        self._section.leave()

    def _after_fork_in_child(self) -> None:
        self._section.forget_lost_owners()

    # --- single keys, as the hooks do it, in one hold of the lock ------------------------------------

    def __getitem__(self, key: K, /) -> V:
        entry = find(self._read, key)
        value: Any = EXPUNGED if entry is None else entry[0]
        if value is EXPUNGED:
            value = self._missed(key)
        return self._absent(key) if value is MISSING else value

    def __setitem__(self, key: K, value: V, /) -> None:
        self._lock.acquire_for(key)
        try:
            self._put_locked(key, value)
        finally:
            self._lock.release()

    _store = __setitem__

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def get(self, key: K, /, default: Any = None) -> Any:
            entry = find(self._read, key)
            value: Any = EXPUNGED if entry is None else entry[0]
            if value is EXPUNGED:
                value = self._missed(key)
            return default if value is MISSING else value

        def setdefault(self, key: K, default: Any = None, /) -> Any:
            value = self._lookup(key)
            if value is not MISSING:
                return value
            self._lock.acquire_for(key)
            try:
                entry = self._entry_locked(key)
                if entry is not None:
                    return entry[0]
                self._put_locked(key, default)
            finally:
                self._lock.release()
            return default

        def pop(self, key: K, /, default: Any = UNSET) -> Any:
            self._lock.acquire_for(key)
            try:
                value = self._take_locked(key)
            finally:
                self._lock.release()
            if value is not MISSING:
                return value
            if default is UNSET:
                raise KeyError(key)
            return default

        _pop = pop

        def swap(self, key: K, value: V, default: Any = None) -> Any:
            self._lock.acquire_for(key)
            try:
                entry = self._entry_locked(key)
                previous = default if entry is None else entry[0]
                self._put_locked(key, value)
            finally:
                self._lock.release()
            return previous

    # --- the whole ----------------------------------------------------------------------------------

    def popitem(self) -> tuple[K, V]:
        item = self._pop_unclaimed()
        if item is not None:
            return item
        self._section.enter()  # every key was claimed, or there was none
        try:
            item = self._pop_unclaimed()
        finally:
            self._section.leave()
        if item is None:
            message = "popitem(): dictionary is empty"
            raise KeyError(message)
        return item

    def _pop_unclaimed(self) -> tuple[K, V] | None:
        self._lock.acquire()
        try:
            for table in (self._dirty, self._read):
                while table and not self._lock.claims:
                    key = next(reversed(table))
                    value = self._take_locked(key)
                    if value is not MISSING:
                        return key, value
                for key in reversed(list(table)):
                    claim = self._lock.claims.get(key)
                    if claim is None or not claim.is_foreign():
                        value = self._take_locked(key)
                        if value is not MISSING:
                            return key, value
        finally:
            self._lock.release()
        return None

    def clear(self) -> None:
        self._section.enter()
        try:
            tables = (self._read.copy(), self._dirty.copy())  # what dies may write to the map, and that must stay
            self._read.clear()  # for readers: those who miss here now wait, if there is a dirty table
            self._dirty.clear()
            self._misses = 0
            for table in tables:
                for entry in table.values():
                    entry[0] = EXPUNGED
        finally:
            self._section.leave()

    def __len__(self) -> int:
        return len(self._read) + len(self._dirty)

    def to_dict(self) -> dict[K, V]:
        self._lock.acquire()
        try:
            contents = [(key, entry[0]) for key, entry in self._entries()]
        finally:
            self._lock.release()
        return {key: value for key, value in contents if value is not EXPUNGED}

    def _entries(self) -> list[tuple[K, list[V]]]:
        """Promote what is dirty, as Go's Range does, and return all entries of one moment."""
        self._lock.acquire()
        try:
            self._promote_locked()
            return [*self._read.copy().items(), *self._dirty.copy().items()]
        finally:
            self._lock.release()

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        for key, entry in self._entries():
            value = entry[0]
            if value is not EXPUNGED:
                yield key, value

    def _iter_keys(self) -> Iterator[K]:
        for key, _ in self._iter_items():
            yield key

    def _iter_values(self) -> Iterator[V]:
        for _, value in self._iter_items():
            yield value

"""ReadDirtyMap: a read table that needs no lock, a dirty table under one. After Go's sync.Map.

The algorithm is that of Go's sync.Map before Go 1.24 (src/sync/map.go, B. C. Mills, 2017): a key that has been
looked for often enough is found without a lock, and stays so; new keys wait in the dirty table, under a lock,
until misses have paid for promoting them.

    m[k] ── in `_read`? ── yes ──> its value                               (no lock)
                └── no ── anything in `_dirty`? ── no ──> absent           (no lock)
                                  └── yes ──> lock, look in both, count a miss;
                                              as many misses as dirty keys: promote

What differs from Go, and why
  - A dict can be read while it is written, as Go's map cannot. So promotion moves the dirty keys into the
    standing read table, instead of making the dirty table the read table: no reader ever holds a table that is
    no longer in force, and the dirty table is never rebuilt by copying all of the read table, Go's worst case.
  - For the same reason a known key's value is replaced in the read table itself. Go needs an *entry* for each key,
    which would cost 90 bytes here, and a reference to count at every read.
  - A deleted key leaves at once. In Go it stays in the read table until a promotion, which has kept keys alive
    for ever (golang/go #40999).
  - Writers take the lock, Go's do not for known keys: Python has no compare-and-swap.

Invariants
  1. `_read` and `_dirty` are the same two dicts for the map's whole life, written under `_lock`.
  2. A key that is in the map is in `_read` or in `_dirty`. If it is in both (while it is being promoted, or
     where a comparison that raised has cut that short), its value is the one in `_read`.
  3. A key leaves `_dirty` only after it has got into `_read`, or with the whole map under the lock when it is
     removed. So whoever finds `_dirty` empty *and after that* misses the key in `_read` may call it absent.
  4. `_changes` grows with every write and every promotion: it shows who has looked whether a key's `__eq__`, a
     finalizer or a signal handler came back here in the meantime.
  5. While a user's function runs, its thread holds the key's claim, not `_lock` (`sync.claims`).

Linearization points: of a read, the look into `_read`; of a miss, the second look there, or the look under the
lock. Of a write or a removal, the one operation on the key's table. Of `clear`, the emptying of `_read`: from
then on readers miss there and, if anything is dirty, wait for the lock. Of `snapshot`, any moment of its hold of
the lock. `len` counts the read table if it has found the dirty one empty, and both, under the lock, if not.

Why reading `_read` without a lock is safe: by 1 it outlives every reader, who holds the map, so that the
compiled read path counts no reference to it; looking a key up in a dict that others change is dict's own promise.

What a hostile key can do: if the `__eq__` of a key that is being promoted writes to that very key, readers
without the lock may see the former value until the promotion ends.
"""

from __future__ import annotations

from safemap._contract import ConcurrentMapping, Guarantees
from safemap._lookup import MISSING, copy_of, find, is_plain, items_of, keys_of, settle_reads, values_of
from safemap._missing import UNSET, MissingType
from safemap._parts import in_parts
from safemap._types import K, V
from safemap.sync.claims import Partition, Section, acquire_for, unclaim
from safemap.sync.lock import release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from safemap._types import Contents, T, overload
    from safemap.sync.claims import Claim


KEYS, VALUES, ITEMS = 0, 1, 2


class ReadDirtyMap(ConcurrentMapping[K, V]):
    """A mapping whose settled keys are read without a lock: Go's `sync.Map`.

    Take it where keys are written once and read many times (caches that only grow, registries), or where
    threads work on different keys. A map that keeps getting and losing keys is better off sharded. It has no
    insertion order and no `update` in one step; iteration is weak.

    Cost: reads of settled keys take no lock. New keys are looked for under the lock, until there have been as
        many such looks as new keys: then all are promoted. `popitem` is O(n) where keys are neither strings nor
        numbers.
    Atomicity: maybe - one step on each key, and for `snapshot`, `to_dict` and `copy`; of the rest say
        `guarantees.update`, `guarantees.iteration` and `guarantees.length`.
    Errors: those of the contract.

    >>> seen = ReadDirtyMap()
    >>> seen.setdefault("a", 1), seen.setdefault("a", 2)
    (1, 1)
    """

    __slots__ = ("_changes", "_dirty", "_lock", "_misses", "_plain", "_promoting", "_read", "_section")

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

    if TYPE_CHECKING:

        @overload
        def __init__(self, items: Contents[K, V] = (), /) -> None: ...
        @overload
        def __init__(self: ReadDirtyMap[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
        def __init__(self, items: Any = (), /, **named: Any) -> None: ...

    def __cinit__(self, *_args: Any, **_items: Any) -> None:
        self._configure()

    def _configure(self) -> None:
        self._lock = Partition()
        self._section: Section[Partition] = Section((self._lock,))
        self._read: dict[K, V] = {}  # read by anyone, written under _lock
        self._dirty: dict[K, V] = {}  # read (but for whether it is empty) and written under _lock
        # The rest under _lock.
        self._changes = 0
        self._misses = 0  # looks into _dirty since the last promotion
        self._plain = True  # no key has ever been put in whose comparison can run Python code
        self._promoting = False

    # --- the two tables -----------------------------------------------------------------------------

    def _lookup(self, key: Any) -> V | MissingType:
        value = find_settled(self, key, MISSING)
        return self._missed(key) if value is MISSING else value

    def _missed(self, key: Any) -> V | MissingType:
        """Look up a key that was not in the read table."""
        if not self._dirty:
            # Again: it may have been promoted since (invariant 3).
            settle_reads()
            return find_settled(self, key, MISSING)  # type: ignore[no-any-return]
        self._lock.acquire()
        try:
            value = self._find_locked(key)
            self._misses += 1
            if self._misses >= len(self._dirty):
                self._promote_locked()
        finally:
            release(self._lock)
        return value

    def _find_locked(self, key: Any) -> V | MissingType:
        """Return the value of a key from either table, or MISSING."""
        value = find(self._read, key, MISSING)
        if value is MISSING and self._dirty:
            changes = self._changes
            value = find(self._dirty, key, MISSING)
            if value is MISSING and self._changes != changes:
                value = find(self._read, key, MISSING)  # a promotion from inside a key's __eq__
        return value

    def _put_locked(self, key: K, value: V) -> Any:
        """Set a key: a known one in the read table, a new one in the dirty table.

        Return what must not die before the lock is free: its finalizer may wait for one who waits for the lock.
        """
        self._changes = mine = self._changes + 1
        known = find(self._read, key, MISSING)
        if known is not MISSING:
            self._read[key] = value
            return known
        if self._plain and not is_plain(key):
            self._plain = False
        previous = find(self._dirty, key, None)
        self._dirty[key] = value
        if self._changes != mine and find(self._read, key, MISSING) is not MISSING:
            self._read[key] = value
            # The key's own comparison has had it promoted, and then it was put in behind that.
            try:
                self._dirty.pop(key, None)
            except Exception:  # noqa: BLE001  # of another comparison: the next promotion takes it away
                return previous
        return previous

    def _take_locked(self, key: Any) -> V | MissingType:
        """Remove a key and return its value, or MISSING. If a comparison raises, nothing has changed."""
        self._changes += 1
        if self._dirty and key in self._dirty:
            known = find(self._read, key, MISSING)
            value = self._dirty.pop(key, MISSING)
            if known is MISSING and value is not MISSING:
                return value
        return self._read.pop(key, MISSING)

    def _promote_locked(self) -> None:
        """Move all dirty keys to the read table. O(number of dirty keys)."""
        self._misses = 0
        if not self._dirty or self._promoting:
            return
        self._changes = mine = self._changes + 1
        if self._plain:
            self._read.update(self._dirty)
            if self._changes == mine:  # no signal handler has written meanwhile
                self._dirty.clear()
                return
        self._promoting = True
        try:
            self._promote_one_by_one()
        except Exception:  # noqa: BLE001, S110
            pass  # somebody's __eq__, in an operation that is none of its business: the rest stays dirty
        finally:
            self._promoting = False

    def _promote_one_by_one(self) -> None:
        """Promote keys whose comparison may raise, or come back here; stop if one has written to the map."""
        while self._dirty:
            changes = self._changes
            key, value = next(reversed(self._dirty.items()))
            known = find(self._read, key, MISSING) is not MISSING
            if self._changes != changes:
                return
            if not known:
                self._read[key] = value
            if self._changes == changes:
                self._dirty.popitem()  # compares nothing
            elif not known:
                self._read.pop(key, None)  # it may be older by now than what is dirty
                return

    def _check(self) -> None:
        assert not self._lock.listed()
        assert self._misses <= len(self._dirty)
        assert not self._read.keys() & self._dirty.keys()
        assert not self._promoting
        super()._check()

    # --- hooks --------------------------------------------------------------------------------------

    def _hold(self, key: Any, timeout: float | None = None) -> Claim | None:
        return self._lock.claim(self._section, key, timeout)

    def _release(self, _key: Any, token: Claim) -> None:
        unclaim(token)

    def _store_held(self, key: K, value: V) -> None:
        self._lock.acquire()
        try:
            previous = self._put_locked(key, value)  # noqa: F841  # dies after the lock is free
        finally:
            release(self._lock)

    def _remove_held(self, key: K) -> None:
        self._lock.acquire()
        try:
            previous = self._take_locked(key)  # noqa: F841  # as in _store_held
        finally:
            release(self._lock)

    def _hold_all(self, timeout: float | None = None) -> bool:
        return self._section.enter(timeout)

    def _release_all(self) -> None:
        self._section.leave()

    def _after_fork_in_child(self) -> None:
        self._section.forget_lost_owners()
        if not self._lock.is_mine():
            self._promoting = False

    # --- single keys, as the hooks do it, in one hold of the lock ------------------------------------

    def __getitem__(self, key: K, /) -> V:
        value: Any = find_settled(self, key, MISSING)
        if value is MISSING:
            value = self._missed(key)
            if value is MISSING:
                return self._absent(key)
        return value  # type: ignore[no-any-return]

    def __contains__(self, key: object, /) -> bool:
        return find_settled(self, key, MISSING) is not MISSING or self._missed(key) is not MISSING

    def _store(self, key: K, value: V) -> None:
        acquire_for(self._lock, key)
        try:
            previous = self._put_locked(key, value)  # noqa: F841  # as in _store_held
        finally:
            release(self._lock)

    if not TYPE_CHECKING:  # for whom the contract's signatures stand
        __setitem__ = _store

        def get(self, key: K, /, default: Any = None) -> Any:
            value = find_settled(self, key, MISSING)
            if value is MISSING:
                value = self._missed(key)
            return default if value is MISSING else value

        def setdefault(self, key: K, default: Any = None, /) -> Any:
            value = self._lookup(key)
            if value is not MISSING:
                return value
            acquire_for(self._lock, key)
            try:
                value = self._find_locked(key)
                if value is MISSING:
                    value = default
                    self._put_locked(key, default)
            finally:
                release(self._lock)
            return value

        def _pop(self, key: K, /, default: Any = UNSET) -> Any:
            acquire_for(self._lock, key)
            try:
                value = self._take_locked(key)
            finally:
                release(self._lock)
            if value is not MISSING:
                return value
            if default is UNSET:
                raise KeyError(key)
            return default

        pop = _pop

        def swap(self, key: K, value: V, default: Any = None) -> Any:
            acquire_for(self._lock, key)
            try:
                previous = self._find_locked(key)
                self._put_locked(key, value)
            finally:
                release(self._lock)
            return default if previous is MISSING else previous

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
                if table and self._lock.first is None and self._plain:
                    self._changes += 1
                    return table.popitem()
                for key in reversed(list(table)):
                    claim = self._lock.known(key)
                    if claim is None or not claim.is_foreign():
                        value = self._take_locked(key)
                        if value is not MISSING:
                            return key, value
        finally:
            release(self._lock)
        return None

    def clear(self) -> None:
        self._section.enter()
        try:
            # What dies may write to the map, and that must stay.
            dying = (copy_of(self._read), copy_of(self._dirty))
            self._changes += 1
            self._read.clear()  # for readers: those who miss here now wait, if there is a dirty table
            self._dirty.clear()
            self._misses = 0
        finally:
            self._section.leave()
        del dying

    def __len__(self) -> int:
        if not self._dirty:
            return len(self._read)
        self._lock.acquire()  # in the middle of a promotion, keys are in both
        try:
            return len(self._read) + len(self._dirty)
        finally:
            release(self._lock)

    def to_dict(self) -> dict[K, V]:
        self._lock.acquire()
        try:
            self._promote_locked()  # as Go's Range does
            # In this order: a finalizer may promote in between.
            rest, contents = copy_of(self._dirty), copy_of(self._read)
        finally:
            release(self._lock)
        return rest | contents if rest else contents

    def _iter_keys(self) -> Iterator[K]:
        return in_parts((self._settled(KEYS),))

    def _iter_values(self) -> Iterator[V]:
        return in_parts((self._settled(VALUES),))

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        return in_parts((self._settled(ITEMS),))

    def _settled(self, part: int) -> Any:
        """Return a copy of a part of the contents, of one moment."""
        self._lock.acquire()
        try:
            self._promote_locked()
            contents = self._read if not self._dirty else copy_of(self._dirty) | copy_of(self._read)
            return (
                keys_of(contents)
                if part == KEYS
                else values_of(contents)
                if part == VALUES
                else items_of(contents)
            )
        finally:
            release(self._lock)


def find_settled(map_: ReadDirtyMap[Any, Any], key: Any, default: Any) -> Any:
    """Return the value of `key` in the read table, or `default`. Compiled: see the `.pxd`."""
    return find(map_._read, key, default)

"""CopyOnWriteMap: snapshots in O(1); a write copies the page that it changes, if a snapshot shows it.

Entries lie in pages (`_pages`). With no snapshot alive a write changes its page in place and copies nothing.
While one is alive, the first change of each page saves a copy of it for the snapshot; the page itself stays
where it is, so readers of the map never have to follow it. A page that has grown too large is replaced by
two, in a new directory.

Locks: `_commit` (a partition with claims) is held for the few steps of a write, never while a user's function
runs. Functions, `entry`, `locked` and batches hold the *claim* on the whole map (WHOLE), which all writers
wait for; readers and snapshots do not.

Invariants
  1. `_pages`, `_layout`, `_live`, `_size`, `_changing`, `_sequence`, `_batch` and the pages are written under
     `_commit`.
  2. A directory is never changed, only replaced. Its length never shrinks.
  3. A page never dies before its map (`_every`): when it leaves the directory it is emptied (after `_layout` has
     grown), kept in `_idle`, and becomes another page later. So whatever a reader finds in a page, however late
     it comes, was the key's value at some moment since it took the page from the directory; and if it finds
     nothing, and `_layout` is what it was before, the key was absent.
  4. `_live` refers, weakly and oldest first, to the versions that may still be read. Before a page changes,
     each of them has it saved, or shows another page in its place. If a version has a page saved, so
     have all older ones: hence the walk from the newest that stops at the first that has it.
  5. `_writing` holds the pages that are about to change or are changing: one, and more only where a key's
     `__eq__`, a finalizer or a signal handler writes in the middle of a write. Where the whole is emptied or
     undone, `_changing` holds them. A version made just then has them saved from the start. While `_writing` is
     not empty, no page is replaced.
  6. `_sequence` is odd while a batch is open. `_batch[0]` is then the version of the moment before it, which
     everybody but the batch's thread reads. It is set before `_sequence` becomes odd, and cleared after
     it has become even.
  7. While `_plain`, no key in the map runs Python code when it is compared; while `_quiet`, no value does when it
     dies. (Compiled only: what then comes in the middle of a write is nothing at all.)

Linearization points: of a read, the page's lookup, if `_sequence` was the same before and after (a batch that
began or ended meanwhile makes it read again); during another's batch, that same check. Of a write, the one dict
operation on its page, or the replacement of the directory (filling an empty map). Of a batch (`update`,
`locked`, `clear`), `_sequence` becoming even. Of `len` and `snapshot`, their hold of `_commit`.

Readers take no lock unless several batches in a row have spoilt their reading. Why that is safe: by 3 a page
outlives every reader, who holds the map, so the compiled read path counts no references: it finds the page in
a table of plain pointers (see the `.pxd`) that is kept as the pages are, until the map dies.

Rejected: new pages for writers instead of copies for snapshots (every reader would have to count a reference
to the page that may be replaced, the one cost that does not scale without the GIL); one table copied whole
(O(n) a write); persistent tries (4 to 20 times the cost of a dict at every read).
"""

from __future__ import annotations

from _thread import get_ident
from weakref import ref

from safemap._compiled import COMPILED
from safemap._contract import ConcurrentMapping, Guarantees
from safemap._lookup import MISSING, copy_of, dies_quietly, find, is_plain, mixed_hash
from safemap._missing import UNSET, MissingType
from safemap._types import K, V
from safemap.maps._pages import PagedSnapshot, Version, distinct
from safemap.sync.claims import Partition, Section, unclaim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, ClassVar

    from safemap._snapshot import Snapshot
    from safemap._types import Contents, T, overload
    from safemap.maps._pages import Directory, Page
    from safemap.sync.claims import Claim


PAGE_LIMIT = 170
"""Entries above which a page is split: what fits a dict of 256 slots. Copying such a page takes about 1 us, and
the directory of a map of a million entries has 8,192 slots."""
SPARSE = 16
"""The directory is not doubled below this many entries a slot: keys that all have the same hash cannot be
told apart by a larger one."""
OPTIMISTIC_READS = 8
"""Reads that a batch may spoil, by beginning or ending meanwhile, before the reader takes the lock. A batch takes
several times as long as a read, so more than two in a row come only from a key whose `__eq__` makes batches."""
NO_PAGE: Page = {}
"""In `_writing`: a page that is not known yet. Stays empty."""
WHOLE = "the whole map"
"""The one key that is ever claimed: functions exclude all the map's writers."""


class CopyOnWriteMap(ConcurrentMapping[K, V]):
    """A mapping with snapshots in O(1), whose readers never wait.

    Take it where the whole is looked at often (iterating, `snapshot`, `to_dict`) while others write, where
    many keys must change at once before everybody's eyes, or where reads are many and must never wait.
    Functions in `compute` and `entry` exclude the map's writers. An iteration shows the moment at which it
    began. What is written inside `locked` becomes visible when the block ends. It has no insertion order.

    Cost: reads take no lock; `snapshot`, and beginning to iterate, are O(1). While a snapshot or an iterator
        lives, the first write to each page (up to 170 entries) copies it; a dropped one costs nothing.
    Atomicity: good - every operation is one step, `update`, `clear` and a `locked` block too.
    Errors: those of the contract.

    >>> config = CopyOnWriteMap(host="a", port=1)
    >>> before = config.snapshot()
    >>> config.update(host="b", port=2)
    >>> before["host"], config["host"]
    ('a', 'b')
    """

    __slots__ = (
        "_batch",
        "_batch_depth",
        "_batch_owner",
        "_changing",
        "_commit",
        "_cursor",
        "_every",
        "_idle",
        "_layout",
        "_live",
        "_operations",
        "_pages",
        "_plain",
        "_quiet",
        "_section",
        "_sequence",
        "_size",
        "_unsettled",
        "_whole",
        "_writing",
    )

    guarantees: ClassVar[Guarantees] = Guarantees(
        mechanism="pages; writers save what a snapshot shows before they change it",
        single_key="linearizable",
        reader_waits_for_writer="no",
        function_excludes="the map's writers",
        iteration="one moment",
        insertion_order=False,
        update="all at once",
        length="exact",
        snapshot="O(1)",
    )

    if TYPE_CHECKING:

        @overload
        def __init__(self, items: Contents[K, V] = (), /) -> None: ...
        @overload
        def __init__(self: CopyOnWriteMap[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
        def __init__(self, items: Any = (), /, **named: Any) -> None: ...

    def __cinit__(self, *_args: Any, **_items: Any) -> None:
        self._configure()

    def __dealloc__(self) -> None:
        free_tables(self)

    def _configure(self) -> None:
        self._commit = Partition()
        self._section: Section[Partition] = Section((self._commit,))
        self._pages: Directory = ({},)  # read by anyone
        self._layout = 0  # how often pages have left the directory; read by anyone
        self._idle: list[Page] = []  # pages that have left it, all empty
        self._every: list[Page] = list(self._pages)  # all pages there have ever been: what keeps them alive
        self._size = 0
        self._live: list[ref[Version]] = []
        self._sequence = 0  # read by anyone
        self._batch: list[Version | None] = [None]  # read by anyone
        self._batch_owner = 0  # ident of the batch's thread; it alone compares equal
        self._batch_depth = 0  # how many sections that thread is in; touched by it alone
        self._writing: dict[object, Page] = {}  # by a token for each write
        self._changing: tuple[Page, ...] = ()
        self._operations = 0  # writes begun: shows a write that another one has come in the middle of it
        self._unsettled = False  # `_size` is not right: count the entries
        self._plain = COMPILED
        self._quiet = COMPILED
        self._whole: Claim | None = None  # the claim of the batch's thread; touched by it alone
        self._cursor = 0  # slot at which `popitem` looks first
        publish(self, self._pages)

    # --- reading ------------------------------------------------------------------------------------

    def _lookup(self, key: Any) -> V | MissingType:
        sequence = sequence_of(self)
        if not sequence & 1:
            value = find_in_page(self, key)
            if sequence_of(self) == sequence:
                return value  # type: ignore[no-any-return]
        return self._lookup_amid_batches(key)

    def _lookup_amid_batches(self, key: Any) -> V | MissingType:
        for _ in range(OPTIMISTIC_READS):
            sequence = sequence_of(self)
            if sequence & 1 and self._is_foreign_batch():
                batch = self._batch[0]
                value = MISSING if batch is None else batch.lookup(key)
            else:
                value = find_in_page(self, key)
            if sequence_of(self) == sequence:
                return value
        self._commit.acquire()  # no batch of another thread begins or ends while this is held
        try:
            batch = self._foreign_batch()
            return self._lookup_held(key) if batch is None else batch.lookup(key)
        finally:
            self._commit.release()

    def _lookup_held(self, key: Any) -> V | MissingType:
        return find_in_page(self, key)  # type: ignore[no-any-return]

    def __getitem__(self, key: K, /) -> V:
        value = self._lookup(key)
        return self._absent(key) if value is MISSING else value

    def __contains__(self, key: object, /) -> bool:
        return self._lookup(key) is not MISSING

    def __len__(self) -> int:
        self._commit.acquire()
        try:
            batch = self._foreign_batch()
            return self._counted() if batch is None else batch.size
        finally:
            self._commit.release()

    def snapshot(self) -> Snapshot[K, V]:
        return PagedSnapshot(self._version())

    def to_dict(self) -> dict[K, V]:
        return self._version().to_dict()

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        return self._version().items()

    def _iter_keys(self) -> Iterator[K]:
        return self._version().keys()

    def _iter_values(self) -> Iterator[V]:
        return self._version().values()

    # --- versions -----------------------------------------------------------------------------------

    def _version(self) -> Version:
        """Return the present moment, for this thread's eyes. O(1)."""
        self._commit.acquire()
        try:
            batch = self._foreign_batch()
            if batch is not None:
                return batch
            latest = self._live[-1]() if self._live else None
            if latest is not None and not latest.saved and latest.directory is self._pages:
                return latest  # nothing has been written since
            return self._new_version()
        finally:
            self._commit.release()

    def _new_version(self) -> Version:
        while True:
            # What comes in the middle of this (a finalizer, a signal handler) and writes does not save for a
            # version that is not yet alive: then it is made anew.
            operations = self._operations
            pages = self._pages
            version = Version(pages, self._counted())
            for page in [*self._writing.values(), *self._changing]:
                self._save(page)
                version.saved[id(page)] = copy_of(page)
            reference = ref(version)
            if self._operations == operations and self._pages is pages:
                break
        self._live.append(reference)
        return version

    def _foreign_batch(self) -> Version | None:
        return self._batch[0] if self._is_foreign_batch() else None

    def _is_foreign_batch(self) -> bool:
        return batch_owner(self) != get_ident()

    def _save(self, page: Page) -> None:
        """Save a page, which is about to change, for the versions that show it."""
        copy = None
        dead = False
        for reference in reversed(self._live):
            version = reference()
            if version is None:
                dead = True
            elif id(page) in version.saved:
                break
            else:
                if copy is None:
                    copy = copy_of(page)
                # A finalizer may have come before the copy and saved the page itself.
                version.saved.setdefault(id(page), copy)
        if dead:
            self._live = [reference for reference in self._live if reference() is not None]

    # --- writing ------------------------------------------------------------------------------------

    def _change(self, operation: Callable[..., Any], key: Any, *arguments: Any) -> Any:
        """Return `operation(page, key, *arguments)`, one dict operation on the key's page."""
        mixed = mixed_hash(key)
        self._commit.acquire_for(WHOLE)
        try:
            outer = bool(self._writing)
            if COMPILED and arguments:
                self._note(key, arguments[0])
            self._operations = mine = self._operations + 1
            token = object()
            page = NO_PAGE
            self._writing[token] = page  # before the page is looked up: from here on, no page is replaced
            try:
                page = self._pages[mixed & (len(self._pages) - 1)]
                self._writing[token] = page
                if self._live:
                    self._save(page)
                before = len(page)
                try:
                    return operation(page, key, *arguments)
                finally:
                    self._unsettled = True  # should an exception from outside come in the next two lines
                    self._size += len(page) - before
                    if not outer and self._operations == mine:
                        self._unsettled = False
                    elif len(self._writing) == 1:
                        self._recount()
            finally:
                del self._writing[token]
                if len(page) > PAGE_LIMIT and not outer:
                    self._split(mixed)
        finally:
            self._commit.release()

    def _note(self, key: Any, value: Any) -> None:
        self._plain = self._plain and is_plain(key)
        self._quiet = self._quiet and dies_quietly(value)

    def _counted(self) -> int:
        """Return the number of entries, even in the middle of a write of this thread's."""
        if self._writing:
            return sum(map(len, distinct(self._pages)))
        if self._unsettled:
            self._recount()
        return self._size

    def _recount(self) -> None:
        """Set the size anew, after writes in the middle of one another. No other thread writes meanwhile."""
        while self._unsettled:
            operations = self._operations
            self._size = sum(map(len, distinct(self._pages)))
            self._unsettled = self._operations != operations

    def _split(self, mixed: int) -> None:
        """Replace the page of a mixed hash by two, unless that cannot be done now."""
        if self._writing:
            return
        operations = self._operations
        token = object()
        self._writing[token] = NO_PAGE  # a write from inside __hash__ or __eq__ leaves the directory alone
        halves: tuple[Page, ...] = (self._idle_page(), self._idle_page())
        try:
            pages = self._split_pages(mixed, halves)
            if pages is not None and self._operations == operations:
                page = self._pages[mixed & (len(self._pages) - 1)]
                self._direct(pages)
                halves = (page,)
        except Exception:  # noqa: BLE001, S110
            pass  # somebody's __hash__ or __eq__, in an operation that is none of its business
        finally:
            del self._writing[token]
            for idle in halves:
                self._retire(idle)

    def _split_pages(self, mixed: int, halves: tuple[Page, ...]) -> Directory | None:
        """Return a directory with two pages in the place of one, or None if a larger one would not help."""
        pages = self._pages
        depth = len(pages).bit_length() - 1
        slot = mixed & (len(pages) - 1)
        page = pages[slot]
        local = depth  # how many low bits of the hash the page's keys have in common
        while local and pages[slot ^ (1 << (local - 1))] is page:
            local -= 1
        if local == depth and self._size < SPARSE * len(pages):
            return None
        bit = 1 << local
        low, high = halves
        for key, value in copy_of(page).items():
            (high if mixed_hash(key) & bit else low)[key] = value
        directory = list(pages + pages if local == depth else pages)
        for other in range(slot & (bit - 1), len(directory), bit):
            directory[other] = high if other & bit else low
        return tuple(directory)

    def _direct(self, pages: Directory) -> None:
        """Put another directory in the place of the present one. Pages that it lacks are to be retired."""
        pages *= max(1, len(self._pages) // len(pages))  # it never shrinks, or a reader's table would be too short
        publish(self, pages)
        self._pages = pages
        step_layout(self)

    def _retire(self, page: Page) -> None:
        """Empty a page that is not in the directory, and keep it for another use."""
        if page:
            self._save(page)
            dying = copy_of(page)  # what dies may use the map, which must be whole by then
            page.clear()
            self._idle.append(page)
            del dying
        else:
            self._idle.append(page)

    def _idle_page(self) -> Page:
        """Return an empty page that is not in the directory, and that no version will ask for again."""
        if self._idle:
            page = self._idle.pop()
        else:
            page = {}
            self._every.append(page)
        self._save(page)
        return page

    def _store(self, key: K, value: V) -> None:
        if not (COMPILED and store_quickly(self, key, value, False)):
            self._change(dict.__setitem__, key, value)

    if not TYPE_CHECKING:  # for whom the contract's signatures stand
        __setitem__ = _store

        def setdefault(self, key: K, default: Any = None, /) -> Any:
            value = self._lookup(key)
            return self._change(dict.setdefault, key, default) if value is MISSING else value

        def _pop(self, key: K, /, default: Any = UNSET) -> Any:
            if COMPILED:
                value = pop_quickly(self, key)
                if value is not MISSING:
                    return value
            return self._change(dict.pop, key) if default is UNSET else self._change(dict.pop, key, default)

        pop = _pop

        def swap(self, key: K, value: V, default: Any = None) -> Any:
            return self._change(_swap, key, value, default)

    def popitem(self) -> tuple[K, V]:
        self._commit.acquire_for(WHOLE)
        try:
            for _ in self._pages:
                page = self._pages[self._cursor % len(self._pages)]
                if page:
                    key = next(reversed(page))
                    return key, self._change(dict.pop, key)
                self._cursor += 1
            message = "popitem(): dictionary is empty"
            raise KeyError(message)
        finally:
            self._commit.release()

    def clear(self) -> None:
        self._hold_all()
        try:
            self._commit.acquire()
            try:
                self._empty()
            finally:
                self._commit.release()
        finally:
            self._release_all()

    def _empty(self) -> None:
        """Remove everything, in a batch."""
        outer = bool(self._writing)
        self._operations += 1
        dying = []  # kept until the map is whole again: what dies may use it
        changing = self._changing
        token = object()
        self._writing[token] = NO_PAGE
        try:
            self._unsettled = True  # from here on, what comes in between leaves that so
            pages = list(distinct(self._pages))
            self._changing = (*changing, *pages)
            for page in pages:
                self._save(page)
                dying.append(copy_of(page))
            if not outer:
                self._direct((self._idle_page(),))
            for page in pages:
                page.clear()
            if not outer:
                self._idle.extend(pages)
                self._recount()
        finally:
            self._changing = changing
            del self._writing[token]

    def _update(self, staged: dict[K, V]) -> None:
        if len(staged) == 1:
            for key, value in staged.items():
                self._store(key, value)
            return
        self._hold_all()
        try:
            if self._size or self._writing or not self._fill(staged):
                self._write_all(staged)
        finally:
            self._release_all()

    def _fill(self, staged: dict[K, V]) -> bool:
        """Fill the empty map in one step; False if it has been written to meanwhile."""
        pages = self._built(staged)
        filled = False
        token = object()
        self._commit.acquire()
        try:
            if COMPILED:
                for key, value in staged.items():
                    self._note(key, value)
            empty = list(distinct(self._pages))
            if not self._writing:
                operations = self._operations
                self._writing[token] = NO_PAGE  # from here on, what comes in between leaves the directory alone
                try:
                    if not any(empty) and self._operations == operations:
                        self._direct(tuple(pages))
                        self._size = len(staged)
                        self._operations += 1
                        filled = True
                finally:
                    del self._writing[token]
            for page in empty if filled else pages:
                self._retire(page)
        finally:
            self._commit.release()
        return filled

    def _built(self, items: dict[Any, Any]) -> list[Page]:
        """Return new pages, a power of two, with the given items, each page about two thirds full."""
        count = 1
        while count * PAGE_LIMIT * 2 // 3 < len(items):
            count *= 2
        self._commit.acquire()
        try:
            pages = [self._idle_page() for _ in range(count)]
        finally:
            self._commit.release()
        for key, value in items.items():
            pages[mixed_hash(key) & (count - 1)][key] = value
        return pages

    def _write_all(self, staged: dict[K, V]) -> None:
        before = self._version()
        try:
            for key, value in staged.items():
                self._store(key, value)
        except BaseException:
            self._restore(before)
            raise

    def _restore(self, version: Version) -> None:
        """Make the contents those of an earlier version again. Called inside the batch that changed them."""
        dying = []  # kept until the map is whole again: what dies may use it
        self._commit.acquire()
        try:
            outer = bool(self._writing)
            self._operations += 1
            changing = self._changing
            token = object()
            self._writing[token] = NO_PAGE
            try:
                self._unsettled = True
                restored = list(distinct(version.directory))
                ids = {id(page) for page in restored}
                leaving = [page for page in distinct(self._pages) if id(page) not in ids]
                self._changing = (*changing, *restored, *leaving)
                idle, self._idle = self._idle, []  # what comes in the middle of this gets none of the restored
                for page in leaving:
                    self._save(page)
                    dying.append(copy_of(page))
                    page.clear()
                for page in restored:
                    saved = version.saved.get(id(page))
                    if saved is not None:
                        self._save(page)
                        dying.append(copy_of(page))
                        page.clear()
                        page.update(saved)
                self._direct(version.directory)
                self._idle += [page for page in idle + leaving if id(page) not in ids]
                if not outer:
                    self._recount()
            finally:
                self._changing = changing
                del self._writing[token]
        finally:
            self._commit.release()

    def _check(self) -> None:
        super()._check()
        pages = self._pages
        assert len(pages) & (len(pages) - 1) == 0
        assert self._size == sum(map(len, distinct(pages)))
        assert len({id(page) for page in pages}) == len(list(distinct(pages)))
        for slot, page in enumerate(pages):
            for key in page:
                assert pages[mixed_hash(key) & (len(pages) - 1)] is page, (slot, key)
        assert self._batch == [None]
        assert self._batch_owner == 0
        assert self._sequence % 2 == 0
        assert not self._writing
        assert not self._changing
        assert not self._commit.listed()
        assert not any(self._idle)

    # --- hooks --------------------------------------------------------------------------------------

    def _hold(self, key: Any, timeout: float | None = None) -> Claim | None:
        hash(key)  # dict's own error for an unhashable key, before a function is called
        return self._commit.claim(self._section, WHOLE, timeout)

    def _release(self, _key: Any, token: Claim) -> None:
        unclaim(token)

    def _store_held(self, key: K, value: V) -> None:
        if not (COMPILED and store_quickly(self, key, value, True)):
            self._change(dict.__setitem__, key, value)

    def _remove_held(self, key: K) -> None:
        self._change(dict.__delitem__, key)

    def _hold_all(self, timeout: float | None = None) -> bool:
        whole = self._commit.claim(self._section, WHOLE, timeout)
        if whole is None:
            return False
        try:
            self._whole = whole
            self._batch_depth += 1
            self._commit.acquire()
            try:
                self._begin_batch()
            finally:
                self._commit.release()
        except BaseException:
            self._release_all()
            raise
        return True

    # A signal handler, which comes before a call, may make a batch of its own. So between looking whether a batch
    # is open, and opening or ending one, these two call nothing.

    def _begin_batch(self) -> None:
        me = get_ident()
        while not self._sequence & 1:  # it is odd in a section inside a section
            operations = self._operations
            set_batch_owner(self, me)
            version = self._new_version()
            if self._operations == operations and self._batch_owner == me:
                self._batch[0] = version
                if COMPILED:
                    step_sequence(self)
                else:
                    self._sequence += 1

    def _release_all(self) -> None:
        self._batch_depth -= 1
        try:
            self._end_batch()
        finally:
            whole = self._whole
            assert whole is not None
            unclaim(whole)

    def _end_batch(self) -> None:
        self._commit.acquire()
        try:
            if self._batch_depth == 0 and self._sequence & 1:
                if COMPILED:
                    step_sequence(self)
                else:
                    self._sequence += 1
                self._batch[0] = None
                set_batch_owner(self, 0)
        finally:
            self._commit.release()

    def _after_fork_in_child(self) -> None:
        self._section.forget_lost_owners()
        if not self._commit.is_mine():
            self._writing.clear()
            self._changing = ()
        if self._commit.known(WHOLE) is None:  # what is left there is this thread's own
            batch = self._batch[0]
            if batch is not None:
                self._restore(batch)
            self._batch_depth = 0
            self._end_batch()
            set_batch_owner(self, 0)
            self._batch[0] = (
                None  # where its thread had not come to the point of beginning it, or was past its end
            )
        self._size = sum(map(len, distinct(self._pages)))


def _swap(page: Page, key: Any, value: Any, default: Any) -> Any:
    previous = find(page, key, default)
    page[key] = value
    return previous


# What readers do, and the shortest way to write. Compiled, these are in the `.pxd`.


def sequence_of(map_: CopyOnWriteMap[Any, Any]) -> int:
    """Return the map's `_sequence`."""
    return map_._sequence


def batch_owner(map_: CopyOnWriteMap[Any, Any]) -> int:
    """Return the ident of the batch's thread, or 0."""
    return map_._batch_owner


def set_batch_owner(map_: CopyOnWriteMap[Any, Any], thread: int) -> None:
    """Set it. The caller holds `_commit`."""
    map_._batch_owner = thread


def step_sequence(map_: CopyOnWriteMap[Any, Any]) -> None:
    """Add 1 to the map's `_sequence`."""
    map_._sequence += 1


def step_layout(map_: CopyOnWriteMap[Any, Any]) -> None:
    """Add 1 to the map's `_layout`."""
    map_._layout += 1


def find_in_page(map_: CopyOnWriteMap[Any, Any], key: Any) -> Any:
    """Return the value of a key in the map as it is now, batch or not, or MISSING. Takes no lock (invariant 3)."""
    while True:
        layout = map_._layout
        pages = map_._pages
        value = find(pages[mixed_hash(key) & (len(pages) - 1)], key, MISSING)
        if value is not MISSING or map_._layout == layout:
            return value


def publish(_map: CopyOnWriteMap[Any, Any], _pages: Directory) -> None:
    """Show readers a directory that is about to be the map's."""


def free_tables(_map: CopyOnWriteMap[Any, Any]) -> None:
    """Free what `publish` has made."""


def store_quickly(_map: CopyOnWriteMap[Any, Any], _key: Any, _value: Any, _held: bool) -> bool:
    """Set a key if nothing can come in the middle of that, and return whether it was done.

    `held`: the thread has the claim on the map.
    """
    return False


def pop_quickly(_map: CopyOnWriteMap[Any, Any], _key: Any) -> Any:
    """Remove a key if nothing can come in the middle of that, and return its value, or else MISSING."""
    return MISSING

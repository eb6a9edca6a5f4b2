"""A map that stands where a program's map stood, and keeps what the program does to it.

Each operation is done by the inner map first, with the same arguments; what it returned says whether the key was
there, and then it is counted (`ledger`). An operation that raises is not counted, but for the KeyError of an
absent key.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any

from safemap import MISSING, ConcurrentMapping
from safemap.bench.around import Section, Walk, size_of
from safemap.bench.events import (
    CLEAR,
    CLEARED,
    LENGTH,
    LOCKED,
    SCAN,
    SNAPSHOT,
    TALLY,
    UPDATE,
    UPDATED,
)
from safemap.bench.ledger import Ledger
from safemap.bench.recording import Recording
from safemap.bench.single_keys import Absent, K, SingleKeys, V

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import ClassVar, NoReturn, Self

    from _typeshed import SupportsKeysAndGetItem

    from safemap import Guarantees, Snapshot
    from safemap.bench.ledger import Seen
    from safemap.bench.workload import Workload


class Recorder(SingleKeys[K, V]):
    """A map that does what `map` does, and keeps what threads do to it: the mix, the keys' skew, sizes, threads.

    Put it where the map stood, let the program do its work, and `save` what was seen: `safemap bench --workload`
    replays it on every variant. `map` may be any `ConcurrentMapping`, or another mapping, such as a dict: the
    recorder then has of the methods beyond dict's those that the map has, others raise AttributeError, and nothing
    becomes safer than it was.

    All of the contract is the inner map's own: its `guarantees`, its errors, its `default_factory`. Copies and
    pickles are of the inner map, and are not recorded. Keys and values are not kept alive; a key's `__eq__` is
    called no more often than by the map, its `__hash__` for one operation in some sixty once more.

    Cost: 150 to 300 ns more for an operation on one key, whichever map it is. A plain map takes up to twice as
    long through it, a compiled one 5 to 10 times. Threads share no counts; but on free-threaded Python 3.13 they
    meet in the reference counts of the recorder's own parts, and an operation takes 500 to 900 ns, up to 17 times.
    Memory: some MB, however long it runs, and some kB for each living thread. An operation on the map from a
    signal handler or a finalizer, at the very moment when its thread counts another one, may be missing from the
    counts.
    """

    __slots__ = ()

    def __init__(self, map: MutableMapping[K, V], /) -> None:  # noqa: A002 - what it is; positional only
        """Record what is done to `map` through this object, from now on. Raises TypeError if it is no mapping."""
        if not isinstance(map, MutableMapping):
            message = f"a Recorder wraps a mapping, not {map!r:.60}"
            raise TypeError(message)
        self._map = map
        self.reset()

    @classmethod
    def configured(cls, items: Any = (), /, **options: Any) -> NoReturn:  # noqa: ARG003 - as of any map
        """Raise TypeError: it is the inner map that has options."""
        message = "a Recorder has no options: wrap a map that has them, Recorder(MutexMap.configured(...))"
        raise TypeError(message)

    @classmethod
    def fromkeys(cls, keys: Any, value: Any = None, /) -> NoReturn:  # noqa: ARG003 - as of any map
        """Raise TypeError: it is the inner map that is made of keys."""
        message = "a Recorder wraps a map that there is: Recorder(MutexMap.fromkeys(...))"
        raise TypeError(message)

    # --- what was seen ------------------------------------------------------------------------------

    def seen(self) -> Seen:
        """Return the raw counts and samples so far. The program may go on meanwhile.

        Cost: that of the samples, which are bounded, and of each thread.
        Atomicity: bad - threads that go on meanwhile are counted one after another, not at one moment.
        Errors: none of its own.

        >>> sessions = Recorder(ShardedMap(anna=1))
        >>> sessions["anna"]
        1
        >>> sessions.seen().threads[0]["get hit"]
        1
        """
        return self._ledger.seen()

    def recording(self, name: str = "recorded") -> Recording:
        """Return what was seen so far as a recording: a workload, and what to know of it.

        Cost: as `seen`.
        Atomicity: bad - threads that go on meanwhile are counted one after another, not at one moment.
        Errors: WorkloadError if there is nothing yet, or nothing that can be replayed.

        >>> sessions = Recorder(ShardedMap(anna=1))
        >>> sessions["anna"] = 2
        >>> sessions.recording().notes
        ('too few operations on keys to say which of them are used more',)
        """
        return Recording.of(self._ledger.seen(), name)

    def workload(self, name: str = "recorded") -> Workload:
        """Return the workload that does what was seen so far.

        Cost: as `seen`.
        Atomicity: bad - threads that go on meanwhile are counted one after another, not at one moment.
        Errors: WorkloadError as `recording` raises it.

        >>> sessions = Recorder(ShardedMap(anna=1))
        >>> sessions["anna"] = 2
        >>> sessions.workload().mix
        {'set': 1.0}
        """
        return self.recording(name).workload

    def save(self, path: str | os.PathLike[str], name: str = "recorded") -> None:
        """Write the recording to a file, whole or not at all.

        Cost: as `seen`, and the file.
        Atomicity: bad - threads that go on meanwhile are counted one after another, not at one moment.
        Errors: WorkloadError as `recording` raises it; OSError.

        >>> sessions = Recorder(ShardedMap(anna=1))
        >>> sessions["anna"] = 2
        >>> with TemporaryDirectory() as folder:
        ...     sessions.save(f"{folder}/sessions.json", name="sessions")
        ...     load(f"{folder}/sessions.json").workload.name
        'sessions'
        """
        self.recording(name).save(path)

    def reset(self) -> None:
        """Forget what was seen: record from now on. No other thread may be using the recorder.

        Cost: O(1).
        Atomicity: bad - what other threads do meanwhile may be counted as before it, as after it, or not at all.
        Errors: none of its own.

        >>> sessions = Recorder(ShardedMap(anna=1))
        >>> sessions["anna"] = 2
        >>> sessions.reset()
        >>> sessions.seen().threads
        []
        """
        self._ledger = Ledger(partial(size_of, self._map))
        self._local = self._ledger.local

    if not TYPE_CHECKING:  # for whom the contract's signature stands

        def locked(self, timeout: float | None = None) -> Any:
            return Section(self, self._map.locked(timeout), partial(self._note, LOCKED))

    # --- many keys ----------------------------------------------------------------------------------

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def update(self, items: Any = (), /, **named: Any) -> None:
            self._update_with(self._map.update, items, named)

    def _update_with(self, update: Callable[..., Any], items: Any, named: Mapping[str, Any]) -> None:
        if hasattr(items, "__len__"):
            inner = items._map if isinstance(items, Recorder) else items
            update(inner, **named)
            count = len(inner)
        elif hasattr(items, "keys"):
            update(items, **named)
            count = 1  # of those without a length it is not known
        else:
            walk = [0, 0]
            update(Walk(iter(items), walk), **named)
            count = walk[0]
        if count + len(named):
            self._add(UPDATED, count + len(named))
            self._note(UPDATE)

    def clear(self) -> None:
        cleared = size_of(self._map)
        self._map.clear()
        self._add(CLEARED, cleared or 0)
        self._note(CLEAR)

    def __len__(self) -> int:
        length = len(self._map)
        self._note(LENGTH)
        return length

    def _walk(self, items: Iterator[Any]) -> Iterator[Any]:
        """Return an iterator; the first of a thread, and then about every eighth, counts what is taken."""
        self._note(SCAN)
        cells = self._local.cells
        tally = cells[TALLY]
        if cells[SCAN] < tally.next_walk:
            return items
        tally.next_walk = cells[SCAN] + next(tally.gaps) // 8
        walk = [0, size_of(self._map) or 0]
        tally.walks.append(walk)
        return Walk(items, walk)

    def __iter__(self) -> Iterator[K]:
        return self._walk(iter(self._map))

    def __reversed__(self) -> Iterator[K]:
        return self._walk(reversed(self._map))

    # The views that are inherited look at the recorder, by these.

    def _iter_keys(self) -> Iterator[K]:
        return self._walk(iter(self._map.keys()))

    def _iter_values(self) -> Iterator[V]:
        return self._walk(iter(self._map.values()))

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        return self._walk(iter(self._map.items()))

    def to_dict(self) -> dict[K, V]:
        inner = self._map
        contents: dict[K, V] = inner.to_dict() if isinstance(inner, ConcurrentMapping) else inner.copy()
        self._note(SNAPSHOT)
        return contents

    def snapshot(self) -> Snapshot[K, V]:
        snapshot: Snapshot[K, V] = self._map.snapshot()
        self._note(SNAPSHOT)
        return snapshot

    # Copies are of whatever class the inner map's are.

    def copy(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
    ) -> MutableMapping[K, V]:
        new: MutableMapping[K, V] = self._map.copy()
        self._note(SNAPSHOT)
        return new

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        other = other._map if isinstance(other, Recorder) else other
        equal: bool = self._map.__eq__(other)
        if equal is not NotImplemented:
            self._note(SNAPSHOT)
        return equal

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __repr__(self) -> str:
        self._note(SNAPSHOT)
        return repr(self._map)

    def __or__(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, other: Mapping[K, V]
    ) -> MutableMapping[K, V]:
        new: MutableMapping[K, V] = self._map.__or__(other._map if isinstance(other, Recorder) else other)
        if new is not NotImplemented:
            self._note(SNAPSHOT)
        return new

    def __ror__(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, other: Mapping[K, V]
    ) -> MutableMapping[K, V]:
        new: MutableMapping[K, V] = self._map.__ror__(other)
        if new is not NotImplemented:
            self._note(SNAPSHOT)
        return new

    def __ior__(self, other: SupportsKeysAndGetItem[K, V] | Iterable[tuple[K, V]]) -> Self:
        self._update_with(self._map.__ior__, other, {})
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        self._note(SNAPSHOT)
        return self._map.__reduce_ex__(protocol)

    # --- what the contract asks of a map ------------------------------------------------------------

    @property
    def guarantees(self) -> Guarantees:  # type: ignore[override]
        """What the inner map promises."""
        guarantees: Guarantees = self._map.guarantees
        return guarantees

    @property
    def default_factory(self) -> Callable[[], V] | None:
        """That of the inner map."""
        factory: Callable[[], V] | None = self._map.default_factory
        return factory

    # The hooks, by public means of the inner map: who derives from a Recorder may rely on them.

    def _configure(self, *_args: Any, **_options: Any) -> None:
        self._map = {}  # until `__init__` says which
        self.reset()

    def _options(self) -> dict[str, Any]:
        return {"default_factory": self.default_factory}

    def _lookup(self, key: Any) -> Any:
        value = self.get(key, Absent)
        return MISSING if value is Absent else value

    def _hold(self, key: Any, timeout: float | None = None) -> Any:
        entry = self._map.entry(key, timeout)
        try:
            entry.__enter__()
        except TimeoutError:
            return None
        return entry

    def _release(self, _key: Any, token: Any) -> None:
        token.__exit__(None, None, None)

    def _store_held(self, key: Any, value: Any) -> None:
        self[key] = value

    def _remove_held(self, key: Any) -> None:
        del self[key]

    def _hold_all(self, timeout: float | None = None) -> bool:
        section = self._map.locked(timeout)
        try:
            section.__enter__()
        except TimeoutError:
            return False
        self._local.__dict__.setdefault("sections", []).append(section)
        return True

    def _release_all(self) -> None:
        self._local.sections.pop().__exit__(None, None, None)

    def _after_fork_in_child(self) -> None:
        self._ledger.survive_fork()

    def _check(self) -> None:
        check = getattr(self._map, "_check", None)
        if check is not None:
            check()

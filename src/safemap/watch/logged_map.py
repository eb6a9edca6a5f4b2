"""A map around another one that logs what changes in it.

It stands on the public operations of the inner map. Reads are the inner map's own. A write takes the inner map's
`entry(key)` (or `locked`), and inside it does three things: it changes the inner map (`swap`, `pop`, `update`,
...), appends the change to the log, and looks whether the inner map still has what it has told. So no other
thread's write to the same key can come between the change and its place in the log.

Invariants
  1. The inner map is written by a thread that holds the key, or the map, through the inner map's own sections.
  2. If anybody listens, a change is in the log before its section ends, and after it was made. Who begins to
     listen with initial contents does so under `locked`, when no such section is open (`wait_for`: under the
     `entry` of its one key).
  3. When a section ends, the last that the log says of its key is what the key has. Other threads cannot break
     that. The own thread could, between the change and the log: from a key's `__eq__`, a finalizer or a signal
     handler that writes to the very key. The look afterwards is for that: what it finds is told as a further
     change.
  4. Whether anybody listens is asked after the change (once more, if it was asked before): whoever has begun to
     listen before the change is told. Without initial contents, one begins to listen at any time, and waits for
     nobody.
  5. What a thread does in a `locked` section goes to a batch, which enters the log at the section's end, and
     leaves it when the section is over: where the map's guarantee is "all at once", nobody hears of a change
     that cannot be seen yet.
  6. No mailbox, thread or log refers to the map, but for callbacks that do. So a map that is dropped is freed,
     and that closes it.

Linearization point of a write: the inner map's. Of the event: its entry into the log (`log`, invariant 1). The
two are apart, but a section of the inner map is around both.

Threads hold no lock of ours, ever, while they wait or run a user's function: there is none but the mailboxes'
(`queue.SimpleQueue`) and the lock of those who share one iterator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safemap import MISSING, ConcurrentMapping
from safemap.watch.events import K, V
from safemap.watch.here import Here
from safemap.watch.log import Batch, Log
from safemap.watch.map_around import MapAround

if TYPE_CHECKING:
    from collections.abc import Callable

    from safemap import Entry, MissingType, Snapshot
    from safemap.watch.events import Kind
    from safemap.watch.log import Change, Logged


UNKNOWN = object()


class LoggedMap(MapAround[K, V]):
    """A map around another one, and a log of what changes in it."""

    __slots__ = ("_here", "_log")
    _log: Log
    _here: Here

    def _configure(self, *, inner: ConcurrentMapping[K, V] | None = None) -> None:
        super()._configure(inner=inner)
        self._log = Log()
        self._here = Here()

    # --- hooks: the inner map's public operations -----------------------------------------------------

    def _hold(self, key: Any, timeout: float | None = None) -> Any:
        section = self._inner.entry(key, timeout)
        try:
            section.__enter__()
        except TimeoutError:
            if timeout is None:  # it is the key's own
                raise
            return None
        self._here.holds += 1
        return section

    def _release(self, _key: Any, token: Entry[K, V]) -> None:
        self._here.holds -= 1
        try:
            token.__exit__(None, None, None)
        finally:
            self._distribute()

    def _store_held(self, key: K, value: V) -> None:
        self._put(key, value)

    def _remove_held(self, key: K) -> None:
        self._change(key, MISSING, self._inner.pop, key)

    def _hold_all(self, timeout: float | None = None) -> bool:
        section = self._inner.locked(timeout)
        try:
            section.__enter__()
        except TimeoutError:
            return False
        here = self._here
        here.holds += 1
        sections, batch = here.whole
        here.whole = (*sections, section), Batch() if batch is None else batch
        return True

    def _release_all(self) -> None:
        here = self._here
        here.holds -= 1
        sections, batch = here.whole
        *outer, section = sections
        last = None if outer else batch
        if last is not None:  # first into the log: what a finalizer does comes into the batch, or behind it
            self._log.entries.append(last)
        here.whole = tuple(outer), batch if outer else None
        try:
            section.__exit__(None, None, None)
        finally:
            if last is not None:
                last.ready = True
            self._distribute()

    def _after_fork_in_child(self) -> None:
        self._log = self._log.successor()

    # --- telling ------------------------------------------------------------------------------------

    def _change(self, key: K, new: V | MissingType, operation: Callable[..., Any], *arguments: Any) -> Any:
        """Change a key that the caller holds, by an operation after which it has `new`; return what it had."""
        if not self._log.mailboxes:
            old = operation(*arguments)
            if self._log.mailboxes:
                self._tell(key, old, new)
            return old
        old = self._inner.get(key, MISSING)
        told = False
        try:
            operation(*arguments)
            self._tell(key, old, new)
            told = True
        except BaseException:  # by the key; or from outside, and then it may have been changed
            if not told and new is not old and self._seen(key) is new:
                self._tell(key, old, new)
            raise
        self._look_again(key, new)
        return old

    def _put(self, key: K, value: V) -> Any:
        return self._change(key, value, self._inner.swap, key, value, MISSING)

    def _tell(self, key: K, old: V | MissingType, new: V | MissingType) -> None:
        if old is not MISSING or new is not MISSING:
            kind: Kind = "added" if old is MISSING else "removed" if new is MISSING else "changed"
            self._append((kind, key, old, new))

    def _append(self, entry: Logged) -> None:
        _, batch = self._here.whole
        (self._log if batch is None else batch).entries.append(entry)

    def _look_again(self, key: K, told: V | MissingType) -> None:
        """Tell what a key has that the caller holds, if it is not what it was told to have."""
        now = self._seen(key)
        if now is not told and now is not UNKNOWN and not _equal(now, told):
            self._tell(key, told, now)

    def _seen(self, key: K) -> Any:
        """Return what a key has, MISSING, or UNKNOWN if it cannot be compared."""
        try:
            return self._inner.get(key, MISSING)
        except Exception:  # noqa: BLE001
            return UNKNOWN

    def _distribute(self) -> None:
        log = self._log
        if log.entries:
            log.distribute()
            if not self._here.holds:
                log.make_way()

    def _check(self) -> None:
        super()._check()
        assert not self._here.holds
        assert self._here.whole == ((), None)
        assert not self._log.entries

    # --- writing: what is not made of the hooks alone --------------------------------------------------

    def _store(self, key: K, value: V) -> None:
        try:
            with self._inner.entry(key):
                old = self._put(key, value)  # noqa: F841  # dies after the key is free
        finally:
            self._distribute()

    if not TYPE_CHECKING:  # for whom the contract's signature stands
        __setitem__ = _store

    def popitem(self) -> tuple[K, V]:
        self._hold_all()
        try:
            key, value = self._inner.popitem()
            if self._log.mailboxes:
                self._tell(key, value, MISSING)
                self._look_again(key, MISSING)
        finally:
            self._release_all()
        return key, value

    def clear(self) -> None:
        self._hold_all()
        try:
            contents = self._inner.snapshot()  # which dies after the map is free
            self._clear(contents)
        finally:
            self._release_all()

    def _clear(self, contents: Snapshot[K, V]) -> None:
        change: Change = ("cleared", MISSING, contents, MISSING)
        told = not contents
        try:
            self._inner.clear()
            if self._log.mailboxes and not told:
                self._append(change)
                told = True
        except BaseException:
            if self._log.mailboxes and not told and not self._inner:
                self._append(change)
            raise
        if self._log.mailboxes:
            for key, value in self._inner.items():  # written by a finalizer or a signal handler
                self._tell(key, MISSING, value)

    def _update(self, staged: dict[K, V]) -> None:
        if self._inner.guarantees.update == "key by key" or len(staged) == 1:
            for key, value in staged.items():
                self._store(key, value)
            return
        self._hold_all()
        try:
            self._update_held(staged)
        finally:
            self._release_all()

    def _update_held(self, staged: dict[K, V]) -> None:
        inner = self._inner
        there = bool(inner)
        changes = [(key, inner.get(key, MISSING) if there else MISSING, value) for key, value in staged.items()]
        told = 0
        try:
            inner.update(staged)
            if self._log.mailboxes:
                for change in changes:
                    self._tell(*change)
                    told += 1
        except BaseException:  # all was undone, or what was not is told
            if self._log.mailboxes:
                for key, old, new in changes[told:]:
                    if new is not old and self._seen(key) is new:
                        self._tell(key, old, new)
            raise
        if told:
            for key, _, new in changes:
                self._look_again(key, new)


def _equal(a: Any, b: Any) -> bool:
    """Return whether a map that keeps no references (one that lives elsewhere) may have given `a` for `b`."""
    try:
        return bool(a == b)
    except Exception:  # noqa: BLE001
        return False

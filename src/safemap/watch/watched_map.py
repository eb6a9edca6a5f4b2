"""WatchedMap: how one listens to a map.

Who begins to listen appends an entry to the log, at which its mailbox begins, and with initial contents does so in
a `locked` section: no write is then between its change and its entry, so the contents are all that stands before
that place. After a gap in its mailbox a subscriber begins again in the same way (`mailbox`, invariant 2).

No thread, log or mailbox refers to the map, but for callbacks that do: so a map that is dropped is freed, and that
closes it. Whoever waits (`flush`, `close`, `wait_for`, an iterator) holds nothing, and waits for a
`queue.SimpleQueue` or for the end of threads.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from contextlib import suppress
from queue import Empty
from typing import TYPE_CHECKING, Any

from safemap import MISSING
from safemap.watch.events import K, V
from safemap.watch.here import check_timeout, seconds_left
from safemap.watch.listeners import Subscription, Watch, dispatch, print_error
from safemap.watch.logged_map import LoggedMap
from safemap.watch.mailbox import DEFAULT_LIMIT, Mailbox, Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias, TypeVar, overload

    from _typeshed import SupportsKeysAndGetItem

    from safemap import MissingType
    from safemap.watch.events import WhenFull
    from safemap.watch.listeners import Callback, Hook
    from safemap.watch.log import Log

    T = TypeVar("T")
    Contents: TypeAlias = SupportsKeysAndGetItem[K, V] | Iterable[tuple[K, V]]


class WatchedMap(LoggedMap[K, V]):
    """A map that tells what changes in it: to callbacks, to iterators, and to whoever waits for a value.

    `WatchedMap(inner)` is around another map of safemap, which it does not copy: write through the `WatchedMap`
    alone, for what is written to `inner` itself nobody hears of. Called in any other way that `dict` can be called
    (`WatchedMap()`, `WatchedMap({"a": 1})`, `WatchedMap(a=1)`), it makes a `MutexMap` to watch; a subclass can say
    another `kind`.

    It is a `ConcurrentMapping`, with the guarantees of the inner map: reads cost one more call, writes some steps
    in Python.

    Every write that takes effect is one event: an assignment of the value that the key has already, too; an
    `entry` block, or a `compute`, one when it ends; an `update` one for each key; a `clear` one for all, unless
    the map was empty. A write that raises, or that finds nothing to do, is none. The events of a key come in the
    order in which the changes were committed, and when an event comes its change can be seen. What is written in a
    `locked` block is told when the block ends.

    If a key's `__eq__`, a finalizer or a signal handler writes to the very key that its thread is just writing,
    `old` of these events may be one too old; the last event of the key has what the key has, as always. An
    exception that is thrown into a thread from outside (Ctrl-C) in the middle of a write may make its event come
    twice.

    An event keeps the values that are in it alive until it is delivered.

    Options of `configured`: `inner=`, the map to watch; `default_factory=`, by default that of the inner map.

    In a child of a fork the map goes on, without its subscribers: callbacks are not called, iterators have ended.
    Copies and pickles have the contents and the kind of the inner map, and no subscribers. The dispatchers'
    threads are daemons: what is not delivered when the program ends is lost, unless the map was closed before.

    >>> m = WatchedMap(a=1)
    >>> with m.watch() as events:
    ...     m["a"] = 2
    ...     next(events)
    Event(kind='changed', key='a', old=1, new=2, sequence=1)
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __init__(self, items: Contents[K, V] = (), /) -> None: ...
        @overload
        def __init__(self: WatchedMap[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
        def __init__(self, items: Any = (), /, **named: Any) -> None: ...

    def subscribe(
        self,
        callback: Callback[K, V],
        keys: Iterable[K] | None = None,
        *,
        initial: bool = False,
        on_error: Hook[K, V] | None = None,
        limit: int = DEFAULT_LIMIT,
        when_full: WhenFull = "restart",
    ) -> Subscription:
        """Have `callback(event)` called for each change from now on, in order, one at a time.

        It is called in a thread of this subscription's own, a dispatcher, and under no lock; so it may do anything
        but `flush` this map. However slow it is, or whatever it raises, writers and other subscribers do not
        notice: an error goes to `on_error(error, event)` (by default to `threading.excepthook`, which prints it),
        and the next event is delivered.

        `keys`: only changes of these. `initial`: deliver the present contents first, as "added", and then all that
        changes after the moment that they show; that takes a `locked` section, and one `snapshot`. A subscription
        that begins in the middle of a write of its own thread (from a key's `__eq__`, say) may hear of that write
        twice.

        At most `limit` events wait to be delivered. What does not fit is not delivered, and `when_full` says what
        the subscriber gets in its place: "restart": an event "lost" with their number, and then the present
        contents, as with `initial` (what it has made of the earlier ones it must forget, or removed keys stay in
        it). "skip": the event "lost" alone.

        Cost: a thread; O(n) with `initial`. From then on, each write takes its event to the mailbox.
        Atomicity: good - each change is before it, or is told.
        Errors: RuntimeError if the map is closed; TypeError and ValueError for arguments that are none.

        >>> m, heard = WatchedMap(a=1), []
        >>> subscription = m.subscribe(lambda event: heard.append((event.kind, event.key, event.new)), ["a"])
        >>> m.update(a=2, b=3)
        >>> m.close(timeout=10)
        >>> heard
        [('changed', 'a', 2)]
        """
        if not callable(callback):
            message = f"callback must be callable, not {callback!r}"
            raise TypeError(message)
        log = self._log
        mailbox = self._mailbox(keys, limit, when_full)
        thread = threading.Thread(
            target=dispatch,
            args=(log, mailbox, callback, on_error or print_error),
            name="safemap-watch",
            daemon=True,
        )
        thread.start()
        log.threads[id(mailbox)] = thread
        self._enroll(mailbox, initial=initial)
        return Subscription(log, mailbox)

    def watch(
        self,
        keys: Iterable[K] | None = None,
        *,
        initial: bool = False,
        limit: int = DEFAULT_LIMIT,
        when_full: WhenFull = "restart",
    ) -> Watch[K, V]:
        """Return an iterator over the changes from now on. For the arguments see `subscribe`.

        What it gives waits for whoever iterates: `flush` and `close` do not wait for it.

        Cost: O(1); O(n) with `initial`. From then on, each write takes its event to the mailbox.
        Atomicity: good - each change is before it, or is told.
        Errors: as `subscribe`.

        >>> m = WatchedMap(a=1)
        >>> with m.watch() as events:
        ...     m["b"] = 2
        ...     next(events).kind
        'added'
        """
        mailbox = self._mailbox(keys, limit, when_full)
        self._enroll(mailbox, initial=initial)
        return Watch(self._log, mailbox, self._here)

    def wait_for(self, key: K, predicate: Callable[[V], object], timeout: float | None = None) -> V:
        """Wait until `key` has a value of which `predicate(value)` is true, and return that value.

        The predicate is called in this thread, under no lock, with the present value and then with each one that
        the key gets, in order: none that it has for a short while only is missed. (If the predicate is so slow
        that 65,536 wait, it goes on with the value of that moment.) While the key is absent, it is not called.
        If another thread holds the key, the wait begins when it is free.

        Cost: O(1) and a call of the predicate, for each value that the key gets.
        Atomicity: good - no value comes between two looks.
        Errors: TimeoutError if that takes more than `timeout` seconds; RuntimeError if the map is closed, or if
            this thread holds a key of the map, or the map, and would have to wait; and what the predicate raises.

        >>> m = WatchedMap(job="new")
        >>> other = threading.Thread(target=m.swap, args=("job", "done"))
        >>> other.start()
        >>> m.wait_for("job", lambda state: state == "done", timeout=10)
        'done'
        >>> other.join()
        """
        check_timeout(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        log = self._log
        if self._here.holds or log.closed:  # it cannot wait; but it may not have to
            seen = self._look_within(key, deadline)
            if seen is not MISSING and predicate(seen):
                return seen
            self._here.check_free()
        mailbox = self._mailbox([key], DEFAULT_LIMIT, "restart")
        log.mailboxes[id(mailbox)] = mailbox
        try:
            with self._inner.entry(key, seconds_left(deadline)) as entry:
                now = entry.value
                log.entries.append(log.begin(mailbox, {}))
            log.distribute()
            if now is not MISSING and predicate(now):
                return now
            while True:
                try:
                    event = mailbox.take(deadline)
                except Empty:
                    message = f"{key!r} had no such value in {timeout} seconds"
                    raise TimeoutError(message) from None
                if event is None:
                    raise _closed()
                if event.kind in {"added", "changed"} and predicate(event.new):
                    return event.new  # type: ignore[no-any-return]
        finally:
            log.end(mailbox)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that was changed before has been delivered: each callback has returned from it.

        Cost: waits for the callbacks.
        Atomicity: good - all that was changed before the call has been delivered when it returns.
        Errors: TimeoutError if that takes more than `timeout` seconds; RuntimeError in a callback of this map, and
            where the thread holds a key of it, or the map: others could wait for that very thread.

        >>> m, heard = WatchedMap(a=1), []
        >>> subscription = m.subscribe(heard.append)
        >>> m["a"] = 2
        >>> m.flush(timeout=10)
        >>> len(heard)
        1
        """
        check_timeout(timeout)
        if self._is_dispatcher():
            message = "a callback cannot wait until the callbacks have returned"
            raise RuntimeError(message)
        self._here.check_free()
        deadline = None if timeout is None else time.monotonic() + timeout
        mark = Mark()
        self._log.mark(mark)
        if not mark.wait(deadline):
            message = f"not all was delivered in {timeout} seconds"
            raise TimeoutError(message)
        if self._log.closed:
            self._join(deadline, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Accept no more events, then wait until all that were accepted have been delivered.

        The map itself goes on as before: it can be read, and written too, of which nobody hears. Iterators give
        what they have, and end. Further calls wait likewise. In a callback of this map it does not wait.

        Cost: waits for the callbacks.
        Atomicity: good - each change is accepted and delivered, or comes after it and is not.
        Errors: TimeoutError if not all was delivered in `timeout` seconds, which goes on; RuntimeError, before
            anything else, where the thread holds a key of the map, or the map.

        >>> m = WatchedMap(a=1)
        >>> events = m.watch()
        >>> m["a"] = 2
        >>> m.close(timeout=10)
        >>> m["a"] = 3
        >>> [event.new for event in events]
        [2]
        """
        check_timeout(timeout)
        self._here.check_free()
        self._log.close()
        if not self._is_dispatcher():
            self._join(None if timeout is None else time.monotonic() + timeout, timeout)

    @property
    def closed(self) -> bool:
        """Whether the map was closed: it accepts no more events.

        Cost: O(1).
        Atomicity: good - one look.
        Errors: none of its own.

        >>> WatchedMap(a=1).closed
        False
        """
        return self._log.closed

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        log = getattr(self, "_log", None)
        if log is not None and log.mailboxes and not _is_finalizing():  # when modules are half gone already
            log.close()

    def _look_within(self, key: K, deadline: float | None) -> V | MissingType:
        """Return the value of a key, or MISSING. Raises TimeoutError where readers wait, and wait too long."""
        if deadline is None or self._inner.guarantees.reader_waits_for_writer != "yes":
            return self._inner.get(key, MISSING)
        with self._inner.entry(key, seconds_left(deadline)) as entry:
            return entry.value

    def _is_dispatcher(self) -> bool:
        return threading.current_thread() in self._log.threads.copy().values()

    def _join(self, deadline: float | None, timeout: float | None) -> None:
        for thread in self._log.threads.copy().values():
            thread.join(seconds_left(deadline))
            if thread.is_alive():
                message = f"not all was delivered in {timeout} seconds"
                raise TimeoutError(message)

    def _mailbox(self, keys: Iterable[Any] | None, limit: int, when_full: WhenFull) -> Mailbox:
        if self._log.closed:
            raise _closed()
        if isinstance(keys, (str, bytes)):
            message = f"keys must be several, not the one key {keys!r}: write [{keys!r}]"
            raise TypeError(message)
        if limit < 1:
            message = f"limit must be at least 1, not {limit!r}"
            raise ValueError(message)
        if when_full not in {"restart", "skip"}:
            message = f"when_full must be 'restart' or 'skip', not {when_full!r}"
            raise ValueError(message)
        wanted = None if keys is None else frozenset(keys)
        return Mailbox(wanted, limit, _resuming(weakref.ref(self), self._log, restart=when_full == "restart"))

    def _enroll(self, mailbox: Mailbox, *, initial: bool) -> None:
        self._log.mailboxes[id(mailbox)] = mailbox
        try:
            self._begin_at(mailbox, initial=initial)
        except BaseException:
            self._log.end(mailbox)
            raise

    def _begin_at(self, mailbox: Mailbox, *, initial: bool) -> None:
        """Let a mailbox begin, or go on, at this place of the log."""
        if not initial:
            self._append(self._log.begin(mailbox, {}))
            self._log.distribute()
            return
        with self.locked():
            contents: Mapping[Any, Any] = self._inner.snapshot()
            if mailbox.keys is not None:
                contents = {key: contents[key] for key in mailbox.keys if key in contents}
            self._append(self._log.begin(mailbox, contents))


def _resuming(map_: weakref.ref[WatchedMap[Any, Any]], log: Log, *, restart: bool) -> Callable[[Mailbox], None]:
    """Return what a subscriber calls that has come to a gap."""

    def resume(mailbox: Mailbox) -> None:
        target = map_() if restart else None
        if target is not None:
            with suppress(Exception):  # a DeadlockError: then as if it were to skip
                target._begin_at(mailbox, initial=True)
                return
        log.entries.append(log.begin(mailbox, {}))
        log.distribute()

    return resume


def _closed() -> RuntimeError:
    return RuntimeError("the map is closed: nothing more can be heard of it")

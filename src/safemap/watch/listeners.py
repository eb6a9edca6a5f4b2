"""Who listens: a callback with a thread of its own (`Subscription`), or whoever iterates (`Watch`)."""

from __future__ import annotations

import sys
import threading
import time
from queue import Empty
from typing import TYPE_CHECKING, Any, Generic

from safemap.watch.events import K, V
from safemap.watch.here import check_timeout, seconds_left

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypeAlias

    from safemap.watch.events import Event
    from safemap.watch.here import Here
    from safemap.watch.log import Log
    from safemap.watch.mailbox import Mailbox

    Callback: TypeAlias = Callable[[Event[K, V]], object]
    Hook: TypeAlias = Callable[[BaseException, Event[K, V]], object]


class _Listener:
    """What both kinds share."""

    def __init__(self, log: Log, mailbox: Mailbox) -> None:
        self._log = log
        self._mailbox = mailbox

    @property
    def closed(self) -> bool:
        """Whether it was closed. It may also have come to its end, with its map.

        Cost: O(1).
        Atomicity: good - one look.
        Errors: none of its own.

        >>> m = WatchedMap(a=1)
        >>> with m.watch() as events:
        ...     events.closed
        False
        """
        return self._mailbox.closed

    @property
    def lost(self) -> int:
        """How many events did not fit, of those that the subscriber has been told of by an event "lost".

        Cost: O(1).
        Atomicity: good - one look.
        Errors: none of its own.

        >>> m = WatchedMap(a=1)
        >>> m.watch().lost
        0
        """
        return self._mailbox.lost

    def close(self) -> None:
        """Deliver nothing more. From any thread, as often as one likes; returns at once.

        A callback that is just running goes on to its end.

        Cost: O(1).
        Atomicity: good - one step.
        Errors: none of its own.

        >>> m = WatchedMap(a=1)
        >>> events = m.watch()
        >>> events.close()
        >>> list(events)
        []
        """
        if not self._mailbox.closed:
            self._log.end(self._mailbox)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


class Subscription(_Listener):
    """A callback that is told of a map's changes. `WatchedMap.subscribe` makes it.

    It goes on until it, or its map, is closed, or the map is no longer referred to. It need not be kept.
    """


class Watch(_Listener, Generic[K, V]):
    """An iterator over a map's changes. `WatchedMap.watch` makes it.

    `next` waits for the next event. The iteration ends when the map was closed and all that it had accepted
    has been taken, or when the iterator was closed. Dropping the iterator closes it. Several threads may
    draw from one iterator: each event goes to one of them.
    """

    def __init__(self, log: Log, mailbox: Mailbox, here: Here) -> None:
        super().__init__(log, mailbox)
        self._here = here
        self._taking = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event[K, V]:
        event = self._take(None)
        if event is None:
            raise StopIteration
        return event

    def take(self, timeout: float | None = None) -> Event[K, V] | None:
        """Wait for the next event and return it; None at the end.

        Cost: O(1), and the wait.
        Atomicity: good - each event goes to one thread.
        Errors: TimeoutError if there is none in `timeout` seconds. Without a timeout, RuntimeError if this thread
            holds a key of the map, or the map: it could keep away what it waits for, for ever.

        >>> m = WatchedMap(a=1)
        >>> events = m.watch(initial=True)
        >>> events.take(timeout=10)
        Event(kind='added', key='a', old=MISSING, new=1, sequence=0)
        """
        check_timeout(timeout)
        try:
            return self._take(None if timeout is None else time.monotonic() + timeout)
        except Empty:
            message = f"no event in {timeout} seconds"
            raise TimeoutError(message) from None

    def _take(self, deadline: float | None) -> Event[K, V] | None:
        if deadline is None:
            self._here.check_free()
        left = seconds_left(deadline)
        if not (self._taking.acquire() if left is None else self._taking.acquire(timeout=left)):
            raise Empty
        try:
            return self._mailbox.take(deadline)
        finally:
            self._taking.release()

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if not _is_finalizing():  # when modules are half gone already
            self.close()


def dispatch(log: Log, mailbox: Mailbox, callback: Callback[Any, Any], on_error: Hook[Any, Any]) -> None:
    """Call `callback` with each event, until the end: what a dispatcher's thread does. It knows no map."""
    try:
        while (event := mailbox.take()) is not None:
            try:
                callback(event)
            except BaseException as error:  # noqa: BLE001  # a thread that ended here would keep `close` waiting
                _report(on_error, error, event)
            del event  # or it, and its values, would live until the next one comes
        mailbox.settle()
    except BaseException:  # thrown into the thread from outside, between two events
        log.threads.pop(id(mailbox), None)  # or `flush` would wait for it
        raise


def _report(on_error: Hook[Any, Any], error: BaseException, event: Event[Any, Any]) -> None:
    try:
        on_error(error, event)
    except BaseException as second:  # noqa: BLE001
        print_error(second, event)


def print_error(error: BaseException, _event: Event[Any, Any]) -> None:
    """Report an error as one that ends a thread is reported: by `threading.excepthook`, which prints it."""
    arguments = (type(error), error, error.__traceback__, threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(arguments))

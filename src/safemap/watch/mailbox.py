"""What waits for one subscriber: a bounded queue, filled by whoever distributes, emptied by one thread at a time.

Invariants
  1. `offer`, `append`, `start` and `end` are called by the distributor alone (`log`, invariant 3); `take` and
     `settle` by one thread at a time. Between the two sides stands `_queue` alone, whose `put` never waits and may
     be called from finalizers and signal handlers.
  2. At most `limit` events are in the queue. The first event that does not fit leaves a GAP in its place; until
     the subscriber has come to it, and has had a `Start` put behind it, events are only counted (`_missed`).
  3. What is put behind a gap and is no event (the end, a flush's mark) comes behind the `Start` (`_behind`), so
     whoever waits for it waits for what replaces the lost events too.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from safemap import MISSING
from safemap.watch.events import Event
from safemap.watch.here import seconds_left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEFAULT_LIMIT = 65_536
"""Events that may wait for a subscriber: an `update` of as many keys fits. They take about 9 MB, without
values."""

GAP = "here events are missing"
END = "here it ends"


class Start(NamedTuple):
    """What is put at the beginning and behind a gap: contents to deliver, and how many events are lost."""

    contents: Mapping[Any, Any]
    sequence: int
    lost: int


class Mark:
    """What a flush puts behind what it waits for."""

    def __init__(self) -> None:
        self.reached: SimpleQueue[Any] = SimpleQueue()
        """The set of mailboxes that have a mark, by id, and the id of each one that has come to it."""

    def wait(self, deadline: float | None) -> bool:
        """Wait until all have come to their mark. Return False if that was not in time."""
        expected: frozenset[int] | None = None
        arrived: set[int] = set()
        while expected is None or not expected <= arrived:
            try:
                item = self.reached.get(timeout=seconds_left(deadline))
            except Empty:
                return False
            if isinstance(item, frozenset):
                expected = item
            else:
                arrived.add(item)
        return True


class Mailbox:
    """The events that wait for one subscriber."""

    def __init__(self, keys: frozenset[Any] | None, limit: int, resume: Callable[[Mailbox], None]) -> None:
        self.keys = keys
        self.started: bool = False
        """Whether events are for this mailbox already. The distributor's."""
        self.closed = False
        """Whether the subscriber wants no more. Set by anybody, never unset."""
        self.lost: int = 0
        """How many events the subscriber has missed and been told of. The taker's."""
        self._limit = limit
        self._resume = resume
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._missed = 0
        self._behind: list[Any] = []
        self._contents: Iterator[tuple[Any, Any]] = iter(())
        self._sequence = 0
        self._over = False

    # --- the distributor's side ----------------------------------------------------------------------

    def wants(self, kind: str, key: Any, old: Any) -> bool:
        """Return whether the subscriber wants to hear of a change. One that cannot be compared it hears of."""
        if self.keys is None:
            return True
        try:
            return any(key in old for key in self.keys) if kind == "cleared" else key in self.keys
        except Exception:  # noqa: BLE001  # rather one event too many than one lost
            return True

    def offer(self, event: Event[Any, Any]) -> None:
        """Put an event into the queue, if it fits."""
        if self._missed:
            self._missed += 1
        elif self._queue.qsize() < self._limit:
            self._queue.put(event)
        else:
            self._missed = 1
            self._queue.put(GAP)

    def append(self, item: Any) -> None:
        """Put what is no event behind all that is accepted."""
        if self._missed:
            self._behind.append(item)
        else:
            self._queue.put(item)

    def start(self, contents: Mapping[Any, Any], sequence: int) -> None:
        """Begin, or go on after a gap, with these contents."""
        self.started = True
        if contents or self._missed:
            self._queue.put(Start(contents, sequence, self._missed))
        self._missed = 0
        self._put_what_is_behind()

    def end(self) -> None:
        """Let nothing more come, not even what would follow a gap."""
        self._put_what_is_behind()
        self._queue.put(END)

    def _put_what_is_behind(self) -> None:
        behind, self._behind = self._behind, []
        for item in behind:
            self._queue.put(item)

    # --- the subscriber's side -----------------------------------------------------------------------

    def take(self, deadline: float | None = None) -> Event[Any, Any] | None:
        """Wait for the next event and return it; None at the end. Raises `queue.Empty` at the deadline."""
        while not self.closed:
            for key, value in self._contents:
                return Event("added", key, MISSING, value, self._sequence)
            if self._over:
                break
            item = self._queue.get(timeout=seconds_left(deadline))
            if type(item) is Event:
                return item
            if type(item) is Start:
                self._contents, self._sequence = iter(item.contents.items()), item.sequence
                if item.lost:
                    self.lost += item.lost
                    return Event("lost", MISSING, MISSING, item.lost, item.sequence)
            else:
                self._meet(item)
        return None

    def settle(self) -> None:
        """Take what is left, up to the end, without delivering it, so that nobody waits for it."""
        while not self._over:
            item = self._queue.get()
            if item is not GAP:  # of which nobody shall be told any more
                self._meet(item)

    def _meet(self, item: Any) -> None:
        if item is END:
            self._over = True
        elif item is GAP:
            self._resume(self)
        elif type(item) is Mark:
            item.reached.put(id(self))

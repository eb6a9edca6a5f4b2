"""The order of a map's changes: one log that writers append to, and whose entries go from there to the mailboxes.

An entry is a change `(kind, key, old, new)`, a `Batch` of entries, or a function that is called in its place (to
begin a subscription, to end it, to mark, to close). So one order holds for all of them: what stands before
the beginning of a subscription is in its initial contents, and what stands behind it is delivered.

Invariants
  1. A change is appended by the thread that has just made it, while it still holds the key or the map. So the
     changes of a key are in the log in the order in which they were committed. `deque.append` is one step that
     runs no Python code: it is the linearization point of *accepting* an event, for all subscribers at once.
  2. The number of a change is given by its place in the log, when it leaves it.
  3. Entries leave the log one after the other: only who has the turn takes them (`_turn`), and everything but
     `entries` and `mailboxes` is touched by that thread alone. Nobody waits for the turn: who does not get it
     leaves the entry to the one who has it and who looks at the log once more *after* giving the turn back.
     Therefore a writer may come from anywhere: another writer, a finalizer or a signal handler in the middle of
     a distribution.
  4. A batch leaves the log when it is `ready`: when the `locked` section that it was made in has ended and
     everybody can see its changes. Until then, whatever is behind it waits, too; it is appended at the end
     of the section, so that is short. Who makes it ready distributes.
  5. An entry is removed after it has been dealt with. An exception that is thrown into the distributor from
     outside (Ctrl-C) can so make an event come twice, with the same number, and loses none.

Rejected: a lock around numbering and queueing (a finalizer in the middle of it would wait for its own thread); a
thread that distributes (one more for each map, and writers that are faster than it fill the memory); letting
subscribers read the log itself (one that is stuck would keep all of it alive).
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

from safemap.watch.events import Event
from safemap.watch.mailbox import END

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from safemap.watch.events import Kind
    from safemap.watch.mailbox import Mailbox, Mark

    Change: TypeAlias = tuple[Kind, Any, Any, Any]
    Logged: TypeAlias = "Change | Batch | Callable[[], None]"

BACKLOG = 1_000
"""Entries that may wait in the log before writers slow down."""
PAUSE = 0.001
"""Seconds that a writer then leaves to the distributor, which deals with hundreds of entries in them."""


class Batch:
    """What a `locked` section did."""

    def __init__(self) -> None:
        self.entries: deque[Logged] = deque()
        self.ready = False


class Log:
    """The changes of one map on their way to the subscribers."""

    def __init__(self, sequence: int = 0) -> None:
        self.mailboxes: dict[int, Mailbox] = {}
        """Those of subscriptions that have not ended, by id. Changed by anybody, by single steps of dict. While it
        is empty, nothing is logged."""
        self.threads: dict[int, threading.Thread] = {}
        """The dispatchers of those that have a callback, by the same id. They stay here when the map was closed
        and they have come to its end: who closes it again joins them too, and has seen what they did."""
        self.closed = False
        """Whether nothing more is accepted."""
        self.entries: deque[Logged] = deque()
        """What has not been dealt with. Anybody may append to it; `distribute` must follow, soon."""
        self._turn: dict[str, object] = {}
        self._sequence = sequence

    # --- for all threads -----------------------------------------------------------------------------

    def distribute(self) -> None:
        """Deal with what is in the log, or leave it to the thread that is at it already. Never waits."""
        while self._next() is not None:
            mine = object()
            try:
                if self._turn.setdefault("whose", mine) is not mine:
                    return
                while (entry := self._next()) is not None:
                    self._deal_with(entry)
                    self.entries.popleft()
                del entry
            finally:
                if self._turn.get("whose") is mine:
                    del self._turn["whose"]

    def make_way(self) -> None:
        """Let the distributor catch up, if writers are faster. For a writer that holds nothing."""
        if len(self.entries) > BACKLOG:
            time.sleep(PAUSE)

    def begin(self, mailbox: Mailbox, contents: Mapping[Any, Any]) -> Logged:
        """Return the entry at which a mailbox begins, with these contents, or goes on after a gap."""

        def started() -> None:
            mailbox.start(contents, self._sequence)
            if self.closed:
                self.mailboxes.pop(id(mailbox), None)
                mailbox.append(END)

        return started

    def end(self, mailbox: Mailbox) -> None:
        """Let nothing more come into a mailbox, nor be delivered from it."""
        mailbox.closed = True
        self.threads.pop(id(mailbox), None)

        def ended() -> None:
            self.mailboxes.pop(id(mailbox), None)
            mailbox.end()

        self.entries.append(ended)
        self.distribute()

    def close(self) -> None:
        """Accept nothing more."""

        def closed() -> None:
            self.closed = True
            for mailbox in self.mailboxes.copy().values():
                if mailbox.started:
                    self.mailboxes.pop(id(mailbox), None)
                    mailbox.append(END)

        self.entries.append(closed)
        self.distribute()

    def mark(self, mark: Mark) -> None:
        """Have each mailbox that has a dispatcher tell when it has come to where it is now."""

        def marked() -> None:
            waiting = {number: self.mailboxes.get(number) for number in self.threads.copy()}
            mailboxes = [mailbox for mailbox in waiting.values() if mailbox is not None and mailbox.started]
            for mailbox in mailboxes:
                mailbox.append(mark)
            mark.reached.put(frozenset(map(id, mailboxes)))

        self.entries.append(marked)
        self.distribute()

    def successor(self) -> Log:
        """Return the log of a child process, where no other thread has survived; nothing comes from here."""
        for mailbox in self.mailboxes.copy().values():
            mailbox.closed = True
        return Log(self._sequence)

    # --- for who has the turn ------------------------------------------------------------------------

    def _next(self) -> Logged | None:
        try:
            entry = self.entries[0]
        except IndexError:
            return None
        return None if isinstance(entry, Batch) and not entry.ready else entry

    def _deal_with(self, entry: Logged) -> None:
        if isinstance(entry, tuple):
            self._tell(entry)
        elif isinstance(entry, Batch):
            while entry.entries:
                self._deal_with(entry.entries[0])
                entry.entries.popleft()
        else:
            entry()

    def _tell(self, change: Change) -> None:
        kind, key, old, new = change
        event = None
        for mailbox in self.mailboxes.copy().values():
            if mailbox.started and mailbox.wants(kind, key, old):
                if event is None:
                    event = Event(kind, key, old, new, self._sequence + 1)
                mailbox.offer(event)
        self._sequence += 1

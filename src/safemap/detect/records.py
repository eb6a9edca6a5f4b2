"""What is kept of accesses: writes, updates and iterations, as `history` compares them.

No record keeps a frame, a key, a value or a lock alive. A record belongs to the thread that made it, which alone
puts another one in its place; others only read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safemap.detect.findings import Act, line_of, stack_of

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from safemap.detect.findings import Stack
    from safemap.detect.locks import Identity
    from safemap.detect.threads import Clock, Holds, ThreadState

    Read = tuple[int, int, CodeType, int, Clock, Holds]
    """A thread's last read of a key: the identities of its frame and its caller's, the place, what the thread had
    seen, and what it held."""

RECORDS: Final = 64
"""Of each sort, for a dict or a key: more combinations of threads and locksets than run at once."""


class Write:
    """A write, or the newest of several at the same place."""

    __slots__ = ("claim", "code", "did", "epoch", "lasti", "locks", "number", "stack", "state")

    def __init__(self, state: ThreadState, frame: FrameType, did: str, claim: bool) -> None:  # noqa: FBT001
        self.state = state
        self.number = state.number
        self.epoch = state.epoch
        self.locks = state.locks
        self.claim = claim
        self.did = did
        self.code = frame.f_code
        self.lasti = frame.f_lasti
        self.stack = stack_of(frame)

    def act(self) -> Act:
        """Return it for a report."""
        return Act(self.state.label, self.did, self.stack, self.locks)


class Update:
    """A read and the write that followed, of one key by one thread."""

    __slots__ = ("direct", "lasti", "locks", "reader", "write")

    def __init__(self, read: Read, write: Write, locks: frozenset[Identity], frame: FrameType) -> None:
        self.locks = locks
        self.reader, self.lasti = read[2:4]
        self.write = write
        self.direct = read[0] in (id(frame), id(frame.f_back))
        """Whether the function that read is the one that wrote, or called it: then it is the one that decided."""

    def act(self) -> Act:
        """Return it for a report."""
        did = f"{self.write.did}, after a read in line {line_of(self.reader, self.lasti)}"
        return Act(self.write.state.label, did, self.write.stack, self.locks)


class Walk:
    """An iteration, from its first step to its newest."""

    __slots__ = ("epoch", "holds", "last", "locks", "number", "stack", "state")

    def __init__(self, state: ThreadState, stack: Stack, last: Write | None) -> None:
        self.state = state
        self.number = state.number
        self.epoch = state.epoch
        self.holds = state.holds
        self.locks = state.locks
        self.stack = stack
        self.last = last
        """The dict's last write, at the newest step."""

    def act(self) -> Act:
        """Return it for a report."""
        return Act(self.state.label, "iteration", self.stack, self.locks)


def belongs(read: Read, frame: FrameType) -> bool:
    """Whether a write in this frame follows from the read: in the same call, its caller, or a callee of that."""
    frame_id, caller_id, code = read[:3]
    me, above = id(frame), id(frame.f_back)
    return (frame_id == me and code is frame.f_code) or caller_id in (me, above) or frame_id == above


def held_through(before: Holds, now: Holds) -> frozenset[Identity]:
    """Return the locks that were held then and now, and not released in between."""
    return frozenset(lock for lock, number in before.items() if now.get(lock) == number)


def put(records: dict[Any, Any], slot: object, record: object) -> None:
    """Put a record in its slot, and drop the oldest slot if there are too many."""
    records[slot] = record
    if len(records) > RECORDS:
        try:
            records.pop(next(iter(records), None), None)
        except RuntimeError:  # another thread does it just now
            return


def same(last: Write, state: ThreadState, frame: FrameType) -> bool:
    """Whether a thread's newest write with these locks was in this epoch, at this place."""
    return last.epoch == state.epoch and last.lasti == frame.f_lasti and last.code is frame.f_code

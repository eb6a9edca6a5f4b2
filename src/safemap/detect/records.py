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

    Read = tuple[int, int, CodeType, int, Clock, Holds, int, object]
    """A thread's last read of a key: the identities of its frame and its caller's, the place, what the thread had
    seen, what it held, where the caller was, and the frame's turn then."""

RECORDS: Final = 64
"""Of each sort, for a dict or a key: more combinations of threads and locksets than run at once."""


class Write:
    """A write, or the newest of several at the same place."""

    __slots__ = ("claim", "code", "did", "epoch", "lasti", "locks", "number", "stack", "state")

    def __init__(self, state: ThreadState, frame: FrameType, did: str, claim: bool) -> None:  # noqa: FBT001
        self.state: ThreadState = state
        self.number: int = state.number
        self.epoch: int = state.epoch
        self.locks: frozenset[Identity] = state.locks
        self.claim: bool = claim
        self.did: str = did
        self.code: CodeType = frame.f_code
        self.lasti: int = frame.f_lasti
        self.stack: Stack = stack_of(frame)

    def act(self) -> Act:
        """Return it for a report."""
        return Act(self.state.label, self.did, self.stack, self.locks)


class Update:
    """A read and the write that followed, of one key by one thread."""

    __slots__ = ("direct", "lasti", "locks", "reader", "write")

    def __init__(self, read: Read, write: Write, locks: frozenset[Identity], frame: FrameType) -> None:
        self.locks: frozenset[Identity] = locks
        self.reader: CodeType
        self.lasti: int
        self.reader, self.lasti = read[2:4]
        self.write: Write = write
        self.direct: bool = read[0] in (id(frame), id(frame.f_back))
        """Whether the function that read is the one that wrote, or called it: then it is the one that decided."""

    def act(self) -> Act:
        """Return it for a report."""
        did = f"{self.write.did}, after a read in line {line_of(self.reader, self.lasti)}"
        return Act(self.write.state.label, did, self.write.stack, self.locks)


class Walk:
    """An iteration, from its first step to its newest."""

    __slots__ = ("epoch", "holds", "last", "locks", "number", "stack", "state")

    def __init__(self, state: ThreadState, stack: Stack, last: Write | None) -> None:
        self.state: ThreadState = state
        self.number: int = state.number
        self.epoch: int = state.epoch
        self.holds: Holds = state.holds
        self.locks: frozenset[Identity] = state.locks
        self.stack: Stack = stack
        self.last: Write | None = last
        """The dict's last write, at the newest step."""

    def act(self) -> Act:
        """Return it for a report."""
        return Act(self.state.label, "iteration", self.stack, self.locks)


def belongs(read: Read, frame: FrameType, state: ThreadState) -> bool:
    """Whether a write in this frame follows from the read.

    It does if it is done further down in the same call, in its caller, in a callee of that, or in another callee
    that the same line of the caller calls (`put(k, get(k) + 1)`). Identities of frames are used again by later
    calls: if the frame, or another one with its identity, has read something since at an earlier place, then the
    read was of an earlier call, or an earlier turn of a loop, and has nothing to do with the write.
    """
    frame_id, caller_id, code, lasti = read[:4]
    if state.turns.get(frame_id) is not read[7]:
        return False
    above = frame.f_back
    if frame_id == id(frame) and code is frame.f_code:
        return lasti < frame.f_lasti
    if caller_id == id(frame):
        return read[6] < frame.f_lasti
    if above is None:
        return False
    if frame_id == id(above):
        return lasti < above.f_lasti
    return caller_id == id(above) and read[6] < above.f_lasti and line_of(above.f_code, read[6]) == above.f_lineno


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

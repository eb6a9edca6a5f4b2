"""Per-key claims: the right to decide about one key while other keys go on.

A user's function must not run under a lock that stands between other threads and other keys. So
the function's thread *claims* the key: a claim is a lock of its own, listed under the key in its
partition, and held while the function runs. The partition's own lock is held only for the few
steps that look at or change the partition.

Invariants
  1. `first`, and `next`, `users` and `depth` of the claims listed there, are read and written under the
     partition's lock.
  2. A claim is listed while some thread holds it or waits for it; `users` counts them. No two listed claims
     have equal keys, but for one that the thread in the section has made before one that is not in force.
  3. A claim is in force while `depth` is not 0: its holder sets it, after it has come to hold the claim,
     and takes it back before it lets go.
  4. A thread that holds the partition's lock may write a key if no other thread's claim on it is in force.

From 3 and 4: between the look of a claim's holder at its key and its write, nobody else writes that key.
A thread that has once found the key free under the partition's lock finds it so as long as it keeps that lock.

The list is short (at most as many claims as threads), and mostly empty: then a claim costs two holds of the
partition's lock and, in plain Python, an object. Keys are compared as dict does it: hashes first, then
identity, then `==`.

  5. While a thread is in a *section* (it holds the lock of every partition of a `Section`), no other thread's
     claim is in force there, and none can come to be (3).

A thread that must wait for a claim although it holds the partition's lock (a finalizer or a signal handler uses
the map in the middle of a write) lets go of the lock meanwhile, so that the claim's holder can finish. What it
had found free may not be so afterwards: that matters to a write that has not yet happened, which can be the
case in a key's `__eq__` alone. So there, and if a third thread claims the very key meanwhile, that thread's
function may miss the write. The alternatives were a deadlock, or a claim for every write of every key.

Waiting is for locks of `sync.lock` alone, so every deadlock that leads through claims is found.
"""

from __future__ import annotations

from safemap._compiled import COMPILED
from safemap._types import Generic
from safemap.sync.lock import Lock, deadline_after, time_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeVar

SLICE = 0.01
"""Seconds for which a thread that holds some of a map's partitions waits for the next one. It then lets
go of all of them and waits for that one alone: holding nothing, it stands in nobody's way."""


class Claim(Lock):
    """The exclusive right to one key of a partition."""

    __slots__ = ("depth", "hash", "key", "next", "partition", "users")

    partition: Partition | None  # None while the claim is not listed: no cycle of references
    key: Any
    next: Claim | None  # in the partition's list
    hash: int
    users: int
    depth: int

    def is_foreign(self) -> bool:
        """Return whether the claim is another thread's, and in force. The caller holds the partition's lock."""
        return self.depth > 0 and not self.is_mine()


def claim_at_once(_partition: Partition, _section: Section[Any], _key: Any) -> Claim | None:
    """Return a claim on a key if nobody is in the way, or None. Compiled: see the `.pxd`."""
    return None


def new_claim() -> Claim:
    """Return a claim without a key, at half of what a call of the class would cost."""
    claim = Claim.__new__(Claim)
    claim.key = claim.next = claim.partition = None
    claim.users = claim.depth = 0
    return claim


def unclaim(claim: Claim) -> None:
    """Give up a claim that this thread holds."""
    if not claim.is_mine():
        message = "cannot release a key that this thread does not hold"
        raise RuntimeError(message)
    if not unclaim_at_once(claim):
        partition = claim.partition
        assert partition is not None
        partition._give_up(claim, True, True)


def unclaim_at_once(_claim: Claim) -> bool:
    """Give up a claim if nobody waits for it, and return whether that was so. Compiled: see the `.pxd`."""
    return False


class Partition(Lock):
    """The lock over a part of a map's keys, and the claims on those keys."""

    __slots__ = ("_spare", "first")

    def __init__(self) -> None:
        self.first: Claim | None = None
        self._spare: Claim | None = None  # under the lock: a claim to be used again

    def acquire_for(self, key: Any) -> None:
        """Take the lock in order to write `key`: wait until no other thread has a claim on it.

        Ends, like `acquire`, with `release`. If it raises, the lock is not held.
        """
        held = False
        try:
            self.acquire()
            held = True
            claim = self.known(key)
            if claim is not None and claim.is_foreign():
                claim.users += 1
                try:
                    self.release()
                    held = False
                    self._wait_out(claim, None)
                    try:
                        self.acquire()  # before the claim goes to the next one, who cannot put it in force without
                        held = True
                    finally:
                        claim.release()
                finally:
                    if not held:
                        self.acquire()
                        held = True
                    self._leave(claim)
        except BaseException:
            if held:
                self.release()
            raise

    def claim(self, section: Section[Any], key: Any, timeout: float | None = None) -> Claim | None:
        """Return the caller's claim on `key`, or None if it was not to be had in `timeout` seconds.

        Re-entrant. The claim ends with `unclaim(claim)`. `section` is that over the partition.
        """
        claim = claim_at_once(self, section, key)
        if claim is not None:
            return claim
        hash_ = hash(key)
        deadline = deadline_after(timeout)
        if is_closing(section) and not section.let_in(deadline):
            return None
        held = in_force = settled = False
        try:
            if not self.acquire_within(time_until(deadline)):
                settled = True
                return None
            try:
                # Who is in the section needs to wait for nobody: another's claim is not in force here, and cannot
                # come to be.
                known = self._known(key, hash_)
                if known is None or (section.is_mine() and not known.is_mine()):
                    claim = self._unused(key, hash_)
                    claim.acquire()  # at once: nobody else knows it
                    held = True
                    claim.users = claim.depth = 1
                    in_force = True
                    self._list(claim)
                else:
                    claim = self._joined(key, hash_)
            finally:
                self.release()
            if not in_force:
                held = self._wait_out(claim, deadline)
                if held:
                    self.acquire()
                    claim.depth += 1
                    in_force = True
                    self.release()
                else:
                    self._give_up(claim, False, False)
                    claim = None
            settled = True
        finally:
            if not settled and claim is not None:
                self._give_up(claim, held, in_force)
        return claim

    def known(self, key: Any) -> Claim | None:
        """Return the listed claim on a key, or None. The caller holds the lock."""
        return None if self.first is None else self._known(key, hash(key))

    def _known(self, key: Any, hash_: int) -> Claim | None:
        claim = self.first
        while claim is not None:
            if claim.hash == hash_:
                other = claim.key
                if other is key:
                    return claim
                if other == key and claim.key is other:
                    return claim
                if claim.partition is not self:  # the comparison came back here, and changed the list
                    claim = self.first
                    continue
            claim = claim.next
        return None

    def listed(self) -> list[Claim]:
        """Return all claims that are held or waited for. The caller holds the lock."""
        claims = []
        claim = self.first
        while claim is not None:
            claims.append(claim)
            claim = claim.next
        return claims

    def _list(self, claim: Claim) -> None:
        claim.partition = self
        claim.next, self.first = self.first, claim

    def _unlist(self, claim: Claim) -> None:
        """Take a claim off the list, if nobody uses it by now: a signal handler may have come before this."""
        while claim.users == 0 and claim.partition is self:
            before, other = None, self.first
            while other is not None and other is not claim:
                before, other = other, other.next
            # From here to the end no signal handler comes in between: there is no call and no jump back.
            if claim.users or other is None:
                continue
            if before is None and self.first is claim:
                self.first = claim.next
            elif before is not None and before.partition is self and before.next is claim:
                before.next = claim.next
            else:
                continue
            key = claim.key  # dies after that
            claim.key = claim.next = claim.partition = None
            if COMPILED:
                # In plain Python a signal handler may come before its thread lets go of the claim.
                self._spare = claim
            del key

    def _unused(self, key: Any, hash_: int) -> Claim:
        """Return a claim on a key that nobody holds and that is not listed: the one used before, if it is free."""
        claim = self._spare
        if claim is None:
            claim = new_claim()
        self._spare = None
        claim.key = key
        claim.hash = hash_
        return claim

    def _joined(self, key: Any, hash_: int) -> Claim:
        """Return the claim on a key, the listed one or a new one, with one user more."""
        while True:
            claim = self._known(key, hash_)
            if claim is None:
                claim = self._unused(key, hash_)
                self._list(claim)
            claim.users += 1
            if claim.partition is self:
                return claim
            claim.users -= 1  # a signal handler came in between, and took the unused claim away

    def _give_up(self, claim: Claim, held: bool, in_force: bool) -> None:
        try:
            self.acquire()
            try:
                if in_force:
                    claim.depth -= 1
                self._leave(claim)
            finally:
                self.release()
        finally:
            if held:
                claim.release()

    def _wait_out(self, claim: Claim, deadline: float | None) -> bool:
        """Take another's claim, waiting until `deadline`; let go of this lock meanwhile, if the thread has it."""
        count = self.let_go() if self.is_mine() else 0
        try:
            return claim.acquire_within(time_until(deadline))
        finally:
            if count:
                self.take_back(count)

    def _leave(self, claim: Claim) -> None:
        if claim.users > 0:
            claim.users -= 1
        if claim.users == 0 and claim.partition is self:
            self._unlist(claim)

    def forget_lost_owners(self) -> None:
        """In the child of a fork: free what threads held that are not here."""
        self.forget_lost_owner()
        self._spare = None  # whoever put it there may not have let go of it yet
        for claim in self.listed():
            claim.forget_lost_owner()
            if claim.is_mine():
                claim.users = claim.depth
            else:
                claim.users = claim.depth = 0
                self._unlist(claim)


if TYPE_CHECKING:
    P = TypeVar("P", bound=Partition)

    def acquire_for(partition: Partition, key: Any) -> None:
        """Take a partition's lock in order to write `key`: `partition.acquire_for(key)`."""
else:
    P = None
    acquire_for = Partition.acquire_for


class Section(Lock, Generic[P]):
    """The right to a whole map, for `locked` and what else must see all partitions at once.

    Its lock is held by the one thread that is in the section or on its way in. On the way in
    (`closing`) that thread waits for the claims that are out, and new ones wait for it, except those of
    threads that already hold a claim here: these must be let through, or they would never be done.
    """

    __slots__ = ("_closing", "partitions")

    def __init__(self, partitions: Iterable[P]) -> None:
        self._closing = 0  # written by the holder of this lock, read by all: a hint, see let_in
        self.partitions: tuple[P, ...] = tuple(partitions)

    def let_in(self, deadline: float | None) -> bool:
        """Wait, if a section is about to begin, until it is over. Return whether that was in time.

        Missing `closing` does no harm: the claim is then one of those that the section waits for.
        """
        if not is_closing(self) or self.is_mine():
            return True
        for partition in self.partitions:
            if not partition.acquire_within(time_until(deadline)):
                return False
            try:
                if any(claim.is_mine() for claim in partition.listed()):
                    return True
            finally:
                partition.release()
        if not self.acquire_within(time_until(deadline)):
            return False
        self.release()
        return True

    def enter(self, timeout: float | None = None) -> bool:
        """Hold every partition's lock while no other thread has a claim; False if that took too long.

        Ends with `leave`.
        """
        deadline = deadline_after(timeout)
        if not self.acquire_within(timeout):
            return False
        outer = locked = entered = False
        try:
            outer = is_closing(self)
            set_closing(self, True)
            while True:
                locked = self.lock_all(deadline)
                if not locked:
                    return False
                foreign = self._claim_of_another()
                if foreign is None:
                    entered = True
                    return True
                locked = False
                if not self._outlast(foreign, deadline):
                    return False
        finally:
            try:
                set_closing(self, outer)
            except BaseException:
                entered = False  # later claims take a way round, which costs time alone
                raise
            finally:
                if locked and not entered:
                    self.unlock_all()
                if not entered:
                    self.release()

    def leave(self) -> None:
        """End what `enter` began."""
        self.unlock_all()
        self.release()

    def lock_all(self, deadline: float | None = None) -> bool:
        """Hold every partition's lock, claims or not: enough to look. Ends with `unlock_all`."""
        while True:
            taken = 0
            contended = None
            try:
                for partition in self.partitions:
                    if not partition.try_for(SLICE):
                        contended = partition
                        break
                    taken += 1
            except BaseException:
                self._unlock(taken)
                raise
            if contended is None:
                return True
            self._unlock(taken)
            if not contended.acquire_within(time_until(deadline)):
                return False
            contended.release()

    def unlock_all(self) -> None:
        """End what `lock_all` began."""
        self._unlock(len(self.partitions))

    def forget_lost_owners(self) -> None:
        """In the child of a fork: free what threads held that are not here."""
        if not self.is_mine():
            self.forget_lost_owner()
            set_closing(self, False)
        for partition in self.partitions:
            partition.forget_lost_owners()

    def _unlock(self, count: int) -> None:
        for number in range(count):
            partition = self.partitions[number]
            partition.release()

    def _outlast(self, claim: Claim, deadline: float | None) -> bool:
        """Let go of all partitions and wait until another's claim ends."""
        partition = claim.partition
        assert partition is not None
        claim.users += 1
        try:
            self.unlock_all()
            ended = partition._wait_out(claim, deadline)
            if ended:
                try:
                    partition.acquire()
                    claim.depth = 0  # so it is; unless its holder was interrupted when it let go
                    partition.release()
                finally:
                    claim.release()
        finally:
            partition.acquire()
            partition._leave(claim)
            partition.release()
        return ended

    def _claims(self) -> Iterator[Claim]:
        for partition in self.partitions:
            yield from partition.listed()

    def _claim_of_another(self) -> Claim | None:
        return next((claim for claim in self._claims() if claim.is_foreign()), None)


def is_closing(section: Section[Any]) -> bool:
    """Return whether a thread is in the section or on its way in."""
    return section._closing != 0


def set_closing(section: Section[Any], closing: bool) -> None:
    """Say so. The caller holds the section's lock."""
    section._closing = int(closing)

"""Per-key claims: the right to decide about one key while other keys go on.

A user's function must not run under a lock that stands between other threads and other keys. So
the function's thread *claims* the key: a claim is a lock of its own, listed under the key in its
partition, and held while the function runs. The partition's own lock is held only for the few
steps that look at or change the partition.

Invariants
  1. `claims`, and `users` and `depth` of its claims, are read and written under the partition's lock.
  2. A key is listed while some thread holds its claim or waits for it; `users` counts them.
  3. A claim is in force while `depth` is not 0: its holder sets it, after it has come to hold the claim,
     and takes it back before it lets go.
  4. A thread that holds the partition's lock may write a key if no other thread's claim on it is in force.

From 3 and 4: between the look of a claim's holder at its key and its write, nobody else writes that key.
A thread that has once found the key free under the partition's lock finds it so as long as it keeps that lock.

  5. While a thread is in a *section* (it holds the lock of every partition of a `Section`), no other thread's
     claim is in force there.

A thread that must wait for a claim although it holds the partition's lock (a finalizer or a signal handler uses
the map in the middle of a write) lets go of the lock meanwhile, so that the claim's holder can finish. What it
had found free may not be so afterwards: that matters to a write that has not yet happened, which can be the
case in a key's `__eq__` alone. So there, and if a third thread claims the very key meanwhile, that thread's
function may miss the write. The alternatives were a deadlock, or a claim for every write of every key.

Waiting is for locks of `sync.lock` alone, so every deadlock that leads through claims is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from safemap.sync.lock import Lock, deadline_after, time_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLICE = 0.01
"""Seconds for which a thread that holds some of a map's partitions waits for the next one. It then lets
go of all of them and waits for that one alone: holding nothing, it stands in nobody's way."""


class Claim(Lock):
    """The exclusive right to one key of a partition."""

    __slots__ = ("depth", "key", "partition", "users")

    def __init__(self, partition: Partition, key: Any) -> None:
        self.partition = partition
        self.key = key
        self.users = 0
        self.depth = 0

    def is_foreign(self) -> bool:
        """Return whether the claim is another thread's, and in force. The caller holds the partition's lock."""
        return self.depth > 0 and not self.is_mine()


class Partition(Lock):
    """The lock over a part of a map's keys, and the claims on those keys."""

    __slots__ = ("_section", "claims")

    def __init__(self, section: Section[Any]) -> None:
        self._section = section
        self.claims: dict[Any, Claim] = {}

    def acquire_for(self, key: Any) -> None:
        """Take the lock in order to write `key`: wait until no other thread has a claim on it.

        Ends, like `acquire`, with `release`. If it raises, the lock is not held.
        """
        self.acquire()
        if self.claims:
            self._pass(key)

    def claim(self, key: Any, timeout: float | None = None) -> Claim | None:
        """Return the caller's claim on `key`, or None if it was not to be had in `timeout` seconds.

        Re-entrant. The claim ends with `unclaim`.
        """
        deadline = deadline_after(timeout)
        if not self._section.let_in(deadline) or not self.acquire_within(time_until(deadline)):
            return None
        claim: Claim | None = None
        held = False
        try:
            try:
                claim = self._listed(key)
            finally:
                self.release()
            held = self._wait_out(claim, deadline)
            if held:
                self.acquire()
                claim.depth += 1
                self.release()
                return claim
        except BaseException:
            if claim is not None:
                self._give_up(claim, held=held)
            raise
        self._give_up(claim, held=False)
        return None

    def unclaim(self, claim: Claim) -> None:
        """Give up a claim that this thread holds."""
        self._give_up(claim, held=True)

    def _listed(self, key: Any) -> Claim:
        """Return the key's claim, new or not, with one user more."""
        while True:
            claim = self.claims.setdefault(key, Claim(self, key))
            claim.users += 1
            try:
                if self.claims.get(key) is claim:
                    return claim
            except BaseException:
                self._leave(claim)
                raise
            claim.users -= 1  # a signal handler came in between, and took the unused claim away

    def _give_up(self, claim: Claim, *, held: bool) -> None:
        try:
            self.acquire()
            try:
                if held and claim.depth:
                    claim.depth -= 1
                self._leave(claim)
            finally:
                self.release()
        finally:
            if held:
                claim.release()

    def _pass(self, key: Any) -> None:
        """Wait until no other thread's claim on `key` is in force. The lock is held before and after."""
        held = True
        try:
            claim = self.claims.get(key)
            if claim is None or not claim.is_foreign():
                return
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

    def _wait_out(self, claim: Claim, deadline: float | None) -> bool:
        """Take another's claim, waiting until `deadline`; let go of this lock meanwhile, if the thread has it."""
        count = self.let_go() if self.is_mine() else 0
        try:
            return claim.acquire_within(time_until(deadline))
        finally:
            if count:
                self.take_back(count)

    def _leave(self, claim: Claim) -> None:
        claim.users -= 1
        # A key whose hash or comparison raises here may leave an unused claim behind. It does no harm:
        # the next one who wants the key takes it over, and takes it away when done.
        # `users` is looked at last: after that no signal handler can come before the claim is out.
        if self.claims.get(claim.key) is claim and claim.users == 0:
            self.claims.pop(claim.key, None)

    def forget_lost_owners(self) -> None:
        """In the child of a fork: free what threads held that are not here."""
        self.forget_lost_owner()
        for key, claim in list(self.claims.items()):
            if not claim.is_mine():
                claim.forget_lost_owner()
                claim.users = claim.depth = 0
                self.claims.pop(key, None)


P = TypeVar("P", bound=Partition)


class Section(Lock, Generic[P]):
    """The right to a whole map, for `locked` and what else must see all partitions at once.

    Its lock is held by the one thread that is in the section or on its way in. On the way in
    (`closing`) that thread waits for the claims that are out, and new ones wait for it, except those of
    threads that already hold a claim here: these must be let through, or they would never be done.
    """

    __slots__ = ("_closing", "partitions")

    def __init__(self, make: Callable[[Section[P]], P], count: int = 1) -> None:
        self._closing = False  # written by the holder of this lock, read by all: a hint, see let_in
        self.partitions: tuple[P, ...] = tuple([make(self) for _ in range(count)])

    def let_in(self, deadline: float | None) -> bool:
        """Wait, if a section is about to begin, until it is over. Return whether that was in time.

        Missing `_closing` does no harm: the claim is then one of those that the section waits for.
        """
        if not self._closing or self.is_mine() or any(claim.is_mine() for claim in self._claims()):
            return True
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
        outer, held = self._closing, False
        try:
            self._closing = True
            while True:
                held = self.lock_all(deadline)
                foreign = self._claim_of_another() if held else None
                if foreign is None:
                    return held
                self.unlock_all()
                held = False
                if not foreign.partition._wait_out(foreign, deadline):
                    return False
                foreign.release()
        except BaseException:
            if held:
                self.unlock_all()
                held = False
            raise
        finally:
            self._closing = outer
            if not held:
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
            self._closing = False
        for partition in self.partitions:
            partition.forget_lost_owners()

    def _unlock(self, count: int) -> None:
        for partition in self.partitions[:count]:
            partition.release()

    def _claims(self) -> Iterator[Claim]:
        for partition in self.partitions:
            yield from list(partition.claims.values())

    def _claim_of_another(self) -> Claim | None:
        return next((claim for claim in self._claims() if claim.is_foreign()), None)

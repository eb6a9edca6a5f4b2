"""Whether a history can be put in an order: the checker.

A history is *linearizable* (Herlihy, Wing: "Linearizability", 1990) if each of its operations can be given one
moment between its call and its return, so that the operations, done one after another in the order of their
moments, would have had the very outcomes that they had.

The search is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) as improved by Lowe
("Testing for linearizability", 2017) and laid out by Horn and Kroening ("Faster linearizability checking via
P-compositionality", 2015), whose partition of a history by keys is used too; Porcupine does the same for Go. Calls
and returns lie in one list, in the order of time. From its head on, the first calls that no return precedes are
tried: if the model allows the outcome, call and return are lifted out of the list, and the search begins at the
head again; at a return whose call has not been lifted, the last choice was wrong. What was reached once (the set
of lifted operations and the model's state) is not tried again.

The question is NP-complete; the search counts its steps, and gives up with `undecided` where they do not suffice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from safemap.testing.history import History, Operation

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from typing import Any, Protocol

    class Model(Protocol):
        """What an object does when it is used by one thread."""

        initial: Any
        """The state at the beginning: hashable, never changed in place."""

        def step(self, state: Any, operation: Operation) -> Iterable[Any]:
            """Return the states that an operation may lead to from `state`, given its outcome.

            None, if it could not have had that outcome there. For a pending operation: all states that it could
            lead to, whatever its outcome.
            """
            ...

        def partition(self, operations: Sequence[Operation]) -> dict[Hashable, list[Operation]]:
            """Return the operations in groups that have no state in common, by what tells the groups apart."""
            ...


STEPS = 2_000_000
"""Steps after which a search is given up: half a minute or so. A history of 20 operations takes a few hundred."""


@dataclass(frozen=True)
class Verdict:
    """What the checker found. True only for *linearizable*.

    `order` is one order in which the operations can have happened (for each group of a partition). `failing` are
    the fewest operations found that cannot be put in any order, and `group` is what they have in common (a key).
    """

    name: Literal["linearizable", "not linearizable", "undecided"]
    steps: int
    order: dict[Hashable, list[Operation]] = field(default_factory=dict)
    failing: History = field(default_factory=History)
    group: Hashable = None
    left_out: int = 0

    def __bool__(self) -> bool:
        return self.name == "linearizable"

    def __str__(self) -> str:
        if self.name != "not linearizable":
            return f"{self.name} ({self.steps} steps)"
        of = "" if self.group is None else f" on {self.group!r}"
        also = f" ({self.left_out} more do not matter)" if self.left_out else ""
        return f"not linearizable: no order explains these operations{of}{also}\n{self.failing}"


class NotLinearizableError(AssertionError):
    """A history is not linearizable, or it could not be decided whether it is."""


def check_linearizable(history: Iterable[Operation], model: Model, *, steps: int = STEPS) -> Verdict:
    """Return whether a history is linearizable with regard to a model.

    The verdict of a history that is not has the smallest part of it that was found to fail, and prints as a
    timeline. *undecided* (after `steps` steps of the search) is not a pass: `if check_linearizable(...)`.
    """
    order: dict[Hashable, list[Operation]] = {}
    taken = 0
    undecided = False
    operations = list(history)
    for group, part in model.partition(operations).items():
        search = Search(part, model, steps - taken)
        found = search.run()
        taken += search.steps
        if found is None:
            undecided = True
        elif not found:
            failing = smallest(part, model, steps)
            return Verdict(
                "not linearizable",
                taken,
                failing=History(failing),
                group=group,
                left_out=len(operations) - len(failing),
            )
        else:
            order[group] = search.order()
    if undecided:
        return Verdict("undecided", taken)
    return Verdict("linearizable", taken, order)


def assert_linearizable(history: Iterable[Operation], model: Model, *, steps: int = STEPS) -> None:
    """Raise NotLinearizableError, with the smallest failing part as a timeline, unless there is an order."""
    verdict = check_linearizable(history, model, steps=steps)
    if not verdict:
        raise NotLinearizableError(str(verdict))


class Search:
    """One search for an order.

    Entries are numbered: 2n is the call of operation n, 2n + 1 its return. The list is doubly linked, so that a
    pair is lifted out of it and put back, in reverse order, in a few steps.
    """

    def __init__(self, operations: Sequence[Operation], model: Model, limit: int) -> None:
        self.operations = operations
        self.model = model
        self.limit = limit
        self.steps: int = 0
        events = []
        for number, operation in enumerate(operations):
            events.append((operation.called, 0, 2 * number))
            if operation.returned is not None:
                events.append((operation.returned, 1, 2 * number + 1))
        self.end: int = 2 * len(operations)
        self.head: int = self.end
        entries = [entry for _, _, entry in sorted(events)]
        self.after: list[int] = [self.end] * (self.end + 1)
        self.before: list[int] = [self.end] * (self.end + 1)
        for left, right in zip([self.head, *entries], [*entries, self.end], strict=True):
            self.after[left] = right
            self.before[right] = left
        self.lifted: list[int] = []
        self._known_steps: dict[tuple[int, Any], list[Any]] = {}

    def run(self) -> bool | None:
        """Return whether there is an order; None if the steps did not suffice."""
        state = self.model.initial
        lifted = 0  # as a set of bits
        left = sum(operation.returned is not None for operation in self.operations)
        reached = {(lifted, state)}
        choices: list[tuple[int, Iterator[Any], Any, int]] = []
        entry = self.after[self.head]
        states: Iterator[Any] | None = None
        while left:
            if entry & 1:  # a return
                if not choices:
                    return False
                entry, states, state, lifted = choices.pop()
                self._put_back(entry)
                left += self._is_complete(entry)
                continue
            if states is None:
                states = iter(self._states_after(entry >> 1, state))
            for new in states:
                self.steps += 1
                if self.steps > self.limit:
                    return None
                place = (lifted | 1 << (entry >> 1), new)
                if place not in reached:
                    reached.add(place)
                    choices.append((entry, states, state, lifted))
                    self._lift(entry)
                    left -= self._is_complete(entry)
                    lifted, state = place
                    entry = self.after[self.head]
                    break
            else:
                entry = self.after[entry]
            states = None
        return True

    def order(self) -> list[Operation]:
        """Return the order that was found."""
        return [self.operations[entry >> 1] for entry in self.lifted]

    def _states_after(self, number: int, state: Any) -> list[Any]:
        known = self._known_steps.get((number, state))
        if known is None:
            known = self._known_steps[number, state] = list(self.model.step(state, self.operations[number]))
        return known

    def _is_complete(self, entry: int) -> bool:
        return self.operations[entry >> 1].returned is not None

    def _lift(self, call: int) -> None:
        for entry in (call, call + 1) if self._is_complete(call) else (call,):
            before, after = self.before[entry], self.after[entry]
            self.after[before] = after
            self.before[after] = before
        self.lifted.append(call)

    def _put_back(self, call: int) -> None:
        for entry in (call + 1, call) if self._is_complete(call) else (call,):
            self.after[self.before[entry]] = entry
            self.before[self.after[entry]] = entry
        self.lifted.pop()


def smallest(operations: Sequence[Operation], model: Model, limit: int) -> list[Operation]:
    """Return the fewest operations, as far as this finds them, for which there is no order either.

    Two things may be done to a history that has no order, and prove as much: to look at it at an earlier moment,
    and to leave open whether an operation took effect. What matters are operations that cannot be left open. Of
    those that can, the ones are kept without which something else would cease to matter (the write that explains a
    read).
    """

    def fails(part: Sequence[Operation]) -> bool:
        return Search(part, model, limit).run() is False

    returns = sorted(operation.returned for operation in operations if operation.returned is not None)
    shortest = list(operations)
    low, high = 0, len(returns) - 1
    while low <= high:
        middle = (low + high) // 2
        part = until(operations, returns[middle])
        if fails(part):
            shortest, high = part, middle - 1
        else:
            low = middle + 1
    for number, operation in reversed(list(enumerate(shortest))):  # rather the reads than the writes before them
        left_open = [*shortest[:number], operation.as_pending("may have happened"), *shortest[number + 1 :]]
        if fails(left_open):
            shortest = left_open
    for operation in [each for each in shortest if each.returned is None]:
        without = [each for each in shortest if each is not operation]
        mattering = [number for number, each in enumerate(without) if each.returned is not None]
        if not any(
            fails([*without[:number], without[number].as_pending(""), *without[number + 1 :]])
            for number in mattering
        ):
            shortest = without
    return shortest


def until(operations: Iterable[Operation], moment: int) -> list[Operation]:
    """Return the operations as they were known at a moment: called until then, returned until then."""
    return [
        operation.as_pending("had not returned")
        if operation.returned is not None and operation.returned > moment
        else operation
        for operation in operations
        if operation.called <= moment
    ]

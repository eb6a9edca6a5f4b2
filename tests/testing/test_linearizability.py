"""The checker: known verdicts, and agreement with trying all orders."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safemap import MISSING
from safemap.testing import (
    History,
    MapModel,
    NotLinearizableError,
    Operation,
    Pending,
    Raised,
    Returned,
    SequentialModel,
    assert_linearizable,
    check_linearizable,
)


class Register(SequentialModel):
    """One value: read, write, compare and set. The example that the literature begins with."""

    def apply(self, state, name, arguments):
        match name:
            case "read":
                return state, state
            case "write":
                return arguments[0], None
            case "cas":
                return (arguments[1], True) if state == arguments[0] else (state, False)
        raise NotImplementedError


def op(thread, name, arguments, called, returned, value=None):
    if returned is None:
        return Operation(thread, name, arguments, called, None, Pending())
    outcome = value if isinstance(value, Raised) else Returned(value)
    return Operation(thread, name, arguments, called, returned, outcome)


def write(thread, value, called, returned):
    return op(thread, "write", (value,), called, returned)


def read(thread, value, called, returned):
    return op(thread, "read", (), called, returned, value)


def cas(thread, old, new, called, returned, done):
    return op(thread, "cas", (old, new), called, returned, done)


REGISTER = {
    "one after another": (True, [write(1, 1, 0, 1), read(2, 1, 2, 3)]),
    "a stale read": (False, [write(1, 1, 0, 1), read(2, 0, 2, 3)]),
    "a value from nowhere": (False, [write(1, 1, 0, 1), read(2, 7, 2, 3)]),
    # Porcupine's register example, and its bad twin.
    "new and then old, both during the write": (
        True,
        [write(1, 100, 0, 100), read(2, 100, 25, 75), read(3, 0, 30, 60)],
    ),
    "old after new": (False, [write(1, 200, 0, 100), read(2, 200, 10, 30), read(3, 0, 40, 90)]),
    # Herlihy and Wing: two writers; the readers disagree on who came first.
    "readers disagree": (
        False,
        [
            write(1, 1, 0, 10),
            write(2, 2, 0, 10),
            read(3, 1, 11, 12),
            read(3, 2, 13, 14),
            read(4, 2, 11, 12),
            read(4, 1, 13, 14),
        ],
    ),
    "both compare-and-set win": (False, [cas(1, 0, 1, 0, 9, True), cas(2, 0, 2, 1, 8, True)]),
    "one of two wins": (True, [cas(1, 0, 1, 0, 9, True), cas(2, 0, 2, 1, 8, False)]),
    "both lose": (False, [cas(1, 0, 1, 0, 9, False), cas(2, 0, 2, 1, 8, False)]),
    "an unfinished write that was seen": (True, [write(1, 1, 0, None), read(2, 1, 5, 6), read(2, 1, 7, 8)]),
    "an unfinished write that was not seen": (True, [write(1, 1, 0, None), read(2, 0, 5, 6), read(2, 0, 7, 8)]),
    "an unfinished write that was undone": (False, [write(1, 1, 0, None), read(2, 1, 5, 6), read(2, 0, 7, 8)]),
    "seen before it was called": (False, [read(2, 1, 0, 1), write(1, 1, 2, None)]),
    "called and returned at the same time": (True, [write(1, 1, 0, 5), read(2, 0, 5, 6)]),
}


@pytest.mark.parametrize("name", REGISTER)
def test_register(name):
    good, operations = REGISTER[name]
    verdict = check_linearizable(operations, Register(0))
    assert verdict.name == ("linearizable" if good else "not linearizable"), verdict
    assert bool(verdict) is good


MAP = {
    "two keys do not disturb one another": (
        True,
        [op(1, "setitem", ("a", 1), 0, 1), op(2, "get", ("b",), 2, 3, None), op(2, "get", ("a",), 4, 5, 1)],
    ),
    "both are first": (
        False,
        [op(1, "setdefault", ("a", 1), 0, 9, 1), op(2, "setdefault", ("a", 2), 1, 8, 2)],
    ),
    "one is first": (True, [op(1, "setdefault", ("a", 1), 0, 9, 2), op(2, "setdefault", ("a", 2), 1, 8, 2)]),
    "an item popped twice": (
        False,
        [
            op(0, "setitem", ("a", 1), 0, 1),
            op(1, "popitem", (), 2, 9, ("a", 1)),
            op(2, "popitem", (), 3, 8, ("a", 1)),
        ],
    ),
    "popitem takes any": (
        True,
        [op(0, "update", ((("a", 1), ("b", 2)),), 0, 1), op(1, "popitem", (), 2, 9, ("a", 1))],
    ),
    "a missing key that is there": (
        False,
        [op(0, "setitem", ("a", 1), 0, 1), op(1, "getitem", ("a",), 2, 3, Raised(KeyError, ("a",)))],
    ),
    "an error that no map raises": (False, [op(0, "get", ("a",), 0, 1, Raised(RuntimeError, ("mutated",)))]),
    "half an update in a snapshot": (
        False,
        [
            op(1, "update", ((("a", 1), ("b", 1)),), 0, 9),
            op(2, "snapshot", (), 1, 8, frozenset({("a", 1)})),
        ],
    ),
    "len agrees with nobody": (
        False,
        [op(1, "setitem", ("a", 1), 0, 9), op(2, "len", (), 1, 8, 2)],
    ),
    "clear and len": (
        True,
        [
            op(0, "setitem", ("a", 1), 0, 1),
            op(1, "clear", (), 2, 9),
            op(2, "len", (), 3, 8, 1),
            op(2, "len", (), 10, 11, 0),
        ],
    ),
    "refused": (True, [op(0, "entry", ("a", 1), 0, 1, Raised(TimeoutError, ("too late",)))]),
    "MISSING and None differ": (
        False,
        [op(0, "setitem", ("a", None), 0, 1), op(1, "compare_and_set", ("a", MISSING, 1), 2, 3, True)],
    ),
}


@pytest.mark.parametrize("name", MAP)
def test_map(name):
    good, operations = MAP[name]
    verdict = check_linearizable(operations, MapModel())
    assert verdict.name == ("linearizable" if good else "not linearizable"), verdict


def test_a_key_has_a_history_of_its_own():
    verdict = check_linearizable(MAP["two keys do not disturb one another"][1], MapModel())
    assert set(verdict.order) == {"a", "b"}
    assert [operation.name for operation in verdict.order["a"]] == ["setitem", "get"]


def test_what_is_shown_is_the_smallest_part():
    noise = [op(3, "setitem", (key, n), 2 * n, 2 * n + 1) for n, key in enumerate("bcdefgh")]
    wrong = [
        op(1, "setitem", ("a", 1), 0, 10),
        op(1, "setitem", ("a", 2), 11, 12),
        op(2, "get", ("a",), 13, 14, 2),
        op(2, "get", ("a",), 15, 16, 1),
        op(2, "get", ("a",), 17, 18, 1),
        op(2, "pop", ("a",), 19, 20, 1),
    ]
    verdict = check_linearizable([*noise, *wrong], MapModel())
    assert verdict.group == "a"
    shown = [str(operation) for operation in verdict.failing]
    assert shown == ["setitem('a', 1) -> None", "setitem('a', 2) -> None", "get('a') -> 1"], verdict
    assert verdict.left_out == 10
    assert str(verdict).splitlines() == [
        "not linearizable: no order explains these operations on 'a' (10 more do not matter)",
        "thread 1  |---|                       setitem('a', 1) -> None",
        "thread 1          |---|               setitem('a', 2) -> None",
        "thread 2                  |---|       get('a') -> 1",
    ]


def test_a_write_that_explains_a_read_is_shown_too():
    operations = [
        op(1, "setitem", ("a", 1), 0, 10),
        op(2, "get", ("a",), 2, 3, 1),
        op(3, "get", ("a",), 5, 6, None),
    ]
    verdict = check_linearizable(operations, MapModel())
    assert [operation.name for operation in verdict.failing] == ["setitem", "get", "get"]
    assert "had not returned" in str(verdict) or "may have happened" in str(verdict)


def test_undecided_is_no_pass():
    operations = [write(n, n, 0, 100) for n in range(12)] + [read(20, 99, 1, 99)]
    verdict = check_linearizable(operations, Register(0), steps=50)
    assert verdict.name == "undecided"
    assert not verdict
    with pytest.raises(NotLinearizableError, match="undecided"):
        assert_linearizable(operations, Register(0), steps=50)


def test_assert_linearizable():
    assert_linearizable(REGISTER["one after another"][1], Register(0))
    with pytest.raises(NotLinearizableError, match="no order explains"):
        assert_linearizable(REGISTER["a stale read"][1], Register(0))


def test_a_thousand_operations_on_one_key():
    operations = [write(n % 3, n, 10 * n, 10 * n + 25) for n in range(500)]
    operations += [read(5, n, 10 * n + 26, 10 * n + 27) for n in range(0, 500, 7)]
    assert check_linearizable(operations, Register(0)).name in {"linearizable", "not linearizable"}


@st.composite
def histories(draw):
    """A few operations on a register, with times drawn at random: threads do not overlap themselves."""
    operations = []
    for thread in range(draw(st.integers(1, 3))):
        moment = 0
        for _ in range(draw(st.integers(1, 3))):
            called = moment + draw(st.integers(1, 4))
            returned = called + draw(st.integers(1, 6))
            moment = returned
            unfinished = draw(st.integers(0, 9)) == 0
            name = draw(st.sampled_from(["read", "write", "cas"]))
            arguments = {"read": 0, "write": 1, "cas": 2}[name]
            value = {"read": st.integers(0, 2), "write": st.none(), "cas": st.booleans()}[name]
            operations.append(
                op(
                    thread,
                    name,
                    tuple(draw(st.integers(0, 2)) for _ in range(arguments)),
                    called,
                    None if unfinished else returned,
                    draw(value),
                )
            )
            if unfinished:
                break
    return operations


def has_order(operations, model):
    """Try all orders of all operations that have returned, with or without each of those that have not."""
    finished = [each for each in operations if each.returned is not None]
    pending = [each for each in operations if each.returned is None]
    for included in range(1 << len(pending)):
        chosen = finished + [each for n, each in enumerate(pending) if included >> n & 1]
        for order in permutations(chosen):
            if any(
                later.returned is not None and later.returned < earlier.called
                for n, earlier in enumerate(order)
                for later in order[n + 1 :]
            ):
                continue
            states = [model.initial]
            for operation in order:
                states = [new for state in states for new in model.step(state, operation)]
            if states:
                return True
    return False


@settings(max_examples=300, deadline=None)
@given(histories())
def test_agrees_with_trying_all_orders(operations):
    if len(operations) > 7:
        operations = operations[:7]
    verdict = check_linearizable(operations, Register(0))
    assert bool(verdict) is has_order(operations, Register(0))
    if not verdict:
        assert not has_order(list(verdict.failing), Register(0))


def test_a_history_is_sorted_and_printed():
    history = History([read(2, 1, 2, 3), write(1, 1, 0, None)])
    assert [operation.name for operation in history] == ["write", "read"]
    assert str(history).splitlines() == [
        "thread 1  |------------>  write(1) ... has not returned",
        "thread 2      |---|       read() -> 1",
    ]


@pytest.mark.parametrize(
    ("called", "returned", "outcome"), [(0, None, Returned(1)), (0, 1, Pending()), (2, 1, Returned(1))]
)
def test_operations_that_cannot_be(called, returned, outcome):
    with pytest.raises(ValueError, match="operation"):
        Operation(1, "read", (), called, returned, outcome)

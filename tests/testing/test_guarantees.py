"""What weaker guarantees allow, and what they still forbid."""

from __future__ import annotations

import pytest

from safemap import MutexMap, ReadDirtyMap, ShardedMap
from safemap.testing import Operation, Raised, Returned, check_guaranteed
from tests.testing.test_linearizability import op

STRONG, WEAK = MutexMap.guarantees, ShardedMap.guarantees
INITIAL = {"a": 1, "b": 1}
BOTH = (("a", 2), ("b", 2))


def block(thread, called, returned, *parts):
    return Operation(thread, "locked", (), called, returned, Returned(None), parts)


HISTORIES = {
    # name: (with strong guarantees, with weak ones, operations)
    "a reader sees half an update": (
        False,
        True,
        [op(1, "update", (BOTH,), 0, 9), op(2, "get", ("a",), 1, 2, 2), op(2, "get", ("b",), 3, 4, 1)],
    ),
    "a reader sees an update and then not": (
        False,
        False,
        [op(1, "update", (BOTH,), 0, 9), op(2, "get", ("a",), 1, 2, 2), op(2, "get", ("a",), 3, 4, 1)],
    ),
    "a snapshot has half an update": (
        False,
        True,
        [op(1, "update", (BOTH,), 0, 9), op(2, "snapshot", (), 1, 2, frozenset({("a", 2), ("b", 1)}))],
    ),
    "a snapshot has half a locked block": (
        False,
        False,
        [
            block(1, 0, 9, op(1, "setitem", ("a", 2), 1, 2), op(1, "setitem", ("b", 2), 7, 8)),
            op(2, "snapshot", (), 4, 5, frozenset({("a", 2), ("b", 1)})),
        ],
    ),
    "a reader sees half a locked block": (
        False,
        True,
        [
            block(1, 0, 9, op(1, "setitem", ("a", 2), 1, 2), op(1, "setitem", ("b", 2), 7, 8)),
            op(2, "get", ("a",), 3, 4, 2),
            op(2, "get", ("b",), 5, 6, 1),
        ],
    ),
    "a reader sees what a locked block has not yet written": (
        True,
        False,
        [
            block(1, 0, 9, op(1, "setitem", ("a", 2), 5, 6)),
            op(2, "get", ("a",), 3, 4, 2),
            op(2, "get", ("a",), 7, 8, 2),
        ],
    ),
    "an iteration of two moments": (
        False,
        True,
        [
            op(1, "setitem", ("a", 2), 1, 2),
            op(1, "setitem", ("b", 2), 3, 4),
            op(2, "items", (), 0, 9, frozenset({("a", 1), ("b", 2)})),
        ],
    ),
    "an iteration misses a key that was there throughout": (
        False,
        False,
        [op(1, "setitem", ("a", 2), 1, 2), op(2, "keys", (), 0, 9, frozenset({"a"}))],
    ),
    "an iteration gives what was never there": (
        False,
        False,
        [op(1, "setitem", ("a", 2), 1, 2), op(2, "items", (), 0, 9, frozenset({("a", 3), ("b", 1)}))],
    ),
    "an iteration raises": (
        False,
        False,
        [op(1, "delitem", ("a",), 1, 2), op(2, "items", (), 0, 9, Raised(RuntimeError, ("changed size",)))],
    ),
    "a count of two moments": (
        False,
        True,
        [
            op(1, "delitem", ("a",), 1, 2),
            op(1, "setitem", ("c", 1), 3, 4),
            op(2, "len", (), 0, 9, 3),
        ],
    ),
    "a count of more than there ever were": (
        False,
        False,
        [op(1, "setitem", ("c", 1), 3, 4), op(2, "len", (), 0, 9, 4)],
    ),
    "a wrong count with nobody writing": (
        False,
        False,
        [op(1, "setitem", ("c", 1), 3, 4), op(2, "len", (), 5, 9, 2)],
    ),
    "two counts that cannot both be": (
        False,
        False,
        [op(1, "setitem", ("c", 1), 0, 9), op(2, "len", (), 1, 2, 3), op(2, "len", (), 3, 4, 2)],
    ),
    "popitem finds nothing in a map that was never empty": (
        False,
        False,
        [op(1, "delitem", ("a",), 0, 9), op(2, "popitem", (), 1, 8, Raised(KeyError, ("popitem(): empty",)))],
    ),
    "clear seen key by key": (
        False,
        True,
        [op(1, "clear", (), 0, 9), op(2, "contains", ("a",), 1, 2, False), op(2, "contains", ("b",), 3, 4, True)],
    ),
    "a snapshot has half a clear": (
        False,
        False,
        [op(1, "clear", (), 0, 9), op(2, "snapshot", (), 3, 4, frozenset({("b", 1)}))],
    ),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_verdicts(name):
    strong, weak, operations = HISTORIES[name]
    assert bool(check_guaranteed(operations, STRONG, INITIAL)) is strong
    assert bool(check_guaranteed(operations, WEAK, INITIAL)) is weak
    assert bool(check_guaranteed(operations, ReadDirtyMap.guarantees, INITIAL)) is weak

"""What can happen to a map that is recorded, and the cell of a thread in which each event is counted."""

from __future__ import annotations

from typing import Final

EVENTS: Final = (
    "get hit", "get miss", "find hit", "find miss", "contains hit", "contains miss",
    "set", "swap hit", "swap miss", "delete hit", "delete miss", "popitem",
    "setdefault hit", "setdefault maybe", "compute_if_absent hit", "compute_if_absent made",
    "compute", "compute removed", "compute none", "compare_and_set hit", "compare_and_set miss",
    "compare_and_set new", "compare_and_delete hit", "compare_and_delete miss",
    "scan", "snapshot", "update", "length", "clear", "locked",
)  # fmt: skip
"""What can happen. hit: the key was there; miss: it was not. setdefault maybe: it returned the default itself."""

(
    GET_HIT, GET_MISS, FIND_HIT, FIND_MISS, CONTAINS_HIT, CONTAINS_MISS,
    SET, SWAP_HIT, SWAP_MISS, DELETE_HIT, DELETE_MISS, POPITEM,
    SETDEFAULT_HIT, SETDEFAULT_MAYBE, ABSENT_HIT, ABSENT_MADE,
    COMPUTE, COMPUTE_REMOVED, COMPUTE_NONE, CAS_HIT, CAS_MISS,
    CAS_NEW, CAD_HIT, CAD_MISS,
    SCAN, SNAPSHOT, UPDATE, LENGTH, CLEAR, LOCKED,
) = range(0, 2 * len(EVENTS), 2)  # fmt: skip
"""The cell in which each is counted; the one after it holds the count that is sampled next."""
UPDATED, CLEARED, TALLY = range(2 * len(EVENTS), 2 * len(EVENTS) + 3)
"""The cells of how many keys were updated, of how many entries were cleared, and of the rest of a thread's own."""

WRITES: Final = frozenset(
    {SET, SWAP_HIT, SWAP_MISS, DELETE_HIT, DELETE_MISS, POPITEM, SETDEFAULT_HIT, SETDEFAULT_MAYBE,
     ABSENT_HIT, ABSENT_MADE, COMPUTE, COMPUTE_REMOVED, COMPUTE_NONE, CAS_HIT, CAS_MISS, CAS_NEW,
     CAD_HIT, CAD_MISS, UPDATE, CLEAR}
)  # fmt: skip
"""Those that write, or would have."""

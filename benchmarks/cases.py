"""The limits: which operation of which variant may take how many times as long as what else."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import safemap
from benchmarks import loops, rivals
from benchmarks.contents import KEY_TYPES
from benchmarks.environment import GIL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.loops import Loop
    from benchmarks.rivals import Rival

VARIANTS: Final[Mapping[str, Any]] = {cls.__name__: cls for cls in safemap.KINDS.values()}


class Stage(IntEnum):
    """When an operation is measured: before those that leave the mappings, or the plain dict, in another state."""

    WHOLE = 0
    """About all items, in the order in which they were filled in."""
    KEYS = 1
    REMOVALS = 2
    """Leave the items in another order, and holes in the dicts, which makes `dict.copy` ten times as slow."""


class Operation(NamedTuple):
    """An operation of the contract, and the rival's."""

    label: str
    ours: Loop
    theirs: Loop
    empty: Loop = loops.over_keys
    stage: Stage = Stage.KEYS


class Case(NamedTuple):
    """One row of the table."""

    rival: Rival
    operation: Operation
    variant: str
    keys: str
    size: int
    limit: float | None

    def __str__(self) -> str:
        names = (self.rival.name, self.operation.ours.__name__, self.variant, self.keys, str(self.size))
        return "-".join(names).replace(" ", "_")


def limits(usual: float | None, **others: float | None) -> dict[str, float | None]:
    """Return each variant's limit."""
    return dict.fromkeys(VARIANTS, usual) | others


def same(label: str, loop: Loop, empty: Loop = loops.over_keys, stage: Stage = Stage.KEYS) -> Operation:
    """Return an operation that the rival has, too."""
    return Operation(label, loop, loop, empty, stage)


GETITEM = same("m[k]", loops.getitem)
GET = same("m.get(k)", loops.get)
CONTAINS = same("k in m", loops.contains)
SETITEM = same("m[k] = v", loops.setitem, loops.over_pairs)
SETDEFAULT = same("m.setdefault(k, v), hit", loops.setdefault, loops.over_pairs)
POP_AND_SET = same("m[k] = m.pop(k)", loops.pop_and_set, stage=Stage.REMOVALS)
DELETE_AND_SET = same("del m[k]; m[k] = v", loops.delete_and_set, loops.over_pairs, Stage.REMOVALS)
COMPARE_AND_SET = same("m.compare_and_set(k, m[k], v)", loops.compare_and_set, loops.over_pairs)
COMPARE_AND_DELETE = same(
    "m.compare_and_delete(k, m[k]); m[k] = v", loops.compare_and_delete, loops.over_pairs, Stage.REMOVALS
)
COMPUTE_OR_IN_PLACE = Operation("m.compute(k, f) / d[k] = f(d[k])", loops.compute, loops.compute_in_place)
MERGE_OR_IN_PLACE = Operation("m.merge(k, 1, add) / d[k] = add(d[k], 1)", loops.merge, loops.merge_in_place)
MERGE_OR_REDUCE = Operation("m.merge(k, 1, add) / m.reduce([(k, 1)], f)", loops.merge, loops.reduce_pair)
GETITEM_OR_UNDER_LOCK = Operation("m[k] / with lock: d[k]", loops.getitem, loops.getitem_under_lock)
LIST_KEYS = Operation("list(m)", loops.list_keys, loops.list_keys, stage=Stage.WHOLE)
LIST_ITEMS = Operation("list(m.items())", loops.list_items, loops.list_items, stage=Stage.WHOLE)
SNAPSHOT = Operation("m.snapshot() / d.copy()", loops.snapshot, loops.copy, stage=Stage.WHOLE)

READ = limits(2.0, RWLockMap=2.5)
WRITE = limits(2.0, RWLockMap=2.5, ReadDirtyMap=2.5, CopyOnWriteMap=3.0)
LISTED = limits(1.5, ReadDirtyMap=3.0)
WITH_GIL: Final = (
    (GETITEM, READ),
    (GET, READ),
    (CONTAINS, READ),
    (SETITEM, WRITE),
    (SETDEFAULT, limits(2.5)),
    (POP_AND_SET, limits(2.5)),
)
"""Against dict, where there is a GIL; elsewhere they are measured without a limit."""

SINGLE_KEY: Final = (
    GETITEM,
    GET,
    CONTAINS,
    SETITEM,
    SETDEFAULT,
    same("m.swap(k, v)", loops.swap, loops.over_pairs),
    COMPARE_AND_SET,
    same("m.compute(k, f)", loops.compute),
    same("m.compute_if_absent(k, f), hit", loops.compute_if_absent),
    same("m.compute_if_present(k, f)", loops.compute_if_present),
    same("m.merge(k, 1, add)", loops.merge),
    POP_AND_SET,
    DELETE_AND_SET,
    COMPARE_AND_DELETE,
)

TABLE: Final[Sequence[tuple[Rival, Operation, Mapping[str, float | None]]]] = (
    (rivals.DICT, LIST_KEYS, LISTED),
    (rivals.DICT, LIST_ITEMS, LISTED),
    (rivals.DICT, SNAPSHOT, {name: 1.5 for name, cls in VARIANTS.items() if cls.guarantees.snapshot == "O(n)"}),
    *((rivals.DICT, operation, bounds if GIL else limits(None)) for operation, bounds in WITH_GIL),
    (rivals.DICT, COMPUTE_OR_IN_PLACE, limits(2.0)),
    (rivals.DICT, MERGE_OR_IN_PLACE, limits(2.0)),
    (rivals.LOCK, GETITEM_OR_UNDER_LOCK, limits(0.5)),
    *(
        (rivals.ATOMIC, operation, {"ShardedMap": 0.8})
        for operation in (
            GETITEM,
            GET,
            SETITEM,
            COMPARE_AND_SET,
            same("len(m)", loops.length),
            MERGE_OR_REDUCE,
            DELETE_AND_SET,
        )
    ),
    *((rivals.RLOCK, operation, limits(1.3)) for operation in SINGLE_KEY),
)


def cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Return all rows, those that can share mappings one after the other."""
    for size in sizes:
        for keys in KEY_TYPES:
            for rival, operation, bounds in sorted(TABLE, key=lambda row: row[1].stage):
                for variant, limit in bounds.items():
                    yield Case(rival, operation, variant, keys, size, limit)

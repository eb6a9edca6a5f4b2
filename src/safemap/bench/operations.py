"""What threads do to a map: the operations that workloads are made of, and what each leaves behind.

A share of a workload's mix is named "operation" or "operation:source": what is done, and where its key comes
from. How an operation is written is each contestant's own matter (`contestants`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias

Effect: TypeAlias = Literal["none", "sets", "may set", "removes", "may remove", "counts", "empties"]
"""What an operation does to its key (`empties`: to the map). Those that "may" depend on what others did."""

Source: TypeAlias = Literal["there", "pool", "new", "absent"]
SOURCES: Final[tuple[Source, ...]] = ("there", "pool", "new", "absent")
"""Where keys come from.

there: the map holds it at first, and no operation of the workload takes it away
pool: one of twice as many keys as the map holds at first; half of them are there then
new: one that no other thread uses, and this one never before (until its script begins again)
absent: one that is never there
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do."""

    name: str
    about: str
    effect: Effect
    whole: bool = False
    """Whether it looks at the whole map, not at one key: it takes as long as the map is large."""


OPERATIONS: Final = {
    operation.name: operation
    for operation in (
        Operation("get", "m[k]", "none"),
        Operation("find", "m.get(k)", "none"),
        Operation("contains", "k in m", "none"),
        Operation("set", "m[k] = v", "sets"),
        Operation("swap", "set, and return the previous value", "sets"),
        Operation("delete", "m.pop(k, None)", "removes"),
        Operation("setdefault", "m.setdefault(k, v)", "may set"),
        Operation("compute_if_absent", "return the value, which a function makes if there is none", "may set"),
        Operation("compute", "add one to the value, by a function", "counts"),
        Operation("compare_and_set", "read the value, and set another one if it is still the same", "may set"),
        Operation("compare_and_delete", "read the value, and delete it if it is still the same", "may remove"),
        Operation("scan", "go through all items", "none", whole=True),
        Operation("scan_100", "go through a hundred items", "none", whole=True),
        Operation("snapshot", "an immutable copy of one moment", "none", whole=True),
        Operation("update", "set ten keys in one call", "sets"),
        Operation("length", "len(m)", "none"),
        Operation("clear", "remove everything", "empties", whole=True),
    )
}


@cache
def parse(share: str) -> tuple[Operation, Source]:
    """Return the operation and the source of keys that a share's name stands for.

    Raises ValueError, with one line for the user, where it names neither.

    >>> parse("set:pool")[1]
    'pool'
    """
    name, _, source = share.partition(":")
    if name not in OPERATIONS:
        message = f"unknown operation {name!r}; known are: {', '.join(OPERATIONS)}"
        raise ValueError(message)
    for known in SOURCES:
        if (source or "there") == known:
            return OPERATIONS[name], known
    message = f"unknown source of keys {source!r}; known are: {', '.join(SOURCES)}"
    raise ValueError(message)

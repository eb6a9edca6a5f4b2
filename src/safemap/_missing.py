"""The sentinel that stands for "no value". Imports nothing."""

from __future__ import annotations

import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal, TypeAlias


class Missing(enum.Enum):
    """The type of `MISSING`; its only member is the sentinel. It is false.

    Cost: O(1).
    Atomicity: good - it cannot change.
    Errors: none of its own.

    >>> bool(ShardedMap().swap("apples", 3, MISSING))
    False
    """

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> Literal[False]:
        return False


MISSING: Final = Missing.MISSING
"""No value: what an operation is given or gives back where a key is absent.

`None` is an ordinary value in every map, so absence needs a name of its own. A function that is
handed to `compute`, `compute_if_present` or `merge` returns `MISSING` to remove the key.
Do not store it: the compound operations would take the key for absent.
"""

if TYPE_CHECKING:
    MissingType: TypeAlias = Literal[Missing.MISSING]
else:
    MissingType = Missing


class Unset(enum.Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
"""An argument that was not passed, where `MISSING` itself could be."""

if TYPE_CHECKING:
    UnsetType: TypeAlias = Literal[Unset.UNSET]
else:
    UnsetType = Unset

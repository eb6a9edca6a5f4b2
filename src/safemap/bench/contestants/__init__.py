"""What is compared: safemap's maps, what else a program may use, and what packages add.

A package adds one by an entry point in the group "safemap.contestants", whose object is a `Contestant`:

    [project.entry-points."safemap.contestants"]
    my_map = "my_package.bench:CONTESTANT"
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import safemap
from safemap.bench.contestants.cereggii_atomic_dict import ATOMIC_DICT
from safemap.bench.contestants.contestant import CONTRACT, PLAIN, Contestant, locked
from safemap.bench.contestants.dict_with_lock import DICT_WITH_LOCK, DICT_WITH_RLOCK
from safemap.bench.contestants.dict_with_rwlock import DICT_WITH_RWLOCK
from safemap.bench.contestants.floor import NULL_MAP
from safemap.bench.contestants.ft_utils_concurrent_dict import CONCURRENT_DICT
from safemap.bench.contestants.manager_dict import MANAGER_DICT
from safemap.bench.contestants.plain_dict import PLAIN_DICT
from safemap.bench.contestants.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTRACT", "CONTROL", "PLAIN", "REFERENCE", "Contestant", "contestants", "locked"]

REFERENCE: Final = safemap.MutexMap.__name__
"""All are compared to this one: the mechanism that everybody would write first."""
CONTROL: Final = f"{REFERENCE} again"
"""The reference, run a second time in every block. What tells it from the reference can only be noise."""
GROUP: Final = "safemap.contestants"

OURS: Final = (
    *VARIANTS,
    PLAIN_DICT,
    DICT_WITH_LOCK,
    DICT_WITH_RLOCK,
    DICT_WITH_RWLOCK,
    ATOMIC_DICT,
    CONCURRENT_DICT,
    MANAGER_DICT,
    NULL_MAP,
)
_OURS: Final = {contestant.name: contestant for contestant in OURS}


class ContestantError(ValueError):
    """There is no such contestant, or it cannot be had. The message is for the user, on one line."""


@cache
def contestants() -> Mapping[str, Contestant]:
    """Return all contestants by name, those of other packages last. Raises ContestantError for a broken one."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes as long as importing all of safemap

    found = dict(_OURS)
    for entry in entry_points(group=GROUP):
        try:
            contestant = entry.load()
        except Exception as error:  # another package's code: it may raise anything
            message = f"the contestant {entry.value} of another package cannot be loaded: {error}"
            raise ContestantError(message) from error
        if not isinstance(contestant, Contestant) or contestant.name in {*found, CONTROL}:
            message = f"{entry.value} must be a Contestant with a name of its own"
            raise ContestantError(message)
        found[contestant.name] = contestant
    return found


def named(name: str) -> Contestant:
    """Return the contestant of a name; the control is the reference. Raises ContestantError for any other name."""
    name = REFERENCE if name == CONTROL else name
    if name in _OURS:
        return _OURS[name]
    known = contestants()
    try:
        return known[name]
    except KeyError:
        message = f"unknown contestant {name!r}; known are: {', '.join(known)}"
        raise ContestantError(message) from None

"""What is compared: the five variants, two baselines, and a control that shows the noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

import safemap

Table: TypeAlias = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One thing to measure. `make` returns a fresh one that holds the given items."""

    name: str
    role: Literal["variant", "baseline", "control"]
    """A verdict names variants only; baselines are shown; the control gives the noise and is not shown."""
    make: Callable[[Mapping[str, Any]], Table]
    updates: Literal["atomic", "under a lock", "not atomic"] = "atomic"
    """How one thread changes a value that it has looked at: with the map's own compound operations, with a
    lock written around each use, or not safely at all."""
    lacks: str = ""
    """What the reader has to know who would take a baseline for its speed."""


REFERENCE: Final = safemap.MutexMap.__name__
"""All are compared to this one: the mechanism that everybody would write first."""
CONTROL: Final = f"{REFERENCE} again"
"""The reference, run a second time in every block. What tells it from the reference can only be noise."""

VARIANTS: Final = tuple(
    Contestant(cls.__name__, "variant", partial(safemap.create, kind)) for kind, cls in safemap.KINDS.items()
)
BASELINES: Final = (
    Contestant(
        "dict",
        "baseline",
        dict,
        "not atomic",
        "no atomic compound operations (d[k] += 1 loses counts), and iteration may raise RuntimeError "
        "while another thread writes",
    ),
    Contestant(
        "dict + Lock in place",
        "baseline",
        dict,
        "under a lock",
        "every use has to be written under the lock, iteration included; one forgotten use is a race, "
        "and a callback that comes back to it hangs",
    ),
)
CONTESTANTS: Final = (
    *BASELINES,
    *VARIANTS,
    Contestant(CONTROL, "control", next(each.make for each in VARIANTS if each.name == REFERENCE)),
)

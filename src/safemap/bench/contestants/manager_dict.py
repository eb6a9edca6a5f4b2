"""`multiprocessing.Manager().dict()`: a dict in a process of its own, which others talk to through a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safemap.bench.contestants.contestant import PLAIN, Contestant

if TYPE_CHECKING:
    from collections.abc import Mapping

_MANAGERS: Final[dict[int, Any]] = {}
"""The manager of each dict, by its id: it ends when nobody knows it."""


def _make(items: Mapping[Any, Any]) -> Any:
    import multiprocessing  # noqa: PLC0415 - only where it is measured

    manager = multiprocessing.Manager()
    made = manager.dict(dict(items))
    _MANAGERS[id(made)] = manager
    return made


MANAGER_DICT: Final = Contestant(
    "Manager().dict()",
    "baseline",
    _make,
    PLAIN,
    atomic=False,
    lacks="it is for several processes; keys and values are pickled, and no compound operation is atomic",
    close=lambda m: _MANAGERS.pop(id(m)).shutdown(),
)

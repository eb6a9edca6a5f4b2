"""`ConcurrentDict` of the package ft_utils (Python 3.13 and later): dicts and locks, in C."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.contestants.contestant import CONTRACT, PLAIN, Contestant

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARED: Final = ("get", "find", "contains", "set", "delete", "setdefault", "update", "length", "clear")
_STATEMENTS: Final = {name: CONTRACT[name] for name in _SHARED} | {
    "swap": PLAIN["swap"],
    "compute_if_absent": PLAIN["compute_if_absent"],
    "compute": PLAIN["compute"],
    "compare_and_set": PLAIN["compare_and_set"],
    "scan": "for found in m.items():\n    pass",
    "snapshot": "found = m.as_dict()",
}


def _missing() -> str | None:
    try:
        import_module("ft_utils.concurrency")
    except ImportError:
        return "ft_utils is not installed"
    return None


def _make(items: Mapping[Any, Any]) -> Any:
    made = import_module("ft_utils.concurrency").ConcurrentDict()
    for key, value in items.items():
        made[key] = value
    return made


CONCURRENT_DICT: Final = Contestant(
    "ft_utils.ConcurrentDict",
    "baseline",
    _make,
    _STATEMENTS,
    atomic=False,
    lacks="no atomic compound operations: d[k] += 1 loses counts",
    missing=_missing,
    contents=lambda m: dict(m.as_dict()),
)

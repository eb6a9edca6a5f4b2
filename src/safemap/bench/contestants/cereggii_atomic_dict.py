"""`AtomicDict` of the package cereggii (free-threaded Python): a lock-free hash table, written in C.

Iterating over it asks that nobody writes meanwhile, so it has no scans here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.contestants.contestant import CONTRACT, Contestant

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATEMENTS: Final = {name: CONTRACT[name] for name in ("get", "find", "set", "length")} | {
    "contains": "found = m.get(key, NOT_FOUND) is not NOT_FOUND",
    "delete": "try:\n    del m[key]\nexcept KeyError:\n    pass",
    "setdefault": "try:\n    m.compare_and_set(key, NOT_FOUND, value)\nexcept ExpectationFailed:\n"
    "    found = m.get(key)",
    "compute": "m.reduce(((key, 1),), add)",
    "compare_and_set": "try:\n    m.compare_and_set(key, m[key], value)\nexcept ExpectationFailed:\n    pass",
}


def _missing() -> str | None:
    try:
        import_module("cereggii")
    except ImportError:
        return "cereggii is not installed"
    return None


def _make(items: Mapping[Any, Any]) -> Any:
    return import_module("cereggii").AtomicDict(dict(items))


def _names(_m: object) -> Mapping[str, Any]:
    cereggii = import_module("cereggii")
    not_found = cereggii.NOT_FOUND

    def add(_key: object, count: Any, more: Any) -> Any:
        return more if count is not_found else count + more

    return {"NOT_FOUND": not_found, "ExpectationFailed": cereggii.ExpectationFailed, "add": add}


ATOMIC_DICT: Final = Contestant(
    "cereggii.AtomicDict",
    "baseline",
    _make,
    _STATEMENTS,
    _names,
    lacks="less than half of dict, and no iteration while another thread writes",
    missing=_missing,
    contents=lambda m: dict(m.fast_iter()),
)

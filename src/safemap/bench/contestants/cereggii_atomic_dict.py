"""`AtomicDict` of the package cereggii (free-threaded Python): a lock-free hash table, written in C.

Iterating over it asks that nobody writes meanwhile, so it has no scans here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safemap.bench.contestants.contestant import CONTRACT, Contestant

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATEMENTS: Final = {name: CONTRACT[name] for name in ("get", "find", "set", "length")} | {
    "contains": "found = m.get(key, NOT_FOUND) is not NOT_FOUND",
    "delete": "try:\n    del m[key]\nexcept KeyError:\n    pass",
    "setdefault": "try:\n    m.compare_and_set(key, NOT_FOUND, value)\nexcept ExpectationFailed:\n    found = m.get(key)",
    "compute": "m.reduce(((key, 1),), add)",
    "compare_and_set": "try:\n    m.compare_and_set(key, m[key], value)\nexcept ExpectationFailed:\n    pass",
}


def _missing() -> str | None:
    try:
        import cereggii  # noqa: F401, PLC0415 # pyright: ignore
    except ImportError:
        return "cereggii is not installed"
    return None


def _make(items: Mapping[Any, Any]) -> Any:
    from cereggii import AtomicDict  # noqa: PLC0415 # pyright: ignore

    return AtomicDict(dict(items))


def _names(_m: object) -> Mapping[str, Any]:
    from cereggii import NOT_FOUND, ExpectationFailed  # noqa: PLC0415 # pyright: ignore

    def add(_key: object, count: Any, more: Any) -> Any:
        return more if count is NOT_FOUND else count + more

    return {"NOT_FOUND": NOT_FOUND, "ExpectationFailed": ExpectationFailed, "add": add}


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

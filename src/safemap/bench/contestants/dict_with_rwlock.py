"""A dict with the fair readers-writer lock of the package readerwriterlock around each use, in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safemap.bench.contestants.contestant import Contestant, locked

if TYPE_CHECKING:
    from collections.abc import Mapping

_READS: Final = frozenset({"get", "find", "contains", "scan", "scan_100", "snapshot", "length"})


def _names(_m: object) -> Mapping[str, Any]:
    from readerwriterlock.rwlock import RWLockFair  # noqa: PLC0415 - only where it is measured

    lock = RWLockFair()
    return {"read": lock.gen_rlock, "write": lock.gen_wlock}


DICT_WITH_RWLOCK: Final = Contestant(
    "dict + readerwriterlock",
    "baseline",
    dict,
    {**locked("with write():", without=_READS), **{name: locked("with read():")[name] for name in _READS}},
    _names,
    lacks="every use has to be written under the right lock; one forgotten use is a race, and going from the "
    "read lock to the write lock hangs",
)

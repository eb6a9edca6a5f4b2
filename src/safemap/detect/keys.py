"""What is kept for each key, and for how long.

A key of a builtin immutable type (`SIMPLE`, and tuples of them) may be kept beyond its removal from the dict:
nobody can tell. Then a removal can still race with a later insertion. Any other key is kept here only as long as
the dict has it too: put here before it is put into the dict, dropped here after it was removed from there. Reads
are noted under the hash of such a key, which keeps nothing alive.

Memory: the newest `KEYS` keys of a dict, and at most twice as many: two generations, of which the older one is
dropped.
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from safemap.detect.records import Update, Write

KEYS: Final = 10_000
"""Keys of a dict that are remembered at least: some 6 MB, if all of them are written by two threads."""

SIMPLE: Final = frozenset({str, int, float, bool, bytes, complex, type(None)})


def is_simple(key: object) -> bool:
    """Whether it makes no difference to the program that a key is kept."""
    return type(key) in SIMPLE or (type(key) is tuple and all(map(is_simple, key)))


def token(key: object) -> object:
    """Return what a thread's read of a key is noted under."""
    return key if is_simple(key) else (hash(key), "hash")


class History:
    """The newest writes and updates of one key, by thread and lockset."""

    __slots__ = ("updates", "writes")

    def __init__(self) -> None:
        self.writes: dict[object, Write] = {}
        self.updates: dict[object, Update] = {}


class Keys:
    """The histories of a dict's keys."""

    __slots__ = ("_turning", "old", "young")

    def __init__(self) -> None:
        self.young: dict[Any, History] = {}
        self.old: dict[Any, History] = {}
        self._turning = _thread.allocate_lock()  # never waited for

    def of(self, key: object) -> History:
        """Return a key's history; a new one if it has none.

        Only if it is not in `young`, where callers look first.
        """
        young = self.young
        history = young.setdefault(key, self.old.get(key) or History())
        if len(young) > KEYS and self._turning.acquire(blocking=False):
            if self.young is young:
                self.old, self.young = young, {}
            self._turning.release()
        return history

    def drop(self, key: object) -> None:
        """Forget a key that was removed from the dict, if it must not be kept."""
        if not is_simple(key):
            self.young.pop(key, None)
            self.old.pop(key, None)

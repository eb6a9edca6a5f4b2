"""What the maps are measured against."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.environment import COMPILED

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from cereggii import NOT_FOUND, AtomicDict
except ImportError:
    AtomicDict = NOT_FOUND = None


class RLockedDict:
    """What one writes by hand: a dict, and an RLock around every use of it."""

    def __init__(self, items):
        self._lock = RLock()
        self._dict = dict(items)

    def __getitem__(self, key):
        with self._lock:
            return self._dict[key]

    def get(self, key, default=None):
        with self._lock:
            return self._dict.get(key, default)

    def __contains__(self, key):
        with self._lock:
            return key in self._dict

    def __setitem__(self, key, value):
        with self._lock:
            self._dict[key] = value

    def __delitem__(self, key):
        with self._lock:
            del self._dict[key]

    def setdefault(self, key, default=None):
        with self._lock:
            return self._dict.setdefault(key, default)

    def pop(self, key):
        with self._lock:
            return self._dict.pop(key)

    def swap(self, key, value, default=None):
        with self._lock:
            previous = self._dict.get(key, default)
            self._dict[key] = value
            return previous

    def compare_and_set(self, key, expected, value):
        with self._lock:
            if self._dict[key] != expected:
                return False
            self._dict[key] = value
            return True

    def compare_and_delete(self, key, expected):
        with self._lock:
            if self._dict[key] != expected:
                return False
            del self._dict[key]
            return True

    def compute(self, key, function):
        with self._lock:
            value = self._dict[key] = function(self._dict[key])
            return value

    def compute_if_absent(self, key, factory):
        with self._lock:
            if key not in self._dict:
                self._dict[key] = factory(key)
            return self._dict[key]

    def compute_if_present(self, key, function):
        with self._lock:
            if key not in self._dict:
                return None
            value = self._dict[key] = function(self._dict[key])
            return value

    def merge(self, key, value, function):
        with self._lock:
            if key in self._dict:
                value = function(self._dict[key], value)
            self._dict[key] = value
            return value


class Rival(NamedTuple):
    """A kind of mapping, and why it is not measured here if it is not."""

    name: str
    make: Callable[[dict[Any, Any]], Any]
    missing: str | None = None


DICT = Rival("dict", dict)
LOCK = Rival("Lock in place", dict)
RLOCK = Rival(
    "RLock class", RLockedDict, "a limit of the plain-Python build; this is compiled" if COMPILED else None
)
ATOMIC = Rival("AtomicDict", AtomicDict, "cereggii is not installed here" if AtomicDict is None else None)

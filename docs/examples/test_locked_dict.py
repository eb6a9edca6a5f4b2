"""A dict behind a lock, as many programs have one, and the suite run on it."""

import threading
from collections.abc import MutableMapping

from safemap.testing.conformance import DICT, Conformance


class LockedDict(MutableMapping):
    """A dict behind a lock. What is not here, MutableMapping makes of what is."""

    def __init__(self, items=(), /, **named):
        self._lock = threading.Lock()
        self._dict = dict(items, **named)

    def __getitem__(self, key):
        with self._lock:
            return self._dict[key]

    def __setitem__(self, key, value):
        with self._lock:
            self._dict[key] = value

    def __delitem__(self, key):
        with self._lock:
            del self._dict[key]

    def __len__(self):
        with self._lock:
            return len(self._dict)

    def __iter__(self):
        with self._lock:
            return iter(list(self._dict))


ABSENT = {"fromkeys", "generic alias", "union", "reversed", "repr", "copy", "deepcopy", "pickle", "missing"}


class TestLockedDict(Conformance):
    make = LockedDict
    claims = DICT - ABSENT - {"subclass", "no attributes"} | {
        "threads",
        "safe iteration",
        "atomic setdefault",
        "atomic pop",
        "atomic popitem",
    }


class TestCallbacks(Conformance):
    make = LockedDict
    claims = {"iteration", "reentrant"}
    limit = 1  # second: what hangs, hangs at once

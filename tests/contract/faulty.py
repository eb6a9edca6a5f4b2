"""Maps with one fault each, and what they claim: `test_conformance_finds` sees that the suite finds it."""

from __future__ import annotations

import threading
from collections.abc import MutableMapping

from safemap.testing.conformance import DICT, Conformance

SINGLE_KEYS = frozenset({"construction", "in", "get", "len", "iteration", "views", "threads"})


class Locked(MutableMapping):
    """One lock around one dict. What is made of it below is wrong in one thing."""

    def __init__(self, items=(), /, **named):
        self.lock = threading.RLock()
        self.dict = dict(items, **named)

    def __getitem__(self, key):
        with self.lock:
            return self.dict[key]

    def __setitem__(self, key, value):
        with self.lock:
            self.dict[key] = value

    def __delitem__(self, key):
        with self.lock:
            del self.dict[key]

    def __iter__(self):
        with self.lock:
            return iter(list(self.dict))

    def __len__(self):
        with self.lock:
            return len(self.dict)

    def items(self):
        with self.lock:
            return self.dict.copy().items()


class TestSound(Conformance):
    """Nothing is wrong with this one."""

    make = Locked
    claims = SINGLE_KEYS - {"views"} | {"safe iteration"}


class TestPlainDict(Conformance):
    """`for key in m` raises when another thread has added a key."""

    make = dict
    claims = DICT | {"safe iteration"}


class SetsTwice(Locked):
    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = default
        return self[key]


class TestSetsTwice(Conformance):
    """Its `setdefault` checks, and then acts."""

    make = SetsTwice
    claims = {"setdefault", "iteration", "atomic setdefault"}


class ComputesTwice(Locked):
    def compute(self, key, function, default=None):
        while True:
            before = self.get(key)
            result = function(default if before is None else before)
            with self.lock:
                if self.get(key) is before:
                    self[key] = result
                    return result


class TestComputesTwice(Conformance):
    """Its `compute` calls the function again if another thread was faster."""

    make = ComputesTwice
    claims = {"compute", "iteration"}


class LosesUpdates(Locked):
    def compute(self, key, function, default=None):
        result = function(self.get(key, default))
        self[key] = result
        return result

    def merge(self, key, value, function):
        result = function(self[key], value) if key in self else value
        self[key] = result
        return result


class TestLosesUpdates(Conformance):
    """What another thread writes while a function runs is overwritten."""

    make = LosesUpdates
    claims = {"compute", "merge", "iteration"}


class HoldsItsLock(Locked):
    def __iter__(self):
        with self.lock:
            yield from self.dict


class TestHoldsItsLock(Conformance):
    """Its iteration holds the lock across a `yield`, where another thread may wait for it, and this one write."""

    make = HoldsItsLock
    claims = {"iteration", "safe iteration"}
    limit = 2.0


class PopsNothing(Locked):
    def pop(self, key, default=None):
        with self.lock:
            return self.dict.pop(key, default)


class TestPopsNothing(Conformance):
    """Its `pop` swallows the `KeyError`."""

    make = PopsNothing
    claims = {"pop", "iteration", "atomic pop"}


class UpdatesHalf(Locked):
    def update(self, items=(), /, **named):
        with self.lock:
            self.dict.update(items, **named)


class TestUpdatesHalf(Conformance):
    """What its `update` has done when something raises stays done."""

    make = UpdatesHalf
    claims = {"update", "iteration", "whole updates", "all or nothing", "all-at-once update"}


class Hangs(Locked):
    def __init__(self, items=(), /, **named):
        super().__init__(items, **named)
        self.lock = threading.Lock()


class TestHangs(Conformance):
    """Its lock is not re-entrant."""

    make = Hangs
    claims = {"iteration", "reentrant"}
    limit = 0.5


class KeepsWhatItHad(Locked):
    def __setitem__(self, key, value):
        with self.lock:
            self.last = self.dict.get(key)
            self.dict[key] = value


class TestKeepsWhatItHad(Conformance):
    """The value that was replaced last lives on."""

    make = KeepsWhatItHad
    claims = {"iteration", "lets go"}

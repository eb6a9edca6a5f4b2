"""A watched map keeps the contract, around every variant, while somebody listens to every write.

While nobody does, writes go to the inner map: that is tried around one that makes one step of a batch, and around
one that does not.
"""

from __future__ import annotations

import safemap
from safemap.testing.conformance import Conformance
from safemap.watch import WatchedMap


class WatchedMutexMap(WatchedMap):
    __slots__ = ()


class WatchedRWLockMap(WatchedMap):
    __slots__ = ()
    kind = safemap.RWLockMap


class WatchedShardedMap(WatchedMap):
    __slots__ = ()
    kind = safemap.ShardedMap


class WatchedCopyOnWriteMap(WatchedMap):
    __slots__ = ()
    kind = safemap.CopyOnWriteMap


class WatchedReadDirtyMap(WatchedMap):
    __slots__ = ()
    kind = safemap.ReadDirtyMap


class Heard:
    """A watched map that somebody listens to from its first moment on, so that every write is logged.

    But not to these keys: an event keeps its values until it is delivered, at a time that no test here knows.
    """

    __slots__ = ()

    def __new__(cls, *args, **named):
        self = super().__new__(cls, *args, **named)
        self.subscribe(lambda _: None, keys=["no key of any test"])
        return self


class HeardMutexMap(Heard, WatchedMutexMap):
    __slots__ = ()


class HeardRWLockMap(Heard, WatchedRWLockMap):
    __slots__ = ()


class HeardShardedMap(Heard, WatchedShardedMap):
    __slots__ = ()


class HeardCopyOnWriteMap(Heard, WatchedCopyOnWriteMap):
    __slots__ = ()


class HeardReadDirtyMap(Heard, WatchedReadDirtyMap):
    __slots__ = ()


class TestMutexMap(Conformance):
    make = WatchedMutexMap


class TestShardedMap(Conformance):
    make = WatchedShardedMap


class TestHeardMutexMap(Conformance):
    make = HeardMutexMap


class TestHeardRWLockMap(Conformance):
    make = HeardRWLockMap


class TestHeardShardedMap(Conformance):
    make = HeardShardedMap


class TestHeardCopyOnWriteMap(Conformance):
    make = HeardCopyOnWriteMap


class TestHeardReadDirtyMap(Conformance):
    make = HeardReadDirtyMap

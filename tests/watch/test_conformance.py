"""A watched map keeps the contract, around every variant: while nobody listens, and while somebody does."""

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


class TestMutexMap(Conformance):
    make = WatchedMutexMap


class TestRWLockMap(Conformance):
    make = WatchedRWLockMap


class TestShardedMap(Conformance):
    make = WatchedShardedMap


class TestCopyOnWriteMap(Conformance):
    make = WatchedCopyOnWriteMap


class TestReadDirtyMap(Conformance):
    make = WatchedReadDirtyMap

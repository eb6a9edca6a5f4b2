"""Every variant keeps the contract, and what of it is dict's own, dict keeps."""

from __future__ import annotations

import safemap
from safemap.testing.conformance import DICT, Conformance


class TestDict(Conformance):
    make = dict
    claims = DICT


class TestMutexMap(Conformance):
    make = safemap.MutexMap


class TestRWLockMap(Conformance):
    make = safemap.RWLockMap


class TestShardedMap(Conformance):
    make = safemap.ShardedMap


class TestCopyOnWriteMap(Conformance):
    make = safemap.CopyOnWriteMap


class TestReadDirtyMap(Conformance):
    make = safemap.ReadDirtyMap

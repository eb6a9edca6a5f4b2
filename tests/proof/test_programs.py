"""Small programs on real threads: what they saw must keep what the variant guarantees."""

from __future__ import annotations

import pytest

import safemap
from safemap.testing import Runner, programs
from safemap.testing.models import SINGLE_KEY


def whole(m):
    m._check()


def test_the_whole_contract(variant, effort):
    with Runner(variant, check=whole) as runner:
        effort.fuzz(runner)


def test_one_key(variant, effort):
    """More operations on one key than fit a program over everything."""
    with Runner(variant, check=whole) as runner:
        effort.fuzz(runner, programs(keys=["a"], calls=(3, 6), operations=tuple(SINGLE_KEY)))


@pytest.mark.parametrize("shards", [1, 2])
def test_few_shards(shards, effort):
    def make(items):
        return safemap.ShardedMap.configured(items, shards=shards)

    with Runner(make, check=whole) as runner:
        effort.fuzz(runner, programs(keys=[1, 2, 3]))


@pytest.mark.parametrize("policy", ["RWLockFair", "RWLockRead", "RWLockWrite"])
@pytest.mark.parametrize("own", [True, False], ids=["class", "instance"])
def test_policies_of_the_readers_writer_lock(policy, own, effort):
    from readerwriterlock import rwlock

    lock = getattr(rwlock, policy)

    def make(items):
        return safemap.RWLockMap.configured(items, lock=lock if own else lock())

    with Runner(make, check=whole) as runner:
        effort.fuzz(runner, programs(keys=["a", "b"]))

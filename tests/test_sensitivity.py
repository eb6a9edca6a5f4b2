"""The suite must see what it is for: with its locks taken away, each variant loses updates, and it shows."""

from __future__ import annotations

import contextlib
import sys
import time

import pytest

import safemap
from safemap.maps import read_dirty, sharded
from safemap.testing.threads import in_threads

pytestmark = pytest.mark.usefixtures("rapid_switching")


class NoLock:
    """Has every method of every lock here, and does nothing."""

    def __init__(self, *_args, **_options):
        self.first = self.key = None
        self.users = self.depth = 0
        self.data = {}
        self.partitions = ()
        self._closing = 0

    def acquire(self):
        pass

    release = acquire_read = release_read = leave = lock_all = unlock_all = acquire

    def acquire_for(self, _key):
        pass

    def acquire_within(self, _timeout):
        return True

    def enter(self, _timeout=None):
        return True

    def claim(self, _section, _key, _timeout=None):
        self.partition = self
        return self

    def _give_up(self, _claim, _held, _in_force):
        pass

    def known(self, _key):
        pass

    def is_mine(self):
        return True

    def listed(self):
        return []

    def forget_lost_owner(self):
        pass

    forget_lost_owners = forget_lost_owner


class NoShard(NoLock):
    """A shard without a lock."""

    quiet = False
    put = sharded.Shard.__dict__["put"] if not safemap.compiled else None


def without_locks(m, monkeypatch):
    """Replace the locks of a map by ones that do nothing."""
    for module in (sharded, read_dirty):
        monkeypatch.setattr(module, "acquire_for", lambda _lock, _key: None)
        monkeypatch.setattr(module, "release", lambda _lock: None)
    if isinstance(m, safemap.ShardedMap):
        shards = tuple(NoShard() for _ in m._shards)
        m._shards = shards
        m._section = NoLock()
        m._section.partitions = shards
    else:
        for name in {"_lock", "_section", "_commit"} & set(dir(m)):
            setattr(m, name, NoLock())
    return m


def compute(m):
    m["n"] = 0
    in_threads(*[lambda: [m.compute("n", lambda n: (time.sleep(0), n + 1)[1]) for _ in range(300)]] * 4)
    assert m["n"] == 1200


def once(m):
    calls = []
    in_threads(
        *[lambda: m.compute_if_absent("k", lambda _: (calls.append(1), time.sleep(0.01), len(calls))[2])] * 4
    )
    assert len(calls) == 1


def locked(m):
    m["n"] = 0

    def work():
        for _ in range(100):
            with m.locked():
                n = m["n"]
                time.sleep(0)
                m["n"] = n + 1

    in_threads(*[work] * 4)
    assert m["n"] == 400


def entry(m):
    m["n"] = 0

    def work():
        for _ in range(200):
            with m.entry("n") as held:
                n = held.value
                time.sleep(0)
                held.value = n + 1

    in_threads(*[work] * 4)
    assert m["n"] == 800


class Value(int):
    """A value whose comparison lets other threads run."""

    __hash__ = int.__hash__

    def __eq__(self, other):
        time.sleep(0)
        return int(self) == int(other)


def deleted(m):
    m.update({i: Value(i) for i in range(100)})
    taken = in_threads(*[lambda: [m.compare_and_delete(i, Value(i)) for i in range(100)]] * 4)
    assert [sum(each) for each in zip(*taken, strict=True)] == [1] * 100


RACES = [compute, once, locked, entry, deleted]


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_passes_with_locks(variant, race):
    race(variant())


@pytest.mark.skipif(
    safemap.compiled, reason="a compiled map's locks cannot be replaced; its source is the plain one"
)
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_fails_without_locks(variant, race, monkeypatch):
    for _ in range(20):
        sys.setswitchinterval(1e-6)
        m = without_locks(variant(), monkeypatch)
        try:
            race(m)
        except (AssertionError, KeyError):
            return
        with contextlib.suppress(Exception):
            m.clear()
    raise AssertionError("20 runs without a lock, and the race was not noticed")

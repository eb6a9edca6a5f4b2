"""Several threads write: every subscriber gets every change of a key, once, in the order of the commits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import safemap
from safemap.testing.threads import in_threads
from safemap.watch import WatchedMap
from tests.watch.load import faults_under_load
from tests.watch.support import WAIT, Replica

ROUNDS = 4_000 if safemap.compiled else 2_000


def test_replicas_are_exact(variant):
    m = WatchedMap(variant(a=0))
    assert faults_under_load(m, ROUNDS) == []
    m._check()
    m.close(WAIT)


def test_those_who_come_later_begin_without_a_gap(variant):
    m = WatchedMap(variant(a=0))
    assert faults_under_load(m, ROUNDS, initial=True) == []
    m.close(WAIT)


def test_all_subscribers_hear_the_same(variant, rapid_switching):
    m = WatchedMap(variant())
    heard = [[], []]
    for each in heard:
        m.subscribe(each.append)
    watched = m.watch()
    in_threads(*(lambda i=i: [m.__setitem__((i, n % 3), n) for n in range(300)] for i in range(3)))
    m.close(WAIT)
    assert [event.sequence for event in heard[0]] == list(range(1, 901))
    assert heard[0] == heard[1] == list(watched)
    for i in range(3):
        assert [event.new for event in heard[0] if event.key[0] == i] == list(range(300)), "none lost, none twice"


@pytest.mark.parametrize("limit", [1, 5])
def test_one_that_begins_again_and_again_is_exact_in_the_end(variant, limit):
    m = WatchedMap(variant(a=0))
    replica = Replica()
    slow = m.subscribe(replica, initial=True, limit=limit)
    assert faults_under_load(m, ROUNDS) == []
    assert replica.wrong == []
    assert replica.contents == m.to_dict()
    assert slow.lost > 0
    m.close(WAIT)


def test_writers_pause_while_the_distributor_is_behind(monkeypatch):
    """So what is on its way stays short, however many write. Who holds a key does not pause."""
    pauses = []
    monkeypatch.setattr("safemap.watch.log.time", SimpleNamespace(sleep=pauses.append))
    m = WatchedMap(safemap.ShardedMap())
    events = m.watch()
    m._log._turn["whose"] = "another thread, which is slow"
    for n in range(1_010):
        m["n"] = n
    assert pauses == [0.001] * 10
    with m.entry("held"):
        m["n"] = 1_010
    assert len(pauses) == 11, "one, at the end of the block"
    m._log._turn.clear()
    m["n"] = 1_011
    m.close()
    assert [event.new for event in events] == list(range(1_012))
    assert not m._log.entries

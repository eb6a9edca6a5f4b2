"""The tests of the order find what is wrong: maps with one fault each."""

from __future__ import annotations

import time

import pytest

import safemap
from safemap import MISSING
from safemap.watch import WatchedMap
from safemap.watch.log import Log
from tests.watch.load import faults_under_load
from tests.watch.support import WAIT


class TellsAfterTheSection(WatchedMap):
    """Its events are logged when the key is free again: another write can come between."""

    __slots__ = ()

    def _store(self, key, value):
        old = self._inner.swap(key, value, MISSING)
        time.sleep(0)  # where another thread may come; it comes without that, too, but not in every run
        self._tell(key, old, value)
        self._distribute()

    __setitem__ = _store


class BeginsOutsideASection(WatchedMap):
    """Takes the initial contents while others are in the middle of a write."""

    __slots__ = ()

    def _begin_at(self, mailbox, *, initial):
        contents = self._inner.snapshot() if initial else {}
        time.sleep(0)
        self._append(self._log.begin(mailbox, contents))
        self._log.distribute()


class UpdatesOutsideASection(WatchedMap):
    """Tells of an `update` as one who looks before and after."""

    __slots__ = ()

    def _update(self, staged):
        before = {key: self._inner.get(key, MISSING) for key in staged}
        time.sleep(0)
        self._inner.update(staged)
        for key, value in staged.items():
            self._tell(key, before[key], value)
        self._distribute()


class EverybodysTurn(Log):
    """Several threads distribute at once."""

    def distribute(self):
        while self._next() is not None:
            try:
                entry = self.entries.popleft()
            except IndexError:
                return
            time.sleep(0)
            self._deal_with(entry)


class Distributes(WatchedMap):
    """Numbers and delivers in several threads."""

    __slots__ = ()

    def _configure(self, *, inner=None):
        super()._configure(inner=inner)
        self._log = EverybodysTurn()


FAULTY = [TellsAfterTheSection, BeginsOutsideASection, UpdatesOutsideASection, Distributes]


@pytest.mark.parametrize("faulty", FAULTY)
def test_a_fault_is_found(faulty):
    for _ in range(40):
        m = faulty(safemap.ShardedMap(a=0))
        found = faults_under_load(m, 200, initial=faulty is BeginsOutsideASection)
        m.close(WAIT)
        if found:
            return
    raise AssertionError("not found")

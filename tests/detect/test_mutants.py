"""Faulty checkers: each must fail one of the programs. A program that no fault fails would prove nothing."""

from __future__ import annotations

import itertools

import pytest

from safemap import detect
from safemap.detect import edges, history, keys, locks, threads, walking
from tests.detect.correct import correct
from tests.detect.racy import racy

MUTANTS = {}


def mutant(name, *programs):
    """A fault, and the programs that show it, each of them."""

    def add(function):
        MUTANTS[name] = (function, programs)
        return function

    return add


@mutant("locks count for nothing", "common_lock", "lock_for_each_key", "several_locks_one_in_common")
def _(patch):
    patch.setattr(threads.ThreadState, "hold", lambda self, lock, number: None)


@mutant("everything is guarded", "increments", "two_locks", "could_iterate_while_another_inserts")
def _(patch):
    class Guarded(frozenset):
        def isdisjoint(self, other):
            return False

    patch.setattr(threads, "NOTHING", Guarded())
    patch.setattr(
        locks.Identity, "alone", property(lambda self: Guarded((self,)), lambda self, value: None), raising=False
    )


@mutant("any lock guards, the same or another", "two_locks")
def _(patch):
    one = frozenset(("a lock",))
    original = threads.ThreadState.hold

    def hold(self, lock, number):
        original(self, lock, number)
        self.locks = one

    patch.setattr(threads.ThreadState, "hold", hold)


@mutant("a lock that was released in between still guards", "lock_is_released_between_read_and_write")
def _(patch):
    patch.setattr(history, "held_through", lambda before, now: frozenset(before) & frozenset(now))


@mutant("a lock's acquisition orders what its release was before", "lock_is_forgotten_once")
def _(patch):
    original = locks.Lock.release

    def release(self):
        locks.publish_in(self)
        original(self)

    patch.setattr(locks.Lock, "release", release)


@mutant(
    "nothing happens before anything", "started_then_joined", "event_hands_over", "handed_over_through_a_queue",
    "published_then_only_read", "pool_returns_results", "phases_between_barriers", "lock_as_a_signal",
)  # fmt: skip
def _(patch):
    patch.setattr(threads.Box, "take", lambda self: None)


@mutant("everything happened before", "checks_then_inserts", "two_threads_assign", "iterates_backwards")
def _(patch):
    patch.setattr(threads.ThreadState, "has_seen", lambda self, number, epoch: True)


@mutant("epochs stand still", "event_is_set_too_early")
def _(patch):
    def publish(self):
        return {**self.clock, self.number: self.epoch}

    patch.setattr(threads.ThreadState, "publish", publish)


@mutant("the end of a thread is not told", "one_thread_waits_until_another_is_not_alive")
def _(patch):
    original = edges.box_of
    patch.setattr(edges, "box_of", lambda thing: threads.Box() if hasattr(thing, "daemon") else original(thing))


@mutant("the write's own moment is what counts of an update", "update_is_lost_between_events")
def _(patch):
    original = history.Check._judge_update

    def judge(self, checked, update, clock, key):
        original(self, checked, update, threads.here.state.clock, key)

    patch.setattr(history.Check, "_judge_update", judge)


@mutant("a write never belongs to a read", "increments", "lock_is_released_between_read_and_write")
def _(patch):
    patch.setattr(history, "belongs", lambda read, frame, state: False)


@mutant("a write belongs to a read of its own function alone", "accessors_lock_each_for_itself",
        "helper_writes_what_its_caller_looked_for")  # fmt: skip
def _(patch):
    patch.setattr(history, "belongs", lambda read, frame, state: read[0] == id(frame))


@mutant("a write belongs to any read that its caller made", "read_here_and_written_there")
def _(patch):
    patch.setattr(history, "belongs", lambda read, frame, state: read[1] == id(frame.f_back))


@mutant("a read that does not lead to a write is no reason", "checks_then_inserts", "key_is_a_tuple")
def _(patch):
    patch.setattr(history.Check, "_judge_read", lambda self, *args: None)


@mutant("what is decided in one step counts as deciding on a read", "computed_outside_then_setdefault")
def _(patch):
    original = history.Check.write
    patch.setattr(
        history.Check, "write", lambda self, *args, claim=False, decided=False: original(self, *args, claim=claim)
    )


@mutant("claims are writes like others", "setdefault_by_all", "items_are_claimed")
def _(patch):
    original = history.Check.write
    patch.setattr(
        history.Check,
        "write",
        lambda self, *args, claim=False, decided=False: original(self, *args, decided=decided),
    )


@mutant("only what is met in the middle of an iteration counts", "could_iterate_while_another_inserts")
def _(patch):
    patch.setattr(history.Check, "_judge_walk", lambda self, walk, state: None)
    patch.setattr(history.Check, "_record", lambda self, write, slot, state, key: setattr(self, "last", write))


@mutant("what is met in the middle of an iteration does not count", "iterates_while_another_inserts")
def _(patch):
    patch.setattr(history.Check, "step", lambda self, walk, state: None)


@mutant("an iteration keeps the locks that it began with", "generator_outlives_its_lock")
def _(patch):
    patch.setattr(history, "held_through", lambda before, now: frozenset(before))


@mutant("a copy is an iteration", "one_writer_and_snapshot_readers")
def _(patch):
    steps = itertools.count()
    patch.setattr(walking, "where", lambda frame: (next(steps), 0))


@mutant("whatever repeats is passed over", "event_is_set_too_early")
def _(patch):
    patch.setattr(history, "same", lambda last, state, frame: True)


@mutant("a dict has one history for all its keys", "lock_for_each_key", "each_thread_its_own_key")
def _(patch):
    one = {}

    class All(dict):
        def get(self, key, default=None):
            return one.setdefault(id(self), keys.History())

    original = keys.Keys.__init__

    def init(self):
        original(self)
        self.young = All()

    patch.setattr(keys.Keys, "__init__", init)


def results(names):
    """Return which of the programs have an outcome other than they should."""
    wrong = set()
    for name in names:
        detect.forget()
        try:
            with detect.watching():
                (racy.get(name) or correct[name])()
        except RuntimeError:  # "changed size during iteration": a checker that tears apart what is one step
            wrong.add(name)
            continue
        kinds = {report.kind for report in detect.reports()}
        if racy.kinds[name] not in kinds if name in racy else kinds:
            wrong.add(name)
    detect.forget()
    return wrong


@pytest.mark.parametrize("name", MUTANTS)
def test_a_faulty_checker_is_found_out(name, monkeypatch):
    fault, programs = MUTANTS[name]
    assert results(programs) == set()
    fault(monkeypatch)
    wrong = set()
    for _ in range(5):  # what one thread does right before the checker's eyes, it may see all the same
        wrong |= results(programs)
        if wrong == set(programs):
            break
    assert wrong == set(programs)

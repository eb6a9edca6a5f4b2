"""The locks under schedules that are decided line by line: exclusion, hand-over, no lost waking, deadlocks found.

The field locks are those of compiled maps. As plain text they can be explored too: what is one step when compiled
(between `enter` and `leave`, and the functions on single words) is one step for the scheduler.
"""

from __future__ import annotations

import threading
import time

import pytest

import safemap
from safemap import DeadlockError
from safemap.sync import field_lock, field_rwlock, rwlock
from safemap.sync.field_lock import FieldRLock
from safemap.sync.field_rwlock import FieldRWLock
from safemap.sync.lock import Lock
from safemap.sync.rwlock import RWLock
from safemap.testing import Explorer, Scenario

pytestmark = pytest.mark.skipif(safemap.compiled, reason="compiled code has no lines at which to switch threads")

# One step each when compiled: see the `.pxd` files.
STEPS = [
    getattr(module, name)
    for module, names in {
        field_lock: ["take", "take_if_free", "release", "owner", "set_owner", "waiting", "set_waiting"],
        field_rwlock: ["read_at_once", "end_read_at_once", "write_at_once", "end_write_at_once"],
    }.items()
    for name in names
    if hasattr(module, name)
]


class Room:
    """Who is inside: writers alone, or readers together."""

    def __init__(self):
        self.readers = self.writers = self.visits = 0

    def read(self):
        self.readers += 1
        assert not self.writers, "a reader met a writer"
        self.visits += 1
        self.readers -= 1

    def write(self):
        self.writers += 1
        assert self.writers == 1, "two writers met"
        assert not self.readers, "a writer met a reader"
        self.visits += 1
        self.writers -= 1


def exclusion(take, release, make, threads=3, again=False):
    """Each thread is alone inside, and all get there. The room's lines are points, too."""

    def scenario():
        lock, room = make(), Room()

        def visit():
            take(lock)
            if again:
                take(lock)
                release(lock)
            room.write()
            release(lock)

        def check():
            assert room.visits == threads

        return Scenario([visit] * threads, check)

    return scenario


def test_field_lock(effort):
    scenario = exclusion(field_lock.take, field_lock.release, FieldRLock)
    effort.explore(Explorer(scenario, traced=[field_lock, Room], untraced=STEPS))


def test_field_lock_held_twice(effort):
    scenario = exclusion(field_lock.take, field_lock.release, FieldRLock, threads=2, again=True)
    effort.explore(Explorer(scenario, traced=[field_lock, Room], untraced=STEPS))


def test_field_lock_given_to_one_that_starves(effort, monkeypatch):
    monkeypatch.setattr(field_lock, "TRIES", 1)

    def scenario():
        lock, room = FieldRLock(), Room()

        def visit(times):
            for _ in range(times):
                field_lock.take(lock)
                room.write()
                field_lock.release(lock)

        def check():
            assert room.visits == 6
            assert field_lock.owner(lock) == 0

        return Scenario([lambda: visit(3), lambda: visit(2), lambda: visit(1)], check)

    effort.explore(Explorer(scenario, traced=[field_lock, Room], untraced=STEPS))


def test_field_lock_with_timeouts(effort):
    """One gives up at the moment at which it is woken: whoever comes after it is woken instead."""

    def scenario():
        lock, room, queued = FieldRLock(), Room(), threading.Event()

        def hold():
            field_lock.take(lock)
            queued.wait()
            field_lock.release(lock)

        def give_up():
            if field_lock.take(lock, True, 0.001):
                room.write()
                field_lock.release(lock)

        def wait():
            queued.set()
            field_lock.take(lock)
            room.write()
            field_lock.release(lock)

        def check():
            assert room.visits in {1, 2}
            assert field_lock.take(lock, False), "nobody has it in the end"

        return Scenario([hold, give_up, wait], check)

    effort.explore(Explorer(scenario, traced=[field_lock, Room], untraced=STEPS), times=20)


def test_plain_lock(effort):
    scenario = exclusion(Lock.acquire, Lock.release, Lock)
    effort.explore(Explorer(scenario, traced=[Lock, Room]))


def package_lock(name):
    from readerwriterlock import rwlock as package

    policy = getattr(package, name)
    return lambda: RWLock(policy(), policy)


RW_LOCKS = {
    "field, fair": (lambda: FieldRWLock("fair"), [field_rwlock]),
    "field, readers first": (lambda: FieldRWLock("readers"), [field_rwlock]),
    "field, writers first": (lambda: FieldRWLock("writers"), [field_rwlock]),
    "package, fair": (package_lock("RWLockFair"), [rwlock]),
    "package, readers first": (package_lock("RWLockRead"), [rwlock]),
    "package, writers first": (package_lock("RWLockWrite"), [rwlock]),
}


@pytest.fixture(params=RW_LOCKS)
def rw_lock(request):
    return RW_LOCKS[request.param]


def test_readers_and_writers(rw_lock, effort):
    make, modules = rw_lock

    def scenario():
        lock, room = make(), Room()

        def read():
            lock.acquire_read()
            room.read()
            lock.release_read()

        def write():
            lock.acquire()
            room.write()
            lock.release()

        moments = set()

        def timed(visit):
            return lambda: (moments.add(time.monotonic()), visit(), moments.add(time.monotonic()))

        def check():
            assert room.visits == 3
            assert len(moments) == 1, "time has passed: a thread was not woken, and found out by itself"
            lock.acquire()
            lock.release()

        return Scenario([timed(read), timed(write), timed(read)], check)

    effort.explore(Explorer(scenario, traced=[*modules, Room], untraced=STEPS, early_timeouts=False))


def test_hand_over_among_writers_and_readers(rw_lock, effort):
    make, modules = rw_lock

    def scenario():
        lock, room = make(), Room()

        def write():
            for _ in range(2):
                lock.acquire()
                room.write()
                lock.release()

        def read():
            lock.acquire_read()
            lock.acquire_read()
            room.read()
            lock.release_read()
            lock.release_read()

        def check():
            assert room.visits == 5

        return Scenario([write, read, write], check)

    effort.explore(Explorer(scenario, traced=[*modules, Room], untraced=STEPS))


def test_two_readers_who_want_to_write(rw_lock, effort):
    make, modules = rw_lock

    def scenario():
        lock, room = make(), Room()

        def upgrade():
            lock.acquire_read()
            lock.acquire()
            room.write()
            lock.release()
            lock.release_read()

        def check():
            assert room.visits == 2

        return Scenario([upgrade, upgrade], check)

    effort.explore(Explorer(scenario, traced=[*modules, Room], untraced=STEPS))


def test_upgrades_that_take_too_long(rw_lock, effort):
    make, modules = rw_lock

    def scenario():
        lock, room = make(), Room()

        def upgrade():
            lock.acquire_read()
            if lock.acquire_within(0.001):
                room.write()
                lock.release()
            else:
                assert threading.get_ident() in list(lock.owners()), "it reads no longer"
            room.read()
            lock.release_read()

        def read():
            lock.acquire_read()
            room.read()
            lock.release_read()

        def check():
            assert room.visits in {2, 3}
            assert not list(lock.owners())

        return Scenario([upgrade, read, lambda: exclusive(lock, room)], check)

    def exclusive(lock, room):
        lock.acquire()
        room.write()
        room.visits -= 1
        lock.release()

    effort.explore(Explorer(scenario, traced=[*modules, Room], untraced=STEPS), times=10)


def circle(makes):
    """Each thread holds its lock and wants the next one's: some victim gets an error, and the others go on."""

    def scenario():
        locks = [make() for make in makes]
        ends = []

        def work(number):
            locks[number].acquire()
            try:
                following = locks[(number + 1) % len(locks)]
                following.acquire()
                following.release()
                ends.append("done")
            except DeadlockError:
                ends.append("victim")
                threading.Event().wait(1)  # for what it keeps, the others wait in vain meanwhile
            finally:
                locks[number].release()

        def check():
            assert len(ends) == len(locks)
            assert ends.count("victim") <= 1, ends
            for lock in locks:
                lock.acquire()
                lock.release()

        return Scenario([lambda n=n: work(n) for n in range(len(locks))], check)

    return scenario


@pytest.mark.parametrize("number", [2, 3])
def test_deadlocks_are_found(number, effort):
    victims = []
    scenario = circle([Lock] * number)

    def counted():
        made = scenario()

        def check():
            made.check()
            victims.append(1)

        return Scenario(made.threads, check)

    effort.explore(Explorer(counted))
    assert victims


def test_deadlocks_among_locks_of_different_kinds(effort):
    makes = [Lock, package_lock("RWLockFair"), lambda: FieldRWLock("fair")]
    effort.explore(Explorer(circle(makes)))

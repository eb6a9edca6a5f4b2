"""What the maps lean on in the interpreter."""

from __future__ import annotations

import threading
from _thread import RLock

from safemap.sync.lock import Lock
from tests.support import in_threads


def test_the_repr_of_a_lock_names_its_owner():
    lock = Lock()
    assert lock.owners() == ()
    lock.acquire()
    assert lock.owners() == (threading.get_ident(),)
    assert in_threads(lock.owners) == [(threading.get_ident(),)]
    lock.release()
    assert lock.owners() == ()


def test_rlock_has_what_lock_uses():
    for name in ("_is_owned", "_release_save", "_acquire_restore", "_at_fork_reinit"):
        assert hasattr(RLock, name)


def test_a_dicts_copy_is_atomic(rapid_switching):
    """With one key always there, and one of two others: a copy has two keys, never one or three."""
    data = {"stays": 0, "a": 0}
    stop = threading.Event()

    def writer():
        while not stop.is_set():
            data["b"] = data.pop("a")
            data["a"] = data.pop("b")

    def reader():
        try:
            for _ in range(20_000):
                assert 1 <= len(data.copy()) <= 2
                assert 1 <= len(list(data)) <= 2
        finally:
            stop.set()

    in_threads(writer, reader)


def test_lock_is_reentrant_times_out_and_detects_deadlocks():
    lock = Lock()
    with lock, lock:
        assert lock.is_mine()
        assert in_threads(lambda: lock.acquire_within(0.05)) == [False]
        assert in_threads(lambda: lock.acquire_within(0)) == [False]

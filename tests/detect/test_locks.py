"""The locks that are put in the place of `threading`'s behave as those do; what is patched can be put back."""

from __future__ import annotations

import concurrent.futures
import queue
import threading
import weakref

import pytest

from safemap import detect
from safemap.detect import patches
from safemap.detect.threads import here
from safemap.testing.threads import in_other_thread, in_threads


@pytest.fixture(autouse=True)
def watching():
    with detect.watching():
        yield


@pytest.mark.parametrize("cls", [detect.Lock, detect.RLock])
def test_a_lock_is_a_lock(cls):
    lock = cls()
    assert "unlocked" in repr(lock) and not lock.locked()
    with lock as taken:
        assert taken is True
        assert lock.locked() and repr(lock).startswith("<locked")
        assert in_other_thread(lambda: lock.acquire(blocking=False)) is False
        assert in_other_thread(lambda: lock.acquire(timeout=0.001)) is False
        assert here.state.locks == {lock.identity}
    assert not lock.locked() and not here.state.locks
    assert lock.acquire(True, 1)
    lock.release()
    with pytest.raises(RuntimeError):
        lock.release()
    with pytest.raises(ZeroDivisionError), lock:
        1 / 0
    assert not lock.locked() and not here.state.locks
    assert weakref.ref(lock)() is lock


def test_an_rlock_is_reentrant_and_its_owners():
    lock = detect.RLock()
    with lock, lock:
        assert lock._is_owned() and lock._recursion_count() == 2
        lock.release()
        assert here.state.locks
        with pytest.raises(RuntimeError):
            in_other_thread(lock.release)
        assert in_other_thread(lock._recursion_count) == 0
        lock.acquire()
    assert not here.state.locks


def test_a_lock_that_another_thread_releases_is_held_no_more():
    lock, other = detect.Lock(), detect.Lock()
    lock.acquire()
    in_other_thread(lock.release)
    assert not lock.locked()
    with other:
        assert here.state.locks == {other.identity}
        with lock:
            assert here.state.locks == {other.identity, lock.identity}


@pytest.mark.parametrize("make", [threading.Condition, lambda: threading.Condition(threading.Lock())])
def test_a_condition_lets_go_of_what_it_holds(make):
    with detect.watching():
        condition = make()
    seen = []

    def wait():
        with condition:
            with condition if isinstance(condition._lock, detect.RLock) else detect.Lock():
                seen.append(here.state.locks)
                assert condition.wait_for(lambda: len(seen) > 1, 30)
                seen.append(here.state.locks)

    def notify():
        while True:
            with condition:
                if seen:
                    seen.append(here.state.locks)
                    condition.notify_all()
                    return

    in_threads(wait, notify)
    assert seen[0] == seen[2] and seen[1] <= seen[0] and seen[1]


def test_what_is_made_while_watching():
    assert type(threading.Lock()) is detect.Lock
    assert type(threading.RLock()) is detect.RLock
    assert isinstance(threading.Lock(), threading.Lock)
    assert type(threading.Condition()._lock) is detect.RLock
    for inside in (
        threading.Event()._cond._lock,
        threading.Semaphore()._cond._lock,
        threading.Barrier(1)._cond._lock,
        queue.Queue().mutex,
        concurrent.futures.Future()._condition._lock,
    ):
        assert not isinstance(inside, (detect.Lock, detect.RLock))
    assert f"{__file__}".endswith(threading.Lock().identity.code.co_filename[-10:])


def test_what_was_patched_is_put_back():
    def seen():
        return [getattr(place, name) for place, name in places]

    while patches._wanted:
        detect.unwatch()
    with pytest.raises(RuntimeError):
        detect.unwatch()
    detect.watch()
    places = [(place, name) for place, name, _ in patches._originals]
    during = seen()
    detect.watch()
    assert seen() == during
    lock = threading.Lock()
    detect.unwatch()
    assert seen() == during
    detect.unwatch()
    after = seen()
    assert not set(map(id, during)) & set(map(id, after))
    assert type(threading.Lock()) is not detect.Lock
    with lock:
        assert here.state.locks == {lock.identity}
    detect.CheckedDict()
    assert seen() != after
    detect.CheckedDict()
    assert patches._wanted == 1


def test_threads_are_as_before():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert "run" not in vars(thread)
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        thread.start()
    with pytest.raises(RuntimeError, match="cannot join current thread"):
        threading.current_thread().join()

    class Unmade(threading.Thread):
        def __init__(self):
            pass

    with pytest.raises(RuntimeError, match="not called"):
        Unmade().start()
    ended = weakref.ref(thread)
    del thread
    assert ended() is None


def test_what_others_raise_comes_through():
    future = concurrent.futures.Future()
    future.set_exception(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        future.result()
    with pytest.raises(queue.Empty):
        queue.SimpleQueue().get_nowait()
    with pytest.raises(queue.Empty):
        queue.SimpleQueue().get(timeout=0.001)
    with pytest.raises(queue.Full):
        jobs = queue.Queue(1)
        jobs.put(1)
        jobs.put_nowait(2)
    simple = queue.SimpleQueue()
    simple.put_nowait(1)
    assert simple.qsize() == 1 and simple.get() == 1
    with pytest.raises(ValueError):
        threading.BoundedSemaphore().release()
    assert not threading.Semaphore(0).acquire(blocking=False)
    assert not threading.Event().wait(0)
    with threading.Semaphore(2) as taken:
        assert taken

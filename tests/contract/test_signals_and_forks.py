"""Exceptions from outside, and threads that end: no lock stays held. See also tests/faults."""

from __future__ import annotations

import ctypes
import random
import sys
import threading
import time

import pytest

import safemap
from safemap.testing.threads import in_other_thread


class Interrupted(BaseException):
    """What is thrown into a thread."""


def throw_into(thread):
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Interrupted))


def test_exceptions_from_outside_leave_no_lock_held(variant):
    """Thrown at random moments into a thread that uses the operations on single keys.

    Those that run a function, and those that look at the whole, release in plain Python, at whose start an
    exception can come: see sync/lock.py.
    """
    if variant.tag == "rwlock":
        pytest.skip("the package's lock is plain Python and can be left half taken (see sync/rwlock.py)")
    m = variant({i: 0 for i in range(20)})
    chance = random.Random(1)
    inside = threading.Event()

    def work():
        try:
            inside.set()
            while True:
                for i in range(20):
                    m[i] = i
                    m.get(i)
                    m.setdefault(i, i)
                    m.swap(i, i)
                    m.pop(i, None)
                    i in m
        except Interrupted:
            pass

    for _ in range(120):
        inside.clear()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        assert inside.wait(20)
        time.sleep(chance.random() * 0.004)
        throw_into(thread)  # once: a second one could come when the first has ended the loop already
        thread.join(20)
        assert not thread.is_alive()
        in_other_thread(lambda: [m.compute(i, lambda v: v, 0) for i in range(20)] and m.clear(), timeout=20)
    assert len(m) == len(m.to_dict()) == 0


def test_a_thread_that_ends_inside_a_function_lets_go(variant):
    m = variant(k=1)

    def leave(_):
        sys.exit()

    def work():
        with pytest.raises(SystemExit):
            m.compute("k", leave)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert in_other_thread(lambda: m.compute("k", lambda n: n + 1)) == 2
    m._check()


def test_many_short_threads_leave_nothing_behind(variant):
    m = variant(k=0)
    for _ in range(300):
        thread = threading.Thread(target=lambda: m.compute("k", lambda n: n + 1))
        thread.start()
        thread.join()
    assert m["k"] == 300
    m._check()
    if variant.tag == "rwlock" and not safemap.compiled:
        assert not m._lock._readers
        assert not m._lock._inside

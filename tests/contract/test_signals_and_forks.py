"""Ctrl-C, exceptions from outside, forks, and threads that end: no lock stays held."""

from __future__ import annotations

import ctypes
import os
import random
import sys
import threading
import time

import pytest

import safemap
from tests.support import in_other_thread, run_python

WAITS = {
    "set": "m['k'] = 2",
    "get": "m['k']",
    "compute": "m.compute('k', lambda n: n)",
    "entry": "m.entry('k').__enter__()",
    "locked": "m.locked().__enter__()",
    "update": "m.update({'k': 2, 'l': 3})",
    "snapshot": "m.snapshot()",
    "clear": "m.clear()",
    "popitem": "m.popitem()",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("kind", ["mutex", "rwlock", "sharded", "copy_on_write", "read_dirty"])
def test_ctrl_c_reaches_a_waiting_main_thread(kind):
    """And afterwards everybody can use the map."""
    out = run_python(f"""
        import _thread, os, signal, threading, time
        import safemap
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
        waits = {WAITS!r}
        for name, wait in waits.items():
            m = safemap.create({kind!r}, {{'k': 1}})
            inside, leave = threading.Event(), threading.Event()
            def hold():
                with m.locked(), m.entry('k') as entry:
                    inside.set()
                    leave.wait(20)
            holder = threading.Thread(target=hold)
            holder.start()
            inside.wait()
            free = {{'sharded': ('get',), 'copy_on_write': ('get', 'snapshot')}}.get({kind!r}, ())
            timer = threading.Timer(0.15, lambda: os.kill(os.getpid(), signal.SIGINT))
            timer.start()
            started = time.monotonic()
            try:
                exec(compile(wait, "wait", "exec"))  # a string would mark the interrupt as unhandled
                assert name in free, f"{{name}} did not wait"
                time.sleep(1)
            except KeyboardInterrupt:
                assert time.monotonic() - started < 5
            else:
                raise AssertionError("no KeyboardInterrupt")
            leave.set()
            holder.join(10)
            done = []
            def use():
                m['k'] = 5
                with m.locked(timeout=5), m.entry('k', timeout=5) as entry:
                    entry.value = 6
                m.snapshot(); m.compute('k', lambda n: n + 1); list(m.items())
                done.append(m['k'])
            user = threading.Thread(target=use, daemon=True)
            user.start()
            user.join(10)
            assert done == [7], (name, done)
            m._check()
        print('ok', len(waits))
    """)
    assert out == f"ok {len(WAITS)}\n"


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
    thrown = 0

    def work():
        try:
            for n in range(100_000):
                i = n % 20
                m[i] = n
                m.get(i)
                m.setdefault(i, n)
                m.swap(i, n)
                m.pop(i, None)
                i in m
        except Interrupted:
            pass

    for _ in range(120):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        time.sleep(chance.random() * 0.004)
        while thread.is_alive():
            throw_into(thread)
            thread.join(0.01)
        thrown += 1
        in_other_thread(lambda: [m.compute(i, lambda v: v, 0) for i in range(20)] and m.clear(), timeout=20)
    assert thrown == 120
    assert len(m) == len(m.to_dict()) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="without the GIL a plain dict that another thread writes at the fork hangs in the child, too",
)
@pytest.mark.parametrize("kind", ["mutex", "rwlock", "sharded", "copy_on_write", "read_dirty"])
def test_fork_while_others_hold_everything(kind):
    out = run_python(
        f"""
        import os, signal, sys, threading, time, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # that forking with threads is dangerous is the point
        import safemap
        m = safemap.create({kind!r}, {{i: i for i in range(300)}})
        stop = threading.Event()

        def writer(seed):
            n = seed
            while not stop.is_set():
                n += 1
                m[n % 400] = n
                m.compute(n % 50, lambda v: v, 0)
                m.update({{n % 400: n, (n + 1) % 400: n}})
                m.pop((n + 200) % 400, None)
                with m.entry(n % 7) as entry:
                    entry.value = n
                if n % 50 == 0:
                    with m.locked():
                        m['a'] = m['b'] = n
                m.snapshot(); list(m.items()); len(m)

        def child():
            contents = m.to_dict()
            assert len(m) == len(contents) == len(list(m.items())), (len(m), len(contents))
            assert len(m.snapshot()) == len(contents)
            m['child'] = 1
            assert m.compute('child', lambda n: n + 1) == 2
            with m.locked(timeout=5), m.entry('child', timeout=5) as entry:
                entry.value = 3
            m.update(x=1, y=2)
            for i in range(50):
                m.compute(i, lambda v: v, 0)
            assert m['child'] == 3 and m.pop('x') == 1
            def other():
                m['child'] = 4
            thread = threading.Thread(target=other, daemon=True)
            thread.start(); thread.join(5)
            assert m['child'] == 4
            m.clear()
            m._check()

        threads = [threading.Thread(target=writer, args=(s,), daemon=True) for s in range(3)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        forks = 0
        while forks < 40 and time.monotonic() < deadline:
            pid = os.fork()
            if pid == 0:
                signal.alarm(10)  # not faulthandler: its watchdog thread has not survived the fork
                try:
                    child()
                except BaseException:
                    import traceback; traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            _, status = os.waitpid(pid, 0)
            assert status == 0, status
            forks += 1
        stop.set()
        for thread in threads:
            thread.join(10)
        m._check()
        print('ok', forks >= 10)
    """,
        timeout=90,
    )
    assert out == "ok True\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("section", ["m.entry('k')", "m.locked()"])
@pytest.mark.parametrize("kind", ["mutex", "rwlock", "sharded", "copy_on_write", "read_dirty"])
def test_fork_inside_ones_own_section(kind, section):
    out = run_python(f"""
        import os, threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import safemap
        m = safemap.create({kind!r}, {{'k': 1}})
        with {section}:
            m['k'] = 2
            pid = os.fork()
            if pid == 0:
                assert m['k'] == 2
                m['k'] = 3
        if pid == 0:
            done = []
            thread = threading.Thread(target=lambda: done.append(m.compute('k', lambda n: n + 1)), daemon=True)
            thread.start(); thread.join(5)
            os._exit(0 if done == [4] else 1)
        assert os.waitpid(pid, 0)[1] == 0
        m['k'] += 1
        m._check()
        print(m)
    """)
    assert out == "{'k': 3}\n"


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


@pytest.mark.parametrize("kind", ["mutex", "rwlock", "sharded", "copy_on_write", "read_dirty"])
def test_daemon_threads_do_not_keep_the_interpreter(kind):
    run_python(
        f"""
        import threading, time
        import safemap
        m = safemap.create({kind!r})
        def forever():
            while True:
                m.compute('k', lambda n: n + 1, 0); m['x'] = 1; list(m.items())
        for _ in range(3):
            threading.Thread(target=forever, daemon=True).start()
        time.sleep(0.1)
    """,
        timeout=15,
    )

"""Signal handlers that use the map, Ctrl-C at any moment, and tasks that are cancelled."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress

import safemap
from safemap.testing.hostile import Key
from safemap.testing.threads import in_other_thread
from tests.support import in_fresh_python

NO_TIMERS = "" if hasattr(signal, "setitimer") else "no interval timers on this system"


@in_fresh_python(each=True, skip=NO_TIMERS)
def test_a_signal_every_tenth_of_a_millisecond(kind):
    """Its handler reads and writes the map that is just being written; every count stays exact."""
    m = safemap.create(kind, {i: 0 for i in range(20)})
    handled = [0]
    running = []

    def handler(*_):
        if running:
            return  # in the middle of itself it would overwrite its own `compute`, as any function may
        running.append(1)
        handled[0] = n = handled[0] + 1
        m.compute("signals", lambda s: s + 1, 0)
        m["signal", n % 7] = n
        m.pop(("signal", (n + 3) % 7), None)
        assert m[n % 20] >= 0
        if n % 20 == 0:
            with m.entry("entries") as entry:
                entry.value = n
            assert len(list(m.items())) >= 20
            assert sum(m.snapshot()[i] for i in range(20)) >= 0
        running.clear()

    stop = threading.Event()

    def other():
        while not stop.is_set():
            m["other"] = time.monotonic()
            m.compute("others", lambda n: n + 1, 0)
            time.sleep(0.0005)

    thread = threading.Thread(target=other)
    thread.start()
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    rounds = 0
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        for i in range(20):
            m.compute(i, lambda n: n + 1)
        with m.entry(0) as entry:
            entry.value += 1
        with m.locked():
            m[1] += 1
        m.update({("main", 1): rounds, ("main", 2): rounds})
        m.setdefault(("main", 3), rounds)
        m.pop(("main", 3))
        assert m["main", 1] == m["main", 2] == rounds
        m.snapshot(), list(m), len(m)
        rounds += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert [m[i] for i in range(20)] == [2 * rounds, 2 * rounds] + [rounds] * 18
    assert m["signals"] == handled[0] > 100
    m._check()


class Interrupted(BaseException):
    """What the handler raises."""


def by_entry(m, key):
    with m.entry(key) as entry:
        entry.value = (entry.value or 0) and 1


def by_section(m, key):
    with m.locked():
        m[key] = 1


SINGLE = {
    "get": lambda m, k: m.get(k),
    "in": lambda m, k: k in m,
    "set": lambda m, k: m.__setitem__(k, 1),
    "pop": lambda m, k: m.pop(k, None),
    "setdefault": lambda m, k: m.setdefault(k, 1),
    "swap": lambda m, k: m.swap(k, 1),
}
REST = {
    "compare_and_set": lambda m, k: m.compare_and_set(k, 1, 1),
    "compute": lambda m, k: m.compute(k, lambda n: n, 1),
    "compute_if_absent": lambda m, k: m.compute_if_absent(k, lambda _: 1),
    "merge": lambda m, k: m.merge(k, 1, lambda a, b: a),
    "snapshot": lambda m, k: m.snapshot(),
    "items": lambda m, k: list(m.items()),
    "popitem": lambda m, k: m and m.popitem(),
    "clear": lambda m, k: m.clear(),
}
if sys.version_info[:2] != (3, 14):  # whose `with` can lose what it has just entered: gh-148874
    REST |= {"entry": by_entry, "locked": by_section}

# In plain Python, see `test_bytecodes` for the rest, and sync/rwlock.py for RWLockMap.
OPERATIONS = SINGLE | REST if safemap.compiled else SINGLE
KINDS = [kind for kind in safemap.KINDS if safemap.compiled or kind != "rwlock"]


@in_fresh_python(each=True, kinds=KINDS, skip=NO_TIMERS)
def test_a_handler_that_raises_at_any_moment_leaves_nothing_held(kind):
    """A real signal, spread over each operation, its keys' `__hash__` and `__eq__`, and its function."""

    def handler(*_):
        raise Interrupted

    questions, answers = queue.SimpleQueue(), queue.SimpleQueue()

    def other():
        while True:
            m = questions.get()
            with m.locked(), m.entry("probe") as entry:
                entry.value = 1
            m.compute("probe", lambda n: n + 1)
            answers.put(m.pop("probe"))

    threading.Thread(target=other, daemon=True).start()
    signal.signal(signal.SIGALRM, handler)
    held = [Key(name, on_eq=lambda: None) for name in "abc"]
    asked = Key("b", on_eq=lambda: None, on_hash=lambda: None)
    for name, operation in OPERATIONS.items():
        for attempt in range(60):
            m = safemap.create(kind, dict.fromkeys(held, 1))
            with suppress(Interrupted):
                signal.setitimer(signal.ITIMER_REAL, 30e-6 + attempt * 1.3e-6)
                while True:
                    operation(m, asked)
            questions.put(m)
            assert answers.get(timeout=10) == 2, name
            m._check()
            assert len(m) == len(m.to_dict()) <= 4
            assert set(m.values()) <= {1}, name


@in_fresh_python(
    each=True,
    kinds=[kind for kind in KINDS if safemap.compiled or kind != "copy_on_write"],
    skip=NO_TIMERS,
)
def test_what_a_handler_raises_in_an_update_comes_through(kind):
    def handler(*_):
        raise Interrupted

    signal.signal(signal.SIGALRM, handler)
    m = safemap.create(kind)
    operations = [
        lambda: m.update({"a": 1, "b": 1}),
        lambda: m == {"a": 1},
        lambda: m.__ior__({"a": 1}),
    ]
    for operation in operations:
        for attempt in range(60):
            with suppress(Interrupted):
                signal.setitimer(signal.ITIMER_REAL, 30e-6 + attempt * 1.3e-6)
                while True:
                    operation()


WAITS = {
    "set": lambda m: m.__setitem__("k", 2),
    "get": lambda m: m["k"],
    "compute": lambda m: m.compute("k", lambda n: n),
    "entry": lambda m: m.entry("k").__enter__(),
    "locked": lambda m: m.locked().__enter__(),
    "update": lambda m: m.update({"k": 2, "l": 3}),
    "snapshot": lambda m: m.snapshot(),
    "clear": lambda m: m.clear(),
    "popitem": lambda m: m.popitem(),
}


def free(guarantees):
    """Return those that do not wait."""
    return ["get"] * (guarantees.reader_waits_for_writer == "no") + ["snapshot"] * (guarantees.snapshot == "O(1)")


@in_fresh_python(each=True, skip="no such signals" if sys.platform == "win32" else "")
def test_ctrl_c_reaches_a_waiting_main_thread(kind):
    """And afterwards everybody can use the map."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    for name, wait in WAITS.items():
        m = safemap.create(kind, {"k": 1})
        inside, leave = threading.Event(), threading.Event()

        def hold(m=m, inside=inside, leave=leave):
            with m.locked(), m.entry("k"):
                inside.set()
                leave.wait(20)

        holder = threading.Thread(target=hold)
        holder.start()
        inside.wait()
        threading.Timer(0.15, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        try:
            wait(m)
            assert name in free(m.guarantees), f"{name} did not wait"
            time.sleep(5)
        except KeyboardInterrupt:
            assert time.monotonic() - started < 4
        else:
            raise AssertionError("no KeyboardInterrupt")
        leave.set()
        holder.join(10)

        def use(m=m):
            m["k"] = 5
            with m.locked(timeout=5), m.entry("k", timeout=5) as entry:
                entry.value = 6
            m.snapshot(), list(m.items())
            return m.compute("k", lambda n: n + 1)

        assert in_other_thread(use) == 7, name
        m._check()


@in_fresh_python
def test_a_cancelled_task_leaves_nothing_held_and_nothing_half_done(kind):
    m = safemap.create(kind, {"k": 0, "e": 0})
    inside, leave, done = threading.Event(), threading.Event(), threading.Event()

    def slow(n):
        inside.set()
        leave.wait(10)
        return n + 1

    def work():
        m.compute("k", slow)
        done.set()

    async def hold():
        with m.entry("e") as entry:
            entry.value = "never"
            await asyncio.sleep(60)

    async def cancelled(task):
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return
        raise AssertionError("not cancelled")

    async def main():
        here = asyncio.create_task(hold())
        await asyncio.sleep(0.01)
        await cancelled(here)
        in_thread = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.to_thread(inside.wait)
        await cancelled(in_thread)
        assert not done.is_set(), "the task is cancelled, its thread goes on"
        leave.set()

    asyncio.run(main())
    assert done.wait(10)
    assert in_other_thread(lambda: m.compute("k", lambda n: n + 1)) == 2, "what went on was done once"
    assert m["e"] == 0, "what was cancelled was not"
    m._check()


@in_fresh_python
def test_a_section_belongs_to_a_thread_not_to_a_task(kind):
    """What is not promised: two tasks of one thread are the same owner, and both get in."""
    m = safemap.create(kind, {"n": 0})

    async def increment():
        with m.locked():
            n = m["n"]
            await asyncio.sleep(0)
            m["n"] = n + 1

    async def main():
        await asyncio.gather(increment(), increment())

    asyncio.run(main())
    assert m["n"] == 1, "one increment is lost"
    in_other_thread(lambda: m.compute("n", lambda n: n + 1))
    assert m["n"] == 2

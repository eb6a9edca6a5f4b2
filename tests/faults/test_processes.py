"""Forks with others in the middle of everything, holders that die, and interpreters that end."""

from __future__ import annotations

import atexit
import functools
import os
import signal
import sys
import threading
import time
import traceback
import warnings

import safemap
from safemap.testing.hostile import Key
from safemap.testing.threads import in_other_thread
from tests.support import in_fresh_python

NO_FORK = "" if hasattr(os, "fork") else "no fork on this system"
NO_FORK_WITH_THREADS = NO_FORK or (
    ""
    if getattr(sys, "_is_gil_enabled", lambda: True)()
    else "without the GIL a plain dict that another thread writes at the fork hangs in the child, too"
)


def forked(child):
    """Run a function in a child process; return whether it succeeded, within ten seconds."""
    pid = fork()
    if pid == 0:
        in_child(child)
    return os.waitpid(pid, 0)[1] == 0


def fork():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that forking with threads is dangerous is the point
        return os.fork()


def in_child(child):
    signal.alarm(10)  # not faulthandler: its watchdog thread has not survived the fork
    try:
        child()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def use_all_of(m):
    """Do everything with a map that is whole, in this thread and another one."""
    contents = m.to_dict()
    assert len(m) == len(contents) == len(list(m.items())) == len(m.snapshot())
    m["child"] = 1
    assert m.compute("child", lambda n: n + 1) == 2
    with m.locked(timeout=5), m.entry("child", timeout=5) as entry:
        entry.value = 3
    m.update(x=1, y=2)
    for i in range(50):
        m.compute(i, lambda v: v, 0)
    assert m["child"] == 3
    assert m.pop("x") == 1
    thread = threading.Thread(target=lambda: m.compute("child", lambda n: n + 1), daemon=True)
    thread.start()
    thread.join(5)
    assert m["child"] == 4
    m.clear()
    m._check()


@in_fresh_python(each=True, skip=NO_FORK_WITH_THREADS, timeout=90)
def test_fork_while_others_hold_everything(kind):
    m = safemap.create(kind, {i: i for i in range(300)})
    stop = threading.Event()

    def write(n):
        while not stop.is_set():
            n += 1
            m[n % 400] = n
            m.compute(n % 50, lambda v: v, 0)
            m.pop((n + 200) % 400, None)
            with m.entry(n % 7) as entry:
                entry.value = n
            m.snapshot(), list(m.items()), len(m)
            m.update({n % 400: n, (n + 1) % 400: n})
            if n % 50 == 0:
                with m.locked():
                    m["a"] = m["b"] = n
            if n % 300 == 0:
                m.clear()

    threads = [threading.Thread(target=write, args=(seed,), daemon=True) for seed in range(3)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 1.5
    forks = 0
    while forks < 10 or (forks < 200 and time.monotonic() < end):
        assert forked(lambda: use_all_of(m))
        forks += 1
    stop.set()
    for thread in threads:
        thread.join(10)
    m._check()


@in_fresh_python(
    each=True, skip=NO_FORK or ("a compiled map has no lines" if safemap.compiled else ""), timeout=90
)
def test_fork_at_every_line_of_anothers_operation(kind):
    """The other thread stands still there. In the child it is gone, and with it what it had half done."""
    operations = [
        lambda m: m.update({"a": 1, "b": 2}),
        lambda m: m.compute("k", lambda n: n + 1),
        lambda m: m.pop("k"),
        lambda m: m.snapshot(),
        clear,
        in_section,
    ]
    lines = set()
    for number, operation in enumerate(operations):
        while True:
            m = safemap.create(kind, {"k": 1, "l": 2})
            halt = Halt(lines)
            thread = threading.Thread(target=halt.run, args=(operation, m))
            thread.start()
            halt.there.wait(10)
            child = functools.partial(look_and_use, m, [] if operation is clear else ["l"])
            whole = halt.ended or forked(child)
            halt.go.set()
            thread.join(10)
            assert not thread.is_alive()
            assert whole, (number, halt.place)
            if halt.ended:
                break
    assert len(lines) > 20


def look_and_use(m, keys):
    for key in keys:
        assert m[key] == m.get(key) == m.snapshot()[key]
    use_all_of(m)


def clear(m):
    m.clear()


def in_section(m):
    with m.locked(), m.entry("k") as entry:
        entry.value = 3


class Halt:
    """Runs an operation up to the first line of the maps' own code that is not in `lines`, and halts there."""

    def __init__(self, lines):
        self.lines = lines
        self.place = None
        self.ended = False
        self.there, self.go = threading.Event(), threading.Event()

    def run(self, operation, m):
        sys.settrace(self.trace)
        operation(m)
        sys.settrace(None)
        if self.place is None:
            self.ended = True
            self.there.set()

    def trace(self, frame, event, _argument):
        if not frame.f_code.co_filename.startswith(safemap.__path__[0]):
            return None
        place = frame.f_code.co_qualname, frame.f_lineno
        if self.place is None and event == "line" and place not in self.lines:
            self.place = place
            self.lines.add(place)
            self.there.set()
            self.go.wait(10)
        return self.trace


@in_fresh_python(skip=NO_FORK)
def test_fork_inside_ones_own_section(kind):
    """Both processes go on inside, and each ends its own section."""
    for section in (lambda m: m.entry("k"), lambda m: m.locked()):
        m = safemap.create(kind, {"k": 1})
        with section(m):
            m["k"] = 2
            pid = fork()
            if pid == 0:
                signal.alarm(10)
                m["k"] = 3 if m["k"] == 2 else 0
        if pid == 0:
            in_child(lambda: in_other_thread(lambda: m.compute("k", lambda n: 1 // (n == 3))))  # noqa: B023
        assert os.waitpid(pid, 0)[1] == 0
        assert in_other_thread(lambda: m.compute("k", lambda n: n + 1)) == 3  # noqa: B023
        m._check()


@in_fresh_python(skip=NO_FORK)
def test_fork_inside_a_callback(kind):
    """In a function, a comparison, a finalizer: the child can use the map there, and when it has ended."""

    class Dying:
        def __init__(self, callback):
            self.callback = callback

        def __del__(self):
            self.callback()

    ways = {
        "compute": lambda m, fork: m.compute("k", lambda n: (fork(), n + 1)[1]),
        "compute_if_absent": lambda m, fork: m.compute_if_absent("new", lambda _: (fork(), 1)[1]),
        "default_factory": lambda m, fork: m["missing"],
        "eq": lambda m, fork: m.__setitem__(Key("a", on_eq=fork), 2),
        "hash": lambda m, fork: m.__setitem__(Key("a", on_hash=fork), 2),
        "finalizer": lambda m, fork: (m.__setitem__("d", Dying(fork)), m.pop("d") and None),
        "iterable": lambda m, fork: m.update((fork(), i) for i in range(1)),
    }
    for name, way in ways.items():
        children = []

        def fork_once(name=name, children=children):
            if not children:
                children.append(fork())
                if children == [0]:
                    signal.alarm(10)
                    m["inside"] = name  # noqa: B023
                    assert m["inside"] == name  # noqa: B023

        def make(fork_once=fork_once):
            fork_once()
            return 1

        m = safemap.create(kind, {"k": 1, Key("a"): 1}, default_factory=make)
        way(m, fork_once)
        if children == [0]:
            in_child(lambda: (m["inside"], use_all_of(m)))  # noqa: B023
        assert len(children) == 1, name
        assert os.waitpid(children[0], 0)[1] == 0, name
        in_other_thread(lambda: use_all_of(m))  # noqa: B023


@in_fresh_python
def test_a_thread_that_ends_inside_lets_go(kind):
    """By SystemExit, Ctrl-C or any other error, out of a function, a block, a comparison or an iterable."""

    def block(make, error):
        with make() as held:
            if hasattr(held, "delete"):
                held.delete()
            raise error

    def raising(error):
        def function(*_):
            raise error

        return function

    ways = {
        "compute": lambda m, e: m.compute("k", raising(e)),
        "merge": lambda m, e: m.merge("k", 1, raising(e)),
        "compute_if_absent": lambda m, e: m.compute_if_absent("new", raising(e)),
        "compute_if_present": lambda m, e: m.compute_if_present("k", raising(e)),
        "entry": lambda m, e: block(lambda: m.entry("k"), e),
        "locked": lambda m, e: block(m.locked, e),
        "eq": lambda m, e: m.__setitem__(Key("a", on_eq=raising(e)), 2),
        "hash": lambda m, e: m.__setitem__(Key("a", on_hash=raising(e)), 2),
        "iterable": lambda m, e: m.update(raising(e)() for _ in range(2)),
    }
    for name, way in ways.items():
        for error in (SystemExit(), KeyboardInterrupt(), GeneratorExit(), MemoryError(), ValueError()):
            m = safemap.create(kind, {"k": 1, Key("a"): 1})
            before = m.to_dict()

            def work(m=m, way=way, error=error):
                try:
                    way(m, error)
                except BaseException as raised:
                    assert raised is error
                    ended.append(name)  # noqa: B023
                sys.exit()

            ended = []
            thread = threading.Thread(target=work)
            thread.start()
            thread.join(10)
            assert ended == [name]
            assert m.to_dict() == before, (name, error)
            with m.locked(timeout=5), m.entry("k", timeout=5) as entry:
                entry.value = 2
            m._check()


@in_fresh_python(each=True, timeout=20)
def test_daemon_threads_do_not_keep_the_interpreter(kind):
    """Neither those that use the map, nor those that hold it for ever; and what runs at exit can use it."""
    m = safemap.create(kind)

    def forever():
        while True:
            m.compute("k", lambda n: n + 1, 0)
            m["x"] = 1
            list(m.items())
            with m.entry("e") as entry:
                entry.value = 1

    def at_exit():
        if m.compute("at exit", lambda n: n + 1, 0) != 1 or len(m.snapshot()) < 2:
            os._exit(3)

    atexit.register(at_exit)
    held, inside = safemap.create(kind), threading.Event()

    def hold():
        with held.locked(), held.entry("k"):
            inside.set()
            time.sleep(60)

    for target in (forever, forever, hold):
        threading.Thread(target=target, daemon=True).start()
    inside.wait()
    for wait in (lambda: held.compute("k", lambda n: n, 0), lambda: held.locked().__enter__()):
        threading.Thread(target=wait, daemon=True).start()
    time.sleep(0.05)

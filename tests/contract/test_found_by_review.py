"""Faults that a review found, each as the program that shows it."""

from __future__ import annotations

import contextlib
import copy
import gc
import os
import pickle
import sys
import threading
import time
import weakref

import pytest

import safemap
from safemap.testing.threads import in_threads
from tests.support import run_python


def excludes(kind):
    return safemap.KINDS[kind].guarantees.function_excludes


def test_leaving_an_entry_that_was_not_entered_is_an_error(variant):
    m = variant(a=1)
    with pytest.raises(RuntimeError, match="not held"), contextlib.ExitStack() as stack:
        stack.push(m.entry("a"))
    m["a"] = 2


def test_leaving_a_section_of_another_thread_is_an_error_and_ends_nothing(variant):
    m = variant(a=1)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with m.locked():
            inside.set()
            done.wait(10)

    def meddle():
        inside.wait(10)
        with pytest.raises(RuntimeError), contextlib.ExitStack() as stack:
            stack.push(m.locked())
        with pytest.raises(TimeoutError), m.locked(timeout=0.05):
            pass
        done.set()

    if variant.tag == "rwlock" and not safemap.compiled:
        pytest.skip("the package's lock cannot tell whose it is")
    in_threads(hold, meddle)


def test_one_entry_shared_by_threads_leaves_nothing_held(variant):
    m = variant(a=1)
    entry = m.entry("a", timeout=0.05)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with entry:
            inside.set()
            done.wait(10)

    def late():
        inside.wait(10)
        with pytest.raises((TimeoutError, RuntimeError)):
            entry.__enter__()
        done.set()

    in_threads(hold, late)
    with m.entry("a", timeout=1) as again:
        again.value = 2


def test_nested_claims_while_a_section_waits(variant):
    m = variant()
    end = time.monotonic() + 1

    def claim(number):
        with m.entry(("mine", number)):
            while time.monotonic() < end:
                with m.entry((number, 1)), m.entry((number, 2)):
                    pass

    def section():
        with m.locked():
            pass

    if m.guarantees.function_excludes == "its key":
        in_threads(lambda: claim(1), lambda: claim(2), lambda: claim(3), section)
    m._check()


@pytest.mark.parametrize("kind", [kind for kind in safemap.KINDS if excludes(kind) == "its key"])
def test_a_late_claim_does_not_come_into_a_section(kind):
    m = safemap.create(kind, {"k": 0})
    ready = threading.Event()
    seen = []

    def holder():
        with m.entry("k"):
            ready.set()
            time.sleep(0.33)

    def section():
        ready.wait(10)
        time.sleep(0.15)
        with m.locked():
            before = m["k"]
            time.sleep(0.4)
            seen.append((before, m.compute("k", lambda value: value)))

    def writer():
        ready.wait(10)
        m.compute("k", lambda value: value + 1)

    in_threads(holder, section, writer)
    assert seen[0][0] == seen[0][1]
    assert m["k"] == 1


def test_a_page_outlives_the_update_that_failed_with_it():
    run_python(
        """
        import safemap
        pool = []
        class Bad:
            hashed = 0
            def __hash__(self):
                Bad.hashed += 1
                if Bad.hashed > 1:
                    pool.clear()  # dict's free list is full now: what is freed is really freed
                    raise ZeroDivisionError
                return 5
        class K:
            def __init__(self, x): self.x = x
            def __hash__(self): return 7
            def __eq__(self, other):
                if not done and 'probe' in (self.x, other.x):
                    done.append(1)
                    m.clear()
                    try: m.update([(Bad(), 1), ('b', 2)])
                    except ZeroDivisionError: pass
                return self.x == other.x
        for i in range(50):
            done = []; Bad.hashed = 0; pool.extend({} for _ in range(300))
            m = safemap.CopyOnWriteMap()
            for j in range(4): m[K(j)] = j
            m.get(K('probe'))
            m._check()
        """
    )


def test_filling_a_map_that_has_grown_and_shrunk_meanwhile():
    class K:
        hashed = 0

        def __hash__(self):
            K.hashed += 1
            if K.hashed == 2:
                m.update({i: i for i in range(3000)})
                m.clear()
            return 5

    m = safemap.CopyOnWriteMap()
    wanted = {K(): 0} | {str(i): i for i in range(5)}
    m.update(wanted)
    assert all(m.get(key) == value for key, value in wanted.items())
    for i in range(2000):
        m[i] = i
    assert all(m[i] == i for i in range(2000))
    m._check()


def test_weak_references_made_by_dying_finalizers(variant):
    kept, seen = [], []

    class Value:
        pass

    class Maker:
        def __init__(self, m, values):
            self.map, self.values = m, values

        def __del__(self):
            reference = weakref.ref(self.map)

            def use(_):
                m = reference()
                for step in (
                    lambda: m.get("x"),
                    lambda: len(m),
                    lambda: m.__setitem__("z", 1),
                    lambda: m.to_dict(),
                ):
                    with contextlib.suppress(Exception):  # a map that is half gone may raise, not crash
                        step()
                    seen.append(1)

            kept.extend(weakref.ref(value, use) for value in self.values)

    def cycle():
        m = variant()
        values = [Value() for _ in range(3)]
        for value in values:
            m[id(value)] = value
        m["itself"], m["maker"] = m, Maker(m, values)

    cycle()
    for _ in range(3):
        gc.collect()
    if not seen:
        pytest.skip("this interpreter's collector calls no such callback")


def test_finalizer_that_looks_for_the_last_item(variant):
    seen = []

    class Value:
        def __del__(self):
            if not seen:
                seen.append((len(m), len(m.snapshot()), m.to_dict()))
                with contextlib.suppress(KeyError):
                    m.popitem()

    m = variant()
    m[1] = Value()
    with m.entry(1) as entry:
        entry.delete()
    assert seen == [(0, 0, {})]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="without the GIL a plain dict that another thread writes at the fork hangs in the child, too",
)
@pytest.mark.parametrize("kind", safemap.KINDS)
def test_fork_by_the_holder_while_others_wait(kind):
    run_python(
        f"""
        import os, threading, time, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import safemap
        m = safemap.create({kind!r}, {{"k": 0}})
        whole = m.guarantees.function_excludes == "the map"
        stop = False
        def wait():
            while not stop: m["k"] = 1
        threads = [threading.Thread(target=wait, daemon=True) for _ in range(3)]
        for thread in threads: thread.start()
        for _ in range(3):
            end = time.time() + 0.2
            while time.time() < end:
                with m.locked() if whole else m.entry("k"):
                    for _ in range(2000): pass
            with m.locked() if whole else m.entry("k"):
                time.sleep(0.05)
                pid = os.fork()
            if pid == 0:
                threading.Thread(target=lambda: (time.sleep(5), os._exit(7)), daemon=True).start()
                m["k"] = 2; m["z"] = 3; m.compute("k", lambda v: v + 1); m.to_dict()
                with m.locked(): pass
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        stop = True
        for thread in threads: thread.join(10)
        """
    )


@pytest.mark.parametrize("kind", ["mutex", "sharded", "copy_on_write", "read_dirty"])
def test_popitem_of_a_key_whose_hash_has_changed_ends(kind):
    run_python(
        f"""
        import safemap
        class K:
            hash = 1
            def __hash__(self): return self.hash
        m = safemap.create({kind!r}); m[K()] = 1; K.hash = 2
        try: m.popitem()
        except KeyError: pass
        """,
        timeout=15,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no signals to speak of on this system")
@pytest.mark.parametrize("kind", [kind for kind in safemap.KINDS if excludes(kind) != "its key"])
def test_a_handler_that_waits_as_its_thread_does_goes_first(kind):
    run_python(
        f"""
        import signal, threading, time, safemap
        m = safemap.create({kind!r}, {{"k": 0}}); late = []
        def handler(*_):
            m["h"] = 1; late.append(time.monotonic() - freed[0])
        signal.signal(signal.SIGALRM, handler)
        for _ in range(3):
            freed = [0]; go = threading.Event()
            def hold():
                with m.entry("k"):
                    go.set(); time.sleep(0.1); freed[0] = time.monotonic()
            thread = threading.Thread(target=hold); thread.start(); go.wait()
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            m["k"] = 1
            thread.join()
        assert max(late) < 0.15, late
        """
    )


class Slotted(safemap.MutexMap):
    __slots__ = ("__private", "x")

    def set(self):
        self.x, self.__private = 1, 2
        return self

    def both(self):
        return self.x, self.__private


class Stateful(safemap.ShardedMap):
    def __getstate__(self):
        return {"state": 1}


def test_copies_keep_a_subclasss_slots_and_state():
    m = Slotted(a=1).set()
    for again in (copy.copy(m), copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert again == {"a": 1}
        assert again.both() == (1, 2)
    assert copy.copy(Stateful()).state == 1


def test_the_contract_alone_cannot_be_instantiated():
    with pytest.raises(TypeError, match="abstract"):
        safemap.ConcurrentMapping()

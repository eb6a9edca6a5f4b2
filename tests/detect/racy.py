"""Programs with a race, each of the kind that stands with it. Whether the threads meet is nowhere left to luck.

Where no event decides, the two threads may as well run one after the other: that they could meet is what must be
found.
"""

from __future__ import annotations

import _thread
import threading
from concurrent.futures import ThreadPoolExecutor

from safemap.detect import CheckedDict
from tests.detect.programs import Racy, together

racy = Racy()


@racy("read-modify-write")
def increments(rounds=1):
    d = CheckedDict(n=0)

    def increment():
        d["n"] = d["n"] + 1

    together(increment, increment, times=rounds)


@racy("read-modify-write")
def augmented_assignment():
    d = CheckedDict(n=0)

    def increment():
        d["n"] += 1

    together(increment, increment)


@racy("read-modify-write")
def checks_then_inserts():
    d = CheckedDict()

    def insert():
        if "k" not in d:
            d["k"] = object()

    together(insert, insert)


@racy("read-modify-write")
def catches_then_inserts():
    d = CheckedDict()

    def insert():
        try:
            return d["k"]
        except KeyError:
            d["k"] = 1

    together(insert, insert)


@racy("read-modify-write")
def gets_then_deletes():
    d = CheckedDict(k=1)
    read = threading.Barrier(2)

    def delete():
        value = d.get("k")
        read.wait()  # both have read
        if value is not None:
            try:
                del d["k"]
            except KeyError:
                pass

    together(delete, delete)


@racy("read-modify-write")
def looks_then_pops():
    d = CheckedDict(k=1)
    read = threading.Barrier(2)

    def take():
        found = "k" in d
        read.wait()
        if found:
            try:
                d.pop("k")
            except KeyError:
                pass

    together(take, take)


@racy("read-modify-write")
def update_is_lost_between_events():
    d = CheckedDict(n=0)
    has_read, has_written = threading.Event(), threading.Event()

    def slow():
        n = d["n"]
        has_read.set()
        assert has_written.wait(30)
        d["n"] = n + 1

    def quick():
        assert has_read.wait(30)
        d["n"] = d["n"] + 1
        has_written.set()

    together(slow, quick)
    assert d["n"] == 1


@racy("read-modify-write")
def lock_is_released_between_read_and_write():
    d, lock = CheckedDict(n=0), threading.Lock()

    def increment():
        with lock:
            n = d["n"]
        with lock:
            d["n"] = n + 1

    together(increment, increment)


@racy("read-modify-write")
def condition_waits_between_read_and_write():
    d, condition = CheckedDict(n=0), threading.Condition()

    def slow():
        with condition:
            n = d["n"]
            condition.wait(0.001)  # which lets go of the lock
            d["n"] = n + 1

    def quick():
        with condition:
            d["n"] = d["n"] + 1

    together(slow, quick)


@racy("read-modify-write")
def accessors_lock_each_for_itself():
    lock = threading.Lock()

    class Registry:
        def __init__(self):
            self.values = CheckedDict(n=0)

        def get(self, key):
            with lock:
                return self.values[key]

        def set(self, key, value):
            with lock:
                self.values[key] = value

    registry = Registry()

    def increment():
        registry.set("n", registry.get("n") + 1)

    together(increment, increment)


@racy("read-modify-write")
def helper_writes_what_its_caller_looked_for():
    d, lock = CheckedDict(), threading.RLock()

    def store(key):
        with lock:
            d[key] = object()

    def load():
        if "k" not in d:
            store("k")

    together(load, load)


@racy("read-modify-write")
def one_side_locks_the_other_does_not():
    d, lock = CheckedDict(n=0), threading.Lock()

    def careful():
        with lock:
            d["n"] = d["n"] + 1

    def careless():
        d["n"] = d["n"] + 1

    together(careful, careless)


@racy("read-modify-write")
def key_is_a_tuple():
    d = CheckedDict()

    def insert():
        if (1, "a") not in d:
            d[1, "a"] = object()

    together(insert, insert)


@racy("read-modify-write")
def key_is_an_object():
    d, key = CheckedDict(), object()

    def insert():
        if key not in d:
            d[key] = 1

    together(insert, insert)


@racy("read-modify-write")
def claim_is_overwritten_by_check_then_insert():
    d = CheckedDict()
    has_read, has_claimed = threading.Event(), threading.Event()

    def claim():
        assert has_read.wait(30)
        d.setdefault("k", 1)
        has_claimed.set()

    def insert():
        if "k" not in d:
            has_read.set()
            assert has_claimed.wait(30)
            d["k"] = 2

    together(claim, insert)


@racy("read-modify-write")
def tasks_of_a_pool_increment():
    d, both = CheckedDict(n=0), threading.Barrier(2)

    def increment():
        both.wait(30)  # two threads
        d["n"] += 1

    with ThreadPoolExecutor(2) as pool:
        for task in [pool.submit(increment) for _ in range(2)]:
            task.result()


@racy("read-modify-write")
def semaphore_lets_two_in():
    d, semaphore = CheckedDict(n=0), threading.Semaphore(2)

    def increment():
        with semaphore:
            d["n"] += 1

    together(increment, increment)


@racy("write")
def two_threads_assign():
    d = CheckedDict()

    def assign():
        d["k"] = threading.get_ident()

    together(assign, assign)


@racy("write")
def two_locks():
    d, one, other = CheckedDict(), threading.Lock(), threading.Lock()

    def assign(lock):
        with lock:
            d["k"] = 1

    together(lambda: assign(one), lambda: assign(other))


@racy("write")
def lock_is_forgotten_once():
    d, lock = CheckedDict(), threading.Lock()

    def often():
        d["k"] = 0  # forgotten here
        with lock:
            d["k"] = 1

    def seldom():
        with lock:
            d["k"] = 2

    together(often, seldom)


@racy("write")
def main_thread_writes_before_join():
    d = CheckedDict()
    thread = threading.Thread(target=lambda: d.update(k=1))
    thread.start()
    d["k"] = 2
    thread.join()


@racy("write")
def event_is_set_too_early():
    d, ready = CheckedDict(), threading.Event()

    def first():
        d["k"] = 0
        ready.set()
        d["k"] = 1

    def second():
        assert ready.wait(30)
        d["k"] = 2

    together(first, second)


@racy("write")
def barrier_only_starts_them():
    d, start = CheckedDict(), threading.Barrier(2)

    def assign():
        start.wait(30)
        d["k"] = 1

    together(assign, assign)


@racy("write")
def deletes_what_another_assigns():
    d = CheckedDict(k=0)

    def delete():
        try:
            del d["k"]
        except KeyError:
            pass

    together(delete, lambda: d.__setitem__("k", 1))


@racy("write")
def clears_what_another_assigns():
    d = CheckedDict(k=0)

    def assign():
        d["k"] = 1

    together(lambda: d.clear(), assign)


@racy("write")
def updates_overlap():
    d = CheckedDict()

    def merge():
        nonlocal d
        d |= {"a": 2, "b": 3}

    together(lambda: d.update({"a": 1}), merge)


@racy("write")
def threads_with_one_identifier():
    """The second thread may get the identifier of the first, which has ended; nothing orders them."""
    d, unseen = CheckedDict(), _thread.allocate_lock()
    unseen.acquire()

    def first():
        d["k"] = 1
        unseen.release()

    thread = threading.Thread(target=first)
    thread.start()
    assert unseen.acquire(timeout=30)
    together(lambda: d.__setitem__("k", 2))
    thread.join()


@racy("iteration")
def iterates_while_another_inserts():
    d = CheckedDict(a=1)
    started, inserted = threading.Event(), threading.Event()

    def iterate():
        try:
            for _ in d:
                started.set()
                assert inserted.wait(30)
        except RuntimeError as error:
            assert "changed size" in str(error)

    def insert():
        assert started.wait(30)
        d["b"] = 2
        inserted.set()

    together(iterate, insert)


@racy("iteration")
def could_iterate_while_another_inserts():
    d = CheckedDict(a=1)

    def iterate():
        for _ in list(d.values()):  # a copy: no race
            pass
        for _ in d.items():
            pass

    together(iterate, lambda: d.setdefault("b"))


@racy("iteration")
def iterates_under_a_lock_that_the_writer_lacks():
    d, lock = CheckedDict(a=1), threading.Lock()

    def iterate():
        with lock:
            return [key for key in d]

    together(iterate, lambda: d.pop("a", None))


@racy("iteration")
def generator_outlives_its_lock():
    d, lock = CheckedDict(a=1, b=2), threading.Lock()

    def iterate():
        with lock:
            values = iter(d.values())
            next(values)
        for _ in values:
            pass

    def assign():
        with lock:
            d["a"] = 1

    together(iterate, assign)


@racy("iteration")
def sums_in_python_what_another_changes():
    d = CheckedDict(a=1, b=2)
    together(lambda: sum(value + 1 for value in d.values()), lambda: d.update(a=2))


@racy("iteration")
def iterates_backwards():
    d = CheckedDict(a=1)

    def iterate():
        for _ in reversed(d):
            pass

    together(iterate, lambda: d.clear())

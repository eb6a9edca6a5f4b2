"""Programs without a race, in which nothing must be found; each can be run with many rounds under load."""

from __future__ import annotations

import queue
import threading
import time
from concurrent import futures
from multiprocessing.pool import ThreadPool

from safemap import detect
from safemap.detect import CheckedDict
from tests.detect.programs import Programs, together

correct = Programs()


@correct
def common_lock(rounds=1):
    d, lock = CheckedDict(n=0), threading.Lock()

    def increment():
        with lock:
            d["n"] = d["n"] + 1
            if "k" not in d:
                d["k"] = 1
            else:
                del d["k"]

    together(increment, increment, increment, times=rounds)
    assert d["n"] == 3 * rounds


@correct
def locks_of_detect(rounds=1):
    d, lock, inner = CheckedDict(n=0), detect.Lock(), detect.RLock()

    def increment():
        with lock, inner:
            d["n"] += 1

    together(increment, increment, times=rounds)


@correct
def nested_rlock(rounds=1):
    d, lock = CheckedDict(n=0), threading.RLock()

    def add(n):
        with lock:
            d["n"] = d["n"] + n

    def increment():
        with lock:
            before = d["n"]
            add(1)
            d["n"] = before + 1

    together(increment, increment, times=rounds)
    assert d["n"] == 2 * rounds


@correct
def acquire_and_release(rounds=1):
    d, lock = CheckedDict(n=0), threading.Lock()

    def increment():
        assert lock.acquire(timeout=30)
        try:
            d["n"] += 1
        finally:
            lock.release()

    def try_to():
        while not lock.acquire(blocking=False):
            time.sleep(0)
        d["n"] += 1
        lock.release()

    together(increment, try_to, times=rounds)


@correct
def several_locks_one_in_common(rounds=1):
    d, a, b, c = CheckedDict(n=0), threading.Lock(), threading.Lock(), threading.Lock()

    def one():
        with a, b:
            d["n"] += 1

    def other():
        with b, c:
            d["n"] += 1

    together(one, other, times=rounds)


@correct
def lock_taken_inside_does_not_matter(rounds=1):
    d, outer, inner = CheckedDict(n=0), threading.Lock(), threading.Lock()

    def increment():
        with outer:
            n = d["n"]
            with inner:
                pass
            d["n"] = n + 1

    together(increment, increment, times=rounds)


@correct
def condition_with_its_own_lock(rounds=1):
    d, condition = CheckedDict(items=0), threading.Condition()

    def produce():
        with condition:
            d["items"] += 1
            condition.notify()

    def consume():
        with condition:
            assert condition.wait_for(lambda: d["items"], 30)
            d["items"] -= 1

    together(produce, consume, times=rounds)


@correct
def condition_with_a_given_lock(rounds=1):
    lock = threading.Lock()
    d, condition = CheckedDict(items=0), threading.Condition(lock)

    def produce():
        with lock:
            d["items"] += 1
            condition.notify_all()

    def consume():
        with condition:
            while not d["items"]:
                assert condition.wait(30)
            d["items"] -= 1

    together(produce, consume, times=rounds)


@correct
def condition_hands_over_to_who_comes_late(rounds=1):
    for _ in range(rounds):
        d, condition, ready = CheckedDict(), threading.Condition(), []

        def produce(d=d, condition=condition, ready=ready):
            d["k"] = 1
            with condition:
                ready.append(True)
                condition.notify()

        def consume(d=d, condition=condition, ready=ready):
            with condition:
                while not ready:
                    assert condition.wait(30)
            d["k"] = d["k"] + 1

        together(produce, consume)


@correct
def semaphore_of_one(rounds=1):
    d, semaphore, bounded = CheckedDict(n=0, m=0), threading.Semaphore(1), threading.BoundedSemaphore()

    def increment():
        with semaphore:
            d["n"] += 1
        bounded.acquire()
        d["m"] += 1
        bounded.release()

    together(increment, increment, times=rounds)


@correct
def semaphore_as_a_signal(rounds=1):
    d, done = CheckedDict(), threading.Semaphore(0)

    def first():
        d["k"] = 1
        done.release()

    def second():
        assert done.acquire(timeout=30)
        d["k"] = d["k"] + 1

    for _ in range(rounds):
        together(first, second)


@correct
def lock_as_a_signal(rounds=1):
    for _ in range(rounds):
        d, gate = CheckedDict(), threading.Lock()
        gate.acquire()

        def first(d=d, gate=gate):
            d["k"] = 1
            gate.release()

        def second(d=d, gate=gate):
            assert gate.acquire(timeout=30)
            d["k"] = 2

        together(first, second)


@correct
def one_writer_and_snapshot_readers(rounds=1):
    d = CheckedDict({n: n for n in range(20)})

    def write():
        for n in range(20, 30):
            d[n] = n
        for n in range(20, 30):
            del d[n]

    def read():
        assert len(list(d)) >= 20
        assert sum(d.values()) >= 190
        assert dict(d).items() >= dict.fromkeys([]).items()
        assert {**d}[3] == 3
        assert {**d.copy()} | d
        assert len(sorted(d.items())) >= 20
        assert len([*d.keys(), *tuple(d)]) >= 40
        for key, value in list(d.items()):
            assert key == value

    together(write, read, read, times=rounds)


@correct
def lock_for_each_key(rounds=1):
    locks = [threading.Lock() for _ in range(4)]
    d = CheckedDict(dict.fromkeys(range(16), 0))

    def increment():
        for key in range(16):
            with locks[key % 4]:
                d[key] = d[key] + 1

    together(increment, increment, times=rounds)


@correct
def published_then_only_read(rounds=1):
    d = CheckedDict()
    for n in range(10):
        d[n] = n
    d[3] += 1

    def read():
        assert sum(value for value in d.values()) == 46
        for key in d:
            assert key in d and d.get(key) is not None

    together(read, read, times=rounds)


@correct
def each_thread_its_own_dict(rounds=1):
    def work():
        d = CheckedDict(n=0)
        for key in range(5):
            d["n"] += key
            d[key] = 1
        for key in d:
            d[key] = d[key] + 1
        d.clear()

    together(work, work, times=rounds)


@correct
def each_thread_its_own_key(rounds=1):
    d = CheckedDict()

    def work(name):
        d[name] = d.get(name, 0) + 1

    together(lambda: work("a"), lambda: work("b"), times=rounds)
    assert d == {"a": rounds, "b": rounds}


@correct
def started_then_joined(rounds=1):
    d = CheckedDict(n=0)
    for _ in range(rounds):
        d["n"] += 1
        together(lambda: d.__setitem__("n", d["n"] + 1))
        for key in d:
            d[key] += 1


@correct
def one_thread_waits_until_another_is_not_alive(rounds=1):
    d = CheckedDict(n=0)
    for _ in range(rounds):
        thread = threading.Thread(target=lambda: d.update(n=d["n"] + 1))
        thread.start()
        while thread.is_alive():
            time.sleep(0)
        d["n"] += 1
        thread.join()


@correct
def subclass_and_timer(rounds=1):
    d = CheckedDict(n=0)

    class Adder(threading.Thread):
        def run(self):
            d["n"] += 1

    for _ in range(rounds):
        for thread in (Adder(), threading.Timer(0, lambda: d.update(n=d["n"] + 1))):
            thread.start()
            thread.join()
        d["n"] += 1


@correct
def handed_over_through_a_queue(rounds=1):
    there, back = queue.Queue(1), queue.LifoQueue()

    def first():
        d = CheckedDict(n=0)
        d["n"] += 1
        there.put(d)
        d = back.get(timeout=30)
        d["n"] += 1

    def second():
        d = there.get(timeout=30)
        d["n"] += 1
        back.put(d)

    together(first, second, times=rounds)


@correct
def handed_over_through_a_simple_queue(rounds=1):
    jobs = queue.SimpleQueue()

    def first():
        d = CheckedDict(n=0)
        d["n"] += 1
        jobs.put(d)

    def second():
        jobs.get(timeout=30)["n"] += 1

    together(first, second, times=rounds)


@correct
def queue_is_joined(rounds=1):
    for _ in range(rounds):
        d, jobs = CheckedDict(), queue.Queue()

        def work(d=d, jobs=jobs):
            d[jobs.get(timeout=30)] = 1
            jobs.task_done()

        def ask(d=d, jobs=jobs):
            jobs.put("a")
            jobs.join()
            d["a"] += 1

        together(work, ask)


@correct
def event_hands_over(rounds=1):
    for _ in range(rounds):
        d, ready = CheckedDict(), threading.Event()

        def first(d=d, ready=ready):
            d["k"] = 1
            ready.set()

        def second(d=d, ready=ready):
            while not ready.is_set():
                ready.wait(30)
            d["k"] += 1

        together(first, second)


@correct
def phases_between_barriers(rounds=1):
    d, barrier = CheckedDict(n=0), threading.Barrier(2)

    def work(turn):
        for n in range(4):
            if n % 2 == turn:
                d["n"] += 1
                for key in d:
                    d[key] = d[key]
            barrier.wait(30)

    together(lambda: work(0), lambda: work(1), times=rounds)


@correct
def pool_returns_results(rounds=1):
    d = CheckedDict(n=0)

    def work():
        d["n"] += 1
        return d["n"]

    with futures.ThreadPoolExecutor(3) as pool:
        for _ in range(rounds):
            pool.submit(work).result()
            d["n"] += 1
            assert list(pool.map(lambda n: n + d["n"], range(3)))
            futures.wait([pool.submit(work)])
            d["n"] += 1
            for future in futures.as_completed([pool.submit(work)]):
                assert future.done()
                d["n"] += 1
    d["n"] += 1


@correct
def pool_raises_and_calls_back(rounds=1):
    d = CheckedDict(n=0)

    def fail():
        d["n"] += 1
        raise ValueError

    with futures.ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            called = threading.Event()

            def back(_, called=called):
                d["n"] += 1
                called.set()

            future = pool.submit(fail)
            assert isinstance(future.exception(30), ValueError)
            d["n"] += 1
            future.add_done_callback(back)
            assert called.wait(30)
            try:
                pool.submit(fail).result(30)
            except ValueError:
                d["n"] += 1


@correct
def thread_pool_of_multiprocessing(rounds=1):
    d = CheckedDict(n=0)

    def work(_):
        d["n"] += 1

    with ThreadPool(2) as pool:
        for _ in range(rounds):
            pool.apply(work, (0,))
            d["n"] += 1
    pool.join()


@correct
def setdefault_by_all(rounds=1):
    d = CheckedDict()

    def work():
        d.setdefault("k", []).append(1)
        d.setdefault((1, 2), 3)

    together(work, work, times=rounds)
    assert len(d["k"]) == 2 * rounds


@correct
def items_are_claimed(rounds=1):
    d = CheckedDict({n: n for n in range(10 * rounds)})
    taken = []

    def take():
        for n in range(5 * rounds):
            if d.pop(n, None) is not None:
                taken.append(n)
        while d:
            try:
                taken.append(d.popitem()[1])
            except KeyError:
                break

    together(take, take)
    assert sorted(set(taken)) == list(range(10 * rounds))


@correct
def looked_up_again_under_the_lock(rounds=1):
    d, lock = CheckedDict(), threading.Lock()

    def load(key):
        if key not in d:
            with lock:
                if key not in d:
                    d[key] = object()
        return d[key]

    together(*[lambda: [load(n) for n in range(3)]] * 3, times=rounds)


@correct
def computed_outside_then_setdefault(rounds=1):
    d, lock = CheckedDict(), threading.Lock()

    def load():
        with lock:
            value = d.get("k")
        if value is None:
            value = object()
            with lock:
                value = d.setdefault("k", value)
        return value

    together(load, load, times=rounds)


@correct
def iterated_under_the_lock(rounds=1):
    d, lock = CheckedDict(dict.fromkeys(range(5), 0)), threading.Lock()

    def write():
        with lock:
            d[len(d)] = 0

    def iterate():
        with lock:
            for key, value in d.items():
                assert key >= value

    together(write, iterate, times=rounds)


@correct
def claimed_under_the_lock_and_finished_under_it(rounds=1):
    d, lock = CheckedDict(), threading.Lock()

    def work():
        for job in range(5):
            with lock:
                if job in d:
                    continue
                d[job] = "running"
            with lock:
                d[job] = "done"

    together(work, work, times=rounds)


@correct
def bounded_cache(rounds=1):
    d, order, lock = CheckedDict(), CheckedDict(), threading.RLock()

    def get(key):
        with lock:
            if key in d:
                order[key] = order.pop(key, None)
                return d[key]
        value = str(key)
        with lock:
            if key not in d:
                d[key] = value
                order[key] = None
            while len(d) > 3:
                oldest = next(iter(order))
                del order[oldest], d[oldest]
        return value

    together(*[lambda: [get(n % 5) for n in range(20)]] * 3, times=rounds)


@correct
def read_here_and_written_there(rounds=1):
    d, lock = CheckedDict(n=0), threading.Lock()

    def show():
        with lock:
            return d["n"]

    def reset(n):
        with lock:
            d["n"] = n

    def work():
        for n in range(3):
            show()
            reset(n)

    together(work, work, times=rounds)


@correct
def meant_so(rounds=1):
    d = CheckedDict()

    def beat():
        with detect.unchecked():
            d["last seen"] = time.monotonic()

    together(beat, beat, times=rounds)

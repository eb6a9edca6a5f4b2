"""Whether two threads read one map twice as fast as one thread: free-threaded Python 3.14 only.

It matters how the reading function knows the map. To a local variable the interpreter borrows a reference; one to
what is in a closure, a global or an attribute is counted at every `m[k]`, and threads that count references to
one object slow each other down. (So does a loop on one line, `for k in keys: m[k]`, even with a local variable.)
"""

from __future__ import annotations

import random
import sys
import threading
from functools import partial
from statistics import median
from time import perf_counter_ns

import pytest

from benchmarks.cases import VARIANTS
from benchmarks.contents import SEED
from benchmarks.environment import GIL
from benchmarks.loops import own_code
from benchmarks.table import Row

pytestmark = pytest.mark.skipif(
    GIL or sys.version_info < (3, 14), reason="two threads at once: free-threaded Python 3.14 only"
)

SIZE = 1_000
WINDOW_NS = 120_000_000
ROUNDS = 9
TRIES = 3
"""Rounds that may be made for each that counts: one in which two cores were free."""
FEWEST_ROUNDS = 3
WARM_UP_BATCHES = 20
AT_LEAST_ONE_THREADS = 1.8
AT_LEAST_DICTS = 2.0

KEYS = [sys.intern(f"key-{number}") for number in range(SIZE)]
"""Immortal, as names and literals are, so that it is only the map and the values that threads can meet in."""
VALUES = {"immortal": [None] * SIZE, "distinct": [object() for _ in range(SIZE)]}


@pytest.mark.parametrize("place", ["local variable", "closure"])
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("variant", ["ShardedMap", "CopyOnWriteMap", "ReadDirtyMap"])
def test_reads_per_second(variant, values, place, plan, record):
    d = dict(zip(KEYS, VALUES[values], strict=True))
    m = VARIANTS[variant](d)
    m.to_dict()  # moves all keys to the read table of a ReadDirtyMap
    reader = READERS[place]
    read_dict, read_map = reader(d), reader(m)
    taken = []
    for _ in range(TRIES * plan.rounds(ROUNDS)):
        idle = reads_per_us(read_nothing, threads=2) / reads_per_us(read_nothing, threads=1)
        figures = (
            reads_per_us(read_map, threads=1),
            reads_per_us(read_map, threads=2),
            reads_per_us(read_dict, threads=2),
        )
        if idle >= AT_LEAST_ONE_THREADS:
            taken.append(figures)
        if len(taken) == plan.rounds(ROUNDS):
            break
    if len(taken) < FEWEST_ROUNDS:
        pytest.skip("the machine is busy: two threads that read nothing were seldom faster together than one")
    one, two, of_dict = map(median, zip(*taken, strict=True))
    operation = f"m[k], 2 threads, {values} values, m in a {place}"
    pairs = ("one thread", one, AT_LEAST_ONE_THREADS), ("dict, 2 threads", of_dict, AT_LEAST_DICTS)
    rows = [
        Row(against, operation, variant, "str", SIZE, theirs, two, "reads/us", two / theirs, least, at_least=True)
        for against, theirs, least in pairs
    ]
    record(*rows)


def reads_per_us(read, *, threads):
    """Return how many keys all threads together read in a microsecond of a window that all of them are busy in."""
    ends = []
    gate = threading.Barrier(threads, action=lambda: ends.append(perf_counter_ns() + WINDOW_NS))
    rates = []
    crew = [
        threading.Thread(target=read, args=(random.Random(seed).sample(KEYS, SIZE), gate, ends, rates))  # noqa: S311
        for seed in range(SEED, SEED + threads)
    ]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    assert len(rates) == threads
    return sum(rates)


def read_nothing(keys, gate, ends, rates):
    gate.wait()
    end = ends[0]
    batches = 0
    begin = now = perf_counter_ns()
    while now < end:
        for _ in keys:
            pass
        batches += 1
        now = perf_counter_ns()
    rates.append(batches * len(keys) * 1e3 / (now - begin))


def from_local_variable(mapping):
    return partial(own_code(read), mapping)


def read(m, keys, gate, ends, rates):
    for _ in range(WARM_UP_BATCHES):
        for k in keys:
            m[k]
    gate.wait()
    end = ends[0]
    batches = 0
    begin = now = perf_counter_ns()
    while now < end:
        for k in keys:
            m[k]
        batches += 1
        now = perf_counter_ns()
    rates.append(batches * len(keys) * 1e3 / (now - begin))


def from_closure(m):
    """Return `read` with the map in its closure."""

    def read(keys, gate, ends, rates):
        for _ in range(WARM_UP_BATCHES):
            for k in keys:
                m[k]
        gate.wait()
        end = ends[0]
        batches = 0
        begin = now = perf_counter_ns()
        while now < end:
            for k in keys:
                m[k]
            batches += 1
            now = perf_counter_ns()
        rates.append(batches * len(keys) * 1e3 / (now - begin))

    return own_code(read)


READERS = {"local variable": from_local_variable, "closure": from_closure}

"""Measures one contestant on one workload in one window of time, and says in which order the windows come.

A window: all threads work in a loop from the start. The main thread lets them warm up, opens the window,
closes it, and only then tells them to stop; a thread counts, for itself, the operations that it did while
the window was open. So nobody is counted while another has not begun or is done already, which would flatter
maps that suffer from contention (barriers do that: they let threads go one by one).

The order: blocks, each with every cell once. In a block the contestants of one cell follow one another, in
random order, so that what the machine does besides hits all of them, and ratios within a block cancel it.
"""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.crew import Crew
from safemap.bench.workloads import CHUNK

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from safemap.bench.contestants import Contestant, Table
    from safemap.bench.workloads import Chunk, Script

WARMING: Final = 0
MEASURING: Final = 1
DRAINING: Final = 2
STOPPED: Final = 3

WARM_UP: Final = 1 / 3
"""Of the window's length: long enough for the threads to meet, and for the interpreter to specialise."""
DRAIN: Final = 1 / 20
"""Of the window's length: for each thread to end the chunk that it began in the window, while the others run."""


class Phase:
    """What the threads are to do now. Written by the main thread alone; threads look at it before each chunk."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = WARMING


class Tally:
    """What one thread did. Written by that thread alone, once, at its end."""

    __slots__ = ("executed", "measured")

    def __init__(self) -> None:
        self.measured = 0  # chunks begun while the window was open
        self.executed = 0  # chunks in all


@dataclass(frozen=True, slots=True)
class Window:
    """What one window showed."""

    seconds: float
    cpu_seconds: float
    """CPU time that the process got meanwhile."""
    counts: tuple[int, ...]
    """Operations in the window, of each thread."""
    fault: str | None
    """What was wrong with the map afterwards; None: nothing. A window with a fault has no score."""

    @property
    def throughput(self) -> float:
        """Operations per second, of all threads together."""
        return sum(self.counts) / self.seconds


@dataclass(frozen=True, slots=True)
class Measurement:
    """A window, and where it belongs."""

    block: int
    workload: str
    threads: int
    contestant: str
    window: Window


def run(
    contestants: Sequence[Contestant],
    scripts: Mapping[str, Script],
    threads: Sequence[int],
    *,
    blocks: int,
    seconds: float,
    chance: random.Random,
) -> Iterator[Measurement]:
    """Measure every contestant on every script (by the workload's name), once a block; yield as it goes."""
    for block in range(blocks):
        cells = [(name, count) for name in scripts for count in threads]
        chance.shuffle(cells)
        for name, count in cells:
            for contestant in chance.sample(contestants, len(contestants)):
                window = measure(contestant, scripts[name], count, seconds)
                yield Measurement(block, name, count, contestant.name, window)


def measure(contestant: Contestant, script: Script, threads: int, seconds: float) -> Window:
    """Measure one window of so many seconds, on a fresh map that is checked afterwards."""
    table = contestant.make(script.initial)
    loop = _use_locked if contestant.updates == "under a lock" else _use
    lock, phase, tallies = threading.Lock(), Phase(), [Tally() for _ in range(threads)]
    gc.collect()  # the last map's garbage is not this one's; while measuring the collector is on, as in life
    crew = Crew(
        [
            partial(loop, table, lock, chunks, phase, tally)
            for chunks, tally in zip(script.lanes[:threads], tallies, strict=True)
        ]
    )
    try:
        warm = time.perf_counter() + seconds * WARM_UP
        crew.go()
        crew.wait_until_all_run()
        time.sleep(max(0.0, warm - time.perf_counter()))
        phase.now = MEASURING
        begun, cpu_begun = time.perf_counter(), time.process_time()
        time.sleep(seconds)
        phase.now = DRAINING
        # Not `seconds`: the main thread waits for its turn, too.
        elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu_begun
        time.sleep(seconds * DRAIN)
    finally:
        phase.now = STOPPED
        crew.go()
    fault = crew.finish() or _fault(table, script, tallies)
    return Window(elapsed, cpu, tuple(tally.measured * CHUNK for tally in tallies), fault)


def _fault(table: Table, script: Script, tallies: Sequence[Tally]) -> str | None:
    try:
        contents = dict(table.items())
    except Exception as error:  # noqa: BLE001 - as in a thread: the map's fault, and reported
        return f"raised {type(error).__name__} when read at the end: {error}"
    return script.fault(contents, tuple(tally.executed for tally in tallies))


# The timed loops. The subscripts are written in place, as in a program: a call of a bound method, or of a
# wrapper around the lock, would cost more than some of the maps. That makes them two functions.


def _use(table: Table, _lock: threading.Lock, chunks: Sequence[Chunk], phase: Phase, tally: Tally) -> None:
    measuring, stopped = MEASURING, STOPPED
    measured = executed = 0
    while True:
        for chunk in chunks:
            now = phase.now
            if now == stopped:
                tally.measured, tally.executed = measured, executed
                return
            for key, value in chunk:
                if value is None:
                    _found: Any = table[key]
                else:
                    table[key] = value
            executed += 1
            if now == measuring:
                measured += 1


def _use_locked(table: Table, lock: threading.Lock, chunks: Sequence[Chunk], phase: Phase, tally: Tally) -> None:
    measuring, stopped = MEASURING, STOPPED
    measured = executed = 0
    while True:
        for chunk in chunks:
            now = phase.now
            if now == stopped:
                tally.measured, tally.executed = measured, executed
                return
            for key, value in chunk:
                if value is None:
                    with lock:
                        _found: Any = table[key]
                else:
                    with lock:
                        table[key] = value
            executed += 1
            if now == measuring:
                measured += 1

"""One cell: one contestant, on one workload, with so many threads, once. Each runs in a process of its own.

So no cell has to do with what an earlier one left: specialised bytecode, a heap in pieces, objects to collect.
`python -m safemap.bench.cell` reads a `Task` from its input as JSON, and writes what it found to its output.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from safemap.bench import loop
from safemap.bench.contestants import named
from safemap.bench.crew import PATIENCE, Crew
from safemap.bench.environment import gil_enabled, peak_bytes
from safemap.bench.histogram import bucket
from safemap.bench.loop import DRAINING, MEASURING, STOPPED, Log, Phase
from safemap.bench.script import CHUNK, Script
from safemap.bench.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.contestants import Contestant
    from safemap.bench.script import Chunk

WARM_UP: Final = 1 / 3
"""Of the window's length: long enough for the threads to meet, and for the interpreter to specialise."""
GLANCES: Final = 50
"""How often, in a window's length, the main thread looks whether all threads have seen a phase."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to measure."""

    kind: str
    """throughput, latency, job or size."""
    contestant: str
    workload: Mapping[str, Any]
    """A `Workload` as JSON. Of a job its name, of a size its size are used."""
    threads: int
    seconds: float
    seed: int
    rate: float = 0.0
    """latency: operations per second, of all measured threads together."""


def main() -> int:
    """Measure what the input says, and write it to the output."""
    print(json.dumps(measure(Task(**json.load(sys.stdin)))))  # noqa: T201 - it is a command
    sys.stdout.flush()
    os._exit(0)  # a hung thread, or a million entries, are no reason to wait


def measure(task: Task, contestant: Contestant | None = None) -> dict[str, Any]:
    """Return what a cell showed: `fault` says what was wrong with the map, and is None if nothing was.

    `contestant`: take this one and not the one that the task names.
    """
    contestant = contestant or named(task.contestant)
    kinds = {"throughput": _throughput, "latency": _latency, "job": _job, "size": _size}
    begun = gil_enabled()
    found = kinds[task.kind](task, contestant)
    return {"fault": None, **found, "gil": [begun, gil_enabled()], "peak_bytes": peak_bytes()}


def _throughput(task: Task, contestant: Contestant) -> dict[str, Any]:
    window = _Window(task, contestant, loop.SATURATED)
    window.run()
    if window.fault is not None:
        return {"fault": window.fault}
    return window.figures()


def _latency(task: Task, contestant: Contestant) -> dict[str, Any]:
    window = _Window(task, contestant, loop.PACED)
    window.run()
    if window.fault is not None:
        return {"fault": window.fault}
    late = [ns for log in window.measured_logs() for ns in log.late]
    histogram = Counter(map(bucket, late))
    return {
        **window.figures(),
        "rate": task.rate,
        "max_ns": max(late, default=0),
        "histogram": sorted(histogram.items()),
    }


class _Window:
    """Threads that work in a loop from the start; a window that opens when they are warm, and closes.

    Nobody is counted while another has not begun or is done already, which would flatter maps that suffer from
    contention (barriers do that: they let threads go one by one).
    """

    def __init__(self, task: Task, contestant: Contestant, template: str) -> None:
        self.task, self.contestant, self.template = task, contestant, template
        self.script = Script.of(Workload.from_json(task.workload), task.threads, task.seed)
        self.phase = Phase()
        self.logs = [Log() for _ in range(task.threads)]
        self.lanes: list[Sequence[Chunk]] = [() for _ in self.logs]
        self.fault: str | None = None
        self.lost: int | None = None
        self.cpu_seconds = 0.0
        self.collections: list[int] = []

    def run(self) -> None:
        """Let the window pass, and check the map."""
        table = self.contestant.make(self.script.initial)
        try:
            names = self.contestant.names(table)
            crew = Crew(
                [partial(self._work, table, names, thread) for thread in range(self.task.threads)],
                [partial(self._prepare, thread) for thread in range(self.task.threads)],
            )
            gc.collect()  # of preparing; while measuring the collector is on, as in life
            try:
                self._direct(crew)
            finally:
                self.phase.now = STOPPED
                crew.go()
            # A window's worth more: an operation that was begun in it may take as long.
            self.fault = crew.finish(PATIENCE + self.task.seconds) or self.fault or self._check(table)
        finally:
            self.contestant.close(table)

    def _prepare(self, thread: int) -> None:
        self.lanes[thread] = self.script.lane(thread)

    def _work(self, table: Any, names: Mapping[str, Any], thread: int) -> None:
        background = self.script.in_background(thread)
        pace: dict[str, Any] = {}
        template = loop.SATURATED if background else self.template
        if template is loop.PACED:
            interval = round(CHUNK * self._measured() / self.task.rate * 1e9)
            pace = {"interval": interval, "offset": interval * thread // self.task.threads}
        operations = [operation.name for operation in self.script.operations]
        run = loop.build(template, operations, self.contestant.statements, {**names, **pace})
        run(table, self.lanes[thread], self.phase, self.logs[thread])

    def _measured(self) -> int:
        return self.task.threads - bool(self.script.workload.background)

    def _direct(self, crew: Crew) -> None:
        seconds = self.task.seconds
        warm = time.perf_counter() + seconds * WARM_UP
        crew.go()
        crew.wait_until_all_run()
        time.sleep(max(0.0, warm - time.perf_counter()))
        cpu, collections = time.process_time(), _collections()
        self._enter(MEASURING, crew)
        time.sleep(seconds)
        self.cpu_seconds = time.process_time() - cpu
        self.collections = [after - before for before, after in zip(collections, _collections(), strict=True)]
        # All go on until each has done the chunk that it began in the window.
        self._enter(DRAINING, crew)

    def _enter(self, phase: int, crew: Crew) -> None:
        """Begin a phase, and return when every thread has seen it, unless one never will."""
        self.phase.now = phase
        deadline = time.perf_counter() + PATIENCE
        while not all(phase in log.edges for log in self.logs):
            if crew.failed() or time.perf_counter() > deadline:
                return
            time.sleep(self.task.seconds / GLANCES)

    def _check(self, table: Any) -> str | None:
        if any(not {MEASURING, DRAINING, STOPPED} <= log.edges.keys() for log in self.logs):
            return "too slow: an operation took longer than a whole window"
        executed = [log.edges[STOPPED][1] for log in self.logs]
        try:
            contents = self.contestant.contents(table)
        except Exception as error:  # noqa: BLE001 - as in a thread: the map's fault, and reported
            return f"raised {type(error).__name__} when read at the end: {error}"
        self.lost = self.script.lost(contents, self.lanes, executed)
        if self.lost and self.contestant.atomic:
            return f"{self.lost:,} counts lost"
        return None if not self.contestant.atomic else self.script.fault(contents, self.lanes, executed)

    def measured_logs(self) -> list[Log]:
        """Return the logs of the threads that are measured."""
        return self.logs[: self._measured()]

    def figures(self) -> dict[str, Any]:
        """Return what was measured."""
        spans = [_span(log) for log in self.logs]
        sizes = [sum(map(len, lane)) / len(lane) for lane in self.lanes]
        done = [round(chunks * size) for (_, chunks), size in zip(spans, sizes, strict=True)]
        return {
            "seconds": max(ns for ns, _ in spans) / 1e9,
            "rates": [count / (ns / 1e9) for count, (ns, _) in zip(done, spans, strict=True)],
            "counts": done,
            "measured": self._measured(),
            "cpu_seconds": self.cpu_seconds,
            "lost": self.lost,
            "collections": self.collections,
        }


def _span(log: Log) -> tuple[int, int]:
    """Return how long a thread's window was, in ns, and how many chunks it did in it."""
    (begun, before), (ended, after) = log.edges[MEASURING], log.edges[DRAINING]
    return ended - begun, after - before


def _collections() -> list[int]:
    return [generation["collections"] for generation in gc.get_stats()]


def _job(task: Task, contestant: Contestant) -> dict[str, Any]:
    from safemap.bench import wordindex  # noqa: PLC0415 - a cell takes as long as its imports; most are no jobs

    corpus = wordindex.read_corpus(round(task.seconds * wordindex.WORDS_PER_SECOND), task.threads)
    if corpus is None:
        return {"fault": "the standard library's source is not here"}
    cpu, collections = time.process_time(), _collections()
    built = wordindex.build(contestant, corpus)
    if built.fault is not None:
        return {"fault": built.fault}
    return {
        "seconds": built.seconds,
        "rates": [words / built.seconds for words in built.words],
        "counts": list(built.words),
        "measured": task.threads,
        "cpu_seconds": time.process_time() - cpu,
        "lost": built.lost,
        "collections": [after - before for before, after in zip(collections, _collections(), strict=True)],
    }


def _size(task: Task, contestant: Contestant) -> dict[str, Any]:
    from safemap.bench.sizes import costs  # noqa: PLC0415 - as in `_job`

    return costs(contestant, Workload.from_json(task.workload), task.seconds, task.seed)


def task_to_json(task: Task) -> str:
    """Return a task as `main` reads it."""
    return json.dumps(asdict(task))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())

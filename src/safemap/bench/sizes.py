"""What a map costs by its size: memory for each entry, and the time of operations, one thread, nobody else.

Of a write after a snapshot it is each single one that matters, and how much of the map it copies.
"""

from __future__ import annotations

import textwrap
import tracemalloc
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.loop import NAMES, define
from safemap.bench.script import Script
from safemap.bench.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safemap.bench.contestants import Contestant

COSTS: Final = ("scan", "get", "set", "length", "snapshot")
"""In this order: after a scan, `ReadDirtyMap` has its keys where it reads them, as a map in use has."""
WRITE_AFTER_SNAPSHOT: Final = "write after snapshot"
BATCHES: Final = 15
"""Batches, the median of which counts."""
SINGLES: Final = 50
"""Writes after a snapshot."""

_LOOP: Final = """\
def loop(m, steps, {names}):
    for key, value in steps:
{statement}
"""


def costs(contestant: Contestant, workload: Workload, seconds: float, seed: int) -> dict[str, Any]:
    """Return bytes per entry and ns per operation, for a map of the workload's size, keys and values.

    Takes about half of `seconds` for each operation at most; slow ones are timed fewer times.
    """
    drawn = Workload(
        "sizes", {"get": 0.5, "set": 0.5}, size=workload.size, keys=workload.keys, values=workload.values
    )
    script = Script.of(drawn, 1, seed)
    steps = [(key, value) for chunk in script.lane(0) for _, key, value in chunk]
    seconds /= 2  # one thread, and nobody to meet: that is steadier than a window of several
    table = contestant.make(script.initial)
    try:
        timed = {
            name: _cost(_loop(contestant, table, name), table, steps, seconds)
            for name in COSTS
            if name in contestant.statements
        }
        if "snapshot" in contestant.statements:
            timed[WRITE_AFTER_SNAPSHOT] = _write_after_snapshot(contestant, table, steps, seconds)
    finally:
        contestant.close(table)
    return {"costs": timed, "bytes_per_entry": _bytes(contestant, script.initial) / max(1, workload.size)}


def _loop(contestant: Contestant, table: Any, name: str) -> Callable[..., None]:
    known: dict[str, Any] = {**NAMES, **contestant.names(table)}
    statement = textwrap.indent(contestant.statements[name], " " * 8)
    return define("loop", _LOOP.format(names=", ".join(known), statement=statement), known)


def _cost(run: Callable[..., None], table: Any, steps: list[tuple[Any, Any]], seconds: float) -> float:
    """Return the median time of an operation, in ns, over batches as long as the time allows."""
    begun = perf_counter_ns()
    run(table, steps[:1])
    one = perf_counter_ns() - begun
    length = max(1, min(len(steps), int(seconds * 1e9 / BATCHES / max(one, 1))))
    taken: list[float] = []
    deadline = perf_counter_ns() + seconds * 1e9
    for _ in range(BATCHES):
        begun = perf_counter_ns()
        run(table, steps[:length])
        now = perf_counter_ns()
        taken.append((now - begun) / length)
        if now > deadline:
            break
    return median(taken)


def _write_after_snapshot(
    contestant: Contestant, table: Any, steps: list[tuple[Any, Any]], seconds: float
) -> float:
    """Return the median time, in ns, of the first write after a snapshot that is still there."""
    look, write = _keeper(contestant, table), _loop(contestant, table, "set")
    taken: list[int] = []
    deadline = perf_counter_ns() + seconds * 1e9
    for step in steps[:SINGLES]:
        kept = look(table)
        begun = perf_counter_ns()
        write(table, [step])
        now = perf_counter_ns()
        taken.append(now - begun)
        del kept
        if now > deadline:
            break
    return float(median(taken))


def _keeper(contestant: Contestant, table: Any) -> Callable[[Any], Any]:
    """Return a function that returns a snapshot: the statement leaves it in `found`."""
    known: dict[str, Any] = {**NAMES, **contestant.names(table)}
    statement = textwrap.indent(contestant.statements["snapshot"], "    ")
    return define("look", f"def look(m, {', '.join(known)}):\n{statement}\n    return found", known)


def _bytes(contestant: Contestant, items: Mapping[Any, Any]) -> int:
    """Return the memory of a map that is filled key by key, without its keys and values."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        table = contestant.make({})
        run = _loop(contestant, table, "set")
        run(table, items.items())
        after = tracemalloc.get_traced_memory()[0]
        contestant.close(table)
    finally:
        tracemalloc.stop()
    return after - before

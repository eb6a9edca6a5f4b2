"""Runs the cells of a plan, each in a fresh process, and collects what they found.

Within a block all processes hash strings alike: which keys share a shard is not what contestants should differ in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.cell import Task, task_to_json
from safemap.bench.contestants import REFERENCE
from safemap.bench.environment import load
from safemap.bench.results import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safemap.bench.plan import Cell
    from safemap.bench.results import Results

LIMIT: Final = 60.0
"""Seconds, besides what the windows take, until a cell is given up: a hundred times what most take. A map of a
million entries is filled in one."""
LATENCY_WINDOWS: Final = 3
"""A window of latency is so many times as long as one of throughput: the longest of a thousand is to be seen."""
HASH_SEEDS: Final = 2**32
COMMAND: Final = ("-m", "safemap.bench.cell")


def run(results: Results, measure: Callable[[Task, int, float], dict[str, Any]] | None = None) -> Iterator[Record]:
    """Measure the cells of the plan that have not been; add each to the results, and yield it.

    `measure`: instead of a process.
    """
    measure = measure or in_process
    plan = results.plan
    done = results.done()
    given_up = {each.cell.series: each.found["capped"] for each in results.records if each.found.get("capped")}
    for cell in plan.cells(results.environment.cores):
        if cell in done:
            continue
        found: dict[str, Any] | None
        if cell.series in given_up:
            found = {"capped": given_up[cell.series]}
        else:
            found = _measured(results, cell, measure)
            if found is None:
                continue
            if found.get("capped"):
                given_up[cell.series] = found["capped"]
        record = Record(cell, found)
        results.records.append(record)
        yield record


def _measured(
    results: Results, cell: Cell, measure: Callable[[Task, int, float], dict[str, Any]]
) -> dict[str, Any] | None:
    """Return what a cell showed. None if it makes no sense: a latency, where the reference has no throughput."""
    plan = results.plan
    rate = 0.0
    if cell.kind == "latency":
        reference = results.throughputs(cell.workload, cell.threads).get(REFERENCE)
        if not reference:
            return None
        rate = cell.load * reference.get(cell.block, median(reference.values()))
    task = Task(
        kind=cell.kind,
        contestant=cell.contestant,
        workload=plan.workload(cell.workload).to_json(),
        threads=cell.threads,
        seconds=plan.seconds * (LATENCY_WINDOWS if cell.kind == "latency" else 1),
        seed=plan.seed,
        rate=rate,
    )
    hash_seed = (plan.seed * 1_000_003 + cell.block) % HASH_SEEDS
    before = load()
    found = measure(task, hash_seed, LIMIT + 10 * plan.seconds)
    return {**found, "hash_seed": hash_seed, "machine_load": before}


def in_process(task: Task, hash_seed: int, limit: float) -> dict[str, Any]:
    """Measure a cell in a process of its own; give it up after `limit` seconds."""
    variables = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, *COMMAND],
            input=task_to_json(task),
            env=variables,
            timeout=limit,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"capped": f"not done after {limit:.0f} s"}
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"fault": f"its process died: {last}"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found

"""What the maps cost one thread: see README.md for how to run it and how to read it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import pytest

import safemap
from benchmarks.cases import VARIANTS, Stage, cases
from benchmarks.conftest import Plan
from benchmarks.contents import KEY_TYPES, contents, drawn, filled
from benchmarks.table import Row
from benchmarks.turns import in_turns

LARGE = 1_000_000
"""Entries for which memory and snapshots have their limits."""
BYTES_LIMITS = dict.fromkeys(VARIANTS, 1.15) | {"ReadDirtyMap": 2.5}
SNAPSHOT_LIMIT_US = 20
FIRST_WRITE_LIMIT_US = 200
IMPORT_LIMIT_MS = 15


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        rows = cases(Plan.of(metafunc.config).sizes)
        metafunc.parametrize("case", [pytest.param(row, marks=_marks(row)) for row in rows], ids=str)


def _marks(row):
    return [pytest.mark.skip(reason=row.rival.missing)] if row.rival.missing else []


def test_operation(benchmark, case, plan, record):
    operation, keys, size = case.operation, case.keys, case.size
    theirs, ours = (
        filled(make, keys, size, shuffled=plan.shuffled) for make in (case.rival.make, VARIANTS[case.variant])
    )
    if isinstance(ours, safemap.ReadDirtyMap):
        ours.to_dict()  # moves all keys to the read table
    if operation.stage is Stage.WHOLE:
        turns, rounds = repeat((range(max(1, 20_000 // size)), ())), 15 if size < LARGE else 6
    else:
        turns, rounds = drawn(contents(keys, size, shuffled=plan.shuffled), str(case)), 21
    contestants = [(operation.empty, None), (operation.theirs, theirs), (operation.ours, ours)]
    loop_ns, their_ns, our_ns = in_turns(benchmark, contestants, turns, plan.rounds(rounds))
    dict_ns, map_ns = their_ns - loop_ns, our_ns - loop_ns
    ratio = map_ns / dict_ns
    against, label, variant = case.rival.name, operation.label, case.variant
    row = Row(against, label, variant, keys, size, dict_ns, map_ns, "ns", ratio, case.limit, loop=loop_ns)
    record(row, ratio=ratio, dict_ns=dict_ns, map_ns=map_ns, loop_ns=loop_ns)


# --- memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", KEY_TYPES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_bytes_per_entry(variant, keys, large, record):
    theirs, ours = bytes_per_entry("dict", keys), bytes_per_entry(variant, keys)
    record(Row("dict", "bytes", variant, keys, large, theirs, ours, "B", ours / theirs, BYTES_LIMITS[variant]))


@cache
def bytes_per_entry(name, keys):
    command = [sys.executable, "-m", "benchmarks.bytes_per_entry", name, keys, str(LARGE)]
    root = Path(__file__).parents[1]
    return float(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)  # noqa: S603


@pytest.fixture
def large(plan):
    if LARGE not in plan.sizes:
        pytest.skip(f"has its limit at {LARGE:,} entries")
    return LARGE


# --- snapshots of CopyOnWriteMap --------------------------------------------------------------------


def test_snapshot_in_constant_time(benchmark, large, plan, record):
    m = filled(safemap.CopyOnWriteMap, "str", large, shuffled=plan.shuffled)
    taken = timed(benchmark, m.snapshot, rounds=plan.rounds(300))
    record(absolute("m.snapshot()", taken, SNAPSHOT_LIMIT_US))


def test_first_write_after_a_snapshot(benchmark, large, plan, record):
    m = filled(safemap.CopyOnWriteMap, "str", large, shuffled=plan.shuffled)
    keys = chain.from_iterable(keys for keys, _ in drawn(m.to_dict(), "first write"))
    alive = []

    def setup():
        alive[:] = [m.snapshot()]
        return (next(keys), 10**12), {}

    taken = timed(benchmark, m.__setitem__, setup, rounds=plan.rounds(300))
    record(absolute("m[k] = v, first after m.snapshot()", taken, FIRST_WRITE_LIMIT_US))


def absolute(operation, taken, limit):
    return Row("the clock", operation, "CopyOnWriteMap", "str", LARGE, None, taken, "us", taken, limit, "us")


def timed(benchmark, function, setup=None, *, rounds):
    """Return how many us one call takes: the median of `rounds` calls."""
    taken = []

    def call(*arguments):
        begin = perf_counter_ns()
        function(*arguments)
        taken.append((perf_counter_ns() - begin) / 1e3)

    benchmark.pedantic(call, setup=setup, rounds=rounds)
    return median(taken)


# --- import -----------------------------------------------------------------------------------------


def test_import(benchmark, plan, record, tmp_path):
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    taken = {"pass": [], "import safemap": []}

    def start(code):
        begin = perf_counter_ns()
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)  # noqa: S603
        taken[code].append((perf_counter_ns() - begin) / 1e6)

    rounds = plan.rounds(31)
    benchmark.pedantic(
        start, args=("import safemap",), setup=lambda: start("pass"), rounds=rounds, warmup_rounds=1
    )
    bare, imported = (median(each[-rounds:]) for each in taken.values())
    more = imported - bare
    against, operation = "a bare interpreter", "import safemap"
    record(Row(against, operation, "", "", None, bare, imported, "ms", more, IMPORT_LIMIT_MS, "ms"))

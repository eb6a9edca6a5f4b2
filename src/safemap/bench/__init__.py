"""safemap.bench: measures the maps on this machine, and tells which to take. `safemap bench --quick` runs it.

On safemap's public names alone. How it is built, each module on those before it:

    operations    what can be done to a map
    workload      a mix of operations, and the axes along which workloads differ; as data
    catalogue     the named workloads
    contestants   what is compared: one file for each, with the statements that a program would write
    script        a workload written down for each thread, before any clock runs; was the map right?
    loop          the timed loops, put together of statements
    crew          threads that start together, fail loudly and are not waited for without end
    wordindex     the job on real input
    sizes         what a map costs by its size
    environment   what the figures were taken on
    cell          one contestant on one workload, once: in a process of its own
    plan          what is to be measured, and in which order; profiles has plans ready
    histogram     latencies in buckets
    statistics    from figures to ratios, intervals, noise and verdicts
    results       the file, and what reports ask of it
    engine        runs a plan's cells
    verdicts      verdicts in words, and what has to be said with them
    terminal      tables and progress (needs rich, an extra)
    compare       two results: has something become slower?
    arguments     of the commands
    commands      what they do

Beside these, for a program's own use (`Recorder`):

    ledger        counts and samples of what threads did
    recorder      a map that keeps what a program does to it
    deduction     the workload that this amounts to (mixture, access, skew: its parts)
    recording     the same as a file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from safemap.bench.recorder import Recorder

__all__ = ["Recorder"]


def __getattr__(name: str) -> Any:
    if name == "Recorder":  # not before it is asked for: each cell of the benchmark imports this module
        from safemap.bench.recorder import Recorder  # noqa: PLC0415

        return Recorder
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)

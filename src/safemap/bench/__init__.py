"""safemap.bench: measures the maps on this machine, and tells which to take. `safemap bench --quick` runs it.

On safemap's public names alone. How it is built, each module on those before it:

    contestants   what is compared, and how to make a fresh one
    workloads     what the threads do, written down before any clock runs
    crew          threads that start together, fail loudly and are not waited for without end
    engine        one contestant on one workload in one window of time; the order of the windows
    wordindex     the job on real input
    statistics    from figures to ratios, noise and verdicts
    environment   what the figures were taken on
    results       what was planned and measured, sorted by the questions of the report
    verdicts      verdicts in words, and what has to be said with them
    report        tables and progress (needs rich, an extra)
    __main__      the command line

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

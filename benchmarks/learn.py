"""Measures more drawn workloads, for what ships with the package to learn from.

    python -m benchmarks.learn learning.json.gz
    python -m benchmarks.learn learning-0.json.gz --first 0 --last 320    # in parts

Many workloads in few blocks teach it more than few in many: their noise averages out in the fit. Takes half an
hour; the longer it takes, the more the machine has to be left alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import unseen
from safemap.bench.drawn import LEARNT, draw

if TYPE_CHECKING:
    from safemap.bench.results import Results

WORKLOADS: Final = 640
BLOCKS: Final = 2
THREADS: Final = (1, 2)


def measure(command: str, first: int, last: int) -> Results:
    """Return what the variants do on the workloads drawn to learn from, the standard profile's being the first."""
    workloads = draw(last, LEARNT)[first:]
    return unseen.measure(unseen.plan(workloads, THREADS, BLOCKS, unseen.SECONDS, seed=1), command)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learn", description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--first", type=int, default=0, help="the first workload; 0")
    parser.add_argument("--last", type=int, default=WORKLOADS, help=f"one behind the last workload; {WORKLOADS}")
    options = parser.parse_args()
    command = f"python -m benchmarks.learn {options.out.name} --first {options.first} --last {options.last}"
    measure(command, options.first, options.last).save(options.out)


if __name__ == "__main__":
    main()

"""Measures more drawn workloads, for what ships with the package to learn from.

    python -m benchmarks.learn learning.json.gz

The standard profile has few workloads that the advice could generalize from. Many in few blocks teach it more than
few in many: their noise averages out in the fit. Takes four minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import unseen
from safemap.bench.drawn import LEARNT, draw
from safemap.bench.profiles import DRAWN

if TYPE_CHECKING:
    from safemap.bench.results import Results

WORKLOADS: Final = 96
BLOCKS: Final = 2
THREADS: Final = (1, 2)


def measure(name: str) -> Results:
    """Return what the variants do on those workloads to learn from that the standard profile does not have."""
    workloads = draw(DRAWN + WORKLOADS, LEARNT)[DRAWN:]
    plan = unseen.plan(workloads, THREADS, BLOCKS, unseen.SECONDS, seed=1)
    return unseen.measure(plan, f"python -m benchmarks.learn {name}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learn", description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    measure(out.name).save(out)


if __name__ == "__main__":
    main()

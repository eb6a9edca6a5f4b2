"""Measures more drawn workloads, for what ships with the package to learn from.

    python -m benchmarks.learn learning.json.gz

The standard profile has few workloads that the advice could generalize from. Many in few blocks teach it more than
few in many: their noise averages out in the fit. Takes four minutes.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.unseen import SECONDS
from benchmarks.unseen import plan as plan_for
from safemap.bench import engine
from safemap.bench.drawn import LEARNT, draw
from safemap.bench.environment import Environment
from safemap.bench.results import Results

KNOWN: Final = 16
"""So many of the seed's workloads are in the standard profile."""
WORKLOADS: Final = 96
BLOCKS: Final = 2
THREADS: Final = (1, 2)


def measure(name: str) -> Results:
    """Return what the variants do on workloads of the seed that is there to learn from."""
    plan = plan_for(draw(KNOWN + WORKLOADS, LEARNT)[KNOWN:], THREADS, BLOCKS, SECONDS, seed=1)
    results = Results(plan, Environment.now(), f"python -m benchmarks.learn {name}", _now())
    for record in engine.run(results):
        if not record.good:
            print(record.cell, record.found)  # noqa: T201
    results.ended = _now()
    return results


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learn", description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    measure(out.name).save(out)


if __name__ == "__main__":
    main()

"""Finds the scales of `safemap.bench.recommend.places`: those under which what was measured is likeliest.

    python -m benchmarks.scales src/safemap/bench/recorded/*.json.gz

The marginal likelihood of a Gaussian process (Rasmussen and Williams 2006, 5.4.1), over all files together, each
in parts, as it takes the cube of the number of workloads. One scale after the other is changed, by ever smaller
steps, while that makes it likelier. A scale that comes out large does not matter, and is left out. Takes some
minutes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

from safemap.bench.measured import NAMES, Measured
from safemap.bench.recommend import gaussian_process, places
from safemap.bench.recommend.cholesky import factor, solved
from safemap.bench.recommend.costs import relative
from safemap.bench.workload import CHOICES, Workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.measured import Point

    Part = tuple[list[dict[str, float]], list[list[float]]]
    """Coordinates, and for each of them the logarithms of the variants' times beside their mean."""

PART: Final = 120
STEPS: Final = (3.0, 2.0, 1.5, 1.25)
SIGNAL: Final = "signal"
"""Not a scale, but found with them."""
LARGEST: Final = 20.0


def parts(points: Sequence[Point], chance: random.Random) -> list[Part]:
    """Return the points in parts of a size, at random."""
    points = [point for point in points if not point.alone and point.ns.keys() >= {*NAMES}]
    points = chance.sample(points, len(points))
    return [
        (
            [places.coordinates(point.workload, point.threads) for point in points[at : at + PART]],
            [[*relative(point.ns).values()] for point in points[at : at + PART]],
        )
        for at in range(0, len(points) - PART + 1, PART)
    ]


def unlikelihood(part: Part, scales: Mapping[str, float]) -> float:
    """Return the negative logarithm of the marginal likelihood, but for a constant; the noise is the likeliest."""
    coordinates, outcomes = part
    names = [name for name in scales if name != SIGNAL]
    here = [tuple(each.get(name, 0.0) / scales[name] for name in names) for each in coordinates]
    root = factor(gaussian_process.covariances(here, scales[SIGNAL]))
    kinds = [*zip(*outcomes, strict=True)]
    square = math.fsum(each * each for kind in kinds for each in solved(root, _centred(kind)))
    count = len(here) * len(kinds)
    return count / 2 * math.log(square / count) + len(kinds) * math.fsum(math.log(row[-1]) for row in root)


def _centred(kind: Sequence[float]) -> list[float]:
    mean = math.fsum(kind) / len(kind)
    return [value - mean for value in kind]


def likeliest(data: Sequence[Part]) -> dict[str, float]:
    """Return the scales, and the signal."""
    axes = {f"{axis}: {value}" for axis, values in CHOICES.items() for value in values}
    usual = {f"{axis}: {getattr(Workload('usual', {'get': 1.0}), axis)}" for axis in CHOICES}
    known = {name for coordinates, _ in data for each in coordinates for name in each}
    scales = dict.fromkeys(sorted((known - axes) | (known & axes - usual)), 3.0) | {
        SIGNAL: gaussian_process.SIGNAL
    }
    best = math.fsum(unlikelihood(part, scales) for part in data)
    for step in STEPS:
        better = True
        while better:
            better = False
            for name in scales:
                for factor_ in (step, 1 / step):
                    tried = {**scales, name: scales[name] * factor_}
                    found = math.fsum(unlikelihood(part, tried) for part in data)
                    if found < best - 1:
                        scales, best, better = tried, found, True
        print(f"steps of {step}: {best:.0f}", flush=True)  # noqa: T201
    return scales


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scales", description=__doc__.partition("\n")[0])
    parser.add_argument("recorded", nargs="+", type=Path, help="what benchmarks.record wrote")
    chance = random.Random(1)  # noqa: S311 - not a secret
    data: list[Part] = []
    for path in parser.parse_args().recorded:
        data += parts(Measured.from_json(json.loads(gzip.decompress(path.read_bytes()))).points, chance)
    for name, scale in sorted(likeliest(data).items()):
        if scale < LARGEST:
            print(f'    "{name}": {scale:.2g},')  # noqa: T201


if __name__ == "__main__":
    main()

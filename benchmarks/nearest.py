"""The simplest adviser that looks at a workload at all: what was fastest where it was measured most alike.

The advice of `safemap recommend` has to beat it, or its model would not be worth its lines.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from safemap.bench.measured import measured_names
from safemap.bench.operations import OPERATIONS, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.measured import Point
    from safemap.bench.workload import Workload

WHOLE_TIMES = 50
"""An operation on the whole map takes most of the time already where it is some percent of the operations."""
DECADE, KEYS, ACCESS, VALUES, DOUBLING = 0.15, 0.2, 0.1, 0.05, 0.3
"""For how much of a mix a difference counts: in size by ten, type of keys, access, values, threads by two."""


def pick(points: Sequence[Point], workload: Workload, threads: int) -> str:
    """Return the variant that was fastest on the nearest workload."""
    names = {*measured_names(points)}
    known = [point for point in points if not point.alone and point.ns.keys() >= names]
    ns = min(known, key=lambda point: _distance(point, workload, threads)).ns
    return min(ns, key=lambda name: ns[name])


def _distance(point: Point, workload: Workload, threads: int) -> float:
    other = point.workload
    these, those = _told(workload.mix), _told(other.mix)
    mixes = sum(abs(these.get(name, 0) - those.get(name, 0)) for name in {*these, *those}) / 2
    return (
        mixes
        + DECADE * abs(math.log10(max(workload.size, 1) / max(other.size, 1)))
        + KEYS * (workload.keys != other.keys)
        + ACCESS * (workload.access != other.access)
        + VALUES * (workload.values != other.values)
        + DOUBLING * abs(math.log2(threads / point.threads))
    )


def _told(mix: Mapping[str, float]) -> dict[str, float]:
    told: dict[str, float] = {}
    for share, part in mix.items():
        name = parse(share)[0].name
        told[name] = told.get(name, 0) + (min(1.0, part * WHOLE_TIMES) if OPERATIONS[name].whole else part)
    return told

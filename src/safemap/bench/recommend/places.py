"""Where a workload lies among others: coordinates in which what is near costs near the same.

Of shares the root is taken, and of what goes over decades the logarithm: 1 % of writes differs from none as much
as it does from 4 %. Each coordinate is divided by its scale, the distance over which the variants' order becomes
another one; what has no scale does not matter to it. The scales are those under which what was measured is
likeliest (see `benchmarks.scales`): with CPython 3.11 and free-threaded 3.14 together, on the standard profile's
workloads and those of `benchmarks.learn`. So one set serves with the GIL and without it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

from safemap.bench.recommend.features import USUAL_SIZE, figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safemap.bench.workload import Workload

Place: TypeAlias = "tuple[float, ...]"

SCALES: Final[Mapping[str, float]] = {
    "hit": 9, "miss": 18, "set": 1.5, "swap": 2.2, "insert": 9, "delete": 6, "delete nothing": 0.5,
    "setdefault": 9, "compute": 2.2, "insert by function": 1.5, "compare_and_set": 2, "update": 0.33,
    "length": 9, "scan": 6, "scan_100": 1.5, "snapshot": 3, "clear": 6, "entries": 3, "size": 5.6,
    "keys: object": 4.5, "access: hot": 1.5, "threads": 3,
}  # fmt: skip
"""By coordinate."""
SHARES: Final = (
    "hit", "miss", "find", "contains", "set", "swap", "insert", "delete", "delete nothing", "setdefault",
    "compute", "compute_if_absent", "insert by function", "compare_and_set", "compare_and_delete", "update",
    "length",
)  # fmt: skip
WHOLE: Final = ("scan", "scan_100", "snapshot", "clear")


def place(workload: Workload, threads: int) -> Place:
    """Return where a workload lies, with so many threads: `math.dist` tells how far apart two places are."""
    found = coordinates(workload, threads)
    return tuple(found.get(name, 0.0) / scale for name, scale in SCALES.items())


def coordinates(workload: Workload, threads: int) -> dict[str, float]:
    """Return the coordinates by name, before they are scaled; what is not there is 0."""
    shares = figures(workload, together=True)
    whole: dict[str, float] = {name: shares[name] for name in WHOLE if name in shares}
    found: dict[str, float] = {name: math.log1p(1_000 * share) for name, share in whole.items()}
    found["entries"] = math.log1p(sum(whole.values()) * workload.size)
    found |= {name: math.sqrt(shares[name]) for name in SHARES if name in shares}
    found["size"] = math.log10(max(workload.size, 1) / USUAL_SIZE)
    found["threads"] = math.log2(threads)
    for axis in ("keys", "access", "values"):
        found[f"{axis}: {getattr(workload, axis)}"] = 1.0
    return found

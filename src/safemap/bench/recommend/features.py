"""What a workload asks of a map, in figures to which the time of an operation is proportional.

The time of an average operation is taken for a sum: of each kind of operation its share times what it costs, plus
what each key costs more, or less, for the map's size, the type of keys and values, and how evenly keys are used;
and, where there are several threads, what readers and writers cost one another, which rare writes do already. Each
figure has a prior: how far its cost is thought to lie from 0 before anything is measured, in times of an
ordinary operation. Related operations share a figure and differ by another one with a narrow prior: `find`, which
is rare in measurements, is taken for `get` until they say otherwise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from safemap.bench.operations import parse
from safemap.bench.script import BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safemap.bench.operations import Operation, Source
    from safemap.bench.workload import Workload

USUAL_SIZE: Final = 1_000
"""Of the suite's workloads; costs of larger and smaller maps are told as differences from it."""
MAKES: Final = frozenset({"set", "swap", "update", "setdefault", "compute", "compute_if_absent"})
TAKES: Final = frozenset({"delete", "compare_and_delete"})
"""What operations leave a key there, and what take it away."""

PRIORS: Final[Mapping[str, float]] = {
    "hit": 5, "miss": 5, "find": 0.3, "contains": 0.3,
    "set": 5, "swap": 5, "insert": 3, "delete": 5, "delete nothing": 5,
    "setdefault": 5, "compute": 5, "compute_if_absent": 5, "insert by function": 5,
    "compare_and_set": 10, "compare_and_delete": 10, "update": 50, "length": 50,
    "scan": 100, "scan entries": 1_000, "scan entries, large": 1_000,
    "scan_100": 100, "scan_100 entries": 300, "scan_100 entries, large": 100,
    "snapshot": 100, "snapshot of changes": 100, "snapshot of holes": 500,
    "snapshot entries": 200, "snapshot entries, large": 200,
    "clear": 100, "clear entries": 100, "clear entries, large": 100,
    "large": 1, "large writes": 1, "small": 0.3,
    "keys": 2, "key writes": 1, "values": 0.3, "access": 0.3, "access writes": 0.3,
    "mixing": 1, "bare loop": 0.5,
}  # fmt: skip
"""By the part of a figure's name before the colon."""


def prior(figure: str) -> float:
    """Return how far from 0 the cost of a figure is thought to lie."""
    return PRIORS[figure.partition(":")[0]]


def figures(workload: Workload, *, together: bool, alone: bool = False) -> dict[str, float]:
    """Return a workload's figures by name; none that is 0.

    `together`: whether several threads use the map. `alone`: in a bare loop.
    """
    found: dict[str, float] = {}
    reads = writes = snapshots = taken = 0.0
    decades = _decades(workload)
    there = _pool_there(workload)
    for share, part in workload.mix.items():
        operation, source = parse(share)
        present = {"there": 1.0, "pool": there}.get(source, 0.0)
        for name, value in _operation(operation, source, present, workload.size).items():
            found[name] = found.get(name, 0.0) + part * value
        if operation.whole:
            snapshots += part * (operation.name == "snapshot")
            if decades > 0:
                found[f"{operation.name} entries, large"] = part * workload.size / USUAL_SIZE * decades
        elif operation.effect == "none":
            reads += part * (operation.name != "length")
        else:
            writes += part * (BATCH if operation.name == "update" else 1)
            taken += part * (operation.name in TAKES or source == "new")
    found |= _axes(workload, reads + writes, writes)
    if together and not alone:
        found["mixing"] = 2 * math.sqrt(reads * writes)
    if snapshots:  # one after which nothing was written may be had again for nothing
        found["snapshot of changes"] = snapshots * writes / (writes + snapshots)
        if taken:  # a dict with many holes is copied key by key
            found["snapshot of holes"] = snapshots
    if alone:
        found["bare loop"] = 1.0
    return {name: value for name, value in found.items() if value}


def _pool_there(workload: Workload) -> float:
    """Return what part of the pool's keys is in the map after some time; half of them are at first."""
    made = taken = 0.0
    for share, part in workload.mix.items():
        operation, source = parse(share)
        if source == "pool":
            made += part * (BATCH if operation.name == "update" else operation.name in MAKES)
            taken += part * (operation.name in TAKES)
    return made / (made + taken) if made or taken else 0.5


def _operation(operation: Operation, source: Source, there: float, size: int) -> dict[str, float]:
    """Return the figures of one operation, whose key is in the map as often as `there` says."""
    name, new = operation.name, 1 - there
    if operation.whole:
        return {name: 1.0, f"{name} entries": size / USUAL_SIZE}
    if name in {"get", "find", "contains"}:
        return {"hit": there, "miss": new, name: float(name != "get")}
    if name in {"set", "swap"}:
        found = {"set": 1.0, "swap": float(name == "swap"), "insert": new}
    elif name in {"setdefault", "compute", "compute_if_absent"}:
        found = {name: 1.0, "insert by function": new}
    elif name == "delete":
        found = {name: there, "delete nothing": new}
    else:
        found = {name: 1.0}
    if source == "new":  # the script takes them away again
        found["delete"] = found.get("delete", 0.0) + 1
    return found


def _decades(workload: Workload) -> float:
    return math.log10(max(workload.size, 1) / USUAL_SIZE)


def _axes(workload: Workload, keys: float, written: float) -> dict[str, float]:
    """Return figures for whatever is not usual about a workload's map; each key that is used counts."""
    found: dict[str, float] = {}
    decades = _decades(workload)
    if decades > 0:
        found |= {"large": keys * decades, "large writes": written * decades}
    else:
        found["small"] = -keys * decades
    if workload.keys != "str":
        found |= {f"keys:{workload.keys}": keys, f"key writes:{workload.keys}": written}
    if workload.values != "private":
        found[f"values:{workload.values}"] = keys
    if workload.access != "uniform":
        found |= {f"access:{workload.access}": keys, f"access writes:{workload.access}": written}
    return found

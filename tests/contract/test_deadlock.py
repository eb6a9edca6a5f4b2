"""A deadlock over maps of different kinds is an error, too."""

from __future__ import annotations

import safemap
from safemap.testing.conformance.deadlocks import by_compute, crossed


def test_maps_of_different_kinds_crossed():
    m, n = safemap.MutexMap(k=0), safemap.ShardedMap(k=0)
    outcomes = crossed(
        (by_compute(m, "k"), lambda: n.compute("k", lambda v: v + 1)),
        (by_compute(n, "k"), lambda: m["k"]),
    )
    assert outcomes == ["deadlock", "done"]
    assert sorted([m["k"], n["k"]]) in ([0, 1], [1, 1], [0, 2], [1, 2])

"""Latencies in buckets that grow by a sixteenth of a doubling (4.4 %), as HdrHistogram keeps them.

A run has millions of latencies; what a report shows of them are quantiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PER_DOUBLING: Final = 16

Histogram: TypeAlias = "Mapping[int, int]"
"""How many latencies fell into each bucket."""


def bucket(ns: int) -> int:
    """Return the bucket of a latency."""
    return math.ceil(math.log2(max(ns, 1)) * PER_DOUBLING)


def upper_bound(of: int) -> float:
    """Return the longest latency, in ns, that a bucket has."""
    return math.exp2(of / PER_DOUBLING)


def merged(histograms: Iterable[Iterable[Sequence[int]]]) -> Histogram:
    """Return one histogram of pairs of bucket and count."""
    total: dict[int, int] = {}
    for pairs in histograms:
        for place, count in pairs:
            total[place] = total.get(place, 0) + count
    return total


def quantile(histogram: Histogram, share: float) -> float:
    """Return the latency, in ns, that this share of all did not exceed; 0 if there are none."""
    wanted = share * sum(histogram.values())
    reached = 0
    for place in sorted(histogram):
        reached += histogram[place]
        if reached >= wanted:
            return upper_bound(place)
    return 0.0

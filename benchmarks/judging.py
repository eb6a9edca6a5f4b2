"""What a pick is worth, by measurements: its share of the throughput of the best variant.

The best of five medians that all have noise is partly the luckiest: beside it, even the truly best variant would
fall short. So for each block the best is chosen by the other blocks alone, and the pick is compared to it in this
block, where neither was chosen; the share is the median over the blocks, and may be above 1. (What this leaves:
where noise makes the other blocks choose a variant that is not the best, by less than noise, the share is that
much too high. The share of the apparent best, which errs to the other side, is given as well.)

No advice can be expected to do better than a measurement of the workload itself. What that is worth, by the same
noise, is told by `share_of_another_measurement`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from safemap.bench.measured import NORMAL_95

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Scores = Mapping[str, Mapping[int, float]]
    """Each variant's throughput by block."""

GOOD = 0.95
"""The share of the best variant's throughput that a pick must reach."""
WANTED = 0.90
"""The share of cases in which it must."""
FEWEST_TO_HALVE = 3
"""Blocks: one to compare in, one for the pick, one for the best."""


@dataclass(frozen=True, slots=True)
class Case:
    """One workload with so many threads, and what each adviser's pick was worth there."""

    workload: str
    threads: int
    best: str
    """By all blocks."""
    picks: Mapping[str, str]
    """By adviser."""
    shares: Mapping[str, float]
    """Each pick's share of the best, the best being chosen by other blocks."""
    apparent: Mapping[str, float]
    """Each pick's share of what all blocks together make the best."""
    measuring: float | None
    """What another measurement's pick would be worth; None: there are too few blocks to tell."""


def case(workload: str, threads: int, scores: Scores, picks: Mapping[str, str]) -> Case:
    """Return what picks were worth. One that has no figures, since it came out wrong, is worth 0."""
    return Case(
        workload,
        threads,
        best_of(scores, _blocks(scores)),
        picks,
        {adviser: share(scores, pick) for adviser, pick in picks.items()},
        {adviser: apparent_share(scores, pick) for adviser, pick in picks.items()},
        share_of_another_measurement(scores),
    )


def share(scores: Scores, pick: str) -> float:
    """Return the pick's share of the best variant's throughput; see above. With one block: the apparent share."""
    blocks = _blocks(scores)
    if pick not in scores:
        return 0.0
    if len(blocks) == 1:
        return apparent_share(scores, pick)
    ratios = []
    for block in blocks:
        best = best_of(scores, [other for other in blocks if other != block])
        ratios.append(scores[pick][block] / scores[best][block])
    return median(ratios)


def apparent_share(scores: Scores, pick: str) -> float:
    """Return the median ratio, within blocks, of the pick to what is the best in the median of all blocks."""
    blocks = _blocks(scores)
    if pick not in scores:
        return 0.0
    best = best_of(scores, blocks)
    return median(scores[pick][block] / scores[best][block] for block in blocks)


def share_of_another_measurement(scores: Scores) -> float | None:
    """Return what a pick is worth that some blocks make, beside the best that others make, in yet others.

    For each block the others are halved: one half chooses the pick, the other one the best.
    """
    blocks = _blocks(scores)
    if len(blocks) < FEWEST_TO_HALVE:
        return None
    ratios = []
    for place, block in enumerate(blocks):
        others = blocks[place + 1 :] + blocks[:place]
        pick, best = best_of(scores, others[::2]), best_of(scores, others[1::2])
        ratios.append(scores[pick][block] / scores[best][block])
    return median(ratios)


def best_of(scores: Scores, blocks: Sequence[int]) -> str:
    """Return the variant whose ratio to the geometric mean of all is highest, in the median of these blocks."""
    mean = {
        block: math.exp(math.fsum(math.log(each[block]) for each in scores.values()) / len(scores))
        for block in blocks
    }
    return max(scores, key=lambda name: median(scores[name][block] / mean[block] for block in blocks))


def _blocks(scores: Scores) -> list[int]:
    """Return the blocks in which all have figures."""
    return sorted(set.intersection(*(set(each) for each in scores.values())))


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of which `count` of so many cases were seen (Wilson, 1927)."""
    square = NORMAL_95**2
    middle = (count + square / 2) / (of + square)
    reach = NORMAL_95 * math.sqrt(count * (of - count) / of + square / 4) / (of + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)

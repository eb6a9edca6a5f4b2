"""From figures to ratios, noise and verdicts. Figures are the higher the better, and known by their block.

Contestants are compared within blocks, where the machine was in the same mood for both; what is reported is
the median of these ratios, with a bootstrap interval. The reference, run twice in every block, shows what
such medians come of nothing: whatever lies inside that, or under 5 %, is a tie. (With few blocks a bootstrap
interval is too narrow; that is another reason for the floor.)
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from statistics import median
from typing import Final, TypeAlias

LEAST_EFFECT: Final = 1.05
"""Ratios below are ties, however sharply measured: such a difference goes with the next build of Python."""
RESAMPLES: Final = 2_000
"""Puts the ends of a 95 % interval on the 50th value from each end."""
CONFIDENCE: Final = 0.95

Scores: TypeAlias = Mapping[int, float]
"""A contestant's figure in each block."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as good one contestant is as another, and the 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which variant to take."""

    best: str
    ratio: Ratio
    """Of the best to the reference."""
    ties: tuple[str, ...]
    """Variants that are not to be told from the best, in order."""
    runner_up: tuple[str, float] | None
    """The next variant that is worse, and how many times as good the best is."""
    faster: tuple[tuple[str, Ratio], ...]
    """Baselines that beat every variant, with their ratio to the reference."""


def jain(counts: Sequence[float]) -> float:
    """Return Jain's fairness index: 1 if all threads got equally much, 1/n if one got everything."""
    squares = sum(count * count for count in counts)
    return sum(counts) ** 2 / (len(counts) * squares) if squares else 1.0


def within_blocks(these: Scores, those: Scores) -> list[float]:
    """Return the ratios of these figures to those, one for each block that has both."""
    return [these[block] / those[block] for block in these if those.get(block)]


def compare(these: Scores, those: Scores) -> Ratio | None:
    """Return the ratio of these figures to those. None if no block has both."""
    ratios = within_blocks(these, those)
    return Ratio(median(ratios), *_spread(tuple(ratios), len(ratios))) if ratios else None


def interval_of(ratios: Sequence[float], count: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the median of `count` such ratios."""
    return _spread(tuple(ratios), count)


def noise_floor(control: Sequence[float], blocks: int) -> float:
    """Return the ratio that has to be exceeded: the 95 % spread of a median over `blocks` ratios of nothing.

    `control`: the ratios of the reference to itself within blocks, of all cells that are alike in noise; the
    more there are, the less does a single hiccup of the machine make ties of everything.
    """
    if not control:
        return LEAST_EFFECT
    low, high = _spread(tuple(control), blocks)
    return max(LEAST_EFFECT, high, 1 / low if low else math.inf)


@cache
def _spread(ratios: tuple[float, ...], count: int) -> tuple[float, float]:
    """Return the ends of the bootstrap interval of the median of `count` such ratios."""
    medians = sorted(median(resample(ratios)) for resample in _resamples(len(ratios), count))
    tail = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return medians[tail], medians[-1 - tail]


@lru_cache(maxsize=16)
def _resamples(there: int, count: int) -> tuple[Callable[[tuple[float, ...]], tuple[float, ...]], ...]:
    """Return functions that each pick `count` of so many figures at random; the same ones each time.

    Drawing anew for each interval would take most of the time that a report takes.
    """
    chance = random.Random(count)  # noqa: S311 - the same figures give the same interval
    draws = (chance.choices(range(there), k=count) for _ in range(RESAMPLES))
    return tuple(itemgetter(*places, *places[: count == 1]) for places in draws)  # of one place it picks no tuple


def differs(ratio: Ratio, noise: float) -> bool:
    """Return whether a ratio is more than noise: beyond the floor, and its interval clear of 1."""
    return not 1 / noise <= ratio.value <= noise and not ratio.low <= 1 <= ratio.high


def judge(
    scores: Mapping[str, Scores],
    variants: Sequence[str],
    baselines: Sequence[str],
    reference: str,
    noise: float,
) -> Verdict | None:
    """Say which variant to take. Contestants without scores are out; None if the reference is.

    Of variants that are not to be told apart the reference is named, being the simplest; else the best.
    Ratios nearer to 1 than `noise` are ties.
    """
    ratios = {name: compare(scores[name], scores[reference]) for name in scores} if scores.get(reference) else {}
    known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    ranked = sorted((name for name in variants if name in known), key=lambda name: -known[name].value)
    if reference not in ranked:
        return None
    top = ranked[0]
    lead = {name: compare(scores[top], scores[name]) for name in ranked[1:]}
    tied = [name for name, ratio in lead.items() if ratio is None or not differs(ratio, noise)]
    best = reference if reference in tied else top
    behind = next((name for name in ranked[1:] if name not in tied), None)
    gap = compare(scores[best], scores[behind]) if behind is not None else None
    return Verdict(
        best=best,
        ratio=known[best],
        ties=tuple(name for name in ranked if name in {top, *tied} - {best}),
        runner_up=(behind, gap.value) if behind is not None and gap is not None else None,
        faster=tuple(
            (name, known[name]) for name in baselines if name in known and _beats(scores[name], scores[top], noise)
        ),
    )


def _beats(these: Scores, those: Scores, noise: float) -> bool:
    ratio = compare(these, those)
    return ratio is not None and ratio.value > 1 and differs(ratio, noise)

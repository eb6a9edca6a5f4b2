"""From figures to ratios, intervals, noise and verdicts, on known data."""

from __future__ import annotations

import random

import pytest

from safemap.bench import statistics


def test_ratio_is_the_median_of_those_within_blocks():
    # Each block is slower than the one before; only within blocks is the ratio seen to be 2.
    slow = {block: 100.0 / (block + 1) for block in range(5)}
    fast = {block: 2 * figure for block, figure in slow.items()}
    assert statistics.compare(fast, slow) == statistics.Ratio(2.0, 2.0, 2.0)


def test_ratio_needs_blocks_that_have_both():
    assert statistics.within_blocks({0: 6.0, 1: 8.0, 2: 1.0}, {0: 2.0, 1: 2.0, 3: 5.0}) == [3.0, 4.0]
    assert statistics.compare({0: 1.0}, {1: 1.0}) is None
    assert statistics.compare({0: 1.0}, {0: 0.0}) is None


def test_interval_covers_the_truth_about_as_often_as_it_says():
    chance = random.Random(1)
    covered = 0
    for _ in range(100):
        ratio = statistics.compare(
            {block: 1.4 * chance.lognormvariate(0, 0.1) for block in range(15)}, dict.fromkeys(range(15), 1.0)
        )
        assert ratio.low <= ratio.value <= ratio.high
        covered += ratio.low <= 1.4 <= ratio.high
    assert 88 <= covered <= 99


def test_same_figures_give_the_same_interval():
    these, those = {0: 1.0, 1: 3.0, 2: 2.0}, {0: 1.0, 1: 1.0, 2: 1.0}
    assert statistics.compare(these, those) == statistics.compare(these, those)


def test_noise_floor_is_five_percent_or_what_the_control_shows():
    assert statistics.noise_floor([], 5) == 1.05
    assert statistics.noise_floor([1.0, 1.01, 0.99], 5) == 1.05
    assert statistics.noise_floor([1.3, 1.3, 1.3], 5) == 1.3
    assert statistics.noise_floor([0.5, 0.5, 0.5], 5) == 2.0
    # One hiccup in fifteen does not make ties of everything.
    assert statistics.noise_floor([1.0] * 14 + [9.0], 5) == 1.05


@pytest.mark.parametrize(
    ("ratio", "noise", "differs"),
    [
        ((1.4, 1.3, 1.5), 1.05, True),
        ((0.7, 0.6, 0.8), 1.05, True),
        ((1.04, 1.03, 1.06), 1.05, False),  # sharply measured, and too small to matter
        ((1.4, 0.9, 1.9), 1.05, False),  # the interval has 1 in it
        ((1.4, 1.3, 1.5), 1.5, False),  # the control does that, too
        ((0.7, 0.6, 0.8), 1.5, False),
        ((0.0, 0.0, 0.0), 1.05, True),
    ],
)
def test_tie_rule(ratio, noise, differs):
    assert statistics.differs(statistics.Ratio(*ratio), noise) is differs


def judged(noise=1.05, **figures):
    scores = {name: {block: figure * (1 + block / 100) for block in range(5)} for name, figure in figures.items()}
    return statistics.judge(scores, ["mutex", "a", "b", "c"], ["dict"], "mutex", noise)


def test_verdict_names_the_best_and_its_ties():
    verdict = judged(mutex=1.0, a=1.4, b=1.37, c=0.5, dict=9.0)
    assert (verdict.best, verdict.ties) == ("a", ("b",))
    assert verdict.ratio.value == pytest.approx(1.4)
    assert verdict.runner_up == ("mutex", pytest.approx(1.4))
    assert [name for name, _ in verdict.faster] == ["dict"]


def test_verdict_falls_to_the_reference_where_it_ties():
    verdict = judged(mutex=1.0, a=1.04, b=0.5, dict=1.06)
    assert (verdict.best, verdict.ties, verdict.faster) == ("mutex", ("a",), ())
    assert judged(noise=1.5, mutex=1.0, a=1.4).best == "mutex"


def test_no_verdict_without_the_reference():
    assert judged(a=1.0, b=2.0) is None


def test_jain():
    assert statistics.jain([5, 5, 5, 5]) == 1
    assert statistics.jain([5, 0, 0, 0]) == 0.25
    assert statistics.jain([0, 0]) == 1

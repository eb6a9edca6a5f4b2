"""Two results, one before and one after a change."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from safemap.bench import compare
from tests.bench.worlds import FIGURES, HERE, measured, plan_of


def run(seed, blocks=5, noise=0.03, **factors):
    """Results with some noise, in which contestants are so many times as fast as usual."""
    chance = random.Random(seed)
    results = measured(FIGURES, blocks=blocks)
    moods = [chance.lognormvariate(0, 0.3) for _ in range(blocks)]
    results.records = [
        replace(
            each,
            found={
                **each.found,
                "rates": [
                    rate
                    * moods[each.cell.block]
                    * factors.get(each.cell.contestant, 1.0)
                    * chance.lognormvariate(0, noise)
                    for rate in each.found["rates"]
                ],
            },
        )
        for each in results.records
    ]
    return results


def verdicts(old, new):
    return {change.contestant: change.verdict for change in compare.changes(old, new) if change.threads == 2}


def test_what_became_slower_is_told_in_any_mood_of_the_machine():
    old = run(1)
    assert set(verdicts(old, run(2)).values()) == {"same"}
    found = verdicts(old, run(3, ShardedMap=0.7, CopyOnWriteMap=1.5))
    assert found.pop("ShardedMap") == "slower"
    assert found.pop("CopyOnWriteMap") == "faster"
    assert set(found.values()) == {"same"}


def test_a_slower_reference_is_told_too():
    found = verdicts(run(1), run(2, **{"MutexMap": 0.7, "MutexMap again": 0.7}))
    assert found["MutexMap"] == "slower"
    assert found["ShardedMap"] == "same"


def test_false_alarms_are_seldom():
    alarms = sum(
        change.verdict != "same"
        for seed in range(0, 80, 2)
        for change in compare.changes(run(seed, noise=0.05), run(seed + 1, noise=0.05))
    )
    assert alarms <= 4  # of 400


def test_likelihood_counts_all_orders():
    """Against all ways to share out six ranks."""
    for size in (1, 2, 3):
        ways = list(itertools.combinations(range(6), size))

        def below(low):
            return sum(a < b for a in low for b in set(range(6)) - set(low))

        for low in ways:
            high = [float(rank) for rank in set(range(6)) - set(low)]
            as_low = sum(below(other) >= below(low) for other in ways) / len(ways)
            assert compare.likelihood([float(rank) for rank in low], high) == pytest.approx(as_low)
    assert compare.likelihood([1.0] * 5, [2.0] * 5) == pytest.approx(1 / 252)
    assert compare.likelihood([1.0, 2.0], [1.0, 2.0]) > 0.5


def test_what_cannot_be_compared_gets_one_line():
    with pytest.raises(compare.CompareError, match="too few blocks to tell anything: 4; make 5 or more in each"):
        compare.changes(run(1, blocks=4), run(2, blocks=4))
    other = measured(FIGURES, workload="reads-95")
    with pytest.raises(compare.CompareError, match="no workload, number of threads and variant in common"):
        compare.changes(run(1), other)
    without = measured({name: figure for name, figure in FIGURES.items() if name != "dict"})
    with pytest.raises(compare.CompareError, match="beside a dict"):
        compare.changes(without, without)
    resized = measured(
        FIGURES, plan=replace(plan_of("reads-50"), workloads=(plan_of("reads-50@size=7").workloads))
    )
    with pytest.raises(compare.CompareError):
        compare.changes(run(1), replace(resized, plan=replace(resized.plan, threads={"reads-50@size=7": (2,)})))


def test_words():
    old, new = run(1), run(2, ShardedMap=0.7)
    new = replace(new, environment=replace(HERE, interpreter="CPython 3.14.0", gil=False))
    lines = compare.words(old, new, compare.changes(old, new))
    assert lines[0].startswith("slower: ShardedMap on reads-50 (")
    assert "x (" in lines[0]
    assert "of 8 ratios to dict are the same, within noise." in lines[-3]
    assert lines[-2:] == [
        "Not alike: interpreter was CPython 3.11.7, and is CPython 3.14.0.",
        "Not alike: gil was True, and is False.",
    ]

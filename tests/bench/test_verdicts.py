"""Verdicts in words, on results that are made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safemap.bench.contestants import REFERENCE
from safemap.bench.verdicts import verdicts, warnings
from tests.bench.worlds import FIGURES, HERE, measured, plan_of


def test_verdict_in_words():
    assert verdicts(measured(FIGURES)) == [
        "reads-50: CopyOnWriteMap, 1.4x MutexMap; ShardedMap within noise (2 threads)"
    ]
    one, eight = replace(HERE, cores=1), replace(HERE, cores=8)
    assert verdicts(measured({REFERENCE: 14, "RWLockMap": 10}, here=one)) == [
        "reads-50: no verdict, for want of a good figure of MutexMap (1 thread)"
    ]
    assert verdicts(measured({REFERENCE: 14, "RWLockMap": 10}, here=eight)) == [
        "reads-50: MutexMap, 1.4x RWLockMap (4 threads)"
    ]
    assert verdicts(measured({REFERENCE: 1000, "RWLockMap": 1010})) == [
        "reads-50: MutexMap; RWLockMap within noise (2 threads)"
    ]


def test_wrong_maps_get_no_verdict():
    results = measured(FIGURES, wrong=["CopyOnWriteMap"])
    assert verdicts(results) == ["reads-50: ShardedMap, 1.4x MutexMap (2 threads)"]
    assert results.faulty
    assert not measured(FIGURES).faulty
    assert "no verdict" in verdicts(measured(FIGURES, wrong=[REFERENCE]))[0]


def test_baselines_are_never_chosen_and_always_explained():
    told = [line for line in warnings(measured({**FIGURES, "dict + Lock": 2000})) if line.startswith("(dict")]
    assert told[0].startswith(
        "(dict) faster than every variant in reads-50 (9.0x); but never a verdict's choice: m[k]"
    )
    assert "iteration may raise" in told[0]
    assert told[1].startswith("(dict + Lock) faster than every variant in reads-50 (2.0x); but never")
    assert any(line.startswith("(dict + Lock) never a verdict's choice") for line in warnings(measured(FIGURES)))


def test_a_job_that_lost_counts_has_no_score():
    plan = plan_of("word-index")
    results = measured(FIGURES, workload="word-index", plan=plan)
    assert results.throughputs("word-index", 2).keys() >= {"dict", REFERENCE}
    results.records = [
        replace(each, found={**each.found, "lost": 3}) if each.cell.contestant == "dict" else each
        for each in results.records
    ]
    assert "dict" not in results.throughputs("word-index", 2)
    assert not results.faulty


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, []),
        ({"cpu": 0.5}, ["The machine was busy: 2 threads on a plain dict got 0.5 of 1 core."]),
        ({"blocks": 3}, ["3 blocks only: intervals and noise are guesses."]),
        ({"ended": None}, ["Not all that was planned has been measured."]),
        ({"gil": [True, False]}, ["The GIL was turned on meanwhile"]),
    ],
)
def test_what_makes_figures_doubtful_is_told(how, expected):
    doubts = ("The machine was busy", "block", "Not all", "The GIL")
    told = [line for line in warnings(measured(FIGURES, **how)) if line.startswith(doubts) or "only" in line]
    assert len(told) == len(expected)
    for line, beginning in zip(told, expected, strict=True):
        assert line.startswith(beginning)


def test_what_was_given_up_is_told():
    results = measured(FIGURES)
    results.records[0] = replace(results.records[0], found={"capped": "not done after 60 s"})
    [told] = [line for line in warnings(results) if line.startswith("Given up")]
    assert told == "Given up: MutexMap on reads-50: not done after 60 s (threads: 2)"

"""The evaluation's arithmetic, on made-up measurements."""

import random
from dataclasses import replace
from statistics import fmean

import pytest

from benchmarks import nearest, regret
from benchmarks.judging import (
    apparent_share,
    best_of,
    case,
    share,
    share_of_another_measurement,
    wilson,
)
from benchmarks.unseen import plan
from safemap.bench import measured
from safemap.bench.catalogue import WORKLOADS
from safemap.bench.drawn import draw
from safemap.bench.measured import digest
from safemap.bench.operations import parse
from safemap.bench.script import Script
from safemap.bench.workload import Workload
from tests.bench.made_up import MUTEX, NAMES, run_of, suite


def scores(**figures):
    return {name: dict(enumerate(each)) for name, each in figures.items()}


def test_the_share_is_that_of_the_best_by_the_other_blocks():
    same = scores(a=[100, 200, 300], b=[80, 160, 240])
    assert share(same, "a") == apparent_share(same, "a") == 1
    assert share(same, "b") == apparent_share(same, "b") == pytest.approx(0.8)
    # Alone, block 0 speaks for b. The others choose a, beside which b reaches 2, 0.5 and 0.5 of it.
    odd = scores(a=[50, 100, 100], b=[100, 50, 50])
    assert best_of(odd, [0]) == "b"
    assert share(odd, "b") == pytest.approx(0.5)


def test_a_share_of_a_variant_without_figures_is_nothing_and_one_block_is_enough():
    one = scores(a=[100], b=[50])
    assert share(one, "b") == 0.5
    assert share(one, "c") == apparent_share(one, "c") == 0


def test_blocks_that_lack_somebody_do_not_count():
    assert share({"a": {0: 1.0, 1: 1.0, 2: 1.0}, "b": {1: 2.0, 2: 2.0, 3: 9.0}}, "a") == 0.5


def test_where_all_are_alike_a_pick_is_not_punished_for_the_luck_of_the_best():
    """What is wrong with the share of the apparent best."""
    chance = random.Random(1)
    fair, apparent = [], []
    for _ in range(300):
        noise = {name: {block: 1 + chance.gauss(0, 0.05) for block in range(5)} for name in NAMES}
        fair.append(share(noise, MUTEX))
        apparent.append(apparent_share(noise, MUTEX))
    assert fmean(fair) == pytest.approx(1, abs=0.01)
    assert fmean(apparent) < 0.98


def test_what_measuring_again_would_be_worth_is_told_by_blocks_that_have_no_part_in_it():
    clear = scores(a=[100, 200, 300], b=[80, 160, 240])
    assert share_of_another_measurement(clear) == 1
    assert share_of_another_measurement(scores(a=[1, 1], b=[2, 2])) is None
    # In block 0: b, which block 1 picks, beside c, which is the best in 2. So on, round the circle: 2/4, 2/1, 3/4.
    torn = scores(a=[9, 1, 3], b=[2, 9, 4], c=[4, 2, 9])
    assert share_of_another_measurement(torn) == pytest.approx(0.75)


def test_wilsons_interval():
    assert wilson(36, 40) == pytest.approx((0.769, 0.960), abs=0.001)
    assert wilson(0, 10) == pytest.approx((0, 0.278), abs=0.001)
    assert wilson(10, 10) == pytest.approx((0.722, 1), abs=0.001)


def test_a_case_tells_what_each_adviser_was_worth():
    made = case("w", 2, scores(a=[100, 100], b=[90, 90]), {"one": "a", "other": "b"})
    assert (made.best, made.shares) == ("a", {"one": 1.0, "other": pytest.approx(0.9)})


@pytest.fixture(scope="module")
def unseen():
    made = plan(draw(30, 5), (1, 2), 5, 0.05, 5)
    return run_of(made, noise=0.005)


def test_the_advice_is_good_in_a_world_of_known_costs_and_always_the_same_variant_is_not(unseen):
    cases, covered = regret.judge(digest(suite()), unseen)
    assert len(cases) == 30
    good = {adviser: regret.reached([each.shares[adviser] for each in cases]) for adviser in cases[0].picks}
    assert good[regret.ADVICE] >= 27
    assert all(good[f"always {name}"] < 20 for name in NAMES)
    assert good[regret.NEAREST] < good[regret.ADVICE]
    assert sum(covered) / len(covered) > 0.8
    lines = regret.summary(cases, covered)
    assert lines[0].endswith("30 workloads:")
    assert lines[1].startswith(f"  {regret.ADVICE} ")
    assert "Wanted of the advice: 90%. It is met." in lines
    assert len(regret.table(cases)) == 31


def test_who_measures_beforehand_goes_by_that(unseen):
    cases, _ = regret.judge(digest(suite()), unseen, unseen)
    assert [each.picks[regret.MEASURING] for each in cases] == [each.best for each in cases]
    assert regret.reached([each.shares[regret.MEASURING] for each in cases]) >= 29
    assert any(each.picks[regret.MEASURING] != each.picks[regret.ADVICE] for each in cases)


def test_advice_from_results_with_the_variants_mixed_up_is_found_out(unseen):
    """The evaluation would tell if the advice were worthless."""
    wrong = digest(suite())
    turned = dict(zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True))
    points = tuple(
        replace(point, ns={turned[name]: ns for name, ns in point.ns.items()}) for point in wrong.points
    )
    cases, _ = regret.judge(replace(wrong, points=points), unseen)
    assert regret.reached([each.shares[regret.ADVICE] for each in cases]) < 15
    assert "It is missed." in " ".join(regret.summary(cases, []))


def test_the_nearest_workload_is_that_of_the_nearest_mix():
    points = digest(suite()).points
    for name in ("reads-95", "read-modify-write", "go-range"):
        near = replace(WORKLOADS[name], name="near", size=WORKLOADS[name].size + 1)
        ns = next(each for each in points if each.workload.name == name and each.threads == 2).ns
        assert nearest.pick(points, near, 2) == min(ns, key=ns.get)


# --- what is drawn ----------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_workloads_and_another_one_others():
    assert draw(5, 1) == draw(5, 1)
    assert [each.mix for each in draw(5, 1)] != [each.mix for each in draw(5, 2)]


def test_drawn_workloads_are_new_and_can_be_run():
    drawn = draw(200, 3)
    suite_has = [(each.mix, each.size) for each in WORKLOADS.values()]
    for workload in drawn:
        assert (workload.mix, workload.size) not in suite_has
        assert 100 <= workload.size <= 100_000
        assert min(workload.mix.values()) >= 1e-4
        names = {parse(share)[0].name for share in workload.mix}
        assert not names >= {"compute", "compute_if_absent"}
    some = min(drawn, key=lambda each: each.size)
    assert Script.of(some, 2, 1).lane(0)


def test_drawn_workloads_are_of_every_kind():
    drawn = draw(200, 3)
    used = {share for each in drawn for share in each.mix}
    assert {"get", "find:pool", "set", "delete:pool", "compute", "update", "snapshot", "scan", "length"} <= used
    assert {each.keys for each in drawn} == {"str", "int", "tuple", "object"}
    assert {each.access for each in drawn} == {"uniform", "zipf", "disjoint", "hot"}
    assert sum(2 <= len(each.mix) <= 4 for each in drawn) > len(drawn) / 2
    assert {each.reads > 0.9 for each in drawn} == {each.reads < 0.6 for each in drawn} == {True, False}


def test_the_plan_measures_variants_alone_and_threads_take_turns():
    made = plan(draw(4, 1), (1, 2), 3, 0.05, 1)
    assert [entrant.name for entrant in made.entrants] == list(measured.NAMES)
    assert list(made.threads.values()) == [(1,), (2,), (1,), (2,)]
    assert sum(1 for _ in made.cells(2)) == 4 * 3 * len(measured.NAMES)


def test_a_tiny_evaluation_runs_from_end_to_end(tmp_path, monkeypatch, capsys):
    results, out = tmp_path / "results.json", tmp_path / "unseen.json"
    suite(blocks=1).save(results)
    monkeypatch.setattr(regret, "draw", lambda count, seed: [Workload("tiny", {"get": 0.9, "set": 0.1}, size=120)])
    options = ["regret", "--results", str(results), "--workloads", "1", "--threads", "1", "--blocks", "1"]
    monkeypatch.setattr("sys.argv", [*options, "--seconds", "0.01", "--out", str(out)])
    regret.main()
    printed = capsys.readouterr().out
    assert "1 workloads:" in printed
    assert printed.splitlines()[1].split()[0] in NAMES
    assert printed.splitlines()[1].endswith("1, 90% get, 10% set; 120 str keys, uniform; private values")
    monkeypatch.setattr("sys.argv", ["regret", "--results", str(results), "--measured", str(out)])
    regret.main()
    assert capsys.readouterr().out == printed

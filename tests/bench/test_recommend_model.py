"""The model, in a made-up world: it finds the truth on workloads that it has not seen, and its own error."""

import math
from dataclasses import replace
from itertools import combinations

import pytest

from safemap.bench.drawn import draw
from safemap.bench.measured import digest
from safemap.bench.recommend import model as model_module
from safemap.bench.recommend.features import PRIORS, figures
from safemap.bench.recommend.model import Model
from safemap.bench.recommend.ridge import fit
from safemap.bench.workload import Workload
from tests.bench.made_up import COPYING, MUTEX, NAMES, suite, takes

UNSEEN = draw(60, 11)


@pytest.fixture(scope="module")
def points():
    return digest(suite()).points


def share_of_good_picks(model):
    good = 0
    for workload in UNSEEN:
        predicted = model.predict(workload, 2)
        pick = min(NAMES, key=predicted.get)
        good += min(takes(workload, name) for name in NAMES) / takes(workload, pick) >= 0.95
    return good / len(UNSEEN)


def test_picks_are_right_on_workloads_that_were_not_measured(points):
    assert share_of_good_picks(Model(points)) >= 0.9


def test_no_variant_is_best_everywhere_in_that_world():
    for name in NAMES:
        best = [
            min(takes(workload, each) for each in NAMES) / takes(workload, name) >= 0.95 for workload in UNSEEN
        ]
        assert sum(best) / len(best) < 0.7, name


@pytest.mark.parametrize(
    "blind",
    [
        lambda workload, **how: {"hit": 1.0},
        lambda workload, **how: dict.fromkeys(figures(workload, **how), 1.0),
    ],
    ids=["to the mix", "to shares"],
)
def test_a_model_that_is_blind_is_found_out(points, monkeypatch, blind):
    monkeypatch.setattr(model_module, "figures", blind)
    assert share_of_good_picks(Model(points)) < 0.8


def test_predicted_ratios_are_near_the_truth_and_intervals_have_it(points):
    model = Model(points)
    off, inside = [], []
    for workload in UNSEEN:
        for this, that in combinations(NAMES, 2):
            ratio = model.ratio(workload, 2, this, that)
            truth = takes(workload, that) / takes(workload, this)
            off.append(abs(math.log(ratio.value / truth)))
            inside.append(ratio.low <= truth <= ratio.high)
    assert sorted(off)[len(off) // 2] < 0.05
    assert sum(inside) / len(inside) >= 0.85


def test_intervals_grow_with_noise_and_with_distance(points):
    reads = Workload("reads", {"get": 0.93, "set": 0.07})
    clearing = Workload("odd", {"compare_and_delete:pool": 0.5, "set:pool": 0.5}, size=90_000, keys="object")

    def width(model, workload):
        ratio = model.ratio(workload, 2, MUTEX, COPYING)
        return math.log(ratio.high / ratio.low)

    noisy = Model(digest(suite(noise=0.2)).points)
    assert width(noisy, reads) > 2 * width(Model(points), reads)
    assert width(Model(points), clearing) > 2 * width(Model(points), reads)


def test_the_mood_of_blocks_does_not_matter():
    calm, moody = (digest(suite(mood=mood, noise=0)).points for mood in (0, 1.0))
    for one, other in zip(calm, moody, strict=True):
        for name in NAMES:
            assert one.ns[name] / one.ns[MUTEX] == pytest.approx(other.ns[name] / other.ns[MUTEX])


def test_left_out_predictions_are_those_of_a_model_without_the_point(points):
    """The short cut over leverages, against fitting anew, of a workload whose operations others have, too."""
    known = Model(points)
    point = next(each for each in known.points if each.workload.name == "ycsb-a")
    rest = Model([each for each in points if each is not point])
    assert rest.usual_threads == known.usual_threads
    told = known.left_out(point)
    anew = rest.predict(point.workload, point.threads)
    for name in NAMES:
        assert told[name][0] == pytest.approx(anew[name], rel=0.01)


def test_no_prediction_is_nothing_or_less(points):
    model = Model(points)
    for workload in (*UNSEEN, Workload("none", {"length": 1.0}), Workload("tiny", {"set:new": 1.0}, size=0)):
        assert min(model.predict(workload, 1).values()) >= 1


def test_other_numbers_of_threads_are_answered_by_the_nearest(points):
    model = Model(points)
    assert model.usual_threads == 2
    assert [model.nearest_threads(count) for count in (1, 2, 3, 64)] == [1, 2, 4, 4]
    assert model.predict(UNSEEN[0], 64) == model.predict(UNSEEN[0], 4)


def test_what_threads_change_is_told_by_workloads_with_as_many_reads(points):
    """With four threads, in this world, what has fewer reads takes one variant three times as long."""
    slow = [
        replace(point, ns={**point.ns, MUTEX: point.ns[MUTEX] * 3})
        if point.threads == 4 and point.workload.reads < 0.6
        else point
        for point in points
    ]
    model, before = Model(slow), Model(points)
    assert model.usual_threads == 2

    def slower(reads):
        workload = Workload("mine", {"get": reads, "set": 1 - reads})
        return [
            model.predict(workload, threads)[MUTEX] / before.predict(workload, threads)[MUTEX]
            for threads in (2, 4)
        ]

    assert slower(0.05) == [pytest.approx(1, abs=0.05), pytest.approx(3, rel=0.3)]
    assert slower(0.99)[1] < 1.6
    assert slower(0.05)[1] > slower(0.5)[1] > slower(0.99)[1]


def test_a_snapshot_costs_more_after_writes():
    rare = figures(Workload("rare", {"snapshot": 0.1, "get": 0.8, "set": 0.1}), together=True)
    assert rare["snapshot of changes"] == pytest.approx(0.05)
    none = figures(Workload("none", {"snapshot": 0.1, "get": 0.9}), together=True)
    assert "snapshot of changes" not in none
    assert "mixing" not in none
    assert rare["mixing"] > 0


def without(point, name):
    return replace(point, ns={each: ns for each, ns in point.ns.items() if each != name})


def test_points_without_a_variant_are_no_ground_for_predictions(points):
    """Where other points have it. As it is, each lacks another one."""
    runs = [each for each in points if not each.alone]
    lacking = [without(point, NAMES[at % len(NAMES)]) for at, point in enumerate(runs)]
    with pytest.raises(ValueError, match="no workload was measured"):
        Model(lacking)
    with pytest.raises(ValueError, match="no workload was measured"):
        Model([])


def test_a_variant_that_was_nowhere_measured_is_left_out(points):
    """Of the others the same is predicted as ever, but for what the prior takes for a usual time."""
    model, whole = Model([without(point, COPYING) for point in points]), Model(points)
    assert model.names == (*NAMES[:3], *NAMES[4:])
    for workload in UNSEEN:
        predicted = model.predict(workload, 2)
        assert set(predicted) == set(model.names)
        for name, ns in predicted.items():
            assert ns == pytest.approx(whole.predict(workload, 2)[name], rel=0.1)


def test_every_figure_has_a_prior():
    for workload in UNSEEN:
        for how in ({"together": True}, {"together": False, "alone": True}):
            assert all(name.partition(":")[0] in PRIORS for name in figures(workload, **how))


def test_figures_of_a_mix_are_its_shares():
    found = figures(Workload("mixed", {"get": 0.5, "set": 0.3, "find:absent": 0.2}), together=False)
    assert found == pytest.approx({"hit": 0.5, "set": 0.3, "miss": 0.2, "find": 0.2})


def test_keys_of_the_pool_are_there_as_often_as_operations_leave_them():
    coming = figures(Workload("coming", {"set:pool": 0.3, "delete:pool": 0.1, "find:pool": 0.6}), together=False)
    assert coming["hit"] == pytest.approx(0.6 * 0.75)
    assert coming["delete"] == pytest.approx(0.1 * 0.75)
    assert coming["insert"] == pytest.approx(0.3 * 0.25)
    filled = figures(Workload("filled", {"setdefault:pool": 1.0}), together=False)
    assert filled == {"setdefault": 1.0}
    assert figures(Workload("read", {"find:pool": 1.0}), together=False)["miss"] == 0.5


def test_ridge_solves_what_is_exact_and_keeps_to_the_prior_elsewhere():
    rows = [{"a": 1000.0, "b": 1000.0}, {"a": 1000.0, "b": -1000.0}, {"c": 1e-9}]
    found = fit(rows, [5000.0, 1000.0, 0.0], {"a": 10, "b": 10, "c": 10})
    assert found.at({"a": 1.0}) == pytest.approx(3)
    assert found.at({"b": 1.0, "unknown": 7.0}) == pytest.approx(2)
    assert found.at({"c": 1.0}) == pytest.approx(0, abs=1e-6)
    assert found.leverage({"c": 1.0}) == pytest.approx(100)
    assert found.leverage({"a": 1.0}) == pytest.approx(1 / 2e6, rel=1e-3)

"""The model, in a made-up world: it finds the truth on workloads that it has not seen, and its own error."""

import math
import random
from dataclasses import replace
from itertools import combinations

import pytest

from benchmarks import scales, unseen
from safemap.bench import store
from safemap.bench.drawn import draw
from safemap.bench.measured import NAMES as VARIANTS
from safemap.bench.measured import Point, digest
from safemap.bench.operations import parse
from safemap.bench.recommend import costs as costs_module
from safemap.bench.recommend import places as places_module
from safemap.bench.recommend.cholesky import factor, inverse, product, transposed_product
from safemap.bench.recommend.costs import Costs
from safemap.bench.recommend.features import PRIORS, figures
from safemap.bench.recommend.gaussian_process import SIGNAL, GaussianProcess
from safemap.bench.recommend.model import NEIGHBOURS, Model
from safemap.bench.recommend.places import SCALES, coordinates, place
from safemap.bench.recommend.ridge import fit
from safemap.bench.workload import Workload
from tests.bench.made_up import COPYING, MUTEX, NAMES, run_of, suite, takes

UNSEEN = draw(60, 11)


@pytest.fixture(scope="module")
def points():
    return digest(suite()).points


def share_of_good_picks(model):
    good = 0
    for workload in UNSEEN:
        predicted = model.predict(workload, 2).ns
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
    monkeypatch.setattr(costs_module, "figures", blind)
    monkeypatch.setattr(places_module, "figures", blind)
    assert share_of_good_picks(Model(points)) < 0.8


def test_predicted_ratios_are_near_the_truth_and_intervals_have_it(points):
    model = Model(points)
    off, inside = [], []
    for workload in UNSEEN:
        predicted = model.predict(workload, 2)
        for this, that in combinations(NAMES, 2):
            ratio = predicted.ratio(this, that)
            truth = takes(workload, that) / takes(workload, this)
            off.append(abs(math.log(ratio.value / truth)))
            inside.append(ratio.low <= truth <= ratio.high)
    assert sorted(off)[len(off) // 2] < 0.05
    assert sum(inside) / len(inside) >= 0.85


def test_intervals_grow_with_noise_and_with_distance(points):
    reads = Workload("reads", {"get": 0.93, "set": 0.07})
    clearing = Workload("odd", {"compare_and_delete:pool": 0.5, "set:pool": 0.5}, size=90_000, keys="object")

    def width(model, workload):
        ratio = model.predict(workload, 2).ratio(MUTEX, COPYING)
        return math.log(ratio.high / ratio.low)

    noisy = Model(digest(suite(noise=0.2)).points)
    assert width(noisy, reads) > 2 * width(Model(points), reads)
    assert width(Model(points), clearing) > 1.3 * width(Model(points), reads)


def test_the_mood_of_blocks_does_not_matter():
    calm, moody = (digest(suite(mood=mood, noise=0)).points for mood in (0, 1.0))
    for one, other in zip(calm, moody, strict=True):
        for name in NAMES:
            assert one.ns[name] / one.ns[MUTEX] == pytest.approx(other.ns[name] / other.ns[MUTEX])


def test_left_out_predictions_are_those_of_a_model_without_the_point(points):
    """The short cut over leverages, against fitting anew, of a workload whose operations others have, too."""
    point = next(each for each in points if each.workload.name == "ycsb-a")
    told = Costs(points, NAMES).left_out(point)
    anew = Costs([each for each in points if each is not point], NAMES).at(point.workload, point.threads)
    for name in NAMES:
        assert told[name] == pytest.approx(anew[name], rel=0.01)


def test_no_prediction_is_nothing_or_less(points):
    model = Model(points)
    for workload in (*UNSEEN, Workload("none", {"length": 1.0}), Workload("tiny", {"set:new": 1.0}, size=0)):
        assert min(model.predict(workload, 1).ns.values()) >= 1


def test_other_numbers_of_threads_are_answered_by_the_nearest(points):
    model = Model(points)
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
    costs, before = Costs(slow, NAMES), Costs(points, NAMES)

    def slower(reads):
        workload = Workload("mine", {"get": reads, "set": 1 - reads})
        return [costs.at(workload, threads)[MUTEX] / before.at(workload, threads)[MUTEX] for threads in (2, 4)]

    assert slower(0.05) == [pytest.approx(1, abs=0.05), pytest.approx(3, rel=0.3)]
    assert slower(0.99)[1] < 1.6
    assert slower(0.05)[1] > slower(0.5)[1] > slower(0.99)[1]


def test_a_snapshot_costs_more_after_writes():
    rare = figures(Workload("rare", {"snapshot": 0.1, "get": 0.8, "set": 0.1}), together=True)
    assert rare["snapshot of changes"] == pytest.approx(0.05)
    none = figures(Workload("none", {"snapshot": 0.1, "get": 0.9}), together=True)
    assert "snapshot of changes" not in none
    assert "snapshot of holes" not in rare
    for share in ("delete:pool", "set:new"):
        taken = figures(Workload("taken", {"snapshot": 0.1, "get": 0.8, share: 0.1}), together=True)
        assert taken["snapshot of holes"] == 0.1
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
        predicted, of_all = model.predict(workload, 2).ns, whole.predict(workload, 2).ns
        assert set(predicted) == set(model.names)
        for name, ns in predicted.items():
            assert ns == pytest.approx(of_all[name], rel=0.1)


def test_what_much_was_measured_with_has_costs_of_its_own():
    """With one thread, in this world, plain writes cost one variant next to nothing, and nothing else changes."""
    made = unseen.plan(draw(200, 5), (1, 2), 1, 0.05, 1)
    points = digest(run_of(made, blocks=1, mood=0)).points
    sets = {
        each.name: sum(part for share, part in each.mix.items() if parse(share)[0].name == "set")
        for each in made.workloads
    }
    less = {each.name: 60 * sets[each.name] / takes(each, MUTEX) for each in made.workloads}
    cheap = [
        replace(point, ns={**point.ns, MUTEX: point.ns[MUTEX] * (1 - less[point.workload.name])})
        if point.threads == 1
        else point
        for point in points
    ]
    costs = Costs(cheap, NAMES)
    for share, saved in (("set", 30), ("swap", 0)):
        workload = Workload("mine", {"get": 0.5, share: 0.5})
        one, two = (costs.at(workload, threads) for threads in (1, 2))
        told = one[MUTEX] / one[COPYING] * two[COPYING] / two[MUTEX]
        assert told == pytest.approx(1 - saved / takes(workload, MUTEX), rel=0.2)


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


# --- what is near -----------------------------------------------------------------------------------


def test_cholesky():
    matrix = [[4.0, 2.0, 0.4], [2.0, 5.0, 1.0], [0.4, 1.0, 3.0]]
    root = factor(matrix)
    assert [len(row) for row in root] == [1, 2, 3]
    for i, row in enumerate(root):
        for j, other in enumerate(root):
            assert sum(a * b for a, b in zip(row, other, strict=False)) == pytest.approx(matrix[i][j])
    inverted = inverse(root)
    solved = transposed_product(inverted, product(inverted, [1.0, 2.0, 3.0]))
    for row, expected in zip(matrix, (1.0, 2.0, 3.0), strict=True):
        assert sum(a * b for a, b in zip(row, solved, strict=True)) == pytest.approx(expected)
    with pytest.raises(ValueError, match="math domain error|expected a nonnegative input"):
        factor([[1.0], [2.0, 1.0]])


def test_a_gaussian_process_follows_what_is_near_and_doubts_what_is_far():
    places = [(x / 4, y / 4) for x in range(12) for y in range(3)]
    outcomes = [[math.sin(x) for x, _ in places], [y for _, y in places]]
    process = GaussianProcess(places, outcomes)
    sine, height = process.at((1.1, 0.3))
    assert sine == pytest.approx(math.sin(1.1), abs=0.05)
    assert height == pytest.approx(0.3, abs=0.05)
    far = (1_000.0, 0.0)
    assert process.at(far) == pytest.approx([sum(each) / len(each) for each in outcomes])
    assert process.doubt(far) == pytest.approx(math.sqrt(1 + SIGNAL**2))
    assert 1 < process.doubt((1.1, 0.3)) < 1.5 < process.doubt((4.0, 0.3))


def test_what_a_gaussian_process_leaves_out_is_what_it_would_tell_without_it():
    places = [(0.0,), (0.8,), (2.1,), (2.9,)]
    outcomes = [[1.0, -2.0, 2.0, -1.0]]  # without the second their mean is another one, which is not accounted for
    process = GaussianProcess(places, outcomes)
    (told,), doubt = process.left_out(0)
    rest = GaussianProcess(places[1:], [[-2.0, 2.0, -1.0]])
    rest._means = [0.0]
    rest._weights = GaussianProcess(places[1:], [[-2.0 + 1 / 3, 2.0 + 1 / 3, -1.0 + 1 / 3]])._weights
    assert doubt == pytest.approx(rest.doubt(places[0]))
    assert told == pytest.approx(rest.at(places[0])[0], abs=0.5)


def test_places():
    """Names do not matter, nor what has no scale; the more a workload differs, the further away it is."""
    base = Workload("a", {"get": 0.9, "set": 0.1})
    assert place(base, 2) == place(replace(base, name="b"), 2)
    for near, far in (
        ({"mix": {"get": 0.85, "set": 0.15}}, {"mix": {"get": 0.1, "set": 0.9}}),
        ({"size": 1_500}, {"size": 100_000}),
        (
            {"mix": {"get": 0.9, "set": 0.0999, "snapshot": 0.0001}},
            {"mix": {"get": 0.9, "set": 0.08, "snapshot": 0.02}},
        ),
        ({"keys": "int"}, {"keys": "object"}),
    ):
        distances = [math.dist(place(base, 2), place(replace(base, **how), 2)) for how in (near, far)]
        assert distances[0] < distances[1]
        assert distances[1] > 0.2
    assert math.dist(place(base, 1), place(base, 2)) < math.dist(place(base, 1), place(base, 8))
    known = {name for workload in draw(300, 5) for name in coordinates(workload, 2)}
    assert known >= SCALES.keys() - {"clear", "compare_and_delete"}


@pytest.mark.parametrize(
    "measured",
    [each for each in store.recorded() if len(each.points) > 2 * scales.PART],
    ids=lambda each: store.tag(each.environment),
)
def test_the_scales_are_likelier_than_others(measured):
    part = scales.parts(measured.points, random.Random(1))[0]
    best = scales.unlikelihood(part, {**SCALES, scales.SIGNAL: SIGNAL})
    for factor_ in (1 / 4, 4):
        others = {name: scale * factor_ for name, scale in SCALES.items()}
        assert scales.unlikelihood(part, {**others, scales.SIGNAL: SIGNAL}) > best + 10


def test_finding_scales_finds_what_matters(monkeypatch):
    """Times that go with the size alone: everything else gets a large scale."""
    monkeypatch.setattr(scales, "PART", 40)
    chance = random.Random(2)
    made = [replace(each, size=chance.choice((100, 1_000, 10_000))) for each in draw(scales.PART, 8)]
    points = []
    for each in made:
        takes_all = [(100 + 50 * at * math.log10(each.size)) * math.exp(chance.gauss(0, 0.05)) for at in range(5)]
        points.append(Point(each, 2, dict(zip(VARIANTS, takes_all, strict=True)), {}))
    found = scales.likeliest(scales.parts(points, chance))
    assert found["size"] < min(found[name] for name in ("hit", "set", "threads", "keys: int"))


def test_many_points_take_no_longer(points):
    """Only the nearest count, but for the costs."""
    many = Model(
        [
            replace(each, workload=replace(each.workload, size=each.workload.size + at))
            for at in range(5)
            for each in points
        ]
    )
    assert len(many.points) > NEIGHBOURS
    near = many._nearest(place(UNSEEN[0], 2))
    assert len(near) == NEIGHBOURS
    distances = [math.dist(place(UNSEEN[0], 2), each) for each in many._places]
    assert max(distances[index] for index in near) <= sorted(distances)[NEIGHBOURS]

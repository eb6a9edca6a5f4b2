"""Advice: the pick, ties, needs, where it extrapolates, and its words."""

from dataclasses import replace

import pytest

from safemap.bench import measured as measured_module
from safemap.bench.measured import Measured, Point, digest
from safemap.bench.recommend import NeedError, parse_size, words, workload_of
from safemap.bench.recommend import needs as needs_module
from safemap.bench.recommend.advice import advice_from
from safemap.bench.recommend.extrapolation import same_workload
from safemap.bench.workload import Workload, WorkloadError
from tests.bench.made_up import (
    COPYING,
    DIRTY,
    ENVIRONMENT,
    MUTEX,
    NAMES,
    RWLOCK,
    SHARDED,
    run_of,
    small_plan,
    suite,
)

pytestmark = pytest.mark.usefixtures("five_variants")

READS = Workload("some name", {"get": 0.95, "set": 0.05})
UNMEASURED = Workload("mine", {"get": 0.85, "set": 0.15}, size=5_000)


@pytest.fixture(scope="module")
def measured():
    return digest(suite())


def advised(measured, workload=UNMEASURED, threads=2, needs=(), origin="own", environment=ENVIRONMENT):
    return advice_from(measured, workload, threads, needs, origin=origin, environment=environment)


# --- the pick ---------------------------------------------------------------------------------------


def test_the_pick_is_the_fastest(measured):
    advice = advised(measured)
    assert advice.pick == SHARDED
    assert [other.name for other in advice.others][0::3] == [COPYING, RWLOCK]
    assert all(other.ratio.low < other.ratio.value < other.ratio.high for other in advice.others)
    assert [other.ratio.value for other in advice.others] == sorted(other.ratio.value for other in advice.others)
    assert not advice.measured
    assert advice.extrapolates == ()


def test_a_workload_that_was_measured_is_answered_by_its_measurement(measured):
    advice = advised(measured, READS)
    assert advice.measured
    point = next(each for each in measured.points if each.workload.name == "reads-95" and each.threads == 2)
    for other in advice.others:
        assert other.ratio.value == pytest.approx(point.ns[other.name] / point.ns[advice.pick])
        assert other.ratio.high / other.ratio.low < 1.1
    assert not advised(measured, READS, threads=3).measured
    assert not advised(measured, replace(READS, size=1_001)).measured


def test_a_measurement_weighs_more_than_the_model(measured):
    """Were it only predicted, this workload's upset would be taken for an error of measurement."""
    upset = [
        replace(point, ns={**point.ns, MUTEX: 1.0}) if same_workload(point.workload, READS) else point
        for point in measured.points
    ]
    assert advised(replace(measured, points=tuple(upset)), READS).pick == MUTEX


def test_a_variant_that_came_out_wrong_where_it_was_measured_is_no_choice(measured):
    lacking = tuple(
        replace(point, ns={name: ns for name, ns in point.ns.items() if name != DIRTY})
        if same_workload(point.workload, READS)
        else point
        for point in measured.points
    )
    advice = advised(replace(measured, points=lacking), READS)
    assert DIRTY not in {advice.pick, *(other.name for other in advice.others)}


def test_ties_are_those_within_noise_or_whose_interval_has_1(measured):
    def tied(noise, spread):
        ns = dict(zip(NAMES, (100.0, 200.0, 101.0, 110.0, 115.0), strict=True))
        point = Point(READS, 2, ns, dict.fromkeys(NAMES, spread))
        return advised(replace(measured, points=(point,), noise={2: noise}), READS).ties

    assert tied(1.05, 0.001) == (SHARDED,)
    assert tied(1.12, 0.001) == (SHARDED, COPYING)
    assert tied(1.05, 0.06) == (SHARDED, COPYING, DIRTY)


def test_one_block_alone_has_the_noise_floor_for_its_interval():
    one = digest(run_of(small_plan(READS), blocks=1, noise=0.1))
    (point,) = one.points
    assert point.spread[MUTEX] > 0.01


# --- needs ------------------------------------------------------------------------------------------


def test_needs_choose_among_those_who_meet_them_and_tell_what_they_cost(measured):
    advice = advised(measured, needs=["order"])
    assert advice.pick == MUTEX
    assert [other.name for other in advice.others] == [RWLOCK]
    assert {other.name for other in advice.faster} >= {SHARDED}
    assert all(other.ratio.high < 1 for other in advice.faster)
    (ruling,) = advice.rulings
    assert ruling.out == {SHARDED: False, COPYING: False, DIRTY: False}


def test_needs_that_contradict_leave_no_pick_and_say_what_to_give_up(measured):
    advice = advised(measured, needs=["snapshot", "order"])
    assert advice.pick is None
    assert advice.others == advice.faster == ()
    assert advice.contradictions == (("snapshot", "order"),)
    assert {each.without: each.pick for each in advice.compromises} == {("snapshot",): MUTEX, ("order",): COPYING}


def test_unknown_needs_and_impossible_threads_are_refused(measured):
    with pytest.raises(NeedError, match="unknown need 'speed'"):
        advised(measured, needs=["speed"])
    for wrong in (0, -1, True, 2.0, 10_001):
        with pytest.raises(ValueError, match="threads must be a whole number from 1"):
            advised(measured, threads=wrong)


# --- variants that the results do not know ----------------------------------------------------------


@pytest.fixture
def newer(monkeypatch):
    """There is a variant more than when it was measured, with what no other one has together."""
    promised = needs_module.VARIANTS[MUTEX]._replace(reader_waits_for_writer="no", snapshot="O(1)")
    monkeypatch.setattr(needs_module, "VARIANTS", {**needs_module.VARIANTS, "NewMap": promised})
    monkeypatch.setattr(measured_module, "NAMES", (*NAMES, "NewMap"))


def test_a_variant_that_was_not_measured_is_named_and_not_ranked(measured, newer):
    for workload in (UNMEASURED, READS):
        advice = advised(measured, workload)
        assert advice.pick in NAMES
        assert {advice.pick, *(other.name for other in advice.others)} == {*NAMES}
        assert advice.unmeasured == ("NewMap",)
        assert "Not measured there, and so not ranked: NewMap." in words(advice)


def test_where_it_alone_meets_the_needs_nothing_is_picked_and_no_need_given_up(measured, newer):
    advice = advised(measured, needs=["order", "free-readers"])
    assert (advice.pick, advice.others, advice.unmeasured) == (None, (), ("NewMap",))
    assert advice.contradictions == advice.compromises == ()
    lines = words(advice)
    assert lines[0].startswith("No variant that was measured, for ")
    assert lines[1] == "Not measured there, and so not ranked: NewMap."


def test_where_one_more_meets_them_that_is_the_only_one_of_those_measured(measured, newer):
    advice = advised(measured, needs=["snapshot"])
    assert advice.pick == COPYING
    assert "It is the only variant of those measured that meets the needs." in words(advice)


def test_one_that_does_not_meet_the_needs_is_not_named(measured, newer):
    assert advised(measured, needs=["key-functions"]).unmeasured == ()
    assert advised(measured, needs=["key-functions"]).pick == SHARDED


def test_where_all_were_measured_nothing_is_said_of_it(measured):
    assert advised(measured).unmeasured == ()
    assert not [line for line in words(advised(measured)) if "ranked" in line]


# --- where it extrapolates --------------------------------------------------------------------------

ELSEWHERE = {
    "interpreter": ("CPython 3.14.2", "interpreter: CPython 3.14.2; measured: CPython 3.13.1"),
    "gil": (False, "GIL: off; measured: on"),
    "compiled": (False, "maps: plain Python; measured: compiled"),
    "cores": (64, "machine: made up, 64 cores, Linux x86_64; measured: made up, 2 cores, Linux x86_64"),
    "version": ("9", "safemap: 9; measured: 0.1.0"),
}


@pytest.mark.parametrize("field", ELSEWHERE)
def test_another_machine_or_interpreter_is_said(measured, field):
    value, line = ELSEWHERE[field]
    advice = advised(measured, READS, environment=replace(ENVIRONMENT, **{field: value}))
    assert advice.extrapolates == (line,)


BEYOND = [
    ({}, 8, "threads: 8; measured: 1, 2, 4"),
    ({"size": 2_000_000}, 2, "size: 2,000,000; measured: 100 to 100,000"),
    ({"size": 5}, 2, "size: 5; measured: 100 to 100,000"),
    ({"background": {"set": 1.0}}, 2, "background: what the thread does that is not measured is left out"),
    (
        {"mix": {"compare_and_delete:pool": 0.5, "get": 0.5}},
        2,
        "operations: compare_and_delete not measured, and taken to cost nothing",
    ),
]


@pytest.mark.parametrize(("changes", "threads", "line"), BEYOND)
def test_what_lies_outside_the_measured_is_said(measured, changes, threads, line):
    assert advised(measured, replace(UNMEASURED, **changes), threads).extrapolates == (line,)


def test_axes_that_were_not_measured_are_said():
    few = digest(run_of(small_plan(READS, Workload("more", {"set": 1.0}))))
    strange = replace(READS, keys="tuple", values="shared", access="hot", order="rarer writes")
    assert advised(few, strange).extrapolates == (
        "keys: tuple; measured: str",
        "values: shared; measured: private",
        "access: hot; measured: uniform",
        "order: rarer writes; measured: shuffled",
    )


def test_a_background_that_was_measured_is_no_extrapolation(measured):
    scan = Workload("mine", {"scan": 1.0}, background={"set": 1.0})
    assert advised(measured, scan).measured
    assert advised(measured, scan).extrapolates == ()


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"name": "other", "about": "else"}, True),
        ({"mix": {"get:there": 0.95, "set": 0.05 + 1e-9}}, True),
        ({"skew": 0.5}, True),
        ({"mix": {"get": 0.94, "set": 0.06}}, False),
        ({"mix": {"find": 0.95, "set": 0.05}}, False),
        ({"keys": "int"}, False),
        ({"background": {"set": 1.0}}, False),
    ],
)
def test_workloads_are_the_same_whatever_their_names(changes, same):
    assert same_workload(READS, replace(READS, **changes)) is same


def test_the_skew_matters_where_keys_are_skewed():
    zipf = replace(READS, access="zipf")
    assert not same_workload(zipf, replace(zipf, skew=0.5))


# --- words ------------------------------------------------------------------------------------------


def test_words_of_a_prediction(measured):
    question = Workload("mine", {"get": 0.5, "set": 0.5}, size=5_000)
    advice = advised(measured, question, needs=["batch"], origin="recorded")
    lines = words(advice)
    assert lines[0] == "MutexMap, for 50% get, 50% set; 5,000 str keys, uniform; private values; 2 threads"
    assert lines[1] == "Throughput, beside that of the others, with 95 % intervals:"
    assert lines[2].startswith("  1.2")
    assert lines[2].removesuffix(", a tie").endswith(") CopyOnWriteMap")
    assert "batch (an update that others see whole or not at all) rules out, by `guarantees.update`:" in lines
    assert "  ShardedMap, ReadDirtyMap: key by key" in lines
    assert any(line.startswith("What the needs cost: ShardedMap would reach 1.") for line in lines)
    assert (
        f"Predicted: {advice.workloads} other workloads were measured, this one was not; "
        "`--measure` does, in ten seconds or so."
    ) in lines
    assert lines[-2] == (
        "There are no results of this machine yet; from those that ship with safemap: CPython 3.13.1, GIL, "
        "compiled, made up, 2 cores; 2026-01-02, 5 blocks."
    )
    assert lines[-1] == "Ratios below 1.05x are within their noise."


def test_words_of_a_measurement_elsewhere(measured):
    advice = advised(measured, READS, threads=1, environment=replace(ENVIRONMENT, gil=False))
    lines = words(advice)
    assert lines[0].endswith("; 1 thread")
    assert "This very workload was measured." in lines
    assert lines[lines.index("It extrapolates:") + 1] == "  GIL: off; measured: on"
    assert lines[-2].startswith("From this machine's results: ")


def test_words_of_ties(measured):
    ns = dict(zip(NAMES, (101.0, 200.0, 100.0, 130.0, 130.0), strict=True))
    point = Point(READS, 2, ns, dict.fromkeys(NAMES, 0.001))
    lines = words(advised(replace(measured, points=(point,)), READS))
    assert "  1.01x (1.01 to 1.01) MutexMap, a tie" in lines
    assert "Not to be told from it: MutexMap; MutexMap is the simplest." in lines


def test_words_of_a_contradiction(measured):
    lines = words(advised(measured, needs=["snapshot", "order", "exact-len"]))
    assert lines[0].startswith("No variant, for ")
    assert "These needs contradict one another, no variant meets all of them: snapshot, order." in lines
    assert "  without snapshot: MutexMap" in lines
    assert "  without order: CopyOnWriteMap" in lines


def test_words_where_one_variant_is_left_and_of_needs_that_rule_out_nothing(measured, monkeypatch):
    assert "It is the only variant that meets the needs." in words(advised(measured, needs=["snapshot"]))


# --- digests and questions --------------------------------------------------------------------------


def test_a_digest_survives_its_file(measured):
    again = Measured.from_json(measured.to_json())
    assert again.environment == measured.environment
    assert again.to_json() == measured.to_json()
    for one, other in zip(measured.points, again.points, strict=True):
        assert same_workload(one.workload, other.workload)
        assert other.ns == pytest.approx(one.ns, rel=10.0 ** (1 - measured_module.DIGITS))


@pytest.mark.parametrize(
    ("text", "size"),
    [("10k", 10_000), ("1M", 1_000_000), ("1.5m", 1_500_000), ("1,000", 1000), ("0", 0), ("7", 7)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "k", "-1", "1.5", "1e3", "10 kB", "11M", "nan", "1k k"])
def test_sizes_that_are_none(text):
    with pytest.raises(WorkloadError, match="a size must be a whole number"):
        parse_size(text)


def test_a_share_of_reads_makes_a_workload():
    assert same_workload(workload_of(0.95), READS)
    assert workload_of(1).mix == {"get": 1}
    assert workload_of(0.0).mix == {"set": 1.0}
    made = workload_of(0.5, 10_000, keys="int", values="shared", access="zipf")
    assert (made.size, made.keys, made.values, made.access) == (10_000, "int", "shared", "zipf")
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(WorkloadError, match="the share of reads must be from 0 to 1"):
            workload_of(wrong)

"""What a summary says of figures that are known."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest

from safemap.bench.contestants import REFERENCE
from safemap.bench.plan import Entrant
from safemap.bench.results import Record
from safemap.bench.summary import summarize, words
from safemap.bench.summary.latency import curve
from tests.bench import made
from tests.bench.made import JOB


def pick(rates, **changes):
    (found,) = summarize(made.results({"reads-95": {2: rates}}, **changes)).picks
    return found


def test_the_best_variant_is_picked_with_its_ratio_and_the_next():
    found = pick({REFERENCE: 5e6, "ShardedMap": 10e6, "CopyOnWriteMap": 8e6, "dict": 12e6})
    assert (found.best, found.ties, found.threads, found.beyond) == ("ShardedMap", (), 2, False)
    assert found.ratio.value == pytest.approx(2)
    assert found.ratio.low <= 2 <= found.ratio.high
    assert found.runner_up == ("CopyOnWriteMap", pytest.approx(1.25))
    assert [(name, ratio.value) for name, ratio in found.faster] == [("dict", pytest.approx(2.4))]


def test_what_is_within_noise_is_a_tie_and_the_reference_is_named():
    found = pick({REFERENCE: 5e6, "ShardedMap": 5.1e6, "CopyOnWriteMap": 2e6})
    assert (found.best, found.ties) == (REFERENCE, ("ShardedMap",))
    assert found.runner_up == ("CopyOnWriteMap", pytest.approx(2.5))


def test_a_noisy_control_makes_a_tie_of_what_a_quiet_one_tells_apart():
    rates = {REFERENCE: 5e6, "ShardedMap": 6e6}
    assert pick(rates).best == "ShardedMap"
    assert pick(rates, control=(1.0, 1.5, 0.6, 1.4, 0.7)).best == REFERENCE


def test_when_not_to_take_it_is_what_its_class_does_not_promise():
    assert pick({REFERENCE: 1e6, "ShardedMap": 2e6}).not_for == (
        "insertion order",
        "iteration over one moment",
        "updates of many keys that appear all at once",
        "an exact `len` while others write",
        "frequent snapshots of a large map",
    )
    assert pick({REFERENCE: 1e6, "CopyOnWriteMap": 2e6}).not_for == (
        "insertion order",
        "slow functions that stop no other writer",
    )
    assert "readers that never wait for writers" in pick({REFERENCE: 1e6}).not_for


def test_of_a_variant_of_another_package_nothing_is_promised():
    summary = summarize(made.results({"reads-95": {2: {REFERENCE: 1e6, "TheirMap": 2e6}}}))
    assert summary.picks[0].best == "TheirMap"
    assert summary.picks[0].not_for == ()
    assert {row.values[1] for row in summary.promises} == {"not told"}
    assert summary.promises[0].values[0] == "one lock, one dict"


def test_one_map_for_everything_leads_most_often():
    summary = summarize(
        made.results(
            {
                "reads-95": {2: {REFERENCE: 5e6, "ShardedMap": 10e6, "CopyOnWriteMap": 8e6}},
                "reads-50": {2: {REFERENCE: 5e6, "ShardedMap": 9e6, "CopyOnWriteMap": 4e6}},
                "snapshots": {2: {REFERENCE: 5e6, "ShardedMap": 4e6, "CopyOnWriteMap": 16e6}},
            }
        )
    )
    found = summary.overall
    assert (found.pick, found.judged, found.leads) == ("ShardedMap", 3, 2)
    assert found.typical == pytest.approx(1 / 4)
    assert found.worst == ("snapshots", "CopyOnWriteMap", pytest.approx(4))
    assert words.headline(summary) == "One map for everything: ShardedMap."
    assert words.grounds(summary) == (
        "It is the best variant, or not to be told from the best, in 2 of 3 workloads. Where it is behind, "
        "it typically has 25 % of the best variant's throughput; furthest in snapshots, where CopyOnWriteMap "
        "is 4.0× as fast."
    )


def test_ties_with_all_others_are_said_in_two_words():
    alike = {REFERENCE: 5e6, "ShardedMap": 5.1e6, "CopyOnWriteMap": 5.05e6}
    assert words.ties(pick(alike)) == "all others"
    assert words.ties(pick({**alike, "RWLockMap": 2e6})) == "ShardedMap, CopyOnWriteMap"
    assert words.ties(pick({REFERENCE: 5e6, "ShardedMap": 5.1e6})) == "ShardedMap"
    assert words.ties(pick({REFERENCE: 5e6})) == words.NONE


def test_where_all_are_alike_the_simplest_is_taken_for_everything():
    alike = {REFERENCE: 5e6, "ShardedMap": 5.1e6}
    summary = summarize(made.results({"reads-95": {2: alike}, "reads-50": {2: alike}}))
    assert (summary.overall.pick, summary.overall.typical, summary.overall.worst) == (REFERENCE, None, None)
    assert "In 2 of 2 workloads no variant is told from another one" in summary.cautions[0]


def test_a_map_that_came_out_wrong_has_no_score_and_is_not_taken_for_everything():
    summary = summarize(
        made.results(
            {
                "reads-95": {2: {REFERENCE: 5e6, "ShardedMap": 50e6}},
                "reads-75": {2: {REFERENCE: 5e6, "ShardedMap": 50e6}},
                "reads-50": {2: {REFERENCE: 5e6, "ShardedMap": "3 counts lost"}},
            }
        )
    )
    assert summary.overall.pick == REFERENCE
    assert [each.best for each in summary.picks] == ["ShardedMap", "ShardedMap", REFERENCE]
    (trouble,) = summary.troubles
    assert (trouble.workload, trouble.contestant, trouble.state) == ("reads-50", "ShardedMap", "fault")
    (cell,) = [each for each in summary.of("reads-50") if each.contestant == "ShardedMap"]
    assert (cell.state, cell.throughput, cell.ratio) == ("fault", None, None)
    assert "ShardedMap came out wrong" in summary.cautions[0]


def test_without_the_reference_there_is_no_verdict():
    summary = summarize(made.results({"reads-95": {2: {REFERENCE: "dead", "ShardedMap": 5e6}}}))
    assert summary.overall is None
    assert summary.picks[0].best is None
    assert words.headline(summary).startswith("No verdict")


def test_a_cell_that_was_given_up_says_why():
    results = made.results({"reads-95": {2: {REFERENCE: 5e6, "CopyOnWriteMap": 1e6}}})
    results.records = [
        Record(each.cell, {"capped": "not done after 60 s"}) if each.cell.contestant == "CopyOnWriteMap" else each
        for each in results.records
    ]
    summary = summarize(results)
    (cell,) = [each for each in summary.measured if each.contestant == "CopyOnWriteMap"]
    assert (cell.state, cell.why) == ("capped", "not done after 60 s")
    assert [(each.state, each.contestant) for each in summary.troubles] == [("capped", "CopyOnWriteMap")]


def test_a_job_that_lost_counts_was_not_done():
    results = made.results({JOB: {2: {REFERENCE: 5e6, "dict": 9e6}}})
    for record in results.records:
        if record.cell.contestant == "dict":
            record.found["lost"] = 3
    summary = summarize(results)
    (cell,) = [each for each in summary.measured if each.contestant == "dict"]
    assert (cell.state, cell.lost, cell.throughput) == ("lost", 3, None)
    assert summary.picks[0].faster == ()


def test_ratios_beyond_the_cores_are_marked():
    summary = summarize(made.results({"reads-95": {count: {REFERENCE: 5e6} for count in (1, 2, 4)}}))
    assert [(each.threads, each.judged, each.beyond) for each in summary.measured] == [
        (1, False, False),
        (2, True, False),
        (4, False, True),
    ]


def test_the_spread_is_that_of_the_blocks():
    summary = summarize(made.results({"reads-95": {2: {REFERENCE: 5e6}}}))
    spread = summary.measured[0].throughput
    assert (spread.value, spread.low, spread.high) == pytest.approx((5e6, 4.9e6, 5.1e6))


def test_net_throughput_is_without_the_loop_and_only_where_that_was_measured():
    summary = summarize(
        made.results(
            {
                "reads-95": {2: {REFERENCE: 5e6, "dict": 19.5e6, "null map": 20e6}},
                "reads-50": {2: {REFERENCE: 5e6}},
            }
        )
    )
    # 200 ns an operation, 50 of them the loop's.
    net = {(each.workload, each.contestant): each.net for each in summary.measured}
    assert net == {
        ("reads-95", REFERENCE): pytest.approx(1e9 / 150),
        ("reads-95", "dict"): None,  # all but the loop's own
        ("reads-95", "null map"): None,
        ("reads-50", REFERENCE): None,
    }


def test_fairness_and_cpu_time():
    results = made.results({"reads-95": {2: {REFERENCE: 4e6}}})
    for record in results.records:
        record.found["rates"] = [3e6, 1e6]
    (cell,) = summarize(results).measured
    assert cell.fairness == pytest.approx(16 / 20)
    assert cell.cpu == pytest.approx(0.2 / 0.4)  # 0.2 CPU seconds for 400,000 operations


# --- shares of reads ---------------------------------------------------------------------------------


def shares(**rates):
    """Return the crossovers of two contestants, given their throughputs at 50, 75, 90 and 100 % of reads."""
    names = ("reads-50", "reads-75", "reads-90", "reads-100")
    by = {
        name: {2: {REFERENCE: rates["one"][at], "ShardedMap": rates["other"][at]}}
        for at, name in enumerate(names[: len(rates["one"])])
    }
    return summarize(made.results(by)).read_shares


def test_a_crossover_is_where_times_per_operation_are_equal():
    # From 50 to 75 % of reads, the one goes from 0.1 us to 0.2, the other from 0.25 to 0.1: equal after 0.6 of it.
    found = shares(one=(10e6, 5e6), other=(4e6, 10e6))
    (crossed,) = found.crossovers
    assert (crossed.below, crossed.above) == (REFERENCE, "ShardedMap")
    assert crossed.reads == pytest.approx(0.65)
    assert crossed.rate == pytest.approx(1e6 / 0.16)
    assert crossed.between == (0.5, 0.75)


def test_a_crossover_needs_a_lead_beyond_noise_on_both_sides():
    assert shares(one=(10e6, 10e6, 9.9e6), other=(9.9e6, 9.9e6, 10e6)).crossovers == ()
    assert shares(one=(10e6, 5e6), other=(9.9e6, 10e6)).crossovers == ()


def test_a_crossover_with_ties_between_lies_in_the_middle_of_them():
    found = shares(one=(10e6, 10e6, 10e6, 5e6), other=(5e6, 9.9e6, 10.1e6, 10e6))
    (crossed,) = found.crossovers
    assert 0.75 < crossed.reads < 0.9
    assert crossed.between == (0.5, 1.0)


def test_who_overtakes_and_is_overtaken_crosses_twice():
    found = shares(one=(10e6, 5e6, 10e6), other=(5e6, 10e6, 5e6))
    assert [(each.above, round(each.reads, 3)) for each in found.crossovers] == [
        ("ShardedMap", 0.625),
        (REFERENCE, 0.825),
    ]


def test_a_tie_at_the_last_share_before_the_lead_changes_is_no_crossing_twice():
    found = shares(one=(10e6, 10e6, 5e6), other=(5e6, 10e6, 10e6))
    (crossed,) = found.crossovers
    assert crossed.reads == pytest.approx(0.75)


def test_shares_of_reads_are_in_order_and_need_two():
    found = shares(one=(1e6, 2e6, 3e6, 4e6), other=(1e6, 2e6, 3e6, 4e6))
    assert found.shares == (0.5, 0.75, 0.9, 1.0)
    assert summarize(made.results({"reads-95": {2: {REFERENCE: 1e6}}})).read_shares is None
    assert summarize(made.results({"grow": {2: {REFERENCE: 1e6}}})).read_shares is None


# --- latency, sizes, noise ----------------------------------------------------------------------------


def test_quantiles_and_who_did_not_keep_up():
    found = {each.contestant: each for each in summarize(made.everything()).latencies}
    ours = found["ShardedMap"]
    assert (ours.p50, ours.p90, ours.p99, ours.p999, ours.longest) == (1024, 1024, 2**15, 2**20, 2**20)
    assert (ours.count, ours.kept_up, ours.behind) == (1000, pytest.approx(1), False)
    theirs = found["dict"]
    assert (theirs.kept_up, theirs.behind) == (pytest.approx(0.6), True)


def test_a_curve_rises_from_the_median_to_the_longest():
    points = curve({160: 900, 240: 90, 320: 10}, 1_000_000.0)
    shares_, latencies = zip(*points, strict=True)
    assert (points[0], points[-1]) == ((0.5, 1024), (0.999, 1_000_000.0))
    assert list(shares_) == sorted(shares_)
    assert list(latencies) == sorted(latencies)
    assert max(latencies) == 1_000_000  # not the bucket's upper bound, which nobody saw
    assert curve({0: 1}, 1.0)[-1] == (0.0, 1.0)


def test_costs_and_peaks_by_size():
    summary = summarize(made.everything())
    found = {(each.cost, each.contestant): each.by_size for each in summary.costs}
    assert found["snapshot", REFERENCE] == {100: 1000.0, 1000: 10_000.0}
    assert found["bytes_per_entry", "ShardedMap"] == {100: 30.0}
    assert summary.costs[0].cost == "snapshot"
    assert {each.contestant: each.by_size for each in summary.peaks}[REFERENCE] == {
        100: 30_000_100,
        1000: 30_001_000,
    }


def test_the_noise_floor_has_its_ratios():
    quiet, job = [each for each in summarize(made.everything()).noise if each.threads == 2]
    assert (quiet.kind, quiet.floor, len(quiet.ratios)) == ("throughput", 1.05, 15)
    assert (job.kind, job.floor, len(job.ratios)) == ("job", 1.05, 5)
    assert ("reads-95", 2, pytest.approx(1.01)) in quiet.ratios


def test_lost_counts_are_told_of_baselines_and_not_of_the_loop():
    assert [(each.contestant, each.workload, each.lost) for each in summarize(made.everything()).lost] == [
        ("dict", "read-modify-write", 7)
    ]


# --- runs that are not whole --------------------------------------------------------------------------


def test_an_unfinished_run_is_said_to_be():
    results = made.everything()
    results.ended = None
    results.records = results.records[:30]
    summary = summarize(results)
    assert summary.cautions[0].startswith("The run is unfinished: 30 of ")
    assert summary.run.ended is None


def test_a_run_that_has_not_begun_has_nothing_and_fails_at_nothing():
    results = made.everything()
    summary = summarize(replace(results, records=[], ended=None))
    assert (summary.overall, summary.picks, summary.measured, summary.latencies) == (None, (), (), ())


def test_a_plan_with_a_contestant_that_is_not_known_here_counts_no_cells():
    results = made.results({"reads-95": {2: {REFERENCE: 1e6}}}, entrants=(Entrant("gone", "baseline", True, "x"),))
    assert summarize(replace(results, ended=None)).cautions[0] == "The run is unfinished: 10 cells were measured."


def test_few_blocks_plain_maps_and_a_busy_machine_are_said():
    rates = {"reads-95": {2: {REFERENCE: 1e6, "dict": 2e6}}}
    plain = replace(made.ENVIRONMENT, compiled=False)
    results = made.results(rates, blocks=2, environment=plain)
    for record in results.records:
        record.found["cpu_seconds"] = 0.1
    cautions = " ".join(summarize(results).cautions)
    assert "2 blocks only" in cautions
    assert "not compiled" in cautions
    assert "2 threads on a plain dict got 1.0 of 2 cores" in cautions
    assert summarize(made.results(rates)).cautions == ()


@pytest.mark.parametrize("results", [made.everything(), made.results({"grow": {4: {REFERENCE: "bad"}}})])
def test_a_summary_is_json(results):
    text = json.dumps(asdict(summarize(results)), allow_nan=False)
    assert json.loads(text)["reference"] == REFERENCE


# --- words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (words.digits(2130.4), "2,130"),
        (words.digits(0.02134), "0.0213"),
        (words.digits(9.996), "10.0"),
        (words.digits(0), "0"),
        (words.digits(math.inf), "∞"),
        (words.times(2.14), "2.1×"),
        (words.times(21.4), "21.4×"),
        (words.duration(999), "999 ns"),
        (words.duration(1_234_567), "1.23 ms"),
        (words.size(61_400_000), "61.4 MB"),
        (words.percent(0.999), "99.9 %"),
        (words.many(1, "core"), "1 core"),
        (words.many(1000, "core"), "1,000 cores"),
        (words.listed(["a"]), "a"),
        (words.listed(["a", "b"]), "a and b"),
        (words.listed(["a", "b", "c"], "or"), "a, b, or c"),
        (words.listed([]), ""),
        (words.code("a `b` c"), [(False, "a "), (True, "b"), (False, " c")]),
    ],
)
def test_words(written, wanted):
    assert written == wanted

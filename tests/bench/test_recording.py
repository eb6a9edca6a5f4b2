"""What is recorded of a program is the workload that it did; and the file that this becomes."""

from __future__ import annotations

import json
import random
import textwrap
import threading
from collections import Counter

import pytest

import safemap
from safemap.bench import Recorder, loop
from safemap.bench.catalogue import WORKLOADS
from safemap.bench.cell import Task, measure
from safemap.bench.contestants.contestant import CONTRACT
from safemap.bench.operations import parse
from safemap.bench.recording import Recording, RecordingError, load
from safemap.bench.script import OPERATIONS_WRITTEN, SLOW_OPERATIONS_WRITTEN, Script
from safemap.bench.script import slow as slow_mix
from safemap.bench.skew import disjoint, harmonic, zipf_exponent
from safemap.bench.workload import Workload, WorkloadError
from safemap.testing.threads import in_threads


def recorded(workload, threads=3, rounds=4, make=safemap.ShardedMap):
    """Do a workload's script on a recorder, in threads that are all there half-way; return the recording."""
    script = Script.of(workload, threads, seed=7)
    recorder = Recorder(make(script.initial))
    statements = loop._choice([operation.name for operation in script.operations], CONTRACT)
    source = f"def go(m, steps, {', '.join(loop.NAMES)}):\n    for place, key, value in steps:\n"
    made = {}
    exec(source + textwrap.indent(statements, " " * 8), made)
    meeting = threading.Barrier(threads, timeout=60)

    def steps_of(turn, thread):
        # The same draws again and again would be a skew: keys that came often would come often each time.
        again = turn * threads if workload.access == "uniform" else 0
        steps = [step for chunk in script.lane(thread + again) for step in chunk]
        return steps[
            : SLOW_OPERATIONS_WRITTEN
            if slow_mix(workload.mix) and not script.in_background(thread)
            else OPERATIONS_WRITTEN
        ]

    def work(thread):
        for turn in range(rounds):
            steps = steps_of(turn, thread)
            made["go"](recorder, steps[: len(steps) // 2], **loop.NAMES)
            if turn == 0:
                meeting.wait()
            made["go"](recorder, steps[len(steps) // 2 :], **loop.NAMES)

    in_threads(*(lambda thread=thread: work(thread) for thread in range(threads)), timeout=60)
    return recorder.recording("again")


def assert_close(mix, wanted, shares=0.03):
    for share in {*mix, *wanted}:
        assert mix.get(share, 0) == pytest.approx(wanted.get(share, 0), abs=shares), share


def assert_threads(found, threads):
    """Assert that so many were active at some time; at the median, the machine may keep some waiting."""
    assert max(map(int, found.seen["threads"]["active"])) == threads
    assert 1 <= found.threads <= threads


def test_threads_count_while_they_are_active():
    """Four go on together; four others have begun before them, and do nothing but be there."""
    recorder = Recorder(safemap.ShardedMap({"a": 1}))
    begun, meeting, over = threading.Barrier(8, timeout=60), threading.Barrier(4, timeout=60), threading.Event()

    def idle():
        recorder.get("a")
        begun.wait()
        assert over.wait(60)

    def busy():
        recorder.get("a")
        begun.wait()
        for _ in range(60):
            for _ in range(1_000):
                recorder.get("a")
            if meeting.wait() == 0 and recorder._ledger.active.total() < 5_000:
                recorder._ledger.census_due = 0  # the fifth of a second in which the others began is over
        over.set()

    in_threads(*[idle] * 4, *[busy] * 4, timeout=60)
    found = recorder.recording()
    assert found.seen["threads"]["ever"] == 8
    assert found.threads == 4


STEADY = [
    *(name for name in WORKLOADS if name.startswith("reads-")),
    "read-modify-write", "set-if-absent-storm", "exchange", "snapshots", "batches",
    "go-load-mostly-hits", "go-load-mostly-misses", "go-load-or-store-collision", "go-load-and-delete",
    "go-range", "go-compare-and-swap", "go-compare-and-swap-collision", "go-swap", "go-swap-collision",
    "ycsb-a", "ycsb-b", "ycsb-c", "ycsb-f",
]  # fmt: skip
"""Workloads in which nothing grows, so that each round is like the last."""
GROWING = ["go-load-or-store-balanced", "go-load-or-store-unique", "go-adversarial-alloc", "ycsb-d", "ycsb-e"]


@pytest.mark.parametrize("name", STEADY)
def test_a_named_workload_comes_back(name):
    workload = WORKLOADS[name]
    whole = any(parse(share)[0].whole and part > 1 / 2 for share, part in workload.mix.items())
    found = recorded(workload, rounds=1 if whole else 4)
    assert_close(found.workload.mix, workload.mix)
    assert found.workload.background == {}
    assert_threads(found, 3)
    assert found.workload.keys == "str"
    assert found.workload.values == "private"
    if not whole:
        assert found.workload.access == workload.access
    if workload.access == "zipf":
        assert found.workload.skew == pytest.approx(workload.skew, abs=0.1)
    if name != "set-if-absent-storm":  # of its one key nobody can tell how many others lie about
        assert found.workload.size == pytest.approx(workload.size, rel=0.15)


@pytest.mark.parametrize("name", GROWING)
def test_a_named_workload_that_grows_comes_back(name):
    workload = WORKLOADS[name]
    found = recorded(workload, rounds=1)
    assert_close(found.workload.mix, workload.mix)
    assert_threads(found, 3)
    if name == "ycsb-d":
        assert found.workload.access == "latest"
        assert found.workload.skew == pytest.approx(workload.skew, abs=0.15)


def test_clear_comes_back():
    found = recorded(WORKLOADS["go-clear"])
    assert_close(found.workload.mix, WORKLOADS["go-clear"].mix)


def test_a_thread_that_writes_beside_readers_comes_back():
    found = recorded(WORKLOADS["scan-with-writer"], rounds=1)
    assert found.workload.mix == {"scan": 1.0}
    assert_close(found.workload.background, {"set": 1.0})
    assert_threads(found, 3)


@pytest.mark.parametrize("skew", [0.5, 0.75, 1.2])
def test_a_zipf_exponent_comes_back(skew):
    workload = Workload("w", {"get": 0.9, "set": 0.1}, access="zipf", skew=skew, size=5_000)
    found = recorded(workload, threads=2, rounds=8)
    assert found.workload.access == "zipf"
    assert found.workload.skew == pytest.approx(skew, abs=0.1)


@pytest.mark.parametrize(
    "axes",
    [
        {"keys": "int"},
        {"keys": "tuple"},
        {"keys": "object"},
        {"values": "shared"},
        {"values": "immortal"},
        {"access": "disjoint"},
        {"size": 10},
        {"size": 20_000},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["mutex", "read_dirty"])
def test_an_axis_comes_back(axes, kind):
    workload = WORKLOADS["reads-75"].varied(**axes)
    # A script that is gone through again and again uses some of many keys more than others.
    found = recorded(workload, rounds=1 if workload.size > 10_000 else 4, make=safemap.KINDS[kind])
    assert_close(found.workload.mix, workload.mix)
    for axis in ("keys", "values", "access", "size"):
        assert getattr(found.workload, axis) == getattr(workload, axis)
    assert found.notes == ()


@pytest.mark.parametrize("name", ["exchange", "ycsb-b", "batches", "go-clear", "ycsb-d", "scan-with-writer"])
def test_what_is_recorded_can_be_replayed(name):
    """On a map, and rightly; and what is recorded of that is the same again."""
    found = recorded(WORKLOADS[name], rounds=1)
    task = Task("throughput", "ShardedMap", found.workload.to_json(), found.threads, seconds=0.02, seed=1)
    assert measure(task)["fault"] is None
    assert_close(recorded(found.workload, rounds=1).workload.mix, found.workload.mix, shares=0.03)


def test_a_cache_as_programs_have_one():
    """Lookups that miss, and then a set; keys leave one by one. As many lookups find something again."""
    recorder = Recorder(safemap.ShardedMap())
    chance = random.Random(3)
    for n in range(60_000):
        key = chance.randrange(2_000)
        if recorder.get(key) is None:
            recorder[key] = f"value {n}"
        if n % 4 == 0:
            recorder.pop(chance.randrange(2_000), None)
    program = hits(recorder)
    found = recorder.workload("cache")
    assert {parse(share)[0].name for share in found.mix} == {"find", "set", "delete"}
    script = Script.of(found, 1, seed=7)
    again = Recorder(safemap.ShardedMap(script.initial))
    do = {
        "find": lambda key, value: again.get(key),
        "set": again.__setitem__,
        "delete": lambda key, value: again.pop(key, None),
    }
    for place, key, value in (step for chunk in script.lane(0) for step in chunk):
        do[script.operations[place].name](key, value)
    assert hits(again) == pytest.approx(program, abs=0.08)


def hits(recorder):
    total = Counter()
    for counts in recorder.seen().threads:
        total.update(counts)
    return total["find hit"] / (total["find hit"] + total["find miss"])


# --- what cannot be represented is said ---------------------------------------------------------------


def done(work, inner=None):
    recorder = Recorder(safemap.MutexMap({"a": 1, "b": 2}) if inner is None else inner)
    for n in range(400):
        work(recorder, n)
    return recorder.recording()


def missing(recorder, n):
    with pytest.raises(KeyError):
        recorder["x"]
    recorder["a"]


def slow(recorder, n):
    recorder.compute("a", lambda value: sum(range(20_000)))


def sections(recorder, n):
    with recorder.locked() as m:
        m["a"] = n


def several_types(recorder, n):
    for key in range(10):  # one use in 64 is looked at
        recorder.get(key)
        recorder.get(str(key))


@pytest.mark.parametrize(
    ("work", "note"),
    [
        (missing, "400 KeyErrors of m[k]"),
        (slow, "us on average"),
        (sections, "400 locked sections"),
        (lambda recorder, n: recorder.get(1.5), "keys were of type float; the replay's are int"),
        (several_types, "keys were of several types (int, str)"),
        (lambda recorder, n: recorder.update(a=1, b=2, c=3), "updates were of 3.0 keys on average"),
        (lambda recorder, n: recorder.update(dict.fromkeys(range(50))), "updates were of 50.0 keys on average"),
    ],
)
def test_what_the_replay_does_otherwise_is_noted(work, note):
    assert [said for said in done(work).notes if note in said]


def test_compute_and_compute_if_absent_on_keys_that_come_and_go():
    def work(recorder, n):
        recorder.compute_if_absent(n % 50, lambda key: 1)
        recorder.compute(n % 50 + 10, lambda value: value + 1, 0)
        recorder.pop(n % 40, None)

    found = done(work)
    assert found.workload.uses("compute")


def test_a_short_scan_is_told_from_a_whole_one():
    def work(recorder, n):
        for taken, _ in enumerate(recorder):
            if taken == 99 and n % 2:
                break

    found = done(work, safemap.MutexMap.fromkeys(range(1_000)))
    assert found.workload.mix.keys() <= {"scan", "scan_100"}
    assert found.workload.mix["scan_100"] == pytest.approx(0.5, abs=0.3)


def test_nothing_recorded_is_an_error():
    with pytest.raises(WorkloadError, match="nothing was recorded"):
        Recorder({}).workload()


# --- skew -------------------------------------------------------------------------------------------


def test_the_sum_of_a_zipf_distribution():
    for exponent in (0.0, 0.5, 0.99, 1.0, 1.7):
        assert harmonic(50_000, exponent) == pytest.approx(sum(k**-exponent for k in range(1, 50_001)), rel=1e-6)


def test_uniform_uses_have_no_skew():
    chance = random.Random(1)
    assert zipf_exponent([chance.randrange(1_000) for _ in range(20_000)], 1_000) < 0.1


def test_keys_are_disjoint_only_if_threads_have_their_own():
    chance = random.Random(1)
    uses = [(n % 4, chance.randrange(100)) for n in range(5_000)]
    assert not disjoint(uses)
    assert disjoint([(thread, 1_000 * thread + key) for thread, key in uses])
    assert not disjoint([(0, key) for _, key in uses]), "one thread alone"
    assert not disjoint([(n % 4, n) for n in range(100)]), "no key twice"


# --- the file ---------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "w.json"
    recorder = Recorder(safemap.MutexMap({"a": 1}))
    for _ in range(1_000):
        recorder["a"]
    recorder.save(path, name="mine")
    return path


def test_a_file_is_read_as_it_was_written(path):
    found = load(path)
    assert isinstance(found, Recording)
    assert found.workload.name == "mine"
    assert found.workload.mix == {"get": 1.0}
    assert found.threads == 1
    assert found.seen["events"] == {"get hit": 1_000}
    found.save(path)
    assert load(path) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda given: given.update(version=2), "has version 2"),
        (lambda given: given.update(format="something"), "is not a file of safemap workload"),
        (lambda given: given.pop("workload"), "must be an object"),
        (lambda given: given["workload"].update(mix={"fly": 1.0}), "unknown operation 'fly'"),
        (lambda given: given["workload"].update(about=7), "about"),
        (lambda given: given.update(threads=0), "threads must be"),
        (lambda given: given.update(threads=True), "threads must be"),
        (lambda given: given.update(seen=[]), "seen must be"),
        (lambda given: given.update(notes="x"), "notes must be"),
    ],
)
def test_another_file_is_refused_in_a_line(path, change, message):
    given = json.loads(path.read_text())
    change(given)
    path.write_text(json.dumps(given))
    with pytest.raises(RecordingError) as raised:
        load(path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\x00"])
def test_what_is_no_recording_is_refused_in_a_line(path, text):
    path.write_text(text)
    with pytest.raises(RecordingError, match=r"^[^\n]*w.json[^\n]*$"):
        load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RecordingError, match="cannot read"):
        load(tmp_path / "none.json")


def test_a_failed_save_leaves_the_old_file(path, monkeypatch):
    before = path.read_text()
    with pytest.raises(WorkloadError):
        Recorder({}).save(path)
    assert path.read_text() == before


# --- mixes that cannot be replayed ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ({"get": 0.9, "clear": 0.1}, "clear takes them away"),
        ({"compare_and_set": 0.9, "clear": 0.1}, "clear takes them away"),
        ({"get:pool": 1.0}, "get needs keys that are there"),
        ({"get:absent": 1.0}, "get needs keys that are there"),
        ({"compare_and_set:pool": 1.0}, "compare_and_set needs keys that are there"),
        ({"compare_and_set:new": 1.0}, "compare_and_set needs keys that are there"),
        ({"delete": 1.0}, "delete takes keys away"),
        ({"compare_and_delete": 1.0}, "compare_and_delete takes keys away"),
        ({"set:absent": 1.0}, "never there"),
        ({"update:absent": 1.0}, "never there"),
        ({"compute:pool": 0.5, "compute_if_absent:pool": 0.5}, "cannot count"),
    ],
    ids=str,
)
@pytest.mark.parametrize("role", ["mix", "background"])
def test_a_mix_that_cannot_be_done_is_refused_in_a_line(mix, message, role):
    given = {"mix": mix} if role == "mix" else {"mix": {"find": 1.0}, "background": mix}
    with pytest.raises(WorkloadError) as raised:
        Workload("w", **given)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_clear_in_the_background_is_refused_beside_get():
    with pytest.raises(WorkloadError, match="clear takes them away"):
        Workload("w", {"get": 1.0}, background={"clear": 1.0})


@pytest.mark.parametrize(("mix", "size"), [({"find:pool": 1.0}, 0), ({"find:pool": 0.5, "find": 0.5}, 1)])
def test_a_pool_without_keys_is_refused(mix, size):
    with pytest.raises(WorkloadError, match="size must be above"):
        Workload("w", mix, size=size)
    Workload("w", mix, size=size + 1)

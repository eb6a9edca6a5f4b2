"""The benchmark: its statistics on known data, its engine, its real job, and its command line."""

from __future__ import annotations

import operator
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest

import safemap

pytest.importorskip("rich")

from safemap.bench import contestants, engine, statistics, wordindex, workloads
from safemap.bench.__main__ import main
from safemap.bench.contestants import CONTESTANTS, CONTROL, REFERENCE, Contestant
from safemap.bench.crew import Crew
from safemap.bench.engine import Measurement, Window
from safemap.bench.environment import Environment
from safemap.bench.results import Plan, Results
from safemap.bench.verdicts import verdicts, warnings

SMALL = workloads.Workload("small", 0.5, size=20)
NAMES = ("read-heavy", "balanced", "write-heavy", "word-index")
SHOWN = [contestant.name for contestant in CONTESTANTS if contestant.role != "control"]


def named(name: str) -> Contestant:
    return next(contestant for contestant in CONTESTANTS if contestant.name == name)


@pytest.fixture(autouse=True)
def short_turns():
    """With the GIL, an engine that measures for 2 ms spends most of its time waiting for a turn of 5 ms."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(interval)


class DropsWrites(safemap.MutexMap):
    """Loses one write in four."""

    writes = 0

    def __setitem__(self, key, value):
        self.writes += 1
        if self.writes % 4:
            super().__setitem__(key, value)

    def merge(self, key, value, function):
        return self.get(key) if key == "self" else super().merge(key, value, function)


class Raises(safemap.MutexMap):
    def __setitem__(self, key, value):
        raise ZeroDivisionError("no writes today")


# --- statistics -------------------------------------------------------------------------------------


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


# --- workloads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workload", workloads.WORKLOADS, ids=lambda workload: workload.name)
def test_script_has_the_share_of_reads_and_mortal_objects(workload):
    script = workloads.prepare(workload, 2, seed=3)
    assert script == workloads.prepare(workload, 2, seed=3)
    assert script.lanes[0] != script.lanes[1]
    for lane in script.lanes:
        operations = [operation for chunk in lane for operation in chunk]
        reads = sum(value is None for _, value in operations)
        assert len(operations) == workloads.OPERATIONS
        assert reads == round(workloads.OPERATIONS * workload.reads)
        assert {key for key, _ in operations} <= script.initial.keys()
    written = [value for lane in script.lanes for chunk in lane for _, value in chunk if value is not None]
    assert len(set(written)) == len(written)
    key = next(iter(script.initial))
    assert sys.intern(key[:-1] + key[-1]) is not key  # interned strings are immortal without the GIL


def test_script_tells_last_writes_from_others():
    a, b = [(("k", "a0"),), (("k", "a1"),)], [(("j", None),), (("j", "b1"),)]
    script = workloads.Script({"k": "k0", "j": "j0"}, (tuple(a), tuple(b)))
    assert script.fault({"k": "k0", "j": "j0"}, (0, 0)) is None
    assert script.fault({"k": "a1", "j": "b1"}, (2, 2)) is None
    assert script.fault({"k": "a0", "j": "b1"}, (3, 2)) is None  # went round, and wrote a0 last
    assert script.fault({"k": "a0", "j": "b1"}, (2, 2)) == "1 of 2 values are not the last written"
    assert script.fault({"k": "k0", "j": "b1"}, (1, 2)) == "1 of 2 values are not the last written"
    assert script.fault({"k": "a1"}, (2, 2)) == "1 keys lost, 0 keys that nobody wrote"


# --- the engine -------------------------------------------------------------------------------------


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda contestant: contestant.name)
def test_engine_measures_every_contestant(contestant):
    window = engine.measure(contestant, workloads.prepare(SMALL, 2, seed=1), 2, 0.03)
    assert window.fault is None
    assert len(window.counts) == 2
    assert window.throughput > 0
    assert 0.03 <= window.seconds < 5


def test_engine_counts_only_what_was_done_in_the_window(monkeypatch):
    # Every operation says when it was done; the engine must count those in the window, and no others.
    done = []

    class Slow(dict):
        def __getitem__(self, key):
            time.sleep(0.0005)
            done.append(time.perf_counter())
            return super().__getitem__(key)

    edges = []
    clock = SimpleNamespace(
        perf_counter=lambda: edges.append(time.perf_counter()) or edges[-1],
        process_time=time.process_time,
        sleep=time.sleep,
    )
    monkeypatch.setattr(engine, "time", clock)
    reads = workloads.prepare(workloads.Workload("reads", 1.0, size=5), 2, seed=1)
    window = engine.measure(Contestant("slow", "variant", Slow), reads, 2, 0.1)
    begun, ended = edges[-2:]
    assert window.seconds == ended - begun >= 0.1
    inside = sum(begun <= moment <= ended for moment in done)
    assert abs(sum(window.counts) - inside) <= 2 * 2 * workloads.CHUNK  # a chunk, at each edge, in each thread
    assert inside < len(done)  # there was a warm-up
    assert window.fault is None


@pytest.mark.parametrize(("cls", "fault"), [(DropsWrites, "not the last written"), (Raises, "no writes today")])
def test_engine_finds_a_wrong_map(cls, fault):
    script = workloads.prepare(workloads.WORKLOADS[1], 2, seed=1)
    window = engine.measure(Contestant("broken", "variant", cls), script, 2, 0.01)
    assert fault in window.fault


def test_every_block_has_every_cell_once_in_changing_order():
    seen = []

    class Noted(dict):
        def __init__(self, items):
            super().__init__(items)
            seen.append("noted")

    group = [Contestant("x", "variant", Noted), *contestants.BASELINES]
    scripts = {name: workloads.prepare(SMALL, 2, seed=1) for name in ("a", "b")}
    found = list(engine.run(group, scripts, (1, 2), blocks=3, seconds=0.001, chance=random.Random(2)))
    cells = [(each.block, each.workload, each.threads, each.contestant) for each in found]
    assert len(cells) == len(set(cells)) == 3 * 2 * 2 * 3
    assert len(seen) == 3 * 2 * 2  # a fresh one for each window
    orders = [[cell[3] for cell in cells[at : at + 3]] for at in range(0, len(cells), 3)]
    assert all(set(order) == {each.name for each in group} for order in orders)  # side by side
    assert len(set(map(tuple, orders))) > 1


def test_crew_leaves_a_thread_that_hangs():
    stuck = threading.Event()
    crew = Crew([stuck.wait, lambda: None])
    crew.go()
    assert crew.finish(patience=0.05) == "hung: a thread did not come back within 0.05 s"
    stuck.set()
    assert crew.finish() is None


# --- the word index ---------------------------------------------------------------------------------


def test_corpus_is_what_counter_says():
    corpus = wordindex.read_corpus(5_000, threads=3)
    files = [file for part in corpus.parts for file in part]
    assert len(corpus.parts) == 3
    assert corpus.counts == sum((Counter(words) for _, words, _ in files), Counter())
    assert corpus.words >= 5_000
    for word, names in corpus.files.items():
        assert names == {name for name, words, _ in files if word in words}


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda contestant: contestant.name)
def test_word_index_is_right(contestant):
    build = wordindex.build(contestant, wordindex.read_corpus(3_000))
    assert build.fault is None
    assert build.seconds > 0
    if contestant.updates != "not atomic":
        assert build.lost == 0


@pytest.mark.parametrize("broken", ["merge", "compute", "raises"])
def test_word_index_that_is_wrong_is_found(broken):
    class Broken(safemap.MutexMap):
        def merge(self, key, value, function):
            if broken == "raises":
                raise ZeroDivisionError("no merge today")
            return super().merge(key, value, operator.sub if broken == "merge" else function)

        def compute(self, key, function, default=None):
            return super().compute(key, (lambda _: frozenset()) if broken == "compute" else function, default)

    fault = wordindex.build(Contestant("broken", "variant", Broken), wordindex.read_corpus(3_000)).fault
    assert {"merge": "counts and 0 sets", "compute": "0 counts and", "raises": "no merge today"}[broken] in fault


def test_counts_that_a_plain_dict_loses_are_told():
    class Loses(dict):
        def __setitem__(self, key, value):
            if key != "import":
                super().__setitem__(key, value)

    corpus = wordindex.read_corpus(3_000, threads=1)  # with one thread no others are lost
    build = wordindex.build(Contestant("dict", "baseline", Loses, "not atomic"), corpus)
    assert (build.lost, build.fault) == (corpus.counts["import"], None)


# --- verdicts in words ------------------------------------------------------------------------------

PLAN = Plan(
    contestants=CONTESTANTS, workloads=(SMALL,), threads=(1, 2, 4), index=False, blocks=5, seconds=1.0, seed=1
)
HERE = Environment("CPython 3", gil=True, cores=2, platform="Test", load=None, version="0", seed=1)


def measured(figures, *, wrong=(), cpu=1.0, blocks=5):
    """Results with the given figures at 2 threads, and ten times those at 4, of which nothing is claimed."""
    windows = [
        Measurement(
            block, SMALL.name, threads, name, Window(1.0, cpu, (figure, figure), "bad" if name in wrong else None)
        )
        for block in range(blocks)
        for threads in (2, 4)
        for name, figure in figures.items()
    ]
    return Results(PLAN, measurements=windows)


FIGURES = {
    REFERENCE: 1000,
    CONTROL: 1010,
    "ShardedMap": 1380,
    "CopyOnWriteMap": 1400,
    "RWLockMap": 300,
    "dict": 9000,
    "dict + Lock in place": 1300,
}


def test_verdict_in_words():
    assert verdicts(measured(FIGURES), cores=2) == [
        "small: CopyOnWriteMap, 1.4x MutexMap; ShardedMap within noise (2 threads)"
    ]
    assert verdicts(measured({REFERENCE: 14, "RWLockMap": 10}), cores=1) == [
        "small: no verdict, for want of a good figure of MutexMap (1 thread)"
    ]
    assert verdicts(measured({REFERENCE: 14, "RWLockMap": 10}), cores=8) == [
        "small: MutexMap, 1.4x RWLockMap (4 threads)"
    ]
    assert verdicts(measured({REFERENCE: 1000, "RWLockMap": 1010}), cores=2) == [
        "small: MutexMap; RWLockMap within noise (2 threads)"
    ]


def test_wrong_maps_get_no_verdict():
    assert verdicts(measured(FIGURES, wrong=["CopyOnWriteMap"]), cores=2) == [
        "small: ShardedMap, 1.4x MutexMap (2 threads)"
    ]
    assert measured(FIGURES, wrong=["CopyOnWriteMap"]).faulty
    assert not measured(FIGURES).faulty
    assert "no verdict" in verdicts(measured(FIGURES, wrong=[REFERENCE]), cores=2)[0]


def test_baselines_are_never_chosen_and_always_explained():
    lines = warnings(measured({**FIGURES, "dict + Lock in place": 2000}), HERE)
    told = [line for line in lines if line.startswith("(dict")]
    assert told[0].startswith(
        "(dict) faster than every variant in small (9.0x); but never a verdict's choice: no atomic"
    )
    assert "iteration may raise" in told[0]
    assert told[1].startswith("(dict + Lock in place) faster than every variant in small (2.0x); but never")
    assert any(
        line.startswith("(dict + Lock in place) never a verdict's choice")
        for line in warnings(measured(FIGURES), HERE)
    )


def test_a_busy_machine_and_few_blocks_are_told():
    def told(**how):
        return [line for line in warnings(measured(FIGURES, **how), HERE) if "busy" in line or "only" in line]

    assert told() == []
    assert told(cpu=0.5)[0].startswith("The machine was busy: 2 threads on a plain dict got 0.5 of 1 core.")
    assert told(blocks=3) == ["3 blocks only: intervals and noise are guesses."]


# --- the command line -------------------------------------------------------------------------------

TINY = ["bench", "--quick", "--seconds", "0.002", "--blocks", "2", "--threads", "1,2"]


def test_a_tiny_run_prints_every_contestant_and_a_verdict_for_each_workload(capsys):
    assert main(TINY) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in SHOWN:
        assert len(re.findall(rf"^ (?:\({re.escape(name)}\)|{re.escape(name)}) +\d", out, re.MULTILINE)) == 4
    assert CONTROL not in out
    told = out.partition("\nVerdicts\n")[2]
    for name in NAMES:
        assert len(re.findall(rf"^{name}: \w+", told, re.MULTILINE)) == 1
    assert "the same" in out
    assert re.search(r"none lost this time, none promised|lost [\d,]+ count", out)
    assert "nothing is claimed beyond" in out
    tables = out.partition("\nVerdicts\n")[0].splitlines()
    assert max(map(len, tables)) <= 100
    assert [mark for mark in out if mark < " " and mark != "\n"] == []


def test_a_wrong_map_gets_no_score_and_exit_code_1(capsys, monkeypatch):
    broken = Contestant("BrokenMap", "variant", DropsWrites)
    monkeypatch.setattr(contestants, "CONTESTANTS", (*CONTESTANTS, broken))
    assert main([*TINY, "--workloads", "balanced,word-index"]) == 1
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines() if line.startswith(" BrokenMap")]
    assert [row[1:3] for row in rows] == [["WRONG", "WRONG"], ["WRONG", "-"]]
    assert re.search(r"^WRONG: BrokenMap: \d+ of 1000 values are not the last written", out, re.MULTILINE)
    assert "BrokenMap" not in out.partition("\nVerdicts\n")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["bench", "--threads", "0"], "argument --threads: must be a whole number from 1 to 64, not '0'"),
        (["bench", "--threads", "1,two"], "argument --threads: must be a whole number from 1 to 64, not 'two'"),
        (["bench", "--threads", ""], "argument --threads: must be a whole number from 1 to 64, not ''"),
        (["bench", "--blocks", "0"], "argument --blocks: must be a whole number from 1 to 10,000, not '0'"),
        (["bench", "--seed", "x"], "argument --seed: must be a whole number, not 'x'"),
        (
            ["bench", "--workloads", "balanced,what"],
            f"argument --workloads: unknown workload 'what'; known are: {', '.join(NAMES)}",
        ),
        *(
            (
                ["bench", f"--seconds={value}"],
                f"argument --seconds: must be a number of seconds, above 0 and at most 3,600; not '{value}'",
            )
            for value in ("soon", "0", "-1", "nan", "inf", "")
        ),
        (["bench", "--slow"], "unrecognized arguments: --slow"),
    ],
)
def test_bad_arguments_give_one_line_and_exit_code_2(arguments, message, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"safemap: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--version"], f"safemap {safemap.__version__}\n"),
        (["--help"], "usage: safemap "),
        (["bench", "--help"], "usage: safemap bench "),
    ],
)
def test_help_and_version(arguments, expected, capsys):
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.startswith(expected)
    assert err == ""


def test_without_rich_one_line_says_what_to_install():
    code = "import sys; sys.modules['rich'] = None; from safemap.bench.__main__ import main; exit(main(['bench']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "safemap: the benchmark needs rich: pip install 'safemap[bench]'\n"


def test_the_module_runs_as_a_command():
    command = [sys.executable, "-m", "safemap.bench", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"safemap {safemap.__version__}\n", "")


def test_an_interrupt_shows_what_was_measured_until_then(capsys, monkeypatch):
    windows = []
    measure = engine.measure

    def interrupted(*cell):
        if len(windows) == len(CONTESTANTS):
            raise KeyboardInterrupt
        windows.append(measure(*cell))
        return windows[-1]

    monkeypatch.setattr(engine, "measure", interrupted)
    assert main(["bench", "--seconds", "0.002", "--threads", "2", "--workloads", "balanced,word-index"]) == 130
    out, err = capsys.readouterr()
    assert err == "safemap: interrupted: this is what was measured until then\n"
    assert re.search(r"^ShardedMap|^ ShardedMap +\d", out, re.MULTILINE)
    assert re.search(r"^balanced: \w+", out.partition("\nVerdicts\n")[2], re.MULTILINE)
    assert "word-index: not measured" in out
    assert "1 block only" in out


def test_an_interrupted_window_stops_its_threads(monkeypatch):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    before = threading.active_count()
    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=time.perf_counter, sleep=interrupt))
    with pytest.raises(KeyboardInterrupt):
        engine.measure(named("ShardedMap"), workloads.prepare(SMALL, 2, seed=1), 2, 0.01)
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threading.active_count() == before

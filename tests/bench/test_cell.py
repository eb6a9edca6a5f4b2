"""One cell: contestants, the timed loops, the window, what is found of wrong maps; the word index; sizes."""

from __future__ import annotations

import operator
import threading
import time
from collections import Counter

import pytest

import safemap
from safemap.bench import cell, loop, sizes, wordindex
from safemap.bench.catalogue import WORKLOADS, named
from safemap.bench.cell import Task, measure
from safemap.bench.contestants import CONTRACT, PLAIN, REFERENCE, Contestant, ContestantError, contestants
from safemap.bench.contestants import named as contestant_named
from safemap.bench.crew import Crew
from safemap.bench.operations import OPERATIONS
from safemap.bench.script import Script, operations_of
from safemap.bench.workload import Workload

HERE = [each for each in contestants().values() if each.missing() is None]
FAST = [each for each in HERE if each.name != "Manager().dict()"]
SMALL = named("reads-50").varied(size=20)


def task(workload=SMALL, kind="throughput", threads=2, seconds=0.02, rate=0.0):
    return Task(kind, "mine", workload.to_json(), threads, seconds, 1, rate)


# --- contestants ------------------------------------------------------------------------------------


@pytest.mark.parametrize("contestant", HERE, ids=lambda contestant: contestant.name)
def test_every_contestant_can_be_measured(contestant):
    found = measure(task(), contestant)
    assert found["fault"] is None
    assert len(found["rates"]) == found["measured"] == 2
    assert min(found["rates"]) > 0
    assert found["gil"][0] == found["gil"][1]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    "contestant", [each for each in FAST if each.role != "floor"], ids=lambda contestant: contestant.name
)
def test_statements_do_what_their_operations_say(contestant, name):
    if name not in contestant.statements:
        pytest.skip(f"{contestant.name} has no {name}")
    table = contestant.make({"a": 1, "b": 2})
    names = {**loop.NAMES, **contestant.names(table)}

    def do(key, value):
        space = {**names, "m": table, "key": key, "value": value}
        exec(contestant.statements[name], space)
        return space.get("found")

    operation = OPERATIONS[name]
    found = do("a", {"a": 5, "c": 6} if name == "update" else 5)
    expected = {"a": 1, "b": 2}
    if name == "update":
        expected = {"a": 5, "b": 2, "c": 6}
    elif operation.effect == "sets" or name == "compare_and_set":
        expected["a"] = 5
    elif operation.effect in {"removes", "may remove"}:
        del expected["a"]
    elif operation.effect == "counts":
        expected["a"] = 2
    elif operation.effect == "empties":
        expected = {}
    assert dict(contestant.contents(table)) == expected
    if name in {"get", "find"}:
        assert found == 1
    elif name == "contains":
        assert found is True
    elif name == "length":
        assert found == 2
    elif name == "snapshot":
        do("a", 5)
        assert dict(found) == {"a": 1, "b": 2}
    if operation.effect == "may set" and name != "compare_and_set":
        do("z", 9)
        assert contestant.contents(table)["z"] in {9, loop.make("z")}
    contestant.close(table)


def test_statements_are_for_operations():
    for contestant in contestants().values():
        assert contestant.statements.keys() <= OPERATIONS.keys() | {"transform"}
        assert contestant.lacks or contestant.role == "variant"
    assert OPERATIONS.keys() < CONTRACT.keys() == PLAIN.keys()


def test_contestants_of_other_packages(monkeypatch):
    mine = Contestant("mine", "baseline", dict, PLAIN, atomic=False, lacks="everything")
    added = [Entry("p:MINE", mine)]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: added)
    contestants.cache_clear()
    try:
        assert contestant_named("mine") is mine
        assert contestant_named("MutexMap again") is contestant_named(REFERENCE)
        for broken, message in (
            (Entry("p:X", 3), "p:X must be a Contestant with a name of its own"),
            (Entry("p:X", ZeroDivisionError("no")), "the contestant p:X of another package cannot be loaded: no"),
            (Entry("p:X", contestant_named("dict")), "p:X must be a Contestant with a name of its own"),
        ):
            added[:] = [broken]
            contestants.cache_clear()
            with pytest.raises(ContestantError, match=message):
                contestants()
        added.clear()
        contestants.cache_clear()
        with pytest.raises(ContestantError, match="unknown contestant 'nobody'; known are: MutexMap, "):
            contestant_named("nobody")
    finally:
        contestants.cache_clear()


class Entry:
    def __init__(self, value, found):
        self.value, self.found = value, found

    def load(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


# --- the window -------------------------------------------------------------------------------------


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_every_workload_can_be_measured(workload):
    for contestant in (contestant_named("CopyOnWriteMap"), contestant_named("dict")):
        found = measure(task(workload.varied(size=min(workload.size, 100))), contestant)
        assert found["fault"] is None
        assert found["measured"] == (1 if workload.background else 2)
        assert len(found["counts"]) == 2


def test_only_what_was_done_in_the_window_is_counted():
    # Every operation says when it was done; the cell must count those in the threads' windows, and no others.
    done = []

    class Slow(dict):
        def __getitem__(self, key):
            time.sleep(0.0005)
            done.append((threading.get_ident(), time.perf_counter_ns()))
            return super().__getitem__(key)

    window = cell._Window(
        task(Workload("reads", {"get": 1.0}, size=5), seconds=0.1),
        Contestant("slow", "variant", Slow),
        loop.SATURATED,
    )
    window.run()
    assert window.fault is None
    figures = window.figures()
    by_thread = {}
    for thread, moment in done:
        by_thread.setdefault(thread, []).append(moment)
    spans = [
        (log.edges[loop.MEASURING][0], log.edges[loop.DRAINING][0], log.edges[loop.STOPPED][1])
        for log in window.logs
    ]
    counted = sorted(figures["counts"])
    inside = sorted(
        sum(begun < moment <= ended for moment in moments)
        for moments in by_thread.values()
        for begun, ended, executed in spans
        if len(moments) == executed * 8
    )
    if len(inside) == 2:  # both threads may have done equally much
        assert counted == inside
    assert sum(counted) < len(done)  # there was a warm-up
    assert figures["seconds"] >= 0.1
    for rate, count, (begun, ended, _) in zip(figures["rates"], figures["counts"], spans, strict=True):
        assert rate == pytest.approx(count / (ended - begun) * 1e9)
    latest_begin, first_end = max(span[0] for span in spans), min(span[1] for span in spans)
    assert latest_begin < first_end  # all ran while any was measured


class DropsWrites(safemap.MutexMap):
    """Loses one write in four."""

    writes = 0

    def __setitem__(self, key, value):
        self.writes += 1
        if self.writes % 4:
            super().__setitem__(key, value)

    def compute(self, key, function, *default):
        self.writes += 1
        return super().compute(key, function, *default) if self.writes % 1000 else None


class Raises(safemap.MutexMap):
    def __setitem__(self, key, value):
        raise ZeroDivisionError("no writes today")


class Hangs(safemap.MutexMap):
    def __setitem__(self, key, value):
        threading.Event().wait()


@pytest.mark.parametrize(
    ("cls", "workload", "fault"),
    [
        (DropsWrites, "reads-50", "not the last written"),
        (DropsWrites, "read-modify-write", "counts lost"),
        (Raises, "reads-50", "raised ZeroDivisionError: no writes today"),
    ],
)
def test_a_wrong_map_gets_no_figures(cls, workload, fault):
    found = measure(task(named(workload)), Contestant("broken", "variant", cls))
    assert fault in found["fault"]
    assert "rates" not in found


def test_what_is_not_atomic_may_lose_counts():
    class Loses(dict):
        def get(self, key, default=None):
            return super().get(key, default) - 1

    found = measure(task(named("read-modify-write")), Contestant("loses", "baseline", Loses, PLAIN, atomic=False))
    assert found["fault"] is None
    assert found["lost"] > 0


def test_a_map_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr(cell, "PATIENCE", 0.2)
    found = measure(task(), Contestant("hangs", "variant", Hangs))
    assert found["fault"] == "hung: a thread did not come back within 0.22 s"


def test_crew_leaves_a_thread_that_hangs():
    stuck = threading.Event()
    crew = Crew([stuck.wait, lambda: None])
    crew.go()
    assert crew.finish(patience=0.05) == "hung: a thread did not come back within 0.05 s"
    stuck.set()
    assert crew.finish() is None


def test_crew_prepares_in_the_threads_that_do_the_job():
    prepared, worked = [], []
    crew = Crew(
        [lambda place=place: worked.append((place, threading.get_ident())) for place in range(3)],
        [lambda place=place: prepared.append((place, threading.get_ident())) for place in range(3)],
    )
    assert len(prepared) == 3
    assert worked == []
    crew.go()
    assert crew.finish() is None
    assert sorted(worked) == sorted(prepared)


# --- latency ----------------------------------------------------------------------------------------


def test_latency_is_taken_from_the_intended_start():
    """One freeze of 50 ms: what waits behind it is late, too. From their real starts, one operation would be."""

    class Freezes(dict):
        reads = 0

        def __getitem__(self, key):
            self.reads += 1
            if self.reads == 400:
                time.sleep(0.05)
            return super().__getitem__(key)

    reads = Workload("reads", {"get": 1.0}, size=5)
    found = measure(
        task(reads, "latency", threads=1, seconds=0.2, rate=4_000.0), Contestant("freezes", "variant", Freezes)
    )
    assert found["fault"] is None
    assert found["max_ns"] >= 45e6
    late = sum(count for place, count in found["histogram"] if 2 ** (place / 16) > 10e6)
    sampled = sum(count for _, count in found["histogram"])
    # A chunk of 8 operations each 2 ms: for 50 ms, about 25 chunks came late, 20 of them by more than 10 ms.
    assert 10 <= late <= 30
    assert sampled == pytest.approx(0.2 * 4_000 / 8, rel=0.3)
    assert sum(found["rates"]) == pytest.approx(4_000, rel=0.2)


# --- the word index ---------------------------------------------------------------------------------


def test_corpus_is_what_counter_says():
    corpus = wordindex.read_corpus(5_000, threads=3)
    files = [file for part in corpus.parts for file in part]
    assert len(corpus.parts) == 3
    assert corpus.counts == sum((Counter(words) for _, words, _ in files), Counter())
    assert corpus.words >= 5_000
    for word, names in corpus.files.items():
        assert names == {name for name, words, _ in files if word in words}


@pytest.mark.parametrize("contestant", FAST, ids=lambda contestant: contestant.name)
def test_word_index_is_right(contestant):
    if not contestant.does(wordindex.STATEMENTS) or contestant.role == "floor":
        pytest.skip("has no compute, or is no map")
    found = measure(task(named("reads-50"), "job", threads=4, seconds=0.004), contestant)
    assert found["fault"] is None
    assert found["seconds"] > 0
    assert len(found["counts"]) == 4
    if contestant.atomic:
        assert found["lost"] == 0


@pytest.mark.parametrize("broken", ["counts", "files", "raises"])
def test_word_index_that_is_wrong_is_found(broken):
    class Broken(safemap.MutexMap):
        def compute(self, key, function, default=None):
            if broken == "raises":
                raise ZeroDivisionError("no compute today")
            if broken == "counts" and default == 0:
                return super().compute(key, lambda n: n + 2, default)
            if broken == "files" and default != 0:
                return super().compute(key, lambda _: frozenset(), default)
            return super().compute(key, function, default)

    found = measure(task(named("reads-50"), "job", seconds=0.004), Contestant("broken", "variant", Broken))
    expected = {"counts": "counts and 0 sets", "files": "0 counts and", "raises": "no compute today"}
    assert expected[broken] in found["fault"]


def test_counts_that_a_plain_dict_loses_are_told():
    class Loses(dict):
        def __setitem__(self, key, value):
            if key != "import":
                super().__setitem__(key, value)

    corpus = wordindex.read_corpus(3_000, threads=1)  # with one thread no others are lost
    built = wordindex.build(Contestant("dict", "baseline", Loses, PLAIN, atomic=False), corpus)
    assert (built.lost, built.fault) == (corpus.counts["import"], None)
    assert operator.index(sum(built.words)) == corpus.words


# --- sizes ------------------------------------------------------------------------------------------


def test_costs_and_memory():
    found = {}
    for name in ("dict", "MutexMap", "CopyOnWriteMap", "cereggii.AtomicDict"):
        contestant = contestant_named(name)
        if contestant.missing() is None:
            found[name] = measure(task(named("reads-50").varied(size=2_000), "size", 1, 0.02), contestant)
    for name, each in found.items():
        assert each["fault"] is None
        assert 20 < each["bytes_per_entry"] < 250, name
        assert each["costs"]["get"] > 0
    both = {*sizes.COSTS, sizes.WRITE_AFTER_SNAPSHOT}
    assert found["dict"]["costs"].keys() == found["CopyOnWriteMap"]["costs"].keys() == both
    assert found["dict"]["costs"]["snapshot"] > 3 * found["CopyOnWriteMap"]["costs"]["snapshot"]


def test_operations_of_a_workload():
    assert [operation.name for operation in operations_of(named("reads-95"))] == ["get", "set"]
    assert "clear" in [operation.name for operation in Script.of(named("go-clear"), 1, 1).operations]

"""Where results are kept and found, and what ships with the package."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

import safemap
from benchmarks import record
from safemap.bench import measured as measured_module
from safemap.bench import store
from safemap.bench.environment import Environment
from safemap.bench.measured import Measured
from safemap.bench.recommend import NEEDS, advise, words, workload_of
from safemap.bench.recommend.advice import advice_from
from safemap.bench.results import ResultsError
from tests.bench.made_up import ENVIRONMENT, run_of, small_plan
from tests.support import run_python

NOW = Environment.now()
QUESTION = workload_of(0.95, 10_000)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, five_variants):
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "results"))
    return tmp_path / "results"


def whole(environment=NOW, **changes):
    return run_of(small_plan(), blocks=1, environment=environment, **changes)


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({}, "cpython-3.13-gil-compiled"),
        ({"gil": False}, "cpython-3.13-free-compiled"),
        ({"compiled": False, "interpreter": "PyPy 3.11.13"}, "pypy-3.11-gil-plain"),
        ({"interpreter": "CPython 3.15.0b1+dev"}, "cpython-3.15-gil-compiled"),
    ],
)
def test_results_of_interpreters_that_differ_lie_apart(folder, changes, tag):
    assert store.own_results_path(replace(ENVIRONMENT, **changes)) == folder / f"{tag}.json"


def test_without_the_variable_it_is_the_users_data_folder(monkeypatch, tmp_path):
    platformdirs = pytest.importorskip("platformdirs")
    monkeypatch.delenv(store.VARIABLE)
    assert store.folder() == platformdirs.user_data_path("safemap", appauthor=False) / "results"


def test_a_whole_run_is_kept_and_replaces_the_one_before():
    first, second = whole(), whole(seed=2)
    assert store.keep(first) == store.own_results_path(NOW)
    assert store.keep(second) is not None
    own = store.own(NOW)
    assert own is not None
    assert own.points == measured_module.digest(second).points


def test_runs_that_are_not_whole_are_not_kept(folder):
    made = whole()
    made.ended = None
    assert store.keep(made) is None
    assert store.keep(run_of(small_plan(QUESTION), blocks=1)) is None
    plan = replace(small_plan(), entrants=small_plan().entrants[1:])
    assert store.keep(run_of(plan, blocks=1)) is None
    assert not folder.exists()


def test_advice_is_of_this_machines_results_if_there_are_any():
    before = advise(QUESTION, 2)
    assert before.origin == "recorded"
    assert any(line.startswith("There are no results of this machine yet") for line in words(before))
    store.keep(whole())
    after = advise(QUESTION, 2)
    assert after.origin == "own"
    assert after.environment == NOW
    assert not any(line.startswith(("interpreter", "machine")) for line in after.extrapolates)


def test_advice_of_a_file_that_is_named(tmp_path):
    store.keep(whole())
    path = tmp_path / "mine.json"
    whole(ENVIRONMENT).save(path)
    assert advise(QUESTION, 2, results=path).origin == "file"
    assert advise(QUESTION, 2, results=path).environment == ENVIRONMENT


def test_a_damaged_file_of_results_is_said_and_not_passed_over():
    path = store.own_results_path(NOW)
    path.parent.mkdir(parents=True)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ResultsError, match=path.name):
        advise(QUESTION, 2)


# --- what ships -------------------------------------------------------------------------------------


def test_the_closest_interpreter_has_the_same_gil_first_then_the_version():
    def of(version, gil, compiled=True):
        there = replace(ENVIRONMENT, interpreter=f"CPython {version}", gil=gil, compiled=compiled)
        return Measured(there, "", 1, {}, ())

    shipped = [of("3.11.7", True), of("3.14.0", True), of("3.13.0", False), of("3.14.0", False)]
    for version, gil, expected in (
        ("3.12.9", True, 0),
        ("3.13.9", True, 1),
        ("3.11.2", False, 2),
        ("3.15.0", False, 3),
        ("3.15.0", True, 1),
    ):
        wanted = replace(ENVIRONMENT, interpreter=f"CPython {version}", gil=gil)
        assert store.closest(wanted, shipped) is shipped[expected], (version, gil)
    plain = of("3.11.7", True, compiled=False)
    assert store.closest(replace(ENVIRONMENT, compiled=False), [*shipped, plain]) is plain


SHIPPED = list(store.recorded())


def test_something_ships_for_either_state_of_the_gil_and_is_small():
    assert {each.environment.gil for each in SHIPPED} == {True, False}
    assert sum(path.stat().st_size for path in record.FOLDER.glob("*")) <= record.LIMIT
    assert {path.name for path in record.FOLDER.glob("*")} == {
        f"{store.tag(each.environment)}.json.gz" for each in SHIPPED
    }


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda each: store.tag(each.environment))
def test_what_ships_answers_every_question(shipped):
    for reads in (0.0, 0.5, 1.0):
        for need in (None, *NEEDS):
            needs = [need] if need else []
            advice = advice_from(shipped, workload_of(reads), 2, needs, origin="recorded", environment=NOW)
            assert advice.pick in {cls.__name__ for cls in safemap.KINDS.values()}
            assert len(words(advice)) > 3


@pytest.mark.parametrize("version", ["3.11.7", "3.12.1", "3.13.0", "3.14.2", "3.15.0"])
@pytest.mark.parametrize("gil", [True, False])
def test_there_is_an_answer_for_every_interpreter(version, gil):
    wanted = replace(NOW, interpreter=f"CPython {version}", gil=gil)
    found = store.closest(wanted, SHIPPED)
    assert found.environment.gil == gil


def test_recording_writes_what_the_package_reads(tmp_path):
    source = tmp_path / "results.json"
    results = whole(ENVIRONMENT)
    results.save(source)
    written = record.record(source, tmp_path)
    assert written == tmp_path / "cpython-3.13-gil-compiled.json.gz"
    read = Measured.from_json(json.loads(gzip.decompress(written.read_bytes())))
    assert read.to_json() == measured_module.digest(results).to_json()


def test_what_was_measured_to_learn_from_is_added_where_it_is_of_the_same_interpreter(tmp_path):
    source = tmp_path / "results.json"
    whole(ENVIRONMENT).save(source)
    more = run_of(small_plan(QUESTION), blocks=1, environment=ENVIRONMENT)
    others = run_of(small_plan(QUESTION), blocks=1, environment=replace(ENVIRONMENT, gil=not ENVIRONMENT.gil))

    def points(learning):
        written = record.record(source, tmp_path, learning=learning)
        return Measured.from_json(json.loads(gzip.decompress(written.read_bytes()))).points

    alone = points([])
    assert points([others]) == alone
    added = points([more])
    assert added[: len(alone)] == alone
    assert len(added) == len(alone) + len(measured_module.digest(more).points) > len(alone)


def test_recording_refuses_what_is_not_whole(tmp_path):
    source = tmp_path / "results.json"
    run_of(small_plan(QUESTION), blocks=1).save(source)
    with pytest.raises(ValueError, match="not a whole run"):
        record.record(source, tmp_path)
    assert record.record(source, tmp_path, partial=True).exists()


def test_what_ships_needs_no_extra():
    """The advice of recorded results is to be had without the schema's validator and rich."""
    run_python(
        f"""
        import os, sys
        sys.modules["fastjsonschema"] = sys.modules["rich"] = sys.modules["platformdirs"] = None
        os.environ[{store.VARIABLE!r}] = {str(Path(__file__).parent / "nowhere")!r}
        from safemap.bench.recommend import advise, words, workload_of
        assert words(advise(workload_of(0.95), 2))
        """
    )

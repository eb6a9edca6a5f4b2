"""The command line, as a user meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

import safemap
from safemap.bench import Recorder, commands, engine, profiles, wordindex
from safemap.bench.__main__ import main
from safemap.bench.catalogue import WORKLOADS
from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.recording import Recording
from safemap.bench.results import Results
from safemap.bench.workload import Workload
from tests.bench.worlds import FIGURES, found, measured

pytest.importorskip("rich")

NAMES = (*WORKLOADS, wordindex.NAME)
FOUR = ("reads-95", "reads-50", "reads-10", "word-index")
VARIANTS = [cls.__name__ for cls in safemap.KINDS.values()]


@pytest.fixture(autouse=True)
def own_results(tmp_path, monkeypatch):
    """Results are not kept among the user's."""
    monkeypatch.setenv("SAFEMAP_RESULTS", str(tmp_path / "kept"))


@pytest.fixture
def made_up(monkeypatch):
    """Cells are made up, not measured: at once. Contestants in `wrong` come out wrong."""
    wrong = set()

    def measure(task, _hash_seed, _limit):
        if task.kind == "size":
            return {
                "fault": None,
                "costs": {"get": 9.0, "snapshot": 5.0},
                "bytes_per_entry": 50.0,
                "peak_bytes": 9,
            }
        name = task.contestant
        fault = "5 of 9 values are not the last written" if name in wrong else None
        more = {}
        if task.kind == "latency":
            more = {"rate": task.rate, "max_ns": 5_000, "histogram": [[100, 90], [160, 10]]}
        return found(FIGURES.get(name, 500.0) * 1e4, threads=task.threads, fault=fault, **more)

    monkeypatch.setattr(engine, "in_process", measure)
    return wrong


def told(out):
    return out.partition("\nVerdicts\n")[2]


def test_a_tiny_run_prints_every_contestant_and_a_verdict_for_each_workload(capsys):
    assert main(["bench", "--seconds", "0.01", "--blocks", "1", "--threads", "2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in (*VARIANTS, "(dict)", "(dict + Lock)"):
        # Without the GIL, a plain dict may lose counts of the job, and then has no figure.
        figure = r"(?:\d|lost)" if name == "(dict)" else r"\d"
        assert len(re.findall(rf"^ {re.escape(name)} +{figure}", out, re.MULTILINE)) == 4
    assert CONTROL not in out
    for name in FOUR:
        assert len(re.findall(rf"^{name}: \w+", told(out), re.MULTILINE)) == 1
    assert "nothing is claimed beyond" in out
    tables = out.partition("\nVerdicts\n")[0].splitlines()
    assert max(map(len, tables)) <= 100
    assert [mark for mark in out if mark < " " and mark != "\n"] == []


def test_the_standard_profile_shows_all(capsys, made_up, tmp_path):
    path = tmp_path / "results.json"
    assert main(["bench", "--standard", "--blocks", "1", "--out", str(path)]) == 0
    out = capsys.readouterr().out
    for name in NAMES:
        assert re.search(rf"^ {name} \(\d\) ", out, re.MULTILINE), name
        assert re.search(rf"^{name}: \w+", told(out), re.MULTILINE), name
    assert "latency from the intended start" in out
    assert "bytes/entry" in out
    assert Results.load(path).ended is not None
    assert main(["report", str(path)]) == 0
    assert told(capsys.readouterr().out) == told(out)


def test_a_wrong_map_gets_no_score_and_exit_code_1(capsys, made_up):
    made_up.add("ShardedMap")
    assert main(["bench", "--workloads", "reads-50,word-index"]) == 1
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines() if line.startswith(" ShardedMap")]
    assert [set(row[1:]) for row in rows] == [{"WRONG", "\N{EN DASH}"}] * 2
    assert re.search(r"^WRONG: ShardedMap on reads-50: 5 of 9 values are not the last written", out, re.MULTILINE)
    for line in told(out).splitlines():
        assert "ShardedMap" not in line or line.startswith(("WRONG", "ShardedMap came out wrong"))


def test_axes_and_own_choices(capsys, made_up, tmp_path):
    path = tmp_path / "results.json"
    arguments = (
        "--workloads reads-90 --sizes 100,1k --keys int --contestants ReadDirtyMap --threads 1,2 --blocks 2"
    )
    assert main(["bench", *arguments.split(), "--out", str(path)]) == 0
    results = Results.load(path)
    assert list(results.plan.threads) == ["reads-90@size=100,keys=int", "reads-90@keys=int"]
    assert {each.cell.contestant for each in results.records} == {REFERENCE, CONTROL, "ReadDirtyMap"}
    assert results.command.startswith("safemap ")
    capsys.readouterr()
    assert main(["bench", "--access", "zipf", "--blocks", "1", "--out", str(path)]) == 0
    assert list(Results.load(path).plan.threads) == [f"{name}@access=zipf" for name in FOUR[:3]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["measure"], "argument COMMAND: invalid choice: 'measure' (choose from "),
        (["bench", "--threads", "0"], "argument --threads: must be a whole number from 1 to 64, not '0'"),
        (["bench", "--threads", "1,two"], "argument --threads: must be a whole number from 1 to 64, not 'two'"),
        (["bench", "--threads", ""], "argument --threads: must be a whole number from 1 to 64, not ''"),
        (["bench", "--blocks", "0"], "argument --blocks: must be a whole number from 1 to 10,000, not '0'"),
        (["bench", "--seed", "x"], "argument --seed: must be a whole number, not 'x'"),
        (["bench", "--sizes", "0"], "argument --sizes: a size must be above 0"),
        (["bench", "--sizes", "1G"], "argument --sizes: a size must be a whole number up to 10,000,000, as 500"),
        (["bench", "--keys", "bytes"], "argument --keys: invalid choice: 'bytes' (choose from "),
        (["bench", "--quick", "--full"], "argument --full: not allowed with argument --quick"),
        (
            ["bench", "--workloads", "reads-50,what"],
            f"argument --workloads: unknown workload 'what'; known are: {', '.join(NAMES)}",
        ),
        (
            ["bench", "--contestants", "Nobody"],
            "argument --contestants: unknown contestant 'Nobody'; known are: Mutex",
        ),
        *(
            (
                ["bench", f"--seconds={value}"],
                f"argument --seconds: must be a number of seconds, above 0 and at most 3,600; not '{value}'",
            )
            for value in ("soon", "0", "-1", "nan", "inf", "")
        ),
        (["bench", "--slow"], "unrecognized arguments: --slow"),
        (["bench", "--workload", "nowhere.json"], "cannot read nowhere.json: No such file or directory"),
        (["bench", "--resume", "nowhere.json"], "cannot read nowhere.json: No such file or directory"),
        (["bench", "--out", "/dev/null/x.json"], "/dev/null"),
        (["report", "nowhere.json"], "cannot read nowhere.json: No such file or directory"),
        (["report", "pyproject.toml"], "pyproject.toml is not JSON"),
        (["compare", "nowhere.json", "x"], "cannot read nowhere.json: No such file or directory"),
        (["recommend", "--reads", "2"], "argument --reads: must be a share from 0 to 1, not '2'"),
        (["recommend", "--threads", "0"], "argument --threads: must be a whole number from 1 to 64, not '0'"),
        (["recommend", "--needs", "speed"], "unknown need 'speed'; known are: "),
        (["recommend", "--results", "pyproject.toml"], "pyproject.toml is not JSON"),
        (["recommend", "--workload", "pyproject.toml"], "pyproject.toml is not JSON"),
        (["recommend", "--measure", "--needs", "speed"], "unknown need 'speed'; known are: "),
        (["recommend", "--measure", "--results", "r"], "argument --results: not allowed with argument --measure"),
    ],
)
def test_bad_arguments_give_one_line_and_exit_code_2(arguments, message, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"safemap: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--version"], f"safemap {safemap.__version__}\n"),
        (["--help"], "usage: safemap "),
        *(([command, "--help"], f"usage: safemap {command} ") for command in commands.COMMANDS),
        (["bench", "--list"], "workloads\n"),
    ],
)
def test_help_and_version(arguments, expected, capsys):
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.startswith(expected)
    assert err == ""


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [("rich", ["bench"]), ("fastjsonschema", ["report", "{results}"]), ("platformdirs", ["recommend"])],
)
def test_without_an_extra_one_line_says_what_to_install(extra, arguments, tmp_path, monkeypatch):
    monkeypatch.delenv("SAFEMAP_RESULTS")
    path = tmp_path / "results.json"
    measured(FIGURES).save(path)
    arguments = [each.format(results=path) for each in arguments]
    run = f"from safemap.bench.__main__ import main; exit(main({arguments}))"
    code = f"import sys; sys.modules[{extra!r}] = None; {run}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"safemap: this needs {extra}: pip install 'safemap[bench]'\n"


def test_the_module_runs_as_a_command():
    command = [sys.executable, "-m", "safemap.bench", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"safemap {safemap.__version__}\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes that nobody reads")
def test_a_reader_that_goes_away_is_no_fault():
    command = f"{sys.executable} -m safemap.bench bench --list | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("workloads\n", "")


def test_an_interrupt_keeps_what_was_measured_and_it_goes_on_from_there(capsys, monkeypatch, made_up, tmp_path):
    path = tmp_path / "results.json"
    measure, cells = engine.in_process, []

    def interrupted(*cell):
        if len(cells) == 30:
            raise KeyboardInterrupt
        cells.append(cell)
        return measure(*cell)

    monkeypatch.setattr(engine, "in_process", interrupted)
    arguments = ["bench", "--workloads", "reads-50,word-index", "--threads", "2", "--out", str(path)]
    assert main(arguments) == 130
    out, err = capsys.readouterr()
    assert err == (
        f"safemap: interrupted: this is what was measured until then; --resume {path} measures the rest\n"
    )
    assert re.search(r"^ ShardedMap +\d", out, re.MULTILINE)
    assert re.search(r"^The run is unfinished: 30 of \d+ cells were measured\.$", out, re.MULTILINE)
    kept = Results.load(path)
    assert len(kept.records) == 30
    assert kept.ended is None

    monkeypatch.setattr(engine, "in_process", measure)
    assert main(["bench", "--resume", str(path)]) == 0
    assert "unfinished" not in capsys.readouterr().out
    whole = Results.load(path)
    assert whole.records[:30] == kept.records
    assert [each.cell for each in whole.records] == list(whole.plan.cells(whole.environment.cores))
    assert whole.ended is not None


def test_an_interrupt_at_once(capsys, monkeypatch):
    def interrupted(*_cell):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "in_process", interrupted)
    assert main(["bench"]) == 130
    assert capsys.readouterr().err == "safemap: interrupted before anything was measured\n"


def test_figures_of_another_machine_do_not_go_on(capsys, tmp_path):
    path = tmp_path / "results.json"
    measured(FIGURES, ended=None).save(path)
    assert main(["bench", "--resume", str(path)]) == 2
    assert re.match(r"safemap: \S+ cannot be resumed here: \w+ was .*, and is .*\n$", capsys.readouterr().err)


def test_compare_tells_by_its_exit_code(capsys, tmp_path):
    old, new, bad = (tmp_path / name for name in ("old.json", "new.json", "bad.json"))
    measured(FIGURES).save(old)
    slower = measured({**FIGURES, "ShardedMap": FIGURES["ShardedMap"] / 2})
    slower.save(new)
    assert main(["compare", str(old), str(old)]) == 0
    assert capsys.readouterr().out == "8 of 8 ratios to dict are the same, within noise.\n"
    assert main(["compare", str(old), str(new)]) == 1
    assert capsys.readouterr().out.startswith("slower: ShardedMap on reads-50 (2 threads): 0.50x (0.50-0.50)\n")
    assert main(["compare", str(new), str(old)]) == 0
    capsys.readouterr()
    measured(FIGURES, blocks=1).save(bad)
    assert main(["compare", str(old), str(bad)]) == 2
    assert capsys.readouterr().err.startswith("safemap: too few blocks")


def test_reports_are_written(capsys, tmp_path):
    path, html, markdown = tmp_path / "r.json", tmp_path / "r.html", tmp_path / "r.md"
    measured(FIGURES).save(path)
    assert main(["report", str(path), "--html", str(html), "--markdown", str(markdown)]) == 0
    assert capsys.readouterr() == ("", "")
    assert html.read_text().startswith("<!doctype html>")
    assert "CopyOnWriteMap" in markdown.read_text()


def test_an_empty_file_of_results_is_told(capsys, tmp_path):
    path = tmp_path / "r.json"
    replace(measured(FIGURES), records=[]).save(path)
    assert main(["report", str(path)]) == 2
    assert capsys.readouterr().err == f"safemap: {path} has nothing that was measured\n"


def test_json_is_plain(tmp_path):
    path = tmp_path / "r.json"
    measured(FIGURES).save(path)
    given = json.loads(path.read_text())
    assert (given["format"], given["version"]) == ("safemap benchmark results", 1)


# --- recommend --------------------------------------------------------------------------------------


def test_advice_comes_from_what_ships_and_says_so(capsys):
    assert main(["recommend", "--reads", "0.95", "--threads", "2", "--size", "10k"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith(tuple(VARIANTS))
    assert "10,000 str keys" in out
    assert "ship with safemap" in out


def test_needs_rule_variants_out(capsys):
    assert main(["recommend", "--reads", "0.95", "--threads", "2", "--needs", "order"]) == 0
    assert capsys.readouterr().out.startswith(("MutexMap, ", "RWLockMap, "))
    assert main(["recommend", "--needs", "snapshot,order"]) == 1
    assert capsys.readouterr().out.startswith("No variant, ")


def test_advice_comes_from_this_machines_results_where_there_are_any(capsys, made_up):
    assert main(["bench", "--standard", "--blocks", "2"]) == 0
    capsys.readouterr()
    assert main(["recommend", "--reads", "0.9", "--threads", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("CopyOnWriteMap, ")
    assert "ship with safemap" not in out


def test_advice_can_measure_the_workload_instead_of_predicting(capsys, made_up, tmp_path):
    assert main(["recommend", "--reads", "0.85", "--threads", "2", "--needs", "order", "--measure"]) == 0
    out = capsys.readouterr().out
    fastest = max(["MutexMap", "RWLockMap"], key=FIGURES.__getitem__)
    assert out.startswith(f"{fastest}, for 85% get, 15% set; ")
    assert "What the needs cost: CopyOnWriteMap would reach " in out
    assert "This very workload was measured.\nMeasured just now: " in out
    assert not (tmp_path / "kept").exists()  # one workload is no results to predict others from
    made_up.add("CopyOnWriteMap")
    assert main(["recommend", "--reads", "0.85", "--threads", "2", "--measure"]) == 0
    out = capsys.readouterr().out
    assert not out.startswith("CopyOnWriteMap")
    assert "Not measured there, and so not ranked: CopyOnWriteMap." in out


def test_advice_measures_a_background_with_no_fewer_threads_than_it_has(capsys, made_up, tmp_path):
    recorded = tmp_path / "w.json"
    workload = Workload("mine", {"get": 1.0}, background={"set": 1.0})
    Recording(workload, threads=2).save(recorded)
    assert json.loads(recorded.read_text())["workload"]["background"]
    assert main(["recommend", "--workload", str(recorded), "--threads", "1", "--measure"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].endswith("; 2 threads")
    assert "This very workload was measured." in out


def test_it_measures_in_truth(capsys, monkeypatch):
    original = profiles.of_one
    monkeypatch.setattr(profiles, "of_one", lambda *given: replace(original(*given), blocks=1, seconds=0.01))
    assert main(["recommend", "--size", "100", "--threads", "1", "--measure"]) == 0
    assert "Measured just now: " in capsys.readouterr().out


def test_a_recorded_workload_is_measured_and_advised_on(capsys, made_up, tmp_path):
    recorded, path = tmp_path / "w.json", tmp_path / "r.json"
    program = Recorder(safemap.MutexMap.configured({number + 2**40: "x" for number in range(300)}))
    for number in range(3_000):
        program[number % 300 + 2**40]
    program.save(recorded, name="mine")
    assert main(["bench", "--workload", str(recorded), "--blocks", "2", "--out", str(path)]) == 0
    results = Results.load(path)
    assert list(results.plan.threads) == ["mine"]
    assert results.plan.threads["mine"] == (1,)
    assert results.plan.workload("mine").keys == "int"
    assert re.search(r"^mine: \w+", told(capsys.readouterr().out), re.MULTILINE)
    assert main(["recommend", "--workload", str(recorded), "--results", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split(",")[0] in VARIANTS

"""Plans, the engine, the file of results, and what reports ask of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from safemap.bench import engine, profiles
from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.histogram import bucket, merged, quantile, upper_bound
from safemap.bench.measured import digest
from safemap.bench.plan import Cell, Plan
from safemap.bench.results import Record, Results, ResultsError
from safemap.bench.summary import summarize
from tests.bench.worlds import FIGURES, HERE, NAMES, found, measured, plan_of


def begun(plan, **changes):
    return Results(plan, HERE, "safemap bench", "2026-01-01", **changes)


# --- plans ------------------------------------------------------------------------------------------


def test_every_block_has_every_cell_once_in_changing_order():
    plan = plan_of("reads-50", "reads-95", "size-100", threads=(1, 2), latency=("reads-50",))
    cells = list(plan.cells(cores=2))
    assert len(cells) == len(set(cells))
    blocks = [[cell for cell in cells if cell.block == block] for block in range(5)]
    assert len({tuple(cell.series for cell in block) for block in blocks}) == 5
    assert len({frozenset(cell.series for cell in block) for block in blocks}) == 1
    assert cells == [cell for block in blocks for cell in block]
    assert cells == list(plan.cells(cores=2))
    assert cells != list(replace(plan, seed=2).cells(cores=2))


def test_contestants_of_a_cell_are_side_by_side():
    plan = plan_of("reads-50", "reads-95", threads=(1, 2))
    cells = list(plan.cells(cores=2))
    for at in range(0, len(cells), len(NAMES)):
        group = cells[at : at + len(NAMES)]
        assert len({(cell.block, cell.workload, cell.threads) for cell in group}) == 1
        assert {cell.contestant for cell in group} == set(NAMES)


def test_latency_comes_after_the_throughput_that_it_is_a_share_of():
    plan = plan_of("reads-50", threads=(1, 2, 4), latency=("reads-50",), loads=(0.25, 0.5))
    seen = set()
    for cell in plan.cells(cores=2):
        if cell.kind == "latency":
            assert cell.threads == 2
            assert (cell.block, "throughput", 2, REFERENCE) in seen
        seen.add((cell.block, cell.kind, cell.threads, cell.contestant))


def test_who_lacks_an_operation_is_left_out():
    plan = plan_of("scan-with-writer", threads=(2,), names=(*NAMES, "cereggii.AtomicDict", "null map"))
    assert {cell.contestant for cell in plan.cells(2)} == {*NAMES, "null map"}
    job = plan_of("word-index", threads=(2,), names=(*NAMES, "cereggii.AtomicDict", "null map"))
    assert {cell.contestant for cell in job.cells(2)} == set(NAMES)


def test_few():
    plan = plan_of("reads-50", "reads-95", threads=(2,), few=("dict",), few_workloads=("reads-50",))
    assert {cell.workload for cell in plan.cells(2) if cell.contestant == "dict"} == {"reads-50"}


def test_once():
    """In one block each, in turns; reports do not show it, advice learns from it."""
    names = ("reads-95", "reads-90", "reads-75")
    plan = plan_of("reads-50", *names, threads=(1, 2), once=names, blocks=2)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    cells = [cell for cell in plan.cells(2) if cell.workload in names]
    assert len(cells) == len(names) * 2 * len(plan.names("variant"))
    assert {cell.contestant for cell in cells} == {*plan.names("variant")}
    assert [{cell.block for cell in cells if cell.workload == name} for name in names] == [{0}, {1}, {0}]
    results = begun(plan, records=[Record(cell, found(1e6, threads=cell.threads)) for cell in plan.cells(2)])
    assert {each.workload for each in summarize(results).picks} == {"reads-50"}
    assert {point.workload.name for point in digest(results).points} == {"reads-50", *names}


def test_results_of_before_there_was_once():
    plan = plan_of("reads-50").to_json()
    del plan["once"]
    assert Plan.from_json(plan).once == ()


@pytest.mark.parametrize("cores", [1, 2, 16])
@pytest.mark.parametrize("profile", [profiles.QUICK, profiles.STANDARD, profiles.FULL])
def test_profiles(profile, cores):
    plan = profiles.plan(profiles.Options(profile), cores)
    cells = list(plan.cells(cores))
    assert len(set(cells)) == len(cells)
    assert {cell.contestant for cell in cells} == {entrant.name for entrant in plan.entrants}
    assert len(plan.once) == {profiles.QUICK: 0, profiles.STANDARD: 80, profiles.FULL: 640}[profile]
    assert {REFERENCE, CONTROL} <= {entrant.name for entrant in plan.entrants}
    assert max(cell.threads for cell in cells) <= 8
    for name, threads in plan.threads.items():
        assert min(threads) >= plan.workload(name).fewest_threads
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    if profile == profiles.QUICK:
        assert len(cells) < 320
    if profile == profiles.STANDARD:
        assert 2_000 < len(cells) < 4_500


def test_what_a_user_asks_for():
    workload = profiles.named("reads-90").varied(size=7)
    options = profiles.Options(
        workloads=(workload, profiles.named("scan-with-writer")),
        threads=(1, 4),
        contestants=("ShardedMap",),
        blocks=2,
        seconds=0.5,
        seed=9,
    )
    plan = profiles.plan(options, 2)
    assert [each.name for each in plan.workloads] == ["reads-90@size=7", "scan-with-writer"]
    assert plan.threads == {"reads-90@size=7": (1, 4), "scan-with-writer": (2, 4)}
    assert [entrant.name for entrant in plan.entrants] == [REFERENCE, "ShardedMap", CONTROL]
    assert (plan.blocks, plan.seconds, plan.seed, plan.jobs) == (2, 0.5, 9, ())


# --- the engine -------------------------------------------------------------------------------------


def test_cells_run_with_what_they_need():
    plan = plan_of("reads-50", "size-100", threads=(2,), latency=("reads-50",), blocks=2)
    results = begun(plan)
    tasks = []

    def measure(task, hash_seed, limit):
        tasks.append((task, hash_seed))
        if task.kind == "size":
            return {"fault": None, "costs": {"get": 1.0}, "bytes_per_entry": 2.0}
        more = {"rate": task.rate, "max_ns": 5, "histogram": [[3, 1]]} if task.kind == "latency" else {}
        return found(FIGURES.get(task.contestant, 1.0) * (1 + hash_seed % 2), **more)

    records = list(engine.run(results, measure))
    assert results.records == records
    assert [each.cell for each in records] == list(plan.cells(2))
    hash_seeds = {}
    for (task, hash_seed), record in zip(tasks, records, strict=True):
        hash_seeds.setdefault(record.cell.block, set()).add(hash_seed)
        if task.kind == "latency":
            reference = results.throughputs("reads-50", 2)[REFERENCE][record.cell.block]
            assert task.rate == pytest.approx(reference / 4)
            assert task.seconds == 3 * plan.seconds
    assert [len(each) for each in hash_seeds.values()] == [1, 1]
    assert hash_seeds[0] != hash_seeds[1]


def test_it_goes_on_where_it_was_interrupted():
    plan = plan_of("reads-50", threads=(1, 2), blocks=2)
    results, whole = begun(plan), begun(plan)
    measure = lambda task, _seed, _limit: found(FIGURES.get(task.contestant, 1.0), threads=task.threads)  # noqa: E731
    running = engine.run(results, measure)
    for _ in range(11):
        next(running)
    running.close()
    more = list(engine.run(results, measure))
    list(engine.run(whole, measure))
    assert len(more) == len(whole.records) - 11
    assert [each.cell for each in results.records] == [each.cell for each in whole.records]


def test_what_is_too_slow_is_given_up_once():
    plan = plan_of("reads-50", threads=(2,), blocks=3)
    results = begun(plan)
    tried = []

    def measure(task, _seed, _limit):
        if task.contestant == "dict":
            tried.append(task)
            return {"capped": "not done after 60 s"}
        return found(1000.0)

    list(engine.run(results, measure))
    assert len(tried) == 1
    assert sum(each.found.get("capped") is not None for each in results.records) == 3
    assert results.capped("reads-50") == {"dict": "not done after 60 s (threads: 2)"}
    assert not results.faulty
    assert "dict" not in results.throughputs("reads-50", 2)


def test_a_process_of_its_own():
    plan = plan_of("reads-50", threads=(2,), blocks=1, names=(REFERENCE, CONTROL), seconds=0.01)
    results = begun(plan)
    assert [each.found["fault"] for each in engine.run(results)] == [None, None]
    [one, other] = results.records
    assert one.found["hash_seed"] == other.found["hash_seed"]
    assert one.throughput > 0


def test_a_process_that_dies_or_hangs_is_a_figure_less(monkeypatch):
    task = engine.Task("throughput", "no such contestant", {}, 1, 0.01, 1)
    died = engine.in_process(task, 1, 60)
    assert died["fault"].startswith(
        "its process died: safemap.bench.contestants.ContestantError: unknown contestant"
    )
    monkeypatch.setattr("sys.executable", "/bin/sleep")
    monkeypatch.setattr(engine, "COMMAND", ("9",))
    assert engine.in_process(task, 1, 0.05) == {"capped": "not done after 0 s"}


# --- the file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["results.json", "results.json.gz"])
def test_results_go_to_a_file_and_back(tmp_path, name):
    results = measured(FIGURES)
    path = tmp_path / "new folder" / name
    results.save(path)
    again = Results.load(path)
    assert again == results
    assert [each.name for each in path.parent.iterdir()] == [name]
    assert again.throughputs("reads-50", 2) == results.throughputs("reads-50", 2)


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    measured(FIGURES).save(path)
    before = path.read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        measured(FIGURES, blocks=2).save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["results.json"]


def broken(**changes):
    return json.dumps({**measured(FIGURES).to_json(), **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "{path} is not JSON"),
        ("[" * 100_000, "{path} is not JSON"),
        ("\udcff", "{path} is not JSON"),
        ("[1]", "{path} is not a file of safemap benchmark results"),
        ('{"machine_info": {}}', "{path} is not a file of safemap benchmark results"),
        (broken(version=2), "{path} has version 2 of safemap benchmark results; this safemap reads version 1"),
        (
            broken(records=[{"kind": "throughput"}]),
            "{path} is not as the schema of version 1 wants it: data.records[0]",
        ),
        (broken(environment={}), "{path} is not as the schema of version 1 wants it: data.environment"),
    ],
)
def test_a_file_that_is_something_else_gets_one_line(tmp_path, text, message):
    path = tmp_path / "results.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ResultsError) as error:
        Results.load(path)
    assert str(error.value).startswith(message.format(path=path))
    assert "\n" not in str(error.value)


def test_a_file_that_contradicts_itself_gets_one_line(tmp_path):
    given = measured(FIGURES).to_json()
    given["plan"]["workloads"][0]["mix"] = {"get": 0.5}
    path = tmp_path / "results.json"
    path.write_text(json.dumps(given))
    with pytest.raises(ResultsError, match="the shares of its mix must come to 1"):
        Results.load(path)
    with pytest.raises(ResultsError, match=r"cannot read .*nowhere: No such file"):
        Results.load(tmp_path / "nowhere")


# --- what reports ask -------------------------------------------------------------------------------


def test_figures():
    results = measured({REFERENCE: 1e6, "dict": 2e6}, cpu=1.0, lost=None)
    assert results.figures("reads-50", 2, "fairness") == {REFERENCE: 1.0, "dict": 1.0}
    assert results.figures("reads-50", 2, "cpu") == {REFERENCE: pytest.approx(1.0), "dict": pytest.approx(0.5)}
    assert results.figures("reads-50", 2, "lost") == {}
    assert results.figures("reads-50", 2, "peak_bytes") == {REFERENCE: 2**20, "dict": 2**20}
    assert results.noise(2) == 1.05


def test_only_measured_threads_count():
    record = Record(Cell("throughput", 0, "w", 3, "x"), found(30.0, threads=3) | {"measured": 2})
    assert record.throughput == 20.0


def test_latencies_of_all_blocks_together():
    plan = plan_of("reads-50", threads=(2,), latency=("reads-50",), blocks=2)
    records = [
        Record(
            Cell("latency", block, "reads-50", 2, "dict", 0.25),
            found(90.0, rate=100.0, histogram=[[16, 3], [32, 1]]),
        )
        for block in range(2)
    ]
    results = begun(plan, records=records)
    assert results.latencies("reads-50", 0.25) == {"dict": {16: 6, 32: 2}}
    assert results.kept_up("reads-50", 0.25) == {"dict": pytest.approx(0.9)}


def test_costs_by_size():
    plan = plan_of("size-100", "size-1000", blocks=3)
    records = [
        Record(
            Cell("size", block, f"size-{size}", 1, "dict"),
            {"fault": None, "costs": {"get": size + block}, "bytes_per_entry": 9.0},
        )
        for block in range(3)
        for size in (1000, 100)
    ]
    results = begun(plan, records=records)
    assert results.costs("get") == {"dict": {100: 101, 1000: 1001}}
    assert results.costs("bytes_per_entry") == {"dict": {100: 9.0, 1000: 9.0}}
    assert results.costs("set") == {}


def test_quantiles():
    histogram = merged([[[bucket(ns), 1]] for ns in range(1, 1001)])
    for share in (0.5, 0.9, 0.99, 0.999):
        assert 1.0 <= quantile(histogram, share) / (share * 1000) < 2 ** (1 / 16) + 1e-9
    assert quantile({}, 0.5) == 0
    for ns in (1, 2, 3, 1000, 10**9):
        assert upper_bound(bucket(ns) - 1) < ns <= upper_bound(bucket(ns)) * (1 + 1e-12)

"""The report in Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from safemap.bench.contestants import REFERENCE
from safemap.bench.markdown import markdown
from safemap.bench.markdown.markup import LONG
from tests.bench import made
from tests.bench.made import JOB

HEADINGS = [
    "# Which map to take",
    "## Verdict",
    "## What each promises",
    "## All ratios",
    "## Throughput by threads",
    "## By share of reads",
    "## Latency",
    "## Fairness and CPU time",
    "## Costs and memory by size",
    "## Noise floor",
    "## Environment",
]


@pytest.fixture(scope="module")
def report():
    return markdown(made.everything())


def headings(text):
    return re.findall(r"^#+ .*$", text, re.MULTILINE)


def tables(text):
    """Return the tables, each a list of rows of cells."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()] for table in found]


def test_the_verdict_comes_first_and_nothing_is_missing(report):
    assert headings(report) == HEADINGS


@pytest.mark.parametrize(
    "line",
    [
        "**One map for everything: MutexMap.** It is the best variant",
        "furthest in reads-95, where ShardedMap is 2.0× as fast.",
        "| reads-95 | **ShardedMap** | 2.00 | – | 1.2× CopyOnWriteMap | 2 |",
        "| reads-50 | **MutexMap** | 1.00 | ShardedMap | 2.5× CopyOnWriteMap | 2 |",
        "| `snapshot()` | O(n) | O(n) | O(1) |",
        "| reads-50 | 1 | ≈ 1.00 | 0.40 | 2.00 |",
        "| reads-95 | 4* | 4.00 | 9.00 | 8.00 | 11.0 | 40.0 |",
        "| reads-95 | 50 % | dict† | 1.02 µs | 1.02 µs | 1.02 µs | 1.02 µs | 33.6 ms | 60 % |",
        "| snapshot | MutexMap | 1.00 µs | 10.0 µs |",
        "| peak bytes | MutexMap | 30.0 MB | 30.0 MB |",
        "| reads-95 | MutexMap | 5.71 |",
        "Counts lost by contestants whose operations are not one step: dict on read-modify-write, 7.",
        "With 2 cores, nothing is claimed beyond 2 threads (*).",
        "```sh\nsafemap bench\n```",
    ],
)
def test_it_says(report, line):
    assert line in report


def test_all_rows_of_a_table_have_as_many_cells(report):
    for table in tables(report):
        assert len({len(row) for row in table}) == 1, table[0]


def test_long_tables_are_folded():
    names = [f"workload-{at}" for at in range(LONG + 1)]
    text = markdown(made.results({name: {2: {REFERENCE: 1e6}} for name in names}))
    assert f"<details><summary>Ratios: {LONG + 1} rows</summary>" in text
    assert text.count("<details>") == text.count("</details>")
    assert "<details>" not in markdown(made.everything())


def test_names_do_no_harm():
    hostile = "a|b*_`<b>[x](y)"
    results = made.results({f"{hostile}w": {2: {REFERENCE: 1e6, hostile: "broke: <img>\n\n# heading"}}})
    results.command = "safemap bench '```' "
    text = markdown(results)
    assert "<b>" not in text
    assert "<img>" not in text
    assert headings(text) == [each for each in HEADINGS if each not in HEADINGS[5:7] and "Costs" not in each]
    for table in tables(text):
        assert len({len(row) for row in table}) == 1, table[0]
    assert "````sh\nsafemap bench '```' \n````" in text


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        (
            {"reads-95": {2: {REFERENCE: 1e6, "ShardedMap": "lost a key"}}},
            "WRONG: ShardedMap on reads-95: lost a key",
        ),
        ({"reads-95": {2: {REFERENCE: "dead"}}}, "**No verdict"),
        ({JOB: {2: {REFERENCE: 1e6, "ShardedMap": 2e6}}}, "**word-index: take ShardedMap, 2.0× MutexMap.**"),
    ],
)
def test_other_runs(rates, said):
    assert said in markdown(made.results(rates))


def test_a_run_without_anything():
    assert "The run is unfinished: 0 of" in markdown(replace(made.everything(), records=[], ended=None))

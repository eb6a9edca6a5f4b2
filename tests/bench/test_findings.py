"""The page of findings says what was recorded."""

from __future__ import annotations

import pytest

from benchmarks import findings, picture

pytestmark = pytest.mark.skipif(not findings.PAGE.exists(), reason="the documentation is not here")


def test_the_tables_are_those_of_the_recorded_results():
    page = findings.PAGE.read_text(encoding="utf-8")
    tables = findings.tables()
    assert tables
    for name, table in tables.items():
        assert f"<!-- {name} -->\n{table}\n<!-- end -->" in page, f"run python -m benchmarks.findings: {name}"


def test_a_stale_table_is_found():
    page = findings.PAGE.read_text(encoding="utf-8")
    table = next(iter(findings.tables().values()))
    stale = page.replace(table, "| old |")
    assert stale != page
    assert findings.written(stale) == page


def test_the_picture_is_that_of_the_recorded_results():
    assert picture.PICTURE.read_text(encoding="utf-8") == picture.picture(), "run python -m benchmarks.picture"

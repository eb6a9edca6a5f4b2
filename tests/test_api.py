"""The public face: names, docstrings, the table of the guarantees, and the example in the README."""

from __future__ import annotations

import inspect
import re
import runpy
from pathlib import Path

import pytest

import safemap

README = Path(__file__).parent.parent / "README.md"


def test_all_names_exist_and_are_documented():
    assert sorted(safemap.__all__) == sorted(set(safemap.__all__))
    for name in safemap.__all__:
        thing = getattr(safemap, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert thing.__doc__, name


def test_every_operation_of_the_contract_is_documented():
    for name, member in vars(safemap.ConcurrentMapping).items():
        if not name.startswith("_") and callable(member):
            assert inspect.getdoc(member), name


def test_every_kind_has_its_class_among_the_names():
    assert {cls.__name__ for cls in safemap.KINDS.values()} <= {*safemap.__all__}


@pytest.mark.parametrize(
    ("page", "heading"), [("README.md", "Which one"), ("docs/which-map.md", "What they guarantee")]
)
def test_the_table_is_that_of_the_guarantees(page, heading):
    made = runpy.run_path(str(README.parent / "docs" / "tables.py"))["guarantees_table"]()
    section = (README.parent / page).read_text("utf-8").split(f"## {heading}\n\n")[1]
    assert section.partition("\n\n")[0] == made, "run python docs/tables.py"


def test_the_table_of_guarantees_has_them_all():
    """Written out by hand, of one variant; what stands in a row is by its field."""
    made = runpy.run_path(str(README.parent / "docs" / "tables.py"))["guarantees_table"]()
    rows = [line.strip("| ").split(" | ") for line in made.splitlines()]
    assert {len(row) for row in rows[2:]} == {len(safemap.KINDS) + 1}
    at = rows[0].index("`CopyOnWriteMap`") + 1
    assert {row[0]: row[at] for row in rows[3:]} == {
        "a reader waits for a writer": "no",
        "a user's function excludes": "the map's writers",
        "iteration": "one moment",
        "insertion order": "no",
        "`update(many)`": "all at once",
        "`len` while others write": "exact",
        "`snapshot()`": "O(1)",
    }


def test_the_readmes_example_runs():
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL).group(1)
    exec(compile(example, "README", "exec"), {})

"""docs/incidents: the pages' code is that of the programs, and each page names its tests, and no other."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import safemap
import safemap.watch
from tests.incidents import FOLDER, load

TESTS = Path(__file__).parent
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")
SECTIONS = ["What happened", "The fault", "Why", "Mended", "Which variants suit", "Shown by"]


def text(name):
    return (FOLDER / f"{name}.md").read_text("utf-8")


def names_of_tests(name):
    path = TESTS / f"test_{name}.py"
    return {
        f"{path.name}::{node.name}"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_the_index_leads_to_every_page():
    assert sorted(re.findall(r"\]\((\w+)\.md\)", text("README"))) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_all_its_parts(name):
    titles = re.findall(r"^## (.*)$", text(name), re.MULTILINE)
    assert [title for title in titles if title in SECTIONS] == SECTIONS


@pytest.mark.parametrize("name", PAGES)
def test_a_pages_code_is_the_programs(name):
    source = (FOLDER / f"{name}.py").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text(name), re.DOTALL)
    assert blocks
    for block in blocks:
        assert block in source or indented(block) in source, block


def indented(block):
    """Return a method as it stands in its class."""
    return "".join(f"    {line}" if line.strip() else line for line in block.splitlines(keepends=True))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_its_tests(name):
    assert set(re.findall(r"`(test_\w+\.py::\w+)`", text(name))) == names_of_tests(name)


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_of_guarantees_exists(name):
    for field in re.findall(r"`guarantees\.(\w+)`", text(name)):
        assert hasattr(safemap.ShardedMap.guarantees, field)
    for cls in re.findall(r"`(\w+Map)`", text(name)):
        assert hasattr(safemap, cls) or cls == safemap.watch.WatchedMap.__name__


@pytest.mark.parametrize("name", PAGES)
def test_a_table_of_guarantees_has_them_right(name):
    for header, rows in re.findall(r"^\| `guarantees` \|(.*)\n\|[-|]+\n((?:\|.*\n)+)", text(name), re.MULTILINE):
        columns = [getattr(safemap, cls).guarantees for cls in re.findall(r"`(\w+)`", header)]
        shown = re.findall(r"^\| `(\w+)` \| (.*) \|$", rows, re.MULTILINE)
        assert shown
        for field, values in shown:
            assert values.split(" | ") == [str(getattr(guarantees, field)) for guarantees in columns]


@pytest.mark.parametrize(
    ("name", "suits", "named"),
    [
        (
            "argo_sync_manager",
            "may_iterate_for_a_report",
            "`MutexMap`, `RWLockMap` and `CopyOnWriteMap`. In a report",
        ),
        ("flyteadmin_watches", "others_go_on_while_one_registers", "that leaves `ShardedMap` and `ReadDirtyMap`."),
        ("conductor_sweeper", "workflows_do_not_wait_for_one_another", "That is `ShardedMap` and `ReadDirtyMap`."),
        ("argo_offload", "a_look_costs_no_copy", "That is `CopyOnWriteMap`."),
        (
            "volcano_configuration",
            "reads_wait_for_nobody_and_see_no_half_change",
            "settings belong together, take `CopyOnWriteMap`.",
        ),
    ],
)
def test_the_variants_that_a_page_names_are_those_that_guarantee_it(name, suits, named):
    assert named in " ".join(text(name).split())
    suiting = {cls.__name__ for cls in safemap.KINDS.values() if getattr(load(name), suits)(cls.guarantees)}
    assert suiting == set(re.findall(r"`(\w+Map)`", named))


@pytest.mark.parametrize("name", ["argo_sync_manager_cost", "flyteadmin_watches_cost"])
def test_what_it_costs_can_be_measured_again(name):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(FOLDER / f"{name}.py"), "0"],
        env=os.environ | {"PYTHONPATH": str(Path(safemap.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    rows = re.findall(r"^\| `?([^|`]+)`? \|", done.stdout, re.MULTILINE)
    assert rows[1:] == [cls.__name__ for cls in safemap.KINDS.values()]

"""The public face: names, docstrings, layers, lone imports, and the table in the README."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
import runpy
from collections.abc import MutableMapping
from pathlib import Path

import pytest

import safemap
from tests.support import run_python

PACKAGE = Path(safemap.__file__).parent
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


@pytest.mark.parametrize("cls", safemap.KINDS.values())
def test_no_mixin_of_mutable_mapping_is_left(cls):
    """They check and then act."""
    for name in dir(MutableMapping):
        if callable(getattr(MutableMapping, name)) and hasattr(cls, name):
            owner = next(c for c in cls.__mro__ if name in vars(c))
            allowed = {"__class_getitem__", "__subclasshook__"}
            assert owner.__module__.startswith("safemap") or owner is object or name in allowed, (name, owner)


@pytest.mark.parametrize("cls", safemap.KINDS.values())
def test_variants_have_the_contracts_surface_and_no_more(cls):
    public = {name for name in dir(cls) if not name.startswith("_")}
    assert public == {name for name in dir(safemap.ConcurrentMapping) if not name.startswith("_")} | {"guarantees"}


LAYERS = {
    "sync": {"sync"},
    "_contract": {"_lookup", "_missing", "_snapshot", "_entry", "_views", "sync"},
    "_entry": {"_missing", "_contract"},  # for type checkers alone
    "_views": {"_missing", "_contract"},
    "_snapshot": {"_missing"},
    "_lookup": {"_missing"},
    "_missing": set(),
    "_compiled": set(),
    "_parts": {"sync"},
    "_speed": set(),
    "_types": set(),
    "_version": set(),
    "maps": {"_contract", "_lookup", "_missing", "_parts", "_snapshot", "sync", "maps"},
}


def imported(path):
    """Return the modules of the package that a file imports, as dotted names below it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("safemap"):
            yield (node.module or "").removeprefix("safemap").lstrip(".")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    layer = parts[0]
    for module in imported(path):
        target = module.split(".")[0]
        if target in {"_compiled", "_types"}:
            continue  # a constant, and names for type checkers
        if layer in {"bench", "detect", "testing", "watch"}:
            allowed = {"", layer} | ({"sync"} if parts == ("testing", "schedules") else set())
            assert target in allowed, f"{path.name} imports {module}: the {layer} stands on public names alone"
        elif layer != "__init__":
            assert target in LAYERS[layer], f"{'.'.join(parts)} imports {module}"
        if layer == "maps" and target == "maps":
            assert module.split(".")[1].startswith("_"), "variants never import one another"


def test_each_module_imports_alone():
    names = [m.name for m in pkgutil.walk_packages([str(PACKAGE)], "safemap.") if "__main__" not in m.name]
    assert "safemap.maps.sharded" in names
    for name in names:
        run_python(f"import {name}")


def test_importing_safemap_does_not_import_readerwriterlock():
    run_python("import sys, safemap; assert 'readerwriterlock' not in sys.modules")


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

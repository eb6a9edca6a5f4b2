"""The how-to on adding a map: what it shows, done to a copy of the package, has the effects that it tells of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import safemap
from tests.support import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-a-map.md"
if not PAGE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)
pytest.importorskip("rich")
TEXT = PAGE.read_text("utf-8")
EXAMPLE = (ROOT / "docs" / "examples" / "write_lock.py").read_text("utf-8")
KEPT_FROM = "test_what_an_entry_keeps_others_from"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def registered(source):
    """Return a source with what the page's diff adds to it."""
    (diff,) = blocks("diff")
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] == " ")
        assert source.count(before) == 1, f"not once in the package: {before}"
        source = source.replace(before, "".join(line[1:] for line in lines))
    return source


def with_the_map(folder, *changes):
    """Copy the package into a folder, and add the map, with changes to its file; return what to set to load it."""
    package = folder / "safemap"
    plain = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c")
    shutil.copytree(Path(safemap.__file__).parent, package, ignore=plain)
    face = package / "__init__.py"
    face.write_text(registered(face.read_text("utf-8")), "utf-8")
    source = EXAMPLE
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    (package / "maps" / "write_lock.py").write_text(source, "utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "SAFEMAP_PURE": "1"}


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """The environment in which `safemap` has the map."""
    return with_the_map(tmp_path_factory.mktemp("added"))


def run(environment, *command, code=0):
    """Run Python in a fresh interpreter; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=ROOT,
        env=os.environ
        | {"PYTEST_ADDOPTS": "", "COLUMNS": "200", "SAFEMAP_RESULTS": str(ROOT / "nowhere"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def run_suite(environment, which, code):
    return run(
        environment,
        *("-m", "pytest", "-q", "-rf", "--tb=short", "-p", "no:cacheprovider"),
        *("tests/contract/test_conformance.py", "-k", f"WriteLockMap and ({which})"),
        code=code,
    )


def told(printed, lines):
    """Return those of the lines that were printed, in that order."""
    rest = iter(printed.splitlines())
    return [line for line in lines if any(line == other for other in rest)]


def test_the_pages_code_is_the_example():
    assert f"`src/safemap/maps/write_lock.py`:\n\n```python\n{EXAMPLE}```\n" in TEXT


def test_the_pxd_names_the_fields_of_the_class():
    (pxd,) = blocks("cython")
    (slots,) = re.findall(r"__slots__ = \((.*)\)", EXAMPLE)
    assert re.findall(r"^    cdef \w+ (\w+)", pxd, re.MULTILINE) == re.findall(r"\w+", slots)


def test_create_makes_it_and_the_public_face_has_it(added):
    run(
        added,
        "-c",
        """if True:
        import os, sys, safemap
        assert safemap.__file__.startswith(os.environ["PYTHONPATH"].split(os.pathsep)[0]), safemap.__file__
        m = safemap.create("write_lock", {"a": 1}, default_factory=list)
        assert type(m) is safemap.WriteLockMap and "WriteLockMap" in safemap.__all__
        assert m.compute("a", lambda n: n + 1) == 2 and m["b"] == [] and list(m) == ["a", "b"]
        assert m.popitem() == ("b", []) and m == {"a": 2}
        m._check()
        """,
    )


def test_it_is_in_the_suite_and_passes(added):
    passed = run_suite(added, "test_", 0)
    assert int(re.search(r"(\d+) passed", passed).group(1)) > 300, passed


BROKEN = {
    "a function runs without the lock": [
        ("return True if self._lock.acquire_within(timeout) else None", "return True"),
        (
            "token: Any) -> None:  # noqa: ARG002\n        self._lock.release()",
            "token: Any) -> None:\n        pass",
        ),
    ],
    "the whole is copied without the lock": [
        (
            """        self._lock.acquire()
        try:
            return dict(self._data)
        finally:
            self._lock.release()
""",
            """        return dict(self._data)
""",
        )
    ],
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_suite_finds_a_fault_in_it(fault, tmp_path):
    failed = run_suite(with_the_map(tmp_path, *BROKEN[fault]), KEPT_FROM, 1)
    (described,) = re.findall(r"^FAILED .*$", TEXT, re.MULTILINE)
    assert described in [line.partition(" - ")[0] for line in failed.splitlines()], failed


def commands():
    """Return the page's commands with the lines that they print, in the order of the page."""
    found = []
    for block in blocks("console"):
        if block.startswith("$ "):
            command, *lines = block.splitlines()
            found.append((command[2:], lines))
    return found


@pytest.mark.parametrize(("command", "lines"), commands(), ids=lambda each: each if isinstance(each, str) else "")
def test_the_commands_print_what_the_page_says(command, lines, added):
    program, *arguments = command.split()
    start = {"safemap": ["-m", "safemap.bench"], "python": []}[program]
    printed = run(added, *start, *arguments, code=arguments[0] == "recommend")
    assert lines
    assert told(printed, lines) == lines, printed


def test_without_it_the_needs_contradict_one_another():
    (first,) = [block for block in blocks("console") if block.startswith("These needs")]
    printed = run(
        {"PYTHONPATH": str(Path(safemap.__file__).parent.parent)},
        *("-m", "safemap.bench", "recommend", "--needs", "order,free-readers"),
        code=1,
    )
    assert told(printed, first.splitlines()) == first.splitlines()
    assert "```sh\nsafemap recommend --needs order,free-readers\n```" in TEXT


def test_the_benchmark_measures_it_and_reports_name_it(added, tmp_path):
    out = tmp_path / "results.json"
    few = ["--workloads", "reads-95", "--threads", "2", "--blocks", "1", "--seconds", "0.01", "--out", str(out)]
    printed = run(added, "-m", "safemap.bench", "bench", "--contestants", "WriteLockMap,dict", *few)
    assert re.search(r"^ WriteLockMap +\d", printed, re.MULTILINE), printed
    records = json.loads(out.read_text("utf-8"))["records"]
    assert "WriteLockMap" in json.dumps(records)
    report = run(added, "-m", "safemap.bench", "report", str(out))
    assert re.search(r"^ WriteLockMap +\d", report, re.MULTILINE), report


def test_results_from_before_still_give_advice(added):
    printed = run(added, "-m", "safemap.bench", "recommend", "--reads", "0.85", "--size", "5k", "--threads", "2")
    assert printed.startswith(tuple(cls.__name__ for cls in safemap.KINDS.values())), printed
    assert "Predicted: " in printed
    assert "Not measured there, and so not ranked: WriteLockMap." in printed.splitlines()


def test_another_package_adds_it_as_a_contestant(tmp_path):
    """With the page's own lines, and without the registration."""
    contestant = next(block for block in blocks("python") if "CONTESTANT" in block)
    (tmp_path / "my_maps.py").write_text(f"{EXAMPLE}\n\n{contestant}", "utf-8")
    (declared,) = blocks("toml")
    distribution = tmp_path / "my_maps-1.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: my-maps\nVersion: 1\n", "utf-8")
    points = declared.replace('project.entry-points."safemap.contestants"', "safemap.contestants").replace('"', "")
    (distribution / "entry_points.txt").write_text(points, "utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(safemap.__file__).parent.parent)])
    printed = run({"PYTHONPATH": path}, "-m", "safemap.bench", "bench", "--list")
    assert re.search(r"^  my WriteLockMap +variant$", printed, re.MULTILINE), printed

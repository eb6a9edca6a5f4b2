"""The how-to on testing one's own map: its code is that of the examples, and what they find is what it says."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import safemap
from safemap.testing.conformance import CLAIMS

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "how-to" / "test-your-own-map.md"
if not PAGE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)
TEXT = PAGE.read_text(encoding="utf-8")
NAMES = ["test_locked_dict.py", "test_atomic_dict.py"]


def example(name):
    return (DOCS / "examples" / name).read_text(encoding="utf-8")


def found(name, folder):
    """Run an example as a reader would: on its own, in an empty folder. Return the tests that fail."""
    (folder / name).write_text(example(name), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", name],
        cwd=folder,
        env=os.environ | {"PYTEST_ADDOPTS": "", "PYTHONPATH": str(Path(safemap.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,  # hangs are what it finds, and each is waited for
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return set(re.findall(r"^FAILED (\S+::\S+::.*?)(?: - .*)?$", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_the_pages_code_is_the_examples(name):
    assert f"`{name}`:\n\n```python\n{example(name)}```\n" in TEXT


@pytest.mark.parametrize("name", NAMES)
def test_the_example_finds_what_the_page_says(name, tmp_path):
    if name == "test_atomic_dict.py" and importlib.util.find_spec("cereggii") is None:
        pytest.skip("cereggii is not installed")
    described = set(re.findall(rf"^({re.escape(name)}::\S+::.*)$", TEXT, re.MULTILINE))
    assert described
    seen = set()
    for _ in range(4):  # races may be missed
        seen |= found(name, tmp_path)
        if seen == described:
            break
    assert seen == described


def test_the_page_lists_all_claims():
    listed = re.findall(r"^\| ([a-z_ -]+) \| (.*) \|$", TEXT, re.MULTILINE)
    meanings = {claim: meaning.replace("\\|", "|") for claim, meaning in listed if claim != "claim"}
    assert meanings == dict(CLAIMS)


def test_what_the_page_on_measuring_ones_own_program_shows_is_so(tmp_path):
    """Its code runs, and prints what stands below it, but for a percent more or less."""
    text = (DOCS / "how-to" / "measure-your-own-program.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(safemap.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    printed, described = (
        {share: int(part) for part, share in re.findall(r"^(\d+)% (\S+)$", lines, re.MULTILINE)}
        for lines in (done.stdout, "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL)))
    )
    assert described
    for share in {*printed, *described}:
        assert abs(printed.get(share, 0) - described.get(share, 0)) <= 3, share

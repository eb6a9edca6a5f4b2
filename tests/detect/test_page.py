"""What the page on finding races shows is so: its code, run from top to bottom, prints what stands below it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import safemap

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "find-races-on-plain-dicts.md"
if not PAGE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)
TEXT = PAGE.read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(safemap.__file__).parent.parent), "PYTEST_ADDOPTS": ""}


def run(folder, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_code_prints_what_stands_below_it(tmp_path):
    *program, _ = CODE
    printed = "".join(re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL))
    (tmp_path / "page.py").write_text("\n".join(program), encoding="utf-8")
    for _ in range(5):  # that there is a race is sure; which thread comes second, and so finds it, is not
        code, out, errors = run(tmp_path, "page.py")
        assert (code, errors) == (0, "")
        if out.replace(f"{tmp_path}{os.sep}", "") == printed:
            break
    assert out.replace(f"{tmp_path}{os.sep}", "") == printed


def test_the_fixture_finds_what_a_test_lets_race(tmp_path):
    (tmp_path / "conftest.py").write_text(CODE[-1], encoding="utf-8")
    (tmp_path / "state.py").write_text("registry = {}\nlate = {}\n", encoding="utf-8")
    (tmp_path / "test_state.py").write_text(
        "import threading\n"
        "import state\n"
        "def together(function):\n"
        "    threads = [threading.Thread(target=function) for _ in range(2)]\n"
        "    [thread.start() for thread in threads]\n"
        "    [thread.join() for thread in threads]\n"
        "def test_racy():\n"
        "    together(lambda: state.registry.update(k=1))\n"
        "def test_unchecked():\n"
        "    together(lambda: state.late.update(k=1))\n"
        "def test_correct():\n"
        "    lock = threading.Lock()\n"
        "    def assign():\n"
        "        with lock:\n"
        "            state.registry['other'] = 1\n"
        "    together(assign)\n",
        encoding="utf-8",
    )
    words = ["-m", "safemap.detect", "--check", "state:registry", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    code, out, _ = run(tmp_path, *words)
    assert code == 1
    assert "3 passed, 1 error" in out and "ERROR test_state.py::test_racy" in out
    assert "write (key 'k'): two threads write one key, and share no lock" in out

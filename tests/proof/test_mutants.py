"""The kit, shown faults: a copy of the plain files with one fault in it must fail the proof named for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import safemap
from tests.proof.mutants import MUTANTS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGE = Path(safemap.__file__).parent

pytestmark = [
    pytest.mark.skipif(safemap.compiled, reason="faults are put into the plain files"),
    pytest.mark.skipif(
        not getattr(sys, "_is_gil_enabled", lambda: True)(),
        reason="as with the GIL: one thread at a time",
    ),
]


def run_proof(package, test):
    """Run one proof on a copy of the package; return pytest's exit code and output."""
    environment = os.environ | {
        "SAFEMAP_PURE": "1",
        "PYTHONPATH": os.pathsep.join([str(package.parent), str(ROOT)]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--tb=short", f"{HERE / test}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    output = done.stdout + done.stderr
    assert f"from {package}" in output, f"the copy was not what was tested\n{output}"
    return done.returncode, output


def copied(folder):
    package = folder / "safemap"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.so", "*.pyd", "*.pxd", "__pycache__"))
    return package


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_is_killed(mutant, tmp_path):
    package = copied(tmp_path)
    path = package / mutant.file
    source = path.read_text(encoding="utf-8")
    assert source.count(mutant.old) == 1, "the source has changed: the fault must be put in anew"
    path.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
    code, output = run_proof(package, mutant.killer)
    assert code == pytest.ExitCode.TESTS_FAILED, f"survived\n{output[-3000:]}"
    assert "FAILED" in output
    assert "SyntaxError" not in output


def test_there_are_enough():
    assert len(MUTANTS) >= 15
    assert len({mutant.file for mutant in MUTANTS}) >= 8

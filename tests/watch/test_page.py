"""The how-to on watching: its code, run from top to bottom, prints what stands in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import safemap

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "watch-a-map.md"
if not PAGE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)


def test_what_the_page_shows_is_so(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    printed = "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL))
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(safemap.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == printed


def test_the_page_lists_all_kinds():
    from safemap.watch.events import Kind

    listed = re.findall(r"^\| (\w+) \| .* \| .* \| .* \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == ["kind", *Kind.__args__]

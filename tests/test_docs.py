"""The documentation's examples: each page's code, run from top to bottom, prints what stands below it.

A page's `python` blocks are one program; its `text` blocks are what that prints. A block behind the line
`<!-- not run: why -->` is neither. The pages named in `ELSEWHERE` have tests of their own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import safemap

DOCS = Path(__file__).parent.parent / "docs"
if not (DOCS / "index.md").exists():
    pytest.skip("the documentation is not here", allow_module_level=True)
ELSEWHERE = {
    "how-to/find-races-on-plain-dicts.md": "tests/detect/test_page.py",
    "how-to/measure-your-own-program.md": "tests/test_howto.py",
    "how-to/test-your-own-map.md": "tests/test_howto.py",
    "how-to/watch-a-map.md": "tests/watch/test_page.py",
    **{f"incidents/{path.name}": "tests/incidents/test_documented.py" for path in DOCS.glob("incidents/*.md")},
}
BLOCK = re.compile(r"(<!-- not run: [^\n]+ -->\n\n?)?^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text, language):
    return "".join(block for skipped, of, block in BLOCK.findall(text) if of == language and not skipped)


def pages():
    for path in sorted(DOCS.rglob("*.md")):
        name = path.relative_to(DOCS).as_posix()
        if name not in ELSEWHERE and blocks(path.read_text("utf-8"), "python"):
            yield name


@pytest.mark.parametrize("name", list(pages()))
def test_the_pages_code_prints_what_the_page_says(name, tmp_path):
    text = (DOCS / name).read_text("utf-8")
    (tmp_path / "page.py").write_text(blocks(text, "python"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(safemap.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == blocks(text, "text")


def test_pages_that_are_tested_elsewhere_are_there():
    for name, test in ELSEWHERE.items():
        assert (DOCS / name).is_file() and (DOCS.parent / test).is_file(), name


def test_examples_that_say_something_wrong_are_found(tmp_path):
    text = "```python\nprint(1)\n```\n\n<!-- not run: a fragment -->\n\n```python\n...x\n```\n\n```text\n2\n```\n"
    assert blocks(text, "python") == "print(1)\n"
    assert blocks(text, "text") == "2\n"

"""docs/faults.md names every fault and every test here, and no other test."""

from __future__ import annotations

import ast
import re

import pytest

import safemap
from tests.support import ROOT

FOLDER = ROOT / "tests" / "faults"
PAGE = ROOT / "docs" / "faults.md"
FAULTS = 24
PARTS = ("**The usual mistake.**", "**Promised.**", "**Not promised.**", "**Shown by**")


def sections():
    """Return the page's sections, by number."""
    texts = re.split(r"^## (\d+)\. ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {int(number): text for number, text in zip(texts[1::2], texts[2::2], strict=True)}


def names_of_tests():
    """Return the tests in this folder, as the page names them."""
    return {
        f"{path.name}::{node.name}"
        for path in FOLDER.glob("test_*.py")
        if path.name != "test_documented.py"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def named(text):
    return set(re.findall(r"`(test_\w+\.py::\w+)`", text))


def test_every_fault_is_there_once_with_all_its_parts():
    page = sections()
    assert list(page) == list(range(1, FAULTS + 1))
    for number, text in page.items():
        assert [text.count(part) for part in PARTS] == [1] * len(PARTS), number


@pytest.mark.parametrize("number", range(1, FAULTS + 1))
def test_every_fault_is_shown_by_tests_that_exist(number):
    shown = named(sections()[number].partition(PARTS[-1])[2])
    assert shown
    assert shown <= names_of_tests()


def test_every_test_is_named():
    assert names_of_tests() - named(PAGE.read_text("utf-8")) == set()


def test_every_link_leads_to_a_section():
    text = PAGE.read_text("utf-8")
    titles = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    links = re.findall(r"\]\(#([^)]*)\)", text)
    assert len(links) >= FAULTS
    assert set(links) <= anchors


def test_the_page_names_every_map_that_it_speaks_of():
    for name in re.findall(r"`(\w+Map)`", PAGE.read_text("utf-8")):
        assert hasattr(safemap, name), name

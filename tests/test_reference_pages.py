"""The pages of the reference: they have every public name, and say what the docstrings and the commands say."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
from pathlib import Path

import pytest

import safemap
from safemap.bench import arguments
from safemap.bench.operations import OPERATIONS
from safemap.bench.recommend.needs import NEEDS
from safemap.detect import __main__ as detect_command
from safemap.testing.conformance import CLAIMS
from tests.test_reference import CONTRACT, fields, sections

PAGES = Path(__file__).parent.parent / "docs" / "reference"
if not PAGES.is_dir():
    pytest.skip("the documentation is not here", allow_module_level=True)

SPELT = {
    "__init__": "ShardedMap(items)",
    "__getitem__": "m[k]",
    "__setitem__": "m[k] = v",
    "__delitem__": "del m[k]",
    "__contains__": "k in m",
    "__len__": "len(m)",
    "__iter__": "iter(m)",
    "__reversed__": "reversed(m)",
    "__eq__": "m == other",
    "__repr__": "repr(m)",
    "__or__": r"m \| other",
    "__ror__": r"other \| m",
    "__ior__": r"m \|= other",
    "__reduce_ex__": "pickle, copy.copy",
}


def page(name):
    return (PAGES / f"{name}.md").read_text("utf-8")


def section(text, heading):
    """Return what stands below a heading of the second order."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {heading}"
    return found[1]


def rows(text, docs):
    """Return the rows of the overview: what operations.md has, in its order, as the docstrings say it."""
    anchor = ""
    for heading, name in re.findall(
        r"^#+ (.+)$|^\.\. auto\w+:: safemap\.ConcurrentMapping\.(\w+)", text, re.MULTILINE
    ):
        anchor = re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) if heading else anchor
        if f"ConcurrentMapping.{name}" in docs:
            said = sections(docs[f"ConcurrentMapping.{name}"])
            word, _, why = said["Atomicity"].partition(" - ")
            grade = f"{word}: `{re.search(r'guarantees.(.+?)`', why)[1]}`" if word == "maybe" else word
            yield f"| [`{SPELT.get(name, name)}`](operations.md#{anchor}) | {said['Cost'].rstrip('.')} | {grade} |"


def test_the_overview_says_what_the_docstrings_say():
    table = re.search(r"\| operation \| cost \| atomicity \|\n\|---\|---\|---\|\n((?:\|.*\n)+)", page("index"))[1]
    assert table.splitlines() == list(rows(page("operations"), CONTRACT))


def test_the_overview_has_every_operation():
    shown = re.findall(r"^\.\. auto\w+:: safemap\.ConcurrentMapping\.(\w+)", page("operations"), re.MULTILINE)
    assert sorted(shown) == sorted([*(name.partition(".")[2] for name in CONTRACT), "guarantees", "options"])


def test_an_overview_that_says_something_else_is_found():
    docs = CONTRACT | {"ConcurrentMapping.get": CONTRACT["ConcurrentMapping.get"].replace("good", "bad")}
    assert [*rows(page("operations"), docs)] != [*rows(page("operations"), CONTRACT)]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("safemap", "operations maps"),
        ("safemap.watch", "watch"),
        ("safemap.detect", "detect"),
        ("safemap.testing", "testing"),
        ("safemap.bench", "bench"),
    ],
)
def test_the_pages_have_every_public_name(module, names):
    text = "".join(map(page, names.split()))
    public = importlib.import_module(module).__all__
    shown = re.findall(r"^\.\. (?:auto|py:)\w+:: (?:[\w.]+\.)?(\w+)(?:\(.*\))?$", text, re.MULTILINE)
    assert sorted(public) == sorted({*shown} & {*public})
    for name in public:
        thing = getattr(importlib.import_module(module), name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name


def test_the_page_of_the_maps_has_the_table_of_guarantees():
    text = page("maps").partition("Every constructor")[0]
    head, *rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert head == "guarantees"
    assert rows == list(fields())
    assert re.findall(r"^   \.\. autoattribute:: (\w+)", page("maps"), re.MULTILINE) == list(fields())
    for field in fields():
        cells = re.search(rf"^\| `{field}` \|(.*)\|$", text, re.MULTILINE)[1].split("|")
        values = [getattr(cls.guarantees, field) for cls in safemap.KINDS.values()]
        assert [cell.strip() for cell in cells] == [{True: "yes", False: "no"}.get(each, each) for each in values]


def test_the_page_of_the_maps_has_every_option():
    listed = re.findall(r"^\| `(\w+)` \| (.+?) \|", page("maps").partition("Every constructor")[2], re.MULTILINE)
    options = {
        option: "all" if option in safemap.ConcurrentMapping.options else f"`{cls.__name__}`"
        for cls in safemap.KINDS.values()
        for option in cls.options
    }
    assert dict(listed) == options


@pytest.mark.parametrize(
    ("name", "heading", "terms"),
    [
        ("testing", "The contract as a test suite", CLAIMS),
        ("bench", "Recordings", {operation.name: operation.about for operation in OPERATIONS.values()}),
        ("command-line", "safemap recommend", {need.name: need.about for need in NEEDS.values()}),
    ],
)
def test_lists_of_terms_are_those_of_the_code(name, heading, terms):
    listed = re.findall(r"^\| `([^`-][^`]*)` \| (.*) \|$", section(page(name), heading), re.MULTILINE)
    found = {term: meaning.replace("\\|", "|") for term, meaning in listed}
    assert {term: found.get(term, "").strip("`") for term in terms} == {
        term: about.strip("`") for term, about in terms.items()
    }


# --- the command line -------------------------------------------------------------------------------------


def commands():
    """Yield each command's name and what reads its arguments."""
    whole = arguments.parser()
    yield "safemap", whole
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from ((f"safemap {name}", parser) for name, parser in action.choices.items())
    yield "python -m safemap.detect", detect_command.parser()


def options_of(parser):
    """Return the options as the page writes them: name, and what stands behind it."""
    for action in parser._actions:
        if action.option_strings and action.dest != "help":
            behind = action.metavar or ("|".join(action.choices) if action.choices else action.dest.upper())
            yield action.option_strings[-1] + ("" if action.nargs == 0 else f" {behind}")


def listed(text, command):
    """Return the options in the table of a command, as the page has them."""
    rows = re.findall(r"^\| `(-[^`]+)` \|", section(text, command), re.MULTILINE)
    return [each.replace("\\|", "|") for each in rows]


COMMANDS = list(commands())


@pytest.mark.parametrize(("command", "parser"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_the_page_of_the_command_line_has_every_option(command, parser):
    assert listed(page("command-line"), command) == list(options_of(parser))


@pytest.mark.parametrize(("command", "parser"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_the_page_of_the_command_line_has_arguments_and_exit_codes(command, parser):
    text = section(page("command-line"), command)
    for action in parser._actions:
        if not (action.option_strings or isinstance(action, argparse._SubParsersAction)):
            assert (action.metavar or action.dest) in text
    codes = re.findall(r"\b\d+\b", parser.epilog or "")
    assert set(codes) <= set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))


def test_an_option_that_the_page_does_not_have_is_found():
    parser = detect_command.parser()
    parser.add_argument("--new")
    assert listed(page("command-line"), "python -m safemap.detect") != list(options_of(parser))

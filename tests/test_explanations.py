"""The pages that explain the five maps: what they promise, what they cost, and their drawings.

    python -m tests.test_explanations

writes the tables anew, from the classes' `guarantees` and the recorded results. `tests/test_docs.py`
sees to it that the examples do what the pages say.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import safemap

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "explanation"
RESULTS = ROOT / "benchmarks" / "results" / "README.md"
if not (PAGES.exists() and RESULTS.exists()):
    pytest.skip("the documentation is not here", allow_module_level=True)

CLASSES = {f"{kind.replace('_', '-')}-map": cls for kind, cls in safemap.KINDS.items()}
ROWS = {
    "mechanism": "mechanism",
    "single_key": "operations on one key",
    "reader_waits_for_writer": "a reader waits for a writer",
    "function_excludes": "a user's function, or an `entry` block, excludes",
    "iteration": "iteration shows",
    "insertion_order": "insertion order",
    "update": "`update` of many keys",
    "length": "`len` while others write",
    "snapshot": "cost of `snapshot()`",
}
SHOWN = (
    "m[k]",
    "m[k] = v",
    "m[k] = m.pop(k)",
    "m.compute(k, f) / d[k] = f(d[k])",
    "list(m)",
    "m.snapshot() / d.copy()",
)
RECORDED = "### Python 3.11, 1,000 entries"
BLOCK = re.compile(r"<!-- (guarantees|costs) (\w+) -->\n.*?<!-- end -->", re.DOTALL)

PAPER, INKS = "#fbfaf7", {"#22262b", "#0b5fa5", "#1a7f37", "#b35900"}
SVG = "{http://www.w3.org/2000/svg}"


def page(name):
    return (PAGES / f"{name}.md").read_text("utf-8")


def guarantees(cls):
    promised = cls.guarantees._asdict()
    assert promised.keys() == ROWS.keys()
    lines = ["| | |", "|---|---|"]
    for field, value in promised.items():
        shown = {True: "yes", False: "no"}.get(value, value)
        lines.append(f"| {ROWS[field]} | {shown} |")
    return "\n".join(lines)


def costs(cls):
    """Return the class's column of the recorded results, beside that of MutexMap."""
    section = RESULTS.read_text("utf-8").partition(RECORDED)[2].partition("\n#")[0]
    table = [[cell.strip(" *`") for cell in line.split("|")[1:-1]] for line in section.splitlines() if "|" in line]
    head, *rows = table
    names = list(dict.fromkeys((cls.__name__, "MutexMap")))
    lines = [
        "How many times as long as with a dict it takes: str / int keys, CPython 3.11, compiled, 1,000 entries;",
        "of the single operations recorded in `benchmarks/results/README.md`.",
        "",
        f"| | {' | '.join(f'`{name}`' for name in names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for operation in SHOWN:
        (row,) = (row for row in rows if row[:2] == ["dict", operation])
        mine, _, dicts = operation.partition(" / ")
        shown = f"`{mine}`, beside `{dicts}`" if dicts else f"`{mine}`"
        lines.append(f"| {shown} | {' | '.join(row[head.index(name)].replace('*', '') for name in names)} |")
    return "\n".join(lines)


def written(text):
    """Return a page with its tables as they should be."""
    tables = {"guarantees": guarantees, "costs": costs}

    def table(block):
        kind, name = block.groups()
        return f"<!-- {kind} {name} -->\n{tables[kind](getattr(safemap, name))}\n<!-- end -->"

    return BLOCK.sub(table, text)


@pytest.mark.parametrize("name", CLASSES)
def test_the_tables_are_those_of_the_class_and_of_the_recorded_results(name):
    blocks = [block.groups() for block in BLOCK.finditer(page(name))]
    assert blocks == [(kind, CLASSES[name].__name__) for kind in ("guarantees", "costs")]
    assert written(page(name)) == page(name), "run python -m tests.test_explanations"


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(("true", "false"), [("| linearizable", "| eventual"), ("| `m[k]` | ", "| `m[k]` | 0")])
def test_a_wrong_table_is_found(name, true, false):
    wrong = page(name).replace(true, false)
    assert wrong != page(name)
    assert written(wrong) == page(name)


@pytest.mark.parametrize("name", CLASSES)
def test_the_page_links_to_the_header_that_has_the_invariants(name):
    module = safemap.__spec__.submodule_search_locations[0]
    header = Path(module, "maps", f"{name.removesuffix('-map').replace('-', '_')}.py")
    assert header.exists()
    assert f"](../../src/safemap/maps/{header.name})" in page(name)
    for link in re.findall(r"\]\((\.\./\.\./[^)#]+)", page(name)):
        assert (PAGES / link).exists(), link


def faults(svg):
    """Return what is wrong with a drawing of a mechanism."""
    root = ET.fromstring(svg)
    found = []
    if root.get("width") != "720" or root.get("viewBox") != f"0 0 720 {root.get('height')}":
        found.append("width")
    if not all((root.findtext(f"{SVG}{tag}") or "").strip() for tag in ("title", "desc")):
        found.append("nothing for those who cannot see it")
    if not set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= INKS | {PAPER}:
        found.append("palette")
    if any(float(size) < 13 for size in re.findall(r"font-size: ([\d.]+)px", svg)):
        found.append("small text")
    if re.search(r"font-family: (?!system-ui, sans-serif;)", svg):
        found.append("font")
    return found


@pytest.mark.parametrize("name", CLASSES)
def test_the_drawing_is_there_and_can_be_read(name):
    (alt, source), *more = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", page(name))
    assert not more
    assert len(alt) > 40
    assert source == f"drawings/{name}.svg"
    svg = (PAGES / source).read_text("utf-8")
    assert faults(svg) == []


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('width="720"', 'width="800"', "width"),
        ("desc", "metadata", "nothing for those who cannot see it"),
        ("#0b5fa5", "#0000ff", "palette"),
        ("font-size: 15px", "font-size: 9px", "small text"),
        ("system-ui, sans-serif", "Papyrus", "font"),
    ],
)
def test_a_bad_drawing_is_found(right, wrong, fault):
    svg = (PAGES / "drawings" / "mutex-map.svg").read_text("utf-8")
    assert right in svg
    assert faults(svg.replace(right, wrong)) == [fault]


if __name__ == "__main__":
    for name in CLASSES:
        (PAGES / f"{name}.md").write_text(written(page(name)), "utf-8")

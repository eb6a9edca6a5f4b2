"""The page, without a browser: what it says, that it is whole, and that nothing leads out of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import pytest

from safemap.bench.contestants import REFERENCE
from safemap.bench.html import SCRIPTS, SECTIONS, embedded, html
from safemap.bench.plan import Entrant
from safemap.bench.results import Record
from tests.bench import made
from tests.bench.made import JOB

VOID = {"meta", "input", "wbr"}
HOSTILE = "\"><i></script><b onclick='x'>&`--><!--"


class Tree(HTMLParser):
    """Reads a page; fails where an element is not closed, or is closed twice."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.found, self.texts = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]

    @property
    def text(self):
        return " ".join("".join(data for tag, data in self.texts if tag not in {"script", "style"}).split())


@pytest.fixture(scope="module")
def page():
    return html(made.everything())


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def hostile():
    """Return results in which all that others name is hostile."""
    results = made.results(
        {HOSTILE: {1: {REFERENCE: 1e6, HOSTILE: 2e6}, 2: {REFERENCE: 1e6, HOSTILE: "broke " + HOSTILE}}}
    )
    results.command = f"safemap bench {HOSTILE}"
    results.began = HOSTILE
    results.environment = replace(results.environment, interpreter=HOSTILE, processor=HOSTILE, governor=HOSTILE)
    entrants = (*results.plan.entrants, Entrant("theirs", "baseline", True, HOSTILE))
    results.plan = replace(results.plan, notes=(HOSTILE,), entrants=entrants)
    return results


def capped():
    results = made.results({"reads-95": {2: {REFERENCE: 5e6, "CopyOnWriteMap": 1e6}}})
    results.records[0] = Record(results.records[0].cell, {"capped": "not done after 60 s"})
    return results


def interrupted():
    results = made.everything()
    return replace(results, records=results.records[:20], ended=None)


RUNS = {
    "everything": made.everything,
    "nothing": lambda: replace(made.everything(), records=[], ended=None),
    "interrupted": interrupted,
    "quick": lambda: made.results(
        {"reads-95": {1: {REFERENCE: 1e6, "dict": 2e6}, 2: {REFERENCE: 1e6, "dict": 2e6}}}
    ),
    "one job": lambda: made.results({JOB: {2: {REFERENCE: 1e6, "ShardedMap": 2e6}}}),
    "faulty": lambda: made.results({"reads-95": {2: {REFERENCE: 1e6, "ShardedMap": "lost a key"}}}),
    "no reference": lambda: made.results({"reads-95": {2: {"ShardedMap": 1e6}}}),
    "no control": lambda: made.results({"reads-95": {2: {REFERENCE: 1e6, "ShardedMap": 2e6}}}, control=()),
    "one block": lambda: made.results({"reads-95": {2: {REFERENCE: 1e6, "ShardedMap": 2e6}}}, blocks=1),
    "crowded": lambda: made.results({"reads-95": {4: {REFERENCE: 1e6}, 8: {REFERENCE: 1e6}}}),
    "capped": capped,
    "hostile": hostile,
}


@pytest.mark.parametrize("name", RUNS)
def test_whatever_was_run_the_page_is_whole(name):
    page = html(RUNS[name]())
    tree = Tree(page)
    assert [each["id"] for each in tree.of("section")] == [name for name, _, _ in SECTIONS]
    identities = [attributes["id"] for _, attributes in tree.found if "id" in attributes]
    assert len(identities) == len(set(identities))
    places = {each["data-charts"] for each in tree.of("div") if "data-charts" in each}
    assert places == {name for name, charts in data_of(page)["charts"].items() if charts}


def test_the_sections_stand_in_their_order(page):
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert titles == [title for _, title, _ in SECTIONS]
    assert [each["href"] for each in Tree(page).of("a")[1:]] == [f"#{name}" for name, _, _ in SECTIONS]


def test_nothing_leads_out_of_the_page(page):
    assert not re.search(
        r"https?:|//[a-z]|@import|url\(|\ssrc=|<link|<iframe|fetch\(|XMLHttp|import\(", _without_comments(page)
    )
    assert "default-src 'none'" in page
    assert all(each["href"].startswith("#") for each in Tree(page).of("a"))


def _without_comments(page):
    return re.sub(r"^\s*//.*$|;\s// .*$", "", page, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "said",
    [
        "One map for everything: MutexMap.",
        "in 3 of 4 workloads",
        "Not if you need readers that never wait for writers",
        "a reader waits for a writer",
        "all at once",
        "loses counts",
        "1.2× CopyOnWriteMap",
        "33.6 ms",
        "60 %†",
        "safemap bench",
        "5 blocks of 0.05 s windows",
    ],
)
def test_the_essentials_are_there_without_javascript(page, said):
    assert said in Tree(page).text


def test_ratios_beyond_noise_have_colours_and_ties_are_hatched(page):
    heat = re.search(r'<table class="heat".*?</table>', page, re.DOTALL)[0]
    rows = {
        re.search(r'scope="row">(.*?)<', row)[1]: re.findall(r'<td class="(\w+)"', row)
        for row in heat.split("<tr>")
        if 'scope="row"' in row
    }
    assert rows["reads-95"] == ["one", "u3", "u2", "u3"]
    assert rows["reads-50"] == ["one", "tie", "d3", "u3"]
    assert rows["read-modify-write"] == ["one", "d3", "d4", "u2"]


def test_what_was_wrong_capped_or_missing_is_said_in_the_heat_map():
    wrong = html(RUNS["faulty"]())
    assert '<td class="fault" data-r="lost a key (threads: 2)">WRONG</td>' in wrong
    assert "WRONG: ShardedMap on reads-95: lost a key" in Tree(wrong).text
    assert "capped: " in Tree(html(capped())).text
    assert "The run is unfinished: 20 of " in Tree(html(interrupted())).text


def test_hostile_names_stay_text():
    page = html(hostile())
    tree = Tree(page)
    assert not [attributes for _, attributes in tree.found if "onclick" in attributes]
    assert len(tree.of("script")) == 2
    assert tree.of("b") == tree.of("i") == []
    assert HOSTILE.replace("`", "") in tree.text.replace("`", "")
    assert data_of(page)["contestants"][1]["name"] == HOSTILE


def test_embedded_json_ends_no_script():
    written = embedded({"name": "</script><!--&"})
    assert not re.search(r"[<>&]", written)
    assert json.loads(written) == {"name": "</script><!--&"}
    with pytest.raises(ValueError, match="JSON"):
        embedded({"x": float("nan")})


def test_the_charts_have_their_points(page):
    charts = data_of(page)["charts"]
    (threads,) = charts["threads"]
    assert (threads["title"], threads["beyond"]) == ("reads-95", 4)
    assert threads["series"][1]["p"] == [
        [1, 6e6, 5.88e6, 6.12e6, 1.2, 1.2, 1.2],
        [2, 1e7, 9.8e6, 1.02e7, 2, 2, 2],
        [4, 9e6, 8.82e6, 9.18e6, 2.25, 2.25, 2.25],
    ]
    (reads,) = charts["reads"]
    assert [tick for tick, _ in reads["x"]["ticks"]] == [0.5, 0.95]
    behind = {each["c"]: each.get("behind") for each in charts["latency"][0]["series"]}
    names = [each["name"] for each in data_of(page)["contestants"]]
    assert behind == {names.index("ShardedMap"): None, names.index("dict"): True}
    assert [each["title"] for each in charts["sizes"]] == ["Snapshot", "Write after snapshot", "Get", "Set"]


def test_all_its_parts_are_in_the_package():
    parts = {each.name for each in resources.files("safemap.bench.html").iterdir()}
    assert {"page.html", "style.css", *SCRIPTS} <= parts


def test_a_page_of_a_standard_run_is_no_larger_than_it_has_to_be():
    names = [f"workload-{at}" for at in range(60)]
    who = dict.fromkeys(
        (REFERENCE, "RWLockMap", "ShardedMap", "CopyOnWriteMap", "ReadDirtyMap", "dict", "dict + Lock"), 1e6
    )
    page = html(made.results({name: {1: who, 2: who} for name in names}, blocks=2))
    assert len(page.encode()) < 600_000

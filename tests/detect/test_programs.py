"""Racy programs, each of which must be caught, and correct ones, in which nothing may be found."""

from __future__ import annotations

import pytest

from safemap import detect
from safemap.testing.threads import rapid_switching
from tests.detect.correct import correct
from tests.detect.racy import racy

ROUNDS = 60


@pytest.fixture(autouse=True)
def fresh():
    detect.forget()
    with detect.watching():
        yield
    detect.forget()


def test_there_are_enough_programs():
    assert len(racy) == len(racy.kinds) == 33
    assert len(correct) == 37
    assert {kind: list(racy.kinds.values()).count(kind) for kind in detect.KINDS} == {
        "iteration": 6,
        "read-modify-write": 17,
        "write": 10,
    }


@pytest.mark.parametrize("name", racy)
def test_a_race_is_caught(name):
    racy[name]()
    found = detect.reports()
    assert racy.kinds[name] in [report.kind for report in found]
    for report in found:
        assert report.found.stack[0].filename == report.other.stack[0].filename == racy[name].__code__.co_filename
        assert report.found.thread != report.other.thread


@pytest.mark.parametrize("name", racy)
def test_a_race_is_caught_when_its_kind_alone_is_looked_for(name, monkeypatch):
    detect.set_defaults(kinds=[racy.kinds[name]])
    try:
        racy[name]()
    finally:
        detect.set_defaults(kinds=detect.KINDS)
    assert {report.kind for report in detect.reports()} == {racy.kinds[name]}


@pytest.mark.parametrize("name", correct)
def test_nothing_is_found_in_a_correct_program(name):
    correct[name]()
    assert [str(report) for report in detect.reports()] == []


@pytest.mark.parametrize("name", correct)
def test_nothing_is_found_in_a_correct_program_under_load(name):
    with rapid_switching():
        correct[name](ROUNDS)
    assert [str(report) for report in detect.reports()] == []

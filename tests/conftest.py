"""What every test can ask for: the variants, and a fresh map of each."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any

import pytest

import safemap
from safemap.testing.threads import rapid_switching
from tests.proof.effort import PROFILES, Effort, Tally


@dataclass(frozen=True)
class Implementation:
    """One mapping class under test."""

    tag: str
    cls: Any

    def __call__(self, /, *args: Any, **named: Any) -> Any:
        return self.cls(*args, **named)

    @property
    def guarantees(self) -> safemap.Guarantees:
        return self.cls.guarantees


VARIANTS = [Implementation(kind, cls) for kind, cls in safemap.KINDS.items()]


@pytest.fixture(params=VARIANTS, ids=lambda variant: variant.tag)
def variant(request: pytest.FixtureRequest) -> Implementation:
    """Each variant in turn."""
    return request.param


@pytest.fixture(name="rapid_switching")
def switching_rapidly():
    """Have the interpreter switch threads as often as it can."""
    with rapid_switching():
        yield


def pytest_report_header() -> str:
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    speed = "compiled" if safemap.compiled else "plain Python"
    return f"safemap {safemap.__version__} ({speed}) from {safemap.__file__}, GIL {'on' if gil else 'off'}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--profile", choices=list(PROFILES), default="quick", help="how much the proofs try")
    parser.addoption("--proof-seed", type=int, default=None, help="seed of what the proofs draw at random")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Tally(), "tally")


@pytest.fixture
def effort(request: pytest.FixtureRequest) -> Effort:
    """How much a proof may try."""
    effort = PROFILES[request.config.getoption("--profile")]
    seed = request.config.getoption("--proof-seed")
    return effort if seed is None else replace(effort, seed=seed)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--profile") == "deep":
        for item in items:
            item.add_marker(pytest.mark.timeout(0))

"""What every test can ask for: the variants, and a fresh map of each."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import pytest

import safemap


@dataclass(frozen=True)
class Implementation:
    """One mapping class under test. `dict` itself is one, where the contract is dict's own."""

    tag: str
    cls: Any

    def __call__(self, /, *args: Any, **named: Any) -> Any:
        return self.cls(*args, **named)

    @property
    def guarantees(self) -> safemap.Guarantees:
        return self.cls.guarantees


VARIANTS = [Implementation(kind, cls) for kind, cls in safemap.KINDS.items()]
DICT = Implementation("dict", dict)


@pytest.fixture(params=VARIANTS, ids=lambda variant: variant.tag)
def variant(request: pytest.FixtureRequest) -> Implementation:
    """Each variant in turn."""
    return request.param


@pytest.fixture(params=[DICT, *VARIANTS], ids=lambda variant: variant.tag)
def mapping(request: pytest.FixtureRequest) -> Implementation:
    """Plain dict and each variant in turn: what holds for both is dict's contract."""
    return request.param


@pytest.fixture
def rapid_switching():
    """Have the interpreter switch threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def pytest_report_header() -> str:
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    speed = "compiled" if safemap.compiled else "plain Python"
    return f"safemap {safemap.__version__} ({speed}) from {safemap.__file__}, GIL {'on' if gil else 'off'}"

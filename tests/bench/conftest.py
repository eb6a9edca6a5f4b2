"""What all of the benchmark's tests have in common."""

from __future__ import annotations

import sys

import pytest

from safemap.bench import store
from safemap.bench.recommend import needs
from tests.bench import made_up


@pytest.fixture(autouse=True)
def short_turns():
    """With the GIL, an engine that measures for 2 ms spends most of its time waiting for a turn of 5 ms."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def five_variants(monkeypatch):
    """The package has the variants of the made-up world, and no others."""
    known = {name: each for name, each in needs.VARIANTS.items() if name in made_up.NAMES}
    monkeypatch.setattr(needs, "VARIANTS", known)
    monkeypatch.setattr(store, "VARIANTS", [each for each in store.VARIANTS if each.name in known])

"""What all of the benchmark's tests have in common."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def short_turns():
    """With the GIL, an engine that measures for 2 ms spends most of its time waiting for a turn of 5 ms."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(interval)

"""The contract as a test suite, for anybody's map.

    from safemap.testing.conformance import DICT, Conformance

    class TestMyMap(Conformance):
        make = MyMap
        claims = DICT - {"pickle"} | {"atomic setdefault", "safe iteration"}

and pytest does the rest. `make` is called as `dict` is: a class, or a function that returns a map. `claims` are
the parts of the contract that the map claims, by the names in `CLAIMS`: what needs another one is skipped, and
says so. Of a `ConcurrentMapping` all of it is asked (`CONTRACT`), and what its `guarantees` say beyond that.

Every map is asked for `make()`, `m[key]`, `m[key] = value` and `del m[key]`, and for a way to look at all of it:
it claims "views" or "iteration", or the test class says how (`pairs`). A test that hangs fails after `limit`
seconds.
"""

from __future__ import annotations

import pytest

PARTS = (
    "suite",
    "construction",
    "keys",
    "updates",
    "views",
    "comparison",
    "copies",
    "subclasses",
    "lifetime",
    "failures",
    "compound",
    "sections",
    "factories",
    "snapshots",
    "races",
    "waiting",
    "looking",
    "deadlocks",
    "reentrancy",
    "finalizers",
)
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in PARTS))

from safemap.testing.conformance import (  # noqa: E402  # pytest must know them before they are imported
    comparison,
    compound,
    construction,
    copies,
    deadlocks,
    factories,
    failures,
    finalizers,
    keys,
    lifetime,
    looking,
    races,
    reentrancy,
    sections,
    snapshots,
    subclasses,
    updates,
    views,
    waiting,
)
from safemap.testing.conformance.claims import CLAIMS, CONTRACT, DICT  # noqa: E402

__all__ = ["CLAIMS", "CONTRACT", "DICT", "Conformance"]


class Conformance(
    construction.Construction,
    keys.Keys,
    updates.Updates,
    views.Views,
    comparison.Comparison,
    copies.Copies,
    subclasses.Subclasses,
    lifetime.Lifetime,
    failures.Failures,
    compound.Compound,
    sections.Entries,
    sections.LockedSections,
    factories.DefaultFactories,
    factories.Once,
    snapshots.Snapshots,
    snapshots.PlainDicts,
    races.Races,
    waiting.Waiting,
    looking.Looking,
    deadlocks.Deadlocks,
    reentrancy.Callbacks,
    reentrancy.Signals,
    finalizers.Finalizers,
):
    """All tests of the contract. A subclass says of which map: see the module."""

"""Keys that are equal and not the same, or not equal to themselves; values that are the map they are in."""

from __future__ import annotations

import copy
import pickle
import random

import safemap
from safemap.testing.threads import in_other_thread
from tests.support import in_fresh_python


@in_fresh_python
def test_odd_keys_and_values_behave_as_in_a_dict(kind):
    class Text(str):
        __slots__ = ()

    nans = [float("nan"), float("nan")]
    numbers = [*nans, 1, 1.0, True, 0, -0.0, False, -1, -2]
    keys = [*numbers, None, "", b"", (), frozenset(), "1", Text("1"), (nans[0],)]
    values = [None, nans[1], 0, (), "v"]
    chance = random.Random(7)
    m, model = safemap.create(kind), {}
    for _ in range(1500):
        key, value = chance.choice(keys), chance.choice(values)
        method, *arguments = chance.choice(
            [("__setitem__", key, value), ("setdefault", key, value), ("pop", key, "no"), ("get", key, "no")]
        )
        expected, got = getattr(model, method)(*arguments), getattr(m, method)(*arguments)
        assert got is expected, (method, arguments)
        assert len(m) == len(model)
        assert all(other in m for other in model)
        # An equal key keeps the object that was there first: 1, 1.0 and True are one key, and each NaN its own.
        assert {id(other) for other in m} == {id(other) for other in model}
    assert m.compare_and_set("nan", safemap.MISSING, nans[0])
    assert m.compare_and_set("nan", nans[0], 1)  # identical, though not equal
    m._check()


@in_fresh_python
def test_a_map_that_contains_itself(kind):
    m = safemap.create(kind, {"k": 1})
    m["itself"] = m
    m["deeper"] = [m]
    assert repr(m).count("{...}") == 2
    assert len(m) == 3
    assert m["itself"]["itself"] is m
    assert m == m  # noqa: PLR0124
    assert copy.copy(m)["itself"] is m
    for again in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert again["itself"] is again
        assert again["deeper"][0] is again
    assert m.snapshot()["itself"] is m
    m.update(m)
    m.compute("itself", lambda itself: itself.get("k"))
    assert m["itself"] == 1
    assert in_other_thread(lambda: m.compute("k", lambda k: k + 1)) == 2
    m._check()

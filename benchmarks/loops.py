"""The timed loops: each does one operation on every key it is given, with nothing else inside.

All have the same parameters. `over_keys` and `over_pairs` are the same loops around nothing, to be subtracted.
"""

# ruff: noqa: B015 - to look a key up and drop what was found is the point

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add
from threading import Lock
from types import FunctionType
from typing import Any, TypeAlias

from benchmarks.rivals import NOT_FOUND

Loop: TypeAlias = Callable[[Any, Sequence[Any], Sequence[Any]], None]
"""Called with a mapping, keys, and as many values."""


def own_code(loop: Loop) -> Loop:
    """Return a copy that the interpreter specializes by itself: no loop sees more than one kind of mapping."""
    assert isinstance(loop, FunctionType)
    return FunctionType(loop.__code__.replace(), loop.__globals__, closure=loop.__closure__)


# --- around nothing ---------------------------------------------------------------------------------


def over_keys(_m, keys, _values):
    for _ in keys:
        pass


def over_pairs(_m, keys, values):
    for _, _ in zip(keys, values, strict=True):
        pass


# --- single keys, as dict has them ------------------------------------------------------------------


def getitem(m, keys, _values):
    for k in keys:
        m[k]


def get(m, keys, _values):
    for k in keys:
        m.get(k)


def contains(m, keys, _values):
    for k in keys:
        k in m


def setitem(m, keys, values):
    for k, v in zip(keys, values, strict=True):
        m[k] = v


def setdefault(m, keys, values):
    for k, v in zip(keys, values, strict=True):
        m.setdefault(k, v)


def pop_and_set(m, keys, _values):
    for k in keys:
        m[k] = m.pop(k)


def delete_and_set(m, keys, values):
    for k, v in zip(keys, values, strict=True):
        del m[k]
        m[k] = v


def length(m, keys, _values):
    for _ in keys:
        len(m)


# --- single keys, as the contract adds them ---------------------------------------------------------


def following(number):
    return number + 1


def compute(m, keys, _values):
    for k in keys:
        m.compute(k, following)


def compute_if_absent(m, keys, _values):
    for k in keys:
        m.compute_if_absent(k, following)


def compute_if_present(m, keys, _values):
    for k in keys:
        m.compute_if_present(k, following)


def merge(m, keys, _values):
    for k in keys:
        m.merge(k, 1, add)


def swap(m, keys, values):
    for k, v in zip(keys, values, strict=True):
        m.swap(k, v)


def compare_and_set(m, keys, values):
    for k, v in zip(keys, values, strict=True):
        m.compare_and_set(k, m[k], v)


def compare_and_delete(m, keys, values):
    for k, v in zip(keys, values, strict=True):
        m.compare_and_delete(k, m[k])
        m[k] = v


# --- the same without them --------------------------------------------------------------------------


def compute_in_place(d, keys, _values):
    for k in keys:
        d[k] = following(d[k])


def merge_in_place(d, keys, _values):
    for k in keys:
        d[k] = add(d[k], 1)


def getitem_under_lock(d, keys, _values):
    lock = Lock()
    for k in keys:
        with lock:
            d[k]


def add_reduced(_key, current, new):
    return new if current is NOT_FOUND else current + new


def reduce_pair(atomic_dict, keys, _values):
    for k in keys:
        atomic_dict.reduce([(k, 1)], add_reduced)


# --- the whole --------------------------------------------------------------------------------------


def list_keys(m, times, _values):
    for _ in times:
        list(m)


def list_items(m, times, _values):
    for _ in times:
        list(m.items())


def copy(d, times, _values):
    for _ in times:
        d.copy()


def snapshot(m, times, _values):
    for _ in times:
        m.snapshot()

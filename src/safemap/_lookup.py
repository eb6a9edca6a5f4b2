"""What maps do with a dict beyond its methods, and what they ask of a key and a value.

`find(data, key, default)` is `data.get(key, default)`: except on free-threaded 3.13, where `dict.get` takes the
dict's lock twice over when it meets a value that another thread made, and spins for 20 microseconds each time;
subscripting there does not (3.14 mended it).
"""

from __future__ import annotations

import sys

from safemap._missing import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = [
    "MISSING",
    "copy_of",
    "dies_quietly",
    "find",
    "is_plain",
    "items_of",
    "keys_of",
    "mixed_hash",
    "settle_reads",
    "values_of",
]

COPIES = 10
"""Tries to copy a dict whose keys' `__eq__` lets others change it. Needed by keys of the same hash alone."""

if sys.version_info[:2] == (3, 13) and not getattr(sys, "_is_gil_enabled", lambda: True)():

    def find(data: dict[Any, Any], key: Any, default: Any, /) -> Any:
        """Return the value of `key`, or `default` if it is absent."""
        try:
            return data[key]
        except KeyError:
            return data.get(key, default)  # what the key's own comparison raised, it raises again

else:
    find = dict.get


def mixed_hash(key: Any) -> int:
    """Return the hash of `key`, spread over all its bits.

    Numbers chosen by its low bits are even for ints in any stride, and say nothing about the bits by which
    dicts choose their slots. A tuple's hash mixes that of its element (xxHash).
    """
    return hash((key,))


# Copies of a dict's contents, made in one step: no other thread, and no finalizer, comes in between.


def keys_of(data: dict[Any, Any]) -> Iterable[Any]:
    """Return a copy of the keys."""
    return list(data)


def values_of(data: dict[Any, Any]) -> Iterable[Any]:
    """Return a copy of the values."""
    return list(data.values())


def items_of(data: dict[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Return a copy of the pairs."""
    # Not list(items): making the pairs can set off the collector, and a finalizer may write to the dict.
    return copy_of(data).items()


# Up to 3.11 the collector may run in the middle of `dict.copy`. If a finalizer then writes to the dict, the copy
# has the contents of before and the length of after, and crashes the interpreter when it is copied in turn.
duplicate = dict.copy if sys.version_info >= (3, 12) else dict


def copy_of(data: dict[Any, Any]) -> dict[Any, Any]:
    """Return a copy of a dict."""
    for _ in range(COPIES):
        try:
            return duplicate(data)
        except RuntimeError:  # copying one with holes compares keys of the same hash, and may be overtaken
            continue
    return duplicate(data)


def settle_reads() -> None:
    """Have the reads before this done before those after it, whatever the processor. Compiled: see `_c.pxd`."""


def count_no_references(_thing: Any) -> None:
    """Keep a thing for ever, so that threads need not count references to it. Compiled, and without the GIL."""


count_no_references(MISSING)  # which every lookup hands over

PLAIN = frozenset({str, int, bytes, float, bool, type(None)})


def is_plain(key: Any) -> bool:
    """Return whether `key` can be hashed, and compared with its like, without running any Python code."""
    return type(key) in PLAIN


def dies_quietly(value: Any) -> bool:
    """Return whether no Python code can run when the last reference to `value` goes."""
    return type(value) in PLAIN

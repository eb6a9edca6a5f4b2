"""Looking a key up in a dict, and the hash by which maps tell their parts apart.

`find(data, key, default)` is `data.get(key, default)`: except on free-threaded 3.13, where `dict.get` takes the
dict's lock twice over when it meets a value that another thread made, and spins for 20 microseconds each time;
subscripting there does not (3.14 mended it).
"""

from __future__ import annotations

import sys
from typing import Any

from safemap._missing import MISSING

__all__ = ["COMPILED", "MISSING", "dies_quietly", "find", "is_plain", "mixed_hash"]

COMPILED = False
"""Whether this is compiled, where the steps of a C function follow one another with nothing in between."""

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


PLAIN = frozenset({str, int, bytes, float, bool, type(None)})


def is_plain(key: Any) -> bool:
    """Return whether `key` can be hashed, and compared with its like, without running any Python code."""
    return type(key) in PLAIN


def dies_quietly(value: Any) -> bool:
    """Return whether no Python code can run when the last reference to `value` goes."""
    return type(value) in PLAIN

"""A dict, shared as it is."""

from __future__ import annotations

from typing import Final

from safemap.bench.contestants.contestant import PLAIN, Contestant

PLAIN_DICT: Final = Contestant(
    "dict",
    "baseline",
    dict,
    PLAIN,
    atomic=False,
    lacks="m[k], get, in, m[k] = v, pop, setdefault and copy are atomic, nothing else: d[k] += 1 loses counts, "
    "and iteration may raise RuntimeError while another thread writes",
)

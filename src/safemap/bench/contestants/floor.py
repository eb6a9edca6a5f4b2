"""No map at all: what the loop, its keys and its values take by themselves."""

from __future__ import annotations

from typing import Final

from safemap.bench.contestants.contestant import CONTRACT, Contestant

NULL_MAP: Final = Contestant(
    "null map",
    "floor",
    lambda _items: {},
    dict.fromkeys(CONTRACT, "found = key"),
    atomic=False,
    lacks="it is no map: it shows what the timed loop takes by itself",
)

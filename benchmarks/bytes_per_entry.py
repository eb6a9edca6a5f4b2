"""Print how many bytes a mapping takes for each entry, keys and values apart: `dict` or a class of safemap.

    python -m benchmarks.bytes_per_entry ShardedMap str 1000000

In a process of its own, because what is freed before would be used again.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc

import safemap
from benchmarks.contents import contents


def measured(name: str, keys: str, size: int) -> float:
    items = contents(keys, size, shuffled=False)
    tracemalloc.start()
    mapping = getattr(safemap, name, dict)()
    for key, value in items.items():
        mapping[key] = value
    if isinstance(mapping, safemap.ReadDirtyMap):
        mapping.to_dict()  # moves all keys to the read table
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / size


if __name__ == "__main__":
    print(measured(sys.argv[1], sys.argv[2], int(sys.argv[3])))  # noqa: T201

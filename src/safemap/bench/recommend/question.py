"""What a user asks, from words on a command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.workload import MOST_ENTRIES, Workload, WorkloadError

if TYPE_CHECKING:
    from safemap.bench.workload import Access, Keys, Values

NAME: Final = "your workload"
_UNITS: Final = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_size(text: str) -> int:
    """Return a number of entries. Raises WorkloadError.

    >>> parse_size("10k"), parse_size("1.5M"), parse_size("1_000")
    (10000, 1500000, 1000)
    """
    found = re.fullmatch(r"(\d[\d_,]*(?:\.\d+)?)\s*([km]?)", text.strip().lower())
    size = float(re.sub("[_,]", "", found[1])) * _UNITS[found[2]] if found else -1.0
    if not (size.is_integer() and 0 <= size <= MOST_ENTRIES):
        message = f"a size must be a whole number up to {MOST_ENTRIES:,}, as 500, 10k or 1M, not {text!r:.60}"
        raise WorkloadError(message)
    return int(size)


def workload_of(
    reads: float,
    size: int = 1_000,
    keys: Keys = "str",
    values: Values = "private",
    access: Access = "uniform",
) -> Workload:
    """Return a workload of reads (`m[k]`) and, for the rest, writes (`m[k] = v`), both to keys that are there.

    Raises WorkloadError.
    """
    if not 0 <= reads <= 1:
        message = f"the share of reads must be from 0 to 1, not {reads!r:.60}"
        raise WorkloadError(message)
    mix: dict[str, Any] = {"get": reads, "set": 1 - reads}
    return Workload(
        NAME,
        {share: part for share, part in mix.items() if part},
        size=size,
        keys=keys,
        values=values,
        access=access,
    )

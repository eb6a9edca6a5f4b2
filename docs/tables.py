"""The table of guarantees, as the README has it: `python docs/tables.py`."""
# ruff: noqa: INP001  # a script beside the pages, and no package

from __future__ import annotations

import sys

import safemap
from safemap.bench.summary.choosing import promises

ALIKE = "operations on one key"
"""The row in which all maps are alike: a sentence says it."""


def guarantees_table() -> str:
    """Return the guarantees of all of `safemap.KINDS` as a Markdown table, with a column for each map."""
    names = [cls.__name__ for cls in safemap.KINDS.values()]
    lines = [f"| | {' | '.join(f'`{name}`' for name in names)} |", f"|{'---|' * (len(names) + 1)}"]
    lines += [f"| {row.title} | {' | '.join(row.values)} |" for row in promises(names) if row.title != ALIKE]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{guarantees_table()}\n")

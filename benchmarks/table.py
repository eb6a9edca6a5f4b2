"""The rows that were measured, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from benchmarks import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMES: Final = (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0))
HEADINGS: Final = ("operation", "variant", "keys", "entries", "theirs", "ours", "figure", "limit", "reached")
DIGITS: Final = 3
"""That are shown of a figure, at least."""
WORDS: Final = HEADINGS[:3]
"""The columns that are not figures."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one operation of one variant costs, beside what it is measured against."""

    against: str
    operation: str
    variant: str
    keys: str
    size: int | None
    theirs: float | None
    ours: float
    unit: str
    """Of `theirs` and `ours`."""
    figure: float
    """What has the limit: a ratio, unless `figure_unit` says that it is not."""
    limit: float | None
    figure_unit: str = "x"
    at_least: bool = False
    """Whether `limit` is the least that `figure` must be, instead of the most that it may be."""
    loop: float | None = None
    """What the loop around nothing took, which has been subtracted from `theirs` and `ours`."""

    @property
    def reached(self) -> bool | None:
        """Whether the limit is kept; None: there is none here."""
        if self.limit is None:
            return None
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        """Return what is said if the limit is missed."""
        bound = "at least" if self.at_least else "at most"
        what = " ".join(filter(None, (self.variant, self.operation, self.keys, self.size and f"{self.size:,}")))
        limit = f"{self.limit:g}" if self.limit is not None else "-"
        return f"{what} against {self.against}: {self.figure:.2f} {self.figure_unit}, {bound} {limit} wanted"

    def cells(self) -> tuple[str, ...]:
        """Return what goes under HEADINGS."""
        limit = "-" if self.limit is None else f"{'>=' if self.at_least else '<='} {self.limit:g}"
        return (
            self.operation,
            self.variant,
            self.keys,
            "" if self.size is None else f"{self.size:,}",
            "-" if self.theirs is None else shown(self.theirs, self.unit),
            shown(self.ours, self.unit),
            shown(self.figure, self.figure_unit),
            limit,
            {None: "-", True: "yes", False: "NO"}[self.reached],
        )


def shown(value: float, unit: str) -> str:
    """Return a figure with DIGITS digits, times in the unit that suits them."""
    if unit == "x":
        return f"{value:.2f} x"
    if unit == "ns":
        unit, scale = next(((unit, scale) for unit, scale in TIMES if value >= scale), TIMES[-1])
        value /= scale
    return f"{value:,.{max(0, DIGITS - len(str(int(abs(value)))))}f} {unit}"


class Table:
    """All rows of a session."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def lines(self) -> Iterator[str]:
        """Return the table as text, with a part for each thing that was measured against."""
        for against in dict.fromkeys(row.against for row in self.rows):
            rows = [row for row in self.rows if row.against == against]
            operations = list(dict.fromkeys(row.operation for row in rows))
            rows.sort(key=lambda row: operations.index(row.operation))
            cells = [HEADINGS, *(row.cells() for row in rows)]
            widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
            yield ""
            yield f"against {against}"
            for line in cells:
                yield "  ".join(map(_padded, range(len(line)), line, widths)).rstrip()
        limited = [row for row in self.rows if row.limit is not None]
        yield ""
        yield f"{sum(row.reached is True for row in limited)} of {len(limited)} limits reached"

    def write(self, path: Path) -> None:
        """Write the rows and the environment as JSON."""
        rows = [asdict(row) | {"reached": row.reached} for row in self.rows]
        text = json.dumps({"environment": environment.described(), "rows": rows}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


def _padded(column: int, text: str, width: int) -> str:
    return text.ljust(width) if HEADINGS[column] in WORDS else text.rjust(width)

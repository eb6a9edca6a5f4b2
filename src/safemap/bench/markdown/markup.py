"""Pieces of Markdown, as GitHub shows it. Names are those of users and of others: all go through `text`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from safemap.bench.summary import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONG: Final = 12
"""Tables with more rows are folded."""


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], folded: str = "", right: int | None = None
) -> Iterator[str]:
    """Yield a table, folded below its title if it is long. `right`: the first column of numbers."""
    if not rows:
        return
    marks = ["--:" if right is not None and at >= right else "---" for at in range(len(heads))]
    lines = ["| " + " | ".join(each) + " |" for each in ([*map(text, heads)], marks, *rows)]
    if folded and len(rows) > LONG:
        yield f"<details><summary>{text(folded)}: {len(rows)} rows</summary>\n"
        yield "\n".join(lines) + "\n"
        yield "</details>\n"
    else:
        yield "\n".join(lines) + "\n"


def text(given: str) -> str:
    """Return a text that Markdown shows as it is; what stands in backquotes is code."""
    return "".join(
        f"`{part}`"
        if code
        else re.sub(r"([\\*_|\[\]~`])", r"\\\1", part).replace("&", "&amp;").replace("<", "&lt;")
        for code, part in words.code(" ".join(given.split()))
    )


def fenced(command: str) -> str:
    """Return a command as a block of code, whatever backquotes are in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", command)), default=0))
    return f"{fence}sh\n{command}\n{fence}\n"

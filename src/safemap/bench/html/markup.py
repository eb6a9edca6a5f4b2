"""Pieces of HTML. Every text goes through `text`: names are those of users and of other packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from safemap.bench.summary import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def text(given: str) -> str:
    """Return a text as HTML, what stands in backquotes as code."""
    return "".join(f"<code>{escape(part)}</code>" if code else escape(part) for code, part in words.code(given))


def broken(name: str) -> str:
    """Return a name as HTML that may break where its words begin: "CopyOnWriteMap" in a narrow column."""
    return "<wbr>".join(map(escape, re.split(r"(?<=[a-z])(?=[A-Z])|(?<=\.)|(?=\()|(?<=reader)(?=writer)", name)))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table. `html` was escaped already."""

    html: str
    value: float | None = None
    """What to sort by; None: by the text."""
    classes: str = ""
    rate: str = ""
    """The throughput in words, for the tooltip."""

    def __str__(self) -> str:
        """Return it as HTML."""
        attributes = f' class="{self.classes}"' if self.classes else ""
        attributes += f' data-v="{self.value:.6g}"' if self.value is not None else ""
        attributes += f' data-r="{escape(self.rate)}"' if self.rate else ""
        return f"<td{attributes}>{self.html}</td>"


def number(value: float | None, shown: str) -> Cell:
    """Return a cell with a number; a dash where there is none."""
    return Cell(words.NONE, classes="n none") if value is None else Cell(escape(shown), value, "n")


def label(given: str) -> Cell:
    """Return a cell with a text."""
    return Cell(text(given))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: what it is about, and its cells."""

    head: str
    """HTML."""
    cells: Sequence[Cell]
    group: str = ""
    """The heading above it, and above all that follow with the same."""


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Row],
    classes: str = "",
    name: str = "",
    *,
    repeat: bool = False,
) -> str:
    """Return a table in a box that it scrolls in. `classes`: "sort" has its headers made buttons.

    `name`: its id. `repeat`: show the headers with each group again, but for the first, which is below them.
    """
    parts: list[str] = []
    group = None
    for row in rows:
        if row.group and row.group != group:
            again = repeat and group is not None
            group = row.group
            span = 1 if again else len(heads)
            parts.append(
                f'<tr class="group"><th scope="rowgroup" colspan="{span}"><span>{text(group)}</span></th>'
                + "".join(f'<th aria-hidden="true">{broken(head)}</th>' for head in heads[1:] if again)
                + "</tr>"
            )
        parts.append(f'<tr><th scope="row">{row.head}</th>{"".join(map(str, row.cells))}</tr>')
    columns = "".join(f'<th scope="col">{broken(head) if repeat else text(head)}</th>' for head in heads)
    identity = f' id="{name}"' if name else ""
    body = "\n".join(parts)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption, quote=True)}">\n'
        f'<table class="{classes}"{identity}><caption>{text(caption)}</caption>\n'
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>\n"
    )


def paragraphs(*given: str) -> str:
    """Return texts as paragraphs; none for the empty."""
    return "".join(f"<p>{text(each)}</p>\n" for each in given if each)


def bullets(given: Iterable[str], classes: str = "") -> str:
    """Return texts as a list; nothing if there are none."""
    items = "".join(f"<li>{text(each)}</li>\n" for each in given)
    kind = f' class="{classes}"' if classes else ""
    return f"<ul{kind}>\n{items}</ul>\n" if items else ""


def charts(name: str, *, wide: bool = False) -> str:
    """Return the place where the script draws the charts of this name."""
    return (
        f'<div class="charts{" wide" * wide}" data-charts="{name}"></div>\n'
        "<noscript><p>The charts are drawn by JavaScript; their numbers are in the tables.</p></noscript>\n"
    )


def folded(title: str, contents: str) -> str:
    """Return contents that are shown when their title is clicked."""
    return f"<details><summary>{text(title)}</summary>\n{contents}</details>\n"

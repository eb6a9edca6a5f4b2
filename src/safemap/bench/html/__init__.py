"""The report as one page of HTML: no network, no files beside it.

`page.html`, `style.css` and the scripts are its parts. The texts and tables are there without JavaScript; the
scripts draw the charts from the data that is embedded as JSON, sort tables and show exact numbers.
"""

from __future__ import annotations

import json
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Final

from safemap.bench.html import appendix, deciding, details
from safemap.bench.html.charts import charts
from safemap.bench.html.markup import text
from safemap.bench.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable

    from safemap.bench.results import Results
    from safemap.bench.summary import Summary

__all__ = ["html"]

SCRIPTS: Final = ("page.js", "axes.js", "charts.js")
"""In the order in which they run: what one defines the next uses."""

SECTIONS: Final[tuple[tuple[str, str, Callable[[Summary], str]], ...]] = (
    ("verdict", "Verdict", deciding.verdict),
    ("guarantees", "What each promises", deciding.guarantees),
    ("ratios", "All ratios", deciding.heat_map),
    ("threads", "Throughput by threads", details.threads),
    ("reads", "Throughput by share of reads", details.reads),
    ("latency", "Latency", details.latency),
    ("fairness", "Fairness and CPU time", details.fairness),
    ("memory", "Memory", appendix.memory),
    ("sizes", "Snapshots, writes and other costs by size", appendix.sizes),
    ("noise", "Noise floor", appendix.noise),
    ("environment", "Environment", appendix.environment),
    ("numbers", "All numbers", appendix.numbers),
)
"""Their id, title and contents, in the order in which they stand."""


def html(results: Results) -> str:
    """Return the report as one page of HTML, which loads nothing."""
    summary = summarize(results)
    sections = "".join(
        f'<section id="{name}" aria-labelledby="{name}-title">\n<h2 id="{name}-title">{text(title)}</h2>\n'
        f"{contents(summary)}</section>\n"
        for name, title, contents in SECTIONS
    )
    facts = dict(summary.run.environment)
    return Template(_part("page.html")).substitute(
        title=text(f"safemap benchmark, {facts['Interpreter']}"),
        subtitle=text(
            f"{facts['Interpreter']}; safemap {facts['safemap']}; {facts['Processor']}; {facts['Began']}"
        ),
        links="".join(f'<li><a href="#{name}">{text(title)}</a></li>\n' for name, title, _ in SECTIONS),
        sections=sections,
        style=_part("style.css"),
        data=embedded(charts(summary)),
        script="".join(map(_part, SCRIPTS)),
    )


def embedded(data: object) -> str:
    """Return JSON that ends no script element, whatever is in it. Raises ValueError for NaN."""
    written = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _part(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")

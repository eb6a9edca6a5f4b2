"""The tables of docs/findings.md, from the recorded results of `safemap bench --standard`.

    python -m benchmarks.findings

writes them into the page, between the comments that name them. A test holds the two together.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from safemap.bench.results import Results
from safemap.bench.summary import summarize, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safemap.bench.summary import Summary
    from safemap.bench.summary.model import Measured

ROOT: Final = Path(__file__).parent.parent
RECORDED: Final = ROOT / "benchmarks" / "results" / "suite"
PAGE: Final = ROOT / "docs" / "findings.md"

SHOWN: Final = (
    "reads-100",
    "reads-95",
    "reads-50",
    "reads-10",
    "read-modify-write",
    "exchange",
    "grow",
    "set-if-absent-storm",
    "readers-and-a-writer",
    "scan-with-writer",
    "snapshots",
    "batches",
    "word-index",
)
"""What a program may do; the rest is in the reports."""
BESIDE: Final = ("dict", "dict + Lock")
FIRST: Final = 3
"""So many losses of each variant are told, the greatest first."""


def tables() -> dict[str, str]:
    """Return each table by its name in the page."""
    found: dict[str, str] = {}
    for path in sorted(RECORDED.glob("*.json.gz")):
        summary = summarize(Results.load(path))
        name = path.name.partition(".json")[0]
        found[f"ratios {name}"] = _ratios(summary)
        found[f"losses {name}"] = _losses(summary)
    return found


def _ratios(summary: Summary) -> str:
    names = (*summary.variants, *BESIDE)
    floors = {each.kind: each.floor or math.inf for each in summary.noise if each.threads == _threads(summary)}
    interpreter = dict(summary.run.environment)["Interpreter"]
    lines = [
        f"{interpreter}; ties are below {floors['throughput']:.2f}, of jobs {floors['job']:.2f}.",
        "",
        f"| | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for workload in SHOWN:
        of = {each.contestant: each for each in summary.of(workload)}
        lines.append(f"| {workload} | {' | '.join(_cell(of.get(name), summary.reference) for name in names)} |")
    return "\n".join(lines)


def _threads(summary: Summary) -> int:
    return next(each.threads for each in summary.measured if each.judged)


def _cell(found: Measured | None, reference: str) -> str:
    if found is None or found.ratio is None:
        return found.state if found and found.state != "good" else words.NONE
    if found.contestant == reference:
        return "1"
    ratio = words.ratio_of(found.ratio)
    return f"≈ {ratio}" if found.tie else f"**{ratio}**" if found.ratio.value > 1 else ratio


def _losses(summary: Summary) -> str:
    return "\n".join(
        f"- `{name}`: {'; '.join(_behind(summary, name)) or 'nowhere, beyond noise'}." for name in summary.variants
    )


def _behind(summary: Summary, name: str) -> Iterator[str]:
    """Yield the workloads in which a variant is furthest behind the best one, beyond noise."""
    found: list[tuple[float, str, str]] = []
    for pick in summary.picks:
        of = {each.contestant: each.ratio for each in summary.of(pick.workload) if each.ratio is not None}
        if name not in of or pick.best is None or name in (pick.best, *pick.ties):
            continue
        leader = max((each for each in summary.variants if each in of), key=lambda each: of[each].value)
        found.append((of[name].value / of[leader].value, pick.workload, leader))
    for share, workload, leader in sorted(found)[:FIRST]:
        yield f"{words.percent(round(share, 2))} of {leader} in {workload}"


def written(page: str) -> str:
    """Return the page with the tables as they are now."""
    for name, table in tables().items():
        begin, end = f"<!-- {name} -->\n", "\n<!-- end -->"
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""The picture of the README: throughput on one workload, as bars, one panel for each recorded interpreter.

    python -m benchmarks.picture

writes it, from the recorded results of `safemap bench --standard`. A test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from benchmarks.findings import RECORDED, ROOT
from safemap.bench.results import Results
from safemap.bench.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safemap.bench.summary import Summary
    from safemap.bench.summary.model import Measured

PICTURE: Final = ROOT / "docs" / "figures" / "reads-95.svg"
WORKLOAD: Final = "reads-95"
PANELS: Final = {"python3.11": "with the GIL: Python 3.11", "python3.14t": "without the GIL: Python 3.14t"}
BARS: Final = (
    "MutexMap", "RWLockMap", "ShardedMap", "CopyOnWriteMap", "ReadDirtyMap",
    "dict", "dict + Lock", "dict + RLock", "dict + readerwriterlock", "Manager().dict()",
)  # fmt: skip
WIDTH: Final = 760
LEFT: Final = 180
ROW: Final = 22
PANEL: Final = 44 + ROW * len(BARS)
TOP: Final = 44
SMALL: Final = 1e5
"""Operations per second, below which one digit would say next to nothing."""
PAPER, INK, SOFT, RULE = "#fbfaf7", "#22262b", "#5c6066", "#d9d7d0"
OURS, THEIRS = "#0b5fa5", "#a3a5a8"


def picture() -> str:
    """Return the picture as SVG."""
    summaries = {title: summarize(Results.load(RECORDED / f"{name}.json.gz")) for name, title in PANELS.items()}
    most = max(
        each.throughput.high for summary in summaries.values() for each in _bars(summary) if each.throughput
    )
    height = TOP + PANEL * len(summaries) + 36
    size = f'width="{WIDTH}" height="{height}"'
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {height}" fill="{INK}" '
            'font-family="system-ui, sans-serif" font-size="13" role="img" aria-labelledby="title">'
        ),
        '<title id="title">Million operations per second, two threads, 95 % reads, by map and interpreter</title>',
        f'<rect {size} rx="6" fill="{PAPER}"/>',
        (
            '<text x="16" y="28" font-size="15" font-weight="600">'
            "Million operations per second: two threads, 95 % reads, 10,000 entries</text>"
        ),
    ]
    for place, (title, summary) in enumerate(summaries.items()):
        lines += _panel(title, summary, TOP + PANEL * place, most)
    lines += [
        (
            f'<text x="16" y="{height - 14}" fill="{SOFT}">Bars: the median of five blocks; '
            "lines: the lowest and the highest. Compiled, two cores.</text>"
        ),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bars(summary: Summary) -> list[Measured]:
    of = {each.contestant: each for each in summary.of(WORKLOAD)}
    return [of[name] for name in BARS if name in of and of[name].throughput is not None]


def _panel(title: str, summary: Summary, top: int, most: float) -> Iterator[str]:
    yield f'<text x="16" y="{top + 20}" font-weight="600">{escape(title)}</text>'
    scale = (WIDTH - LEFT - 76) / most
    for place, each in enumerate(_bars(summary)):
        rate = each.throughput
        assert rate is not None
        y = top + 32 + ROW * place
        end = LEFT + rate.value * scale
        ours = each.contestant in summary.variants
        yield f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(each.contestant)}</text>'
        yield (
            f'<rect x="{LEFT}" y="{y + 2}" width="{max(1.0, end - LEFT):.1f}" height="{ROW - 7}" '
            f'fill="{OURS if ours else THEIRS}"/>'
        )
        low, high = LEFT + rate.low * scale, LEFT + rate.high * scale
        yield f'<path d="M{low:.1f} {y + 9.5}H{high:.1f}" stroke="{INK}" stroke-width="1"/>'
        digits = ".1f" if rate.value >= SMALL else ".2f"
        text = f"{rate.value / 1e6:{digits}}"
        yield f'<text x="{max(end, high) + 6:.1f}" y="{y + 13}">{text}</text>'


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")

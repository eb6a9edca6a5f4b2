"""Numbers and verdicts in words, the same in every report. What stands in backquotes is code."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safemap.bench.statistics import Ratio
    from safemap.bench.summary.model import Crossover, Overall, Pick, Summary

NONE: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
TO: Final = "\N{EN DASH}"
FEW: Final = 3
"""What are more, are counted and not listed."""
_PREFIXES: Final = ((1e9, " s"), (1e6, " ms"), (1e3, " µs"), (0.0, " ns"))


def digits(number: float, significant: int = 3) -> str:
    """Return a number with so many digits, and commas where it is longer: "0.0213", "2.13", "2,130"."""
    if not math.isfinite(number):
        return "∞"
    if number == 0:
        return "0"
    places = significant - 1 - math.floor(math.log10(abs(float(f"{number:.{significant - 1}e}"))))
    return f"{number:,.{max(0, places)}f}"


def times(ratio: float) -> str:
    """Return a ratio in two digits, or three from 10 on, with the sign of multiplication behind it."""
    return digits(ratio, 2 if ratio < 10 else 3) + TIMES  # noqa: PLR2004 - as precise as it can be with few blocks


def ratio_of(ratio: Ratio) -> str:
    """Return a ratio to two decimals, or two digits."""
    return _fixed(ratio.value)


def _fixed(ratio: float) -> str:
    return f"{ratio:.2f}" if 0.1 <= ratio < 99.95 else digits(ratio, 2 if ratio < 1 else 3)  # noqa: PLR2004


def interval(ratio: Ratio) -> str:
    """Return the ends of the interval of a ratio; nothing if one block is all there was."""
    if ratio.low == ratio.high:
        return ""
    return between(_fixed(ratio.low), _fixed(ratio.high))


def between(low: str, high: str) -> str:
    """Return two figures with a dash between them."""
    return f"{low}{TO}{high}"


def mops(rate: float) -> str:
    """Return a rate in millions per second."""
    return digits(rate / 1e6)


def duration(ns: float) -> str:
    """Return a time with its unit, as "1.23 ms"."""
    unit, name = next((unit, name) for unit, name in _PREFIXES if ns >= unit)
    return f"{digits(ns / (unit or 1))}{name}"


def size(count: float) -> str:
    """Return an amount of memory, as "61.4 MB"."""
    for unit, name in ((1e9, " GB"), (1e6, " MB"), (1e3, " kB")):
        if count >= unit:
            return f"{digits(count / unit)}{name}"
    return f"{digits(count)} B"


def percent(share: float) -> str:
    """Return a share in percent, as "99.9 %"."""
    return f"{share * 100:.4g} %"


def many(count: int, noun: str) -> str:
    """Return a number of things, as "1 core" or "2 cores"."""
    return f"{count:,} {noun}" + "s" * (count != 1)


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return words as in "a, b, and c"."""
    if len(words) > 2:  # noqa: PLR2004 - a pair needs no comma
        words = [", ".join(words[:-1]) + ",", words[-1]]
    return f" {last} ".join(words)


def headline(summary: Summary) -> str:
    """Return the verdict on the whole, in a sentence."""
    found = summary.overall
    if found is None:
        return f"No verdict: {summary.reference}, which all are compared to, has no good figure."
    if len(summary.picks) == 1:
        return f"{summary.picks[0].workload}: take {found.pick}{_lead(summary.picks[0], summary.reference)}."
    return f"One map for everything: {found.pick}."


def grounds(summary: Summary) -> str:
    """Return why, and where another one is better; nothing for a single workload."""
    found = summary.overall
    if found is None or len(summary.picks) == 1:
        return ""
    text = _rank(found)
    if found.typical is not None and found.worst is not None:
        workload, best, factor = found.worst
        text += (
            f" Where it is behind, it typically has {percent(round(found.typical, 2))} of the best variant's "
            f"throughput; furthest in {workload}, where {best} is {times(factor)} as fast."
        )
    return text


def _rank(found: Overall) -> str:
    of = many(found.judged, "workload")
    where = f"all {of}" if found.leads == found.judged else f"{found.leads} of {of}"
    return f"It is the best variant, or not to be told from the best, in {where}."


def _lead(pick: Pick, reference: str) -> str:
    if pick.best != reference and pick.ratio is not None:
        within = interval(pick.ratio)
        text = f", {times(pick.ratio.value)} {reference}" + f" ({within})" * bool(within)
    elif pick.runner_up is not None and not pick.ties:
        text = f", {times(pick.runner_up[1])} {pick.runner_up[0]}"
    else:
        text = ""
    return text + (f"; {listed(pick.ties)} within noise" if pick.ties else "")


def verdict(pick: Pick, reference: str) -> str:
    """Return which variant to take for a workload, in a line."""
    if pick.best is None:
        return f"{pick.workload}: no verdict, for want of a good figure of {reference}"
    return f"{pick.workload}: {pick.best}{_lead(pick, reference)}"


def ties(pick: Pick) -> str:
    """Return which variants are not to be told from the best."""
    everybody = pick.runner_up is None and len(pick.ties) > 1
    return "all others" if everybody else ", ".join(pick.ties) or NONE


def not_for(needs: Sequence[str]) -> str:
    """Return when not to take it; nothing if there is nothing to say."""
    return f"Not if you need {listed(needs, 'or')}." if needs else ""


def ahead(summary: Summary, baseline: str) -> str:
    """Return where a baseline is faster than every variant; nothing if it nowhere is."""
    where = [(pick.workload, ratio) for pick in summary.picks for name, ratio in pick.faster if name == baseline]
    if len(where) <= FEW:
        return listed([f"{workload} ({times(ratio.value)} {summary.reference})" for workload, ratio in where])
    workload, ratio = max(where, key=lambda each: each[1].value)
    of = many(len(summary.picks), "workload")
    return f"{len(where)} of {of}, most of all in {workload} ({times(ratio.value)} {summary.reference})"


def crossover(found: Crossover) -> str:
    """Return what a crossover means."""
    low, high = (percent(share) for share in found.between)
    return (
        f"{found.above} overtakes {found.below} at {percent(round(found.reads, 3))} reads "
        f"(told apart at {low} and at {high})"
    )


def code(text: str) -> list[tuple[bool, str]]:
    """Return the parts of a text, and whether each is code."""
    return [(bool(at % 2), part) for at, part in enumerate(re.split(r"`([^`]*)`", text)) if part]

"""Tells whether something has become slower between two results, one before a change and one after.

Figures of two runs are not to be compared: machines have moods. What is compared is each contestant's ratio to a
plain dict in the same block, which a change of safemap does not touch. A change counts if the ratios of one run
are unlikely to come from the same urn as those of the other (the exact rank-sum test of Wilcoxon, 1945), and if
it is larger than the noise that either run shows in its control.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil, comb
from statistics import median
from typing import TYPE_CHECKING, Final, Literal

from safemap.bench.statistics import Ratio, interval_of, within_blocks
from safemap.bench.summary.words import many

if TYPE_CHECKING:
    from safemap.bench.results import Results

ANCHOR: Final = "dict"
UNLIKELY: Final = 0.005
"""One run in 200 has ratios so far apart by chance; with five blocks in each, it takes all of one beyond all of
the other. Many ratios are compared, so the noise floor has to be exceeded as well."""


class CompareError(ValueError):
    """Two results cannot be compared. The message is for the user, on one line."""


@dataclass(frozen=True, slots=True)
class Change:
    """How one contestant fares on one workload, after and before."""

    workload: str
    threads: int
    contestant: str
    ratio: Ratio
    """Of its ratio to a dict after, to that before: below 1 is slower."""
    verdict: Literal["slower", "faster", "same"]


def changes(old: Results, new: Results) -> list[Change]:
    """Return a change for each variant on each workload and number of threads that both results have.

    Raises CompareError where they have nothing in common, or too few blocks to tell anything.
    """
    found: list[Change] = []
    fewest: list[int] = []
    for workload in old.plan.threads:
        if workload not in new.plan.threads or old.plan.workload(workload) != new.plan.workload(workload):
            continue
        for threads in sorted(set(old.plan.threads[workload]) & set(new.plan.threads[workload])):
            before, after = old.throughputs(workload, threads), new.throughputs(workload, threads)
            kind = new.kind_of(workload)
            noise = max(old.noise(threads, kind), new.noise(threads, kind))
            for name in new.plan.names("variant"):
                was = within_blocks(before.get(name, {}), before.get(ANCHOR, {}))
                is_now = within_blocks(after.get(name, {}), after.get(ANCHOR, {}))
                if was and is_now:
                    fewest.append(min(len(was), len(is_now)))
                    found.append(_change(workload, threads, name, was=was, is_now=is_now, noise=noise))
    if not found:
        message = f"the two results have no workload, number of threads and variant in common, beside a {ANCHOR}"
        raise CompareError(message)
    if all(1 / comb(2 * blocks, blocks) > UNLIKELY for blocks in fewest):
        message = f"too few blocks to tell anything: {max(fewest)}; make 5 or more in each"
        raise CompareError(message)
    return found


def _change(
    workload: str, threads: int, name: str, *, was: list[float], is_now: list[float], noise: float
) -> Change:
    value = median(is_now) / median(was)
    low, high = interval_of([now / before for now, before in product(is_now, was)], min(len(was), len(is_now)))
    verdict: Literal["slower", "faster", "same"] = "same"
    if value < 1 / noise and likelihood(is_now, was) <= UNLIKELY:
        verdict = "slower"
    elif value > noise and likelihood(was, is_now) <= UNLIKELY:
        verdict = "faster"
    return Change(workload, threads, name, Ratio(value, min(low, value), max(high, value)), verdict)


def likelihood(low: list[float], high: list[float]) -> float:
    """Return how likely chance alone makes `low` as much lower than `high` as it is, or more.

    Counted over all ways to share the ranks out; ties count half for either.
    """
    wins = sum((a < b) + (a == b) / 2 for a, b in product(low, high))
    most = len(low) * len(high)
    ways = sum(_ways(len(low), len(high), beaten) for beaten in range(ceil(most - wins) + 1))
    return ways / comb(len(low) + len(high), len(low))


@cache
def _ways(first: int, second: int, wins: int) -> int:
    """Return in how many orders of so many firsts and seconds there are `wins` pairs whose first is the higher."""
    if wins < 0:
        return 0
    if first == 0 or second == 0:
        return int(wins == 0)
    return _ways(first - 1, second, wins - second) + _ways(first, second - 1, wins)


def words(old: Results, new: Results, found: list[Change]) -> list[str]:
    """Return what there is to say: what changed, a line each, and how far the two runs are alike."""
    lines = [
        f"{change.verdict}: {change.contestant} on {change.workload} ({many(change.threads, 'thread')}): "
        f"{change.ratio.value:.2f}x ({change.ratio.low:.2f}-{change.ratio.high:.2f})"
        for verdict in ("slower", "faster")
        for change in sorted(found, key=lambda change: change.ratio.value)
        if change.verdict == verdict
    ]
    same = sum(change.verdict == "same" for change in found)
    lines.append(f"{same} of {len(found)} ratios to {ANCHOR} are the same, within noise.")
    for name in ("interpreter", "gil", "compiled", "version", "cores", "processor", "platform"):
        was, is_now = getattr(old.environment, name), getattr(new.environment, name)
        if was != is_now:
            lines.append(f"Not alike: {name.replace('_', ' ')} was {was}, and is {is_now}.")
    return lines

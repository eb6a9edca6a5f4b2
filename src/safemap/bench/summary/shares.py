"""Throughput by the share of reads, and where contestants overtake one another."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

from safemap.bench.statistics import compare, differs
from safemap.bench.summary.measured import spread
from safemap.bench.summary.model import Crossover, ReadShares

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safemap.bench.results import Results, Scores

_NAMED: Final = re.compile(r"reads-(\d+(?:\.\d+)?)")


def read_shares(results: Mapping[str, Results], noise: float, threads: int) -> ReadShares | None:
    """Return it for the workloads named reads-N, with so many threads. None if there are not two."""
    named = {workload: _NAMED.fullmatch(workload) for workload in results}
    shares = sorted(
        (float(match[1]) / 100, workload)
        for workload, match in named.items()
        if match and threads in results[workload].plan.threads[workload]
    )
    if len(shares) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    plan = results[shares[0][1]].plan
    scores = [results[workload].throughputs(workload, threads) for _, workload in shares]
    variants, others = plan.names("variant"), plan.names("baseline")
    pairs = [(one, other) for one, other in combinations([*variants, *others], 2) if one in variants]
    return ReadShares(
        threads=threads,
        beyond=threads > results[shares[0][1]].environment.cores,
        workloads=tuple(workload for _, workload in shares),
        shares=tuple(share for share, _ in shares),
        crossovers=tuple(
            found for pair in pairs for found in crossovers([share for share, _ in shares], scores, pair, noise)
        ),
    )


def crossovers(
    shares: Sequence[float], scores: Sequence[Scores], pair: tuple[str, str], noise: float
) -> Iterator[Crossover]:
    """Yield where one of a pair overtakes the other: only where they are told apart on both sides.

    Between two shares, time per operation is taken to change evenly: it is a mean of the times of reads and of
    writes, and in one thread exactly that.
    """
    one, other = pair
    known = [at for at, score in enumerate(scores) if one in score and other in score]
    apart = [(at, ahead) for at in known if (ahead := _ahead(scores[at], pair, noise))]
    for (left, first), (right, second) in pairwise(apart):
        if first == second:
            continue
        between = [at for at in known if left <= at <= right]
        for here, there in pairwise(between):
            slower = [
                1 / spread(scores[at][one]).value - 1 / spread(scores[at][other]).value for at in (here, there)
            ]
            if slower[0] * first < 0 <= slower[1] * first or (there == right and slower[0] * first < 0):
                part = slower[0] / (slower[0] - slower[1]) if slower[0] != slower[1] else 0.5
                part = min(max(part, 0.0), 1.0)
                takes = [1 / spread(scores[at][one]).value for at in (here, there)]
                yield Crossover(
                    below=one if first > 0 else other,
                    above=other if first > 0 else one,
                    reads=shares[here] + (shares[there] - shares[here]) * part,
                    rate=1 / (takes[0] + (takes[1] - takes[0]) * part),
                    between=(shares[left], shares[right]),
                )
                break


def _ahead(score: Scores, pair: tuple[str, str], noise: float) -> int:
    """Return 1 if the first is ahead, -1 if the second is, 0 if they are not told apart."""
    ratio = compare(score[pair[0]], score[pair[1]])
    if ratio is None or not differs(ratio, noise):
        return 0
    return 1 if ratio.value > 1 else -1

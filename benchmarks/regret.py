"""How good the advice is: what its picks reach on workloads that it has not seen.

    python -m benchmarks.regret --results results.json --workloads 40 --seed 7

draws workloads (see `safemap.bench.drawn`), measures all variants on each, and asks for advice from the
results; the wanted figure is the share of cases in which the pick reaches at least 95 % of the best variant's
throughput (see `judging`). The same is told of advisers that know less: who always takes one and the same
variant, and who takes what was fastest on the nearest measured workload; and, where the same workloads have been
measured once more (`--again`), who goes by that, as `safemap recommend --measure` does. Takes a third of a second
for each workload, variant and block: 5 to 6 minutes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from benchmarks import nearest
from benchmarks.judging import GOOD, WANTED, Case, case, wilson
from benchmarks.unseen import BLOCKS, SECONDS
from benchmarks.unseen import measure as measure_plan
from benchmarks.unseen import plan as plan_for
from safemap.bench import store
from safemap.bench.drawn import draw
from safemap.bench.measured import NAMES, digest
from safemap.bench.recommend.advice import advice_from
from safemap.bench.results import Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safemap.bench.measured import Measured
    from safemap.bench.recommend.advice import Advice

ADVICE = "the advice"
MEASURING = "measuring it first"
NEAREST = "the nearest workload's best"


def measure(options: argparse.Namespace) -> Results:
    """Draw workloads and measure them."""
    workloads = draw(options.workloads, options.seed)
    plan = plan_for(workloads, options.threads, options.blocks, options.seconds, options.seed)
    return measure_plan(plan, " ".join(sys.argv))


def judge(measured: Measured, unseen: Results, again: Results | None = None) -> tuple[list[Case], list[bool]]:
    """Return what picks are worth, and for each ratio that the advice told whether its interval has the measured
    one.

    `again`: another measurement of the same workloads, for an adviser who measures them beforehand.
    """
    beforehand = None if again is None else digest(again)
    cases: list[Case] = []
    covered: list[bool] = []
    for workload in unseen.plan.workloads:
        for threads in unseen.plan.threads[workload.name]:
            scores = unseen.throughputs(workload.name, threads)
            if not scores:
                continue
            advice = advice_from(measured, workload, threads, origin="file", environment=unseen.environment)
            picks = {ADVICE: str(advice.pick)}
            if beforehand is not None:
                told = advice_from(beforehand, workload, threads, origin="now", environment=unseen.environment)
                picks[MEASURING] = str(told.pick)
            picks[NEAREST] = nearest.pick(measured.points, workload, threads)
            picks |= {f"always {name}": name for name in NAMES}
            cases.append(case(str(workload), threads, scores, picks))
            covered += _covered(advice, unseen, workload.name)
    return cases, covered


def _covered(advice: Advice, unseen: Results, name: str) -> list[bool]:
    scores = unseen.throughputs(name, advice.threads)
    pick = scores.get(str(advice.pick), {})
    found: list[bool] = []
    for other in advice.others:
        blocks = sorted(pick.keys() & scores.get(other.name, {}).keys())
        if blocks:
            ratio = sorted(pick[block] / scores[other.name][block] for block in blocks)[len(blocks) // 2]
            found.append(other.ratio.low <= ratio <= other.ratio.high)
    return found


def table(cases: Sequence[Case]) -> list[str]:
    """Return a line for each case."""
    lines = [f"{'pick':15} {'best':15} {'share':>6} {'apparent':>8}  threads, workload"]
    lines += [
        f"{each.picks[ADVICE]:15} {each.best:15} {each.shares[ADVICE]:6.2f} {each.apparent[ADVICE]:8.2f}"
        f"  {each.threads}, {each.workload}"
        for each in cases
    ]
    return lines


def summary(cases: Sequence[Case], covered: Sequence[bool]) -> list[str]:
    """Return a line for each adviser, and what is to be said of the advice besides."""
    lines = [
        f"Picks that reach {GOOD:.0%} of the best, 95 % interval; mean and lowest share; {len(cases)} workloads:"
    ]
    for adviser in cases[0].picks:
        shares = [each.shares[adviser] for each in cases]
        apparent = [each.apparent[adviser] for each in cases]
        lines.append(f"  {adviser:28} {_reached(shares)}   beside the apparent best: {_reached(apparent)}")
    good, of = reached([each.shares[ADVICE] for each in cases]), len(cases)
    lines.append(f"Wanted of the advice: {WANTED:.0%}. It is {'met' if good >= WANTED * of else 'missed'}.")
    measuring = [each.measuring for each in cases if each.measuring is not None]
    if measuring:
        lines.append(f"Measuring the workload itself, in half as many blocks, would reach: {_reached(measuring)}")
    if covered:
        lines.append(f"{fmean(covered):.0%} of the ratios that it told lie in their 95 % intervals.")
    return lines


def reached(shares: Sequence[float]) -> int:
    """Return how many shares are good."""
    return sum(each >= GOOD for each in shares)


def _reached(shares: Sequence[float]) -> str:
    good, of = reached(shares), len(shares)
    low, high = wilson(good, of)
    return f"{good / of:4.0%} ({low:.0%} to {high:.0%}); {fmean(shares):.3f}, {min(shares):.2f}"


def _threads(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regret", description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, help="what to advise from; without: what ships with the package")
    parser.add_argument("--workloads", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--threads", type=_threads, default=(1, 2), help="numbers that workloads take turns in, as 1,2"
    )
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="the length of a window")
    parser.add_argument("--out", type=Path, help="keep what was measured of the drawn workloads, as results")
    parser.add_argument("--measured", type=Path, help="judge what --out kept, and measure nothing")
    parser.add_argument("--again", type=Path, help="what --out kept of the same workloads, another time")
    options = parser.parse_args()
    unseen = Results.load(options.measured) if options.measured else measure(options)
    if options.out:
        unseen.save(options.out)
    if options.results:
        measured = digest(Results.load(options.results))
    else:
        measured = store.closest(unseen.environment, list(store.recorded()))
    again = Results.load(options.again) if options.again else None
    cases, covered = judge(measured, unseen, again)
    print(*table(cases), "", *summary(cases, covered), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()

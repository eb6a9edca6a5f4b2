"""Verdicts in words, and what has to be said with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safemap.bench.contestants import REFERENCE
from safemap.bench.environment import gil_enabled
from safemap.bench.wordindex import NAME as WORD_INDEX
from safemap.bench.wordindex import THREADS as INDEX_THREADS

if TYPE_CHECKING:
    from safemap.bench.environment import Environment
    from safemap.bench.results import Results
    from safemap.bench.statistics import Verdict

CALM: Final = 0.9
"""The share of the cores that threads get on a machine that does nothing besides; less is worth a warning."""
FEW_BLOCKS: Final = 5
"""With fewer, an interval of the median is the range of the figures, and not even that in 95 % of cases."""


def verdicts(results: Results, cores: int) -> list[str]:
    """Return a line for each workload: which variant to take, by how much, and what it cannot be told from."""
    lines = [f"{name}: {_words(verdict)} ({where})" for name, where, verdict in _verdicts(results, cores)]
    if results.plan.index and results.corpus is None:
        lines.append(f"{WORD_INDEX}: not measured")
    return lines


def _verdicts(results: Results, cores: int) -> list[tuple[str, str, Verdict | None]]:
    plan = results.plan
    threads = plan.judged_threads(cores)
    found = [
        (workload.name, many(threads, "thread"), results.verdict(workload.name, threads))
        for workload in plan.workloads
    ]
    if results.corpus is not None:
        found.append((WORD_INDEX, f"{INDEX_THREADS} threads on {many(cores, 'core')}", results.index_verdict()))
    return found


def _words(verdict: Verdict | None) -> str:
    if verdict is None:
        return f"no verdict, for want of a good figure of {REFERENCE}"
    if verdict.best != REFERENCE:
        words = f"{verdict.best}, {times(verdict.ratio.value)} {REFERENCE}"
    elif verdict.runner_up is not None and not verdict.ties:
        words = f"{REFERENCE}, {times(verdict.runner_up[1])} {verdict.runner_up[0]}"
    else:
        words = REFERENCE
    return words + (f"; {', '.join(verdict.ties)} within noise" if verdict.ties else "")


def warnings(results: Results, environment: Environment) -> list[str]:
    """Return what a reader has to know of ratios, noise, baselines and the machine; a line each."""
    plan = results.plan
    threads = plan.judged_threads(environment.cores)
    floors = [(many(threads, "thread"), results.noise(threads))] * bool(plan.workloads)
    floors += [(WORD_INDEX, results.index_noise())] * (results.corpus is not None)
    lines = [
        f"Ratios are medians of ratios to {REFERENCE} within blocks, higher is better; (95% interval).",
        f"Within noise: what {REFERENCE}, run twice in every block, differs from itself; here below "
        + ", ".join(f"{floor:.2f}x ({where})" for where, floor in floors),
    ]
    if results.blocks < FEW_BLOCKS:
        lines.append(f"{many(results.blocks, 'block')} only: intervals and noise are guesses.")
    ahead = {
        contestant.name: [
            f"{name} ({times(ratio.value)})"
            for name, _, verdict in _verdicts(results, environment.cores)
            for faster, ratio in (verdict.faster if verdict else ())
            if faster == contestant.name
        ]
        for contestant in plan.contestants
        if contestant.lacks
    }
    for contestant in plan.contestants:
        if contestant.lacks:
            where = ", ".join(ahead[contestant.name])
            lead = f"faster than every variant in {where}; but " if where else ""
            lines.append(f"({contestant.name}) {lead}never a verdict's choice: {contestant.lacks}.")
    possible = 1 if environment.gil else min(threads, environment.cores)
    had = results.cores_had(threads)
    if had is not None and had < possible * CALM:
        lines.append(
            f"The machine was busy: {many(threads, 'thread')} on a plain dict got {had:.1f} of "
            f"{many(possible, 'core')}. Figures are low, and say little about scaling."
        )
    if environment.gil != gil_enabled():
        lines.append("The GIL was turned on meanwhile, by something that was imported.")
    return lines


def times(ratio: float) -> str:
    """Return a ratio in two digits, as "1.4x"."""
    return f"{ratio:.0f}x" if ratio >= 9.95 else f"{ratio:.1f}x"  # noqa: PLR2004


def many(count: int, noun: str) -> str:
    """Return a number of things, as "1 core" or "2 cores"."""
    return f"{count:,} {noun}" + "s" * (count != 1)

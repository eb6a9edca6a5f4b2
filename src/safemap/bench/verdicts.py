"""Verdicts in words, and what has to be said with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safemap.bench.contestants import REFERENCE

if TYPE_CHECKING:
    from safemap.bench.results import Results
    from safemap.bench.statistics import Verdict

CALM: Final = 0.9
"""The share of the cores that threads get on a machine that does nothing besides; less is worth a warning."""
FEW_BLOCKS: Final = 5
"""With fewer, an interval of the median is the range of the figures, and not even that in 95 % of cases."""


def verdicts(results: Results) -> list[str]:
    """Return a line for each workload: which variant to take, by how much, and what it cannot be told from."""
    cores = results.environment.cores
    return [
        f"{name}: {words(results.verdict(name, threads))} ({where(threads, cores)})"
        for name, threads in judged(results)
    ]


def judged(results: Results) -> list[tuple[str, int]]:
    """Return each workload, and the number of threads that its verdict speaks of."""
    cores = results.environment.cores
    return [(name, results.plan.judged_threads(name, cores)) for name in results.plan.threads]


def where(threads: int, cores: int) -> str:
    """Return the number of threads in words, and that of cores if it is less."""
    return many(threads, "thread") + (f" on {many(cores, 'core')}" if threads > cores else "")


def words(verdict: Verdict | None) -> str:
    """Return what a verdict says."""
    if verdict is None:
        return f"no verdict, for want of a good figure of {REFERENCE}"
    if verdict.best != REFERENCE:
        said = f"{verdict.best}, {times(verdict.ratio.value)} {REFERENCE}"
    elif verdict.runner_up is not None and not verdict.ties:
        said = f"{REFERENCE}, {times(verdict.runner_up[1])} {verdict.runner_up[0]}"
    else:
        said = REFERENCE
    return said + (f"; {', '.join(verdict.ties)} within noise" if verdict.ties else "")


def warnings(results: Results) -> list[str]:
    """Return what a reader has to know of ratios, noise, baselines and the machine; a line each."""
    plan = results.plan
    floors = {
        (kind, threads): results.noise(threads, kind)
        for name, threads in judged(results)
        for kind in (results.kind_of(name),)
    }
    lines = [
        f"Ratios are medians of ratios to {REFERENCE} within blocks, higher is better; (95% interval).",
        f"Within noise: what {REFERENCE}, run twice in every block, differs from itself, and never less than "
        "1.05x; here below "
        + ", ".join(
            f"{floor:.2f}x ({many(threads, 'thread')}{', jobs' * (kind == 'job')})"
            for (kind, threads), floor in sorted(floors.items())
        ),
    ]
    if results.blocks < FEW_BLOCKS:
        lines.append(f"{many(results.blocks, 'block')} only: intervals and noise are guesses.")
    if results.ended is None:
        lines.append("Not all that was planned has been measured.")
    lines += [
        f"Given up: {who} on {name}: {why}" for name in plan.threads for who, why in results.capped(name).items()
    ]
    lines += _baselines(results)
    lines += _machine(results)
    return [*lines, *plan.notes]


def _baselines(results: Results) -> list[str]:
    ahead: dict[str, list[str]] = {}
    for name, threads in judged(results):
        verdict = results.verdict(name, threads)
        for faster, ratio in verdict.faster if verdict else ():
            ahead.setdefault(faster, []).append(f"{name} ({times(ratio.value)})")
    lines: list[str] = []
    for entrant in results.plan.entrants:
        if entrant.role == "baseline" and entrant.lacks:
            where_ahead = ", ".join(ahead.get(entrant.name, []))
            lead = f"faster than every variant in {where_ahead}; but " if where_ahead else ""
            lines.append(f"({entrant.name}) {lead}never a verdict's choice: {entrant.lacks}.")
    return lines


def _machine(results: Results) -> list[str]:
    environment = results.environment
    threads = max(count for _, count in judged(results))
    possible = 1 if environment.gil else min(threads, environment.cores)
    had = results.cores_had(threads)
    lines: list[str] = []
    if had is not None and had < possible * CALM:
        lines.append(
            f"The machine was busy: {many(threads, 'thread')} on a plain dict got {had:.1f} of "
            f"{many(possible, 'core')}. Figures are low, and say little about scaling."
        )
    changed = results.gil_changed()
    if changed:
        lines.append(f"The GIL was turned on meanwhile, by what {', '.join(changed)} imported.")
    return lines


def times(ratio: float) -> str:
    """Return a ratio in two digits, as "1.4x"."""
    return f"{ratio:.0f}x" if ratio >= 9.95 else f"{ratio:.1f}x"  # noqa: PLR2004 - from where it would be "10.0"


def many(count: int, noun: str) -> str:
    """Return a number of things, as "1 core" or "2 cores"."""
    return f"{count:,} {noun}" + "s" * (count != 1)

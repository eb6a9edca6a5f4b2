"""Which variant to take, and when not to."""

from __future__ import annotations

import math
import re
from statistics import median
from typing import TYPE_CHECKING, Final

import safemap
from safemap.bench.contestants import REFERENCE
from safemap.bench.statistics import differs, judge
from safemap.bench.summary.model import Overall, Pick, Promise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safemap.bench.plan import Plan
    from safemap.bench.results import Results, Scores
    from safemap.bench.statistics import Ratio
    from safemap.bench.summary.model import Measured

UNKNOWN: Final = "not told"
"""The guarantees of a variant that another package added."""

_FAMILIES: Final = (
    (r"reads-[\d.]+", "Reads and overwrites"),
    (r".*@.*", "The same, one axis changed"),
    (r"go-.*", "As Go measures sync.Map"),
    (r"ycsb-.*", "YCSB"),
    (r"drawn-.*", "Drawn at random"),
)
_PATTERNS: Final = "Patterns of use"
_JOBS: Final = "Jobs"

_ROWS: Final = {
    "mechanism": "mechanism",
    "operations on one key": "single_key",
    "a reader waits for a writer": "reader_waits_for_writer",
    "a user's function excludes": "function_excludes",
    "iteration": "iteration",
    "insertion order": "insertion_order",
    "`update(many)`": "update",
    "`len` while others write": "length",
    "`snapshot()`": "snapshot",
}
"""The titles of the table of guarantees, as the README has them, and the fields that they stand for."""

_NEEDS: Final[Sequence[tuple[str, object, str]]] = (
    ("insertion_order", False, "insertion order"),
    ("iteration", "weak", "iteration over one moment"),
    ("update", "key by key", "updates of many keys that appear all at once"),
    ("length", "approximate", "an exact `len` while others write"),
    ("reader_waits_for_writer", "yes", "readers that never wait for writers"),
    (
        "reader_waits_for_writer",
        "no, once the key is in the read table",
        "new keys read without waiting for writers",
    ),
    ("function_excludes", "the map", "slow functions that stop nobody else"),
    ("function_excludes", "the map's writers", "slow functions that stop no other writer"),
    ("snapshot", "O(n)", "frequent snapshots of a large map"),
)
"""What those need who had better not take a variant that promises this."""


def _guarantees(variant: str) -> safemap.Guarantees | None:
    return next((cls.guarantees for cls in safemap.KINDS.values() if cls.__name__ == variant), None)


def not_for(variant: str | None) -> tuple[str, ...]:
    """Return the needs that a variant does not meet."""
    promised = _guarantees(variant) if variant else None
    if promised is None:
        return ()
    return tuple(need for field, value, need in _NEEDS if getattr(promised, field) == value)


def promises(variants: Sequence[str]) -> tuple[Promise, ...]:
    """Return the table of guarantees, a value for each variant."""
    columns = [_guarantees(name) for name in variants]
    return tuple(
        Promise(title, tuple(UNKNOWN if each is None else _word(getattr(each, field)) for each in columns))
        for title, field in _ROWS.items()
    )


def _word(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def family(plan: Plan, workload: str) -> str:
    """Return the heading below which a workload stands."""
    if workload in plan.jobs:
        return _JOBS
    return next((title for form, title in _FAMILIES if re.fullmatch(form, workload)), _PATTERNS)


def pick(results: Results, workload: str, threads: int, scores: Scores, noise: float) -> Pick:
    """Return which variant to take for a workload."""
    plan = results.plan
    verdict = judge(scores, plan.names("variant"), plan.names("baseline"), REFERENCE, noise)
    known = plan.workload(workload)
    return Pick(
        workload=workload,
        about=known.about,
        # What stands for a job has a mix that means nothing.
        described="" if workload in plan.jobs else str(known),
        family=family(plan, workload),
        threads=threads,
        beyond=threads > results.environment.cores,
        best=verdict.best if verdict else None,
        ratio=verdict.ratio if verdict else None,
        ties=verdict.ties if verdict else (),
        runner_up=verdict.runner_up if verdict else None,
        faster=verdict.faster if verdict else (),
        not_for=not_for(verdict.best if verdict else None),
    )


def overall(
    picks: Sequence[Pick],
    variants: Sequence[str],
    measured: Sequence[Measured],
    faulty: set[str],
) -> Overall | None:
    """Return the one variant to take: it is best, or not to be told from the best, in most workloads.

    Of those that are so equally often, it is the reference, being the simplest; else the one with the highest
    geometric mean of ratios. One that came out wrong anywhere is out.
    """
    judged = [each for each in picks if each.best is not None]
    if not judged:
        return None
    ratios: dict[str, dict[str, Ratio]] = {}
    for each in measured:
        if each.judged and each.ratio is not None and each.contestant in variants:
            ratios.setdefault(each.workload, {})[each.contestant] = each.ratio

    def leads(name: str) -> int:
        return sum(name in (each.best, *each.ties) for each in judged)

    def mean(name: str) -> float:
        known = [math.log(of[name].value) for of in ratios.values() if name in of and of[name].value > 0]
        return sum(known) / len(known) if known else -math.inf

    sound = [name for name in variants if name not in faulty]
    if not sound:
        return None
    if len(judged) == 1 and judged[0].best in sound:
        best = judged[0].best
    else:
        best = max(sound, key=lambda name: (leads(name), name == REFERENCE, mean(name)))
    # Whether it is behind was judged within blocks; by how much is told from the medians.
    behind = {
        each.workload: ratios[each.workload][best].value / max(of.value for of in ratios[each.workload].values())
        for each in judged
        if best not in (each.best, *each.ties) and best in ratios[each.workload]
    }
    worst = None
    if behind:
        furthest = min(behind, key=lambda workload: behind[workload])
        leader = max(ratios[furthest], key=lambda name: ratios[furthest][name].value)
        worst = (furthest, leader, 1 / behind[furthest])
    return Overall(
        pick=best,
        judged=len(judged),
        leads=leads(best),
        typical=median(behind.values()) if behind else None,
        worst=worst,
        not_for=not_for(best),
    )


def is_tie(ratio: Ratio, noise: float) -> bool:
    """Return whether a ratio is within noise."""
    return not differs(ratio, noise)

"""The sections to decide by: the verdict, what each variant promises, and the map of ratios."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from safemap.bench.html.markup import Cell, Row, bullets, label, number, paragraphs, table, text
from safemap.bench.summary import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safemap.bench.summary.model import Measured, Pick, Summary

STEPS: Final = (1.0, 1.25, 2.0, 4.0)
"""Where the colours of ratios begin, and of their reciprocals."""


def verdict(summary: Summary) -> str:
    """Return what to take, for all workloads and for each."""
    overall = summary.overall
    parts = [f'<p class="lead">{text(words.headline(summary))}</p>\n', paragraphs(words.grounds(summary))]
    if overall is not None and overall.not_for:
        parts.append(f'<p class="unless">{text(words.not_for(overall.not_for))}</p>\n')
    parts.append(bullets(summary.cautions, "cautions"))
    if len(summary.picks) > 1:
        parts.append("<h3>Your workload</h3>\n")
        parts.append(_named(summary))
    if summary.picks:
        heads = (
            "Your workload",
            "Take",
            f"{words.TIMES} {summary.reference}",
            "Not to be told from it",
            "Lead",
            "Threads",
        )
        parts.append(table("The variant to take for each workload", heads, map(_pick, summary.picks), "picks"))
        parts.append(
            f'<p class="note">Ratios are medians of ratios to {text(summary.reference)} within blocks, '
            "higher is better, with 95 % intervals. Of variants that cannot be told apart the simplest is named."
            + " * more threads than cores: nothing is claimed." * any(pick.beyond for pick in summary.picks)
            + "</p>\n"
        )
    parts.append(_ahead(summary))
    return "".join(parts)


def _named(summary: Summary) -> str:
    """Return how often each variant is named, and when not to take it."""
    counts = Counter(pick.best for pick in summary.picks if pick.best is not None)
    needs = {pick.best: pick.not_for for pick in summary.picks}
    items = "".join(
        f"<dt>{text(name)} <span>{words.many(count, 'workload')}</span></dt>"
        f"<dd>{text(words.not_for(needs[name]))}</dd>\n"
        for name, count in counts.most_common()
    )
    return f'<dl class="named">\n{items}</dl>\n' if items else ""


def _pick(pick: Pick) -> Row:
    about = f'<span class="about">{text(pick.about)}</span>' if pick.about else ""
    behind = f"{words.times(pick.runner_up[1])} {pick.runner_up[0]}" if pick.runner_up else words.NONE
    return Row(
        f"{text(pick.workload)}{about}",
        [
            Cell(f"<strong>{text(pick.best)}</strong>" if pick.best else "no verdict"),
            _ratio(pick) if pick.ratio else number(None, ""),
            label(words.ties(pick)),
            label(behind),
            Cell(f"{pick.threads}{'*' * pick.beyond}", pick.threads, "n"),
        ],
        pick.family,
    )


def _ratio(pick: Pick | Measured) -> Cell:
    if pick.ratio is None:
        return number(None, "")
    within = words.interval(pick.ratio)
    shown = words.ratio_of(pick.ratio) + (f" <small>{within}</small>" if within else "")
    return Cell(shown, pick.ratio.value, "n")


def _ahead(summary: Summary) -> str:
    """Return what the baselines lack that are shown, and where they beat every variant."""
    rows: list[Row] = []
    for contestant in summary.contestants:
        if contestant.role == "baseline":
            where = words.ahead(summary, contestant.name) or words.NONE
            rows.append(Row(text(contestant.name), [label(where), label(contestant.lacks)]))
    if not rows:
        return ""
    heads = ("Baseline", "Faster than every variant in", "Why it is never picked")
    return "<h3>What is not picked, however fast</h3>\n" + table("Baselines", heads, rows, "prose")


def guarantees(summary: Summary) -> str:
    """Return the table of what each variant promises."""
    rows = [Row(text(each.title), [label(value) for value in each.values]) for each in summary.promises]
    if not summary.variants:
        return paragraphs("No variant was measured.")
    return table("What each variant promises beyond the contract", ("", *summary.variants), rows, "prose")


def heat_map(summary: Summary) -> str:
    """Return the map of ratios: workloads by contestants, at the number of threads that is judged."""
    names = [each.name for each in summary.contestants if each.role != "floor"]
    if not summary.picks:
        return paragraphs("Nothing has been measured yet.")
    rows = [
        Row(f"{text(pick.workload)}", [*_heat(summary, pick.workload, names)], pick.family)
        for pick in summary.picks
    ]
    caption = f"Throughput, {summary.reference} = 1"
    return (
        paragraphs(
            f"Throughput as a multiple of {summary.reference}'s, in the same block, with the 95 % interval; "
            "bluer is faster. What is hatched is a tie: nearer to 1 than the noise floor, or with 1 in its "
            "interval."
        )
        + _scale()
        + table(caption, ("", *names), rows, "heat", repeat=True)
        + _troubles(summary)
    )


def _scale() -> str:
    marks = [("d4", "below 0.25"), ("d3", "0.25"), ("d2", "0.5"), ("d1", "0.8"), ("tie", "tie")]
    marks += [("u1", "to 1.25"), ("u2", "1.25"), ("u3", "2"), ("u4", "4 and more")]
    return '<p class="scale">' + "".join(f'<span class="{name}">{word}</span>' for name, word in marks) + "</p>\n"


def _heat(summary: Summary, workload: str, names: list[str]) -> Iterator[Cell]:
    found = {each.contestant: each for each in summary.of(workload)}
    for name in names:
        each = found.get(name)
        if each is None or each.state == "not measured":
            yield Cell(words.NONE, classes="none")
        elif each.state != "good":
            yield Cell({"fault": "WRONG"}.get(each.state, each.state), classes=each.state, rate=each.why)
        elif each.throughput is None or each.ratio is None:
            yield Cell(words.NONE, classes="none")
        else:
            within = words.interval(each.ratio) if name != summary.reference else ""
            shown = "1" if name == summary.reference else words.ratio_of(each.ratio)
            classes = "one" if name == summary.reference else "tie" if each.tie else _step(each.ratio.value)
            yield Cell(
                shown + (f"<small>{within}</small>" if within else ""),
                classes=classes,
                rate=f"{words.mops(each.throughput.value)} million per second",
            )


def _step(ratio: float) -> str:
    far = max(ratio, 1 / ratio) if ratio > 0 else math.inf
    return ("u" if ratio > 1 else "d") + str(sum(far >= step for step in STEPS))


def _troubles(summary: Summary) -> str:
    words_of = {"fault": "WRONG", "capped": "capped"}
    return bullets(
        (f"{words_of[each.state]}: {each.contestant} on {each.workload}: {each.why}" for each in summary.troubles),
        "cautions",
    )

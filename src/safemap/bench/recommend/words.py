"""Advice in words: a few plain lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safemap.bench.contestants import REFERENCE
from safemap.bench.recommend.needs import NEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safemap.bench.environment import Environment
    from safemap.bench.recommend.advice import Advice, Other
    from safemap.bench.statistics import Ratio


def words(advice: Advice) -> list[str]:
    """Return the advice: the pick first, then what it stands on. Details are indented."""
    threads = f"{advice.threads} thread" + "s" * (advice.threads != 1)
    nobody = "No variant that was measured" if advice.unmeasured else "No variant"
    lines = [f"{advice.pick or nobody}, for {advice.workload}; {threads}"]
    lines += _comparison(advice)
    if advice.unmeasured:
        lines.append(f"Not measured there, and so not ranked: {', '.join(advice.unmeasured)}.")
    lines += _needs(advice)
    lines += _basis(advice)
    return lines


def _comparison(advice: Advice) -> Iterator[str]:
    if advice.pick is None:
        return
    if not advice.others:
        measured = " of those measured" if advice.unmeasured else ""
        yield f"It is the only variant{measured} that meets the needs."
    else:
        yield "Throughput, beside that of the others, with 95 % intervals:"
        yield from map(_other, advice.others)
    if advice.ties:
        simplest = f"; {REFERENCE} is the simplest" if REFERENCE in advice.ties else ""
        yield f"Not to be told from it: {', '.join(advice.ties)}{simplest}."


def _other(other: Other) -> str:
    return f"  {_ratio(other.ratio)} {other.name}" + ", a tie" * other.tied


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.value:.2f}x ({ratio.low:.2f} to {ratio.high:.2f})"


def _needs(advice: Advice) -> Iterator[str]:
    for ruling in advice.rulings:
        about = f"{ruling.need} ({NEEDS[ruling.need].about})"
        if not ruling.out:
            yield f"{about} rules out nothing."
            continue
        yield f"{about} rules out, by `guarantees.{ruling.field}`:"
        for value in dict.fromkeys(ruling.out.values()):
            names = [name for name, its in ruling.out.items() if its == value]
            yield f"  {', '.join(names)}: {_value(value)}"
    for needs in advice.contradictions:
        if len(needs) == 1:
            yield f"No variant meets {needs[0]}."
        else:
            yield f"These needs contradict one another, no variant meets all of them: {', '.join(needs)}."
    for compromise in advice.compromises:
        yield f"  without {_joined(compromise.without)}: {compromise.pick}"
    for other in advice.faster:
        faster = f"{1 / other.ratio.value:.2f}x ({1 / other.ratio.high:.2f} to {1 / other.ratio.low:.2f})"
        yield f"What the needs cost: {other.name} would reach {faster} the throughput."


def _basis(advice: Advice) -> Iterator[str]:
    if advice.measured:
        yield "This very workload was measured."
    else:
        yield (
            f"Predicted: {advice.workloads} other workloads were measured, this one was not; "
            "`--measure` does, in ten seconds or so."
        )
    if advice.extrapolates:
        yield "It extrapolates:"
        yield from (f"  {line}" for line in advice.extrapolates)
    blocks = f"{advice.blocks} block" + "s" * (advice.blocks != 1)
    where = {
        "now": "Measured just now",
        "own": "From this machine's results",
        "file": "From the results given",
        "recorded": "There are no results of this machine yet; from those that ship with safemap",
    }[advice.origin]
    yield f"{where}: {_environment(advice.environment)}; {advice.began[:10]}, {blocks}."
    yield f"Ratios below {advice.noise:.2f}x are within their noise."


def _environment(environment: Environment) -> str:
    gil = "GIL" if environment.gil else "no GIL"
    speed = "compiled" if environment.compiled else "plain Python"
    return f"{environment.interpreter}, {gil}, {speed}, {environment.processor}, {environment.cores} cores"


def _value(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _joined(things: Iterable[str]) -> str:
    return " and ".join(things)

"""Contestants timed in turns, so that whatever the machine does hits all of them."""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from benchmarks.loops import own_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.loops import Loop

WARM_UP: Final = 2
"""Rounds that are not counted."""


def in_turns(
    benchmark: Any,
    contestants: Sequence[tuple[Loop, Any]],
    turns: Iterator[tuple[Sequence[Any], Sequence[Any]]],
    rounds: int,
) -> list[float]:
    """Return how many ns a step takes each of `contestants` (loop and mapping): medians over rounds.

    A round is a turn of each, with keys and values of its own from `turns`. pytest-benchmark gets the turns of
    the last one.
    """
    entered = [(own_code(loop), mapping) for loop, mapping in contestants]
    taken: list[list[float]] = [[] for _ in entered]

    def take_turn(number):
        loop, mapping = entered[number]
        keys, values = next(turns)
        begin = perf_counter_ns()
        loop(mapping, keys, values)
        taken[number].append((perf_counter_ns() - begin) / len(keys))

    def others_take_turns():
        for number in range(len(entered) - 1):
            take_turn(number)

    gc.disable()
    try:
        benchmark.pedantic(
            take_turn, args=(len(entered) - 1,), setup=others_take_turns, rounds=rounds, warmup_rounds=WARM_UP
        )
    finally:
        gc.enable()
    return [median(each[-rounds:]) for each in taken]

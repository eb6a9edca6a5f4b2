"""How unevenly keys are used, from a sample of uses.

The exponent of a Zipf distribution is fitted by the chance that two uses are of the same key (the second frequency
moment of Alon, Matias and Szegedy, 1996), which pairs of a sample estimate without bias. To rank the
keys of a sample by their counts, and to fit a line, would find skew where there is none: some key always comes
first by luck.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_SUMMED: Final = 1_000
"""Terms that are added one by one; the others are an integral, wrong by less than a term."""
STEEPEST: Final = 10.0
"""As `Workload.skew` has it."""


def harmonic(n: int, exponent: float) -> float:
    """Return the sum of 1/k**exponent for k from 1 to n. O(1)."""
    first = min(n, _SUMMED)
    total: float = sum(k**-exponent for k in range(1, first + 1))
    if n > first:
        low, high = first + 0.5, n + 0.5
        if abs(exponent - 1) < 1e-9:  # noqa: PLR2004 - where the formula divides by nothing
            exponent = 1 + 1e-9
        total += (high ** (1 - exponent) - low ** (1 - exponent)) / (1 - exponent)
    return total


def same_key(uses: Iterable[int]) -> tuple[float, int]:
    """Return the chance that two of these uses are of the same key, and how many pairs are."""
    counts = Counter(uses)
    number = counts.total()
    pairs = sum(count * (count - 1) for count in counts.values()) // 2
    return (2 * pairs / (number * (number - 1)) if number > 1 else 0.0), pairs


def zipf_exponent(uses: Sequence[int], keys: int) -> float:
    """Return the exponent of the Zipf distribution over so many keys whose uses collide as often as these."""
    chance, _ = same_key(uses)
    return _solved(lambda exponent: harmonic(keys, 2 * exponent) / harmonic(keys, exponent) ** 2, chance)


def exponent_of_first(share: float, keys: int) -> float:
    """Return the exponent of the Zipf distribution over so many keys whose first has this share of the uses."""
    return _solved(lambda exponent: 1 / harmonic(keys, exponent), share)


def disjoint(uses: Iterable[tuple[int, int]]) -> bool:
    """Return whether each thread has keys of its own. `uses`: of which thread, of which key."""
    known = Counter(uses)
    threads, keys = Counter[int](), Counter[int]()
    for (thread, key), count in known.items():
        threads[thread] += count
        keys[key] += count
    number = threads.total()
    within_pairs = sum(count * (count - 1) for count in threads.values())
    within = sum(count * (count - 1) for count in known.values())
    across_pairs = number * (number - 1) - within_pairs
    across = sum(count * (count - 1) for count in keys.values()) - within
    enough = 40  # twenty pairs: chance alone does not make them one thread's
    if not across_pairs or within < enough:
        return False
    return across / across_pairs < within / within_pairs / 10


def _solved(function: Callable[[float], float], wanted: float) -> float:
    """Return where a rising function has a value; the end, where it does not reach it."""
    low, high = 0.0, STEEPEST
    for _ in range(40):
        middle = (low + high) / 2
        if function(middle) < wanted:
            low = middle
        else:
            high = middle
    return low

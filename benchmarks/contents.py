"""What the mappings hold, and the keys that a turn asks for. The same whenever it is run."""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED: Final = 20_26
PER_TURN: Final = 5_000
"""Operations in a turn: some hundred microseconds of the fastest."""
KEY_TYPES: Final = ("str", "int")


@lru_cache(maxsize=1)
def contents(keys: str, size: int, *, shuffled: bool) -> dict[Any, int]:
    """Return `size` items, none of whose keys or values is immortal or used elsewhere.

    Filled in the order in which they were made the items lie in memory in dict's order; `shuffled`: in none.
    """
    chance = random.Random(SEED)  # noqa: S311
    names: list[Any] = (
        [f"key-{number}" for number in range(size)]
        if keys == "str"
        else chance.sample(range(1 << 32, 1 << 60), size)
    )
    items = list(zip(names, count(10**12), strict=False))
    if shuffled:
        chance.shuffle(items)
    return dict(items)


@lru_cache(maxsize=8)  # five variants and three rivals
def filled(make: Callable[[dict[Any, int]], Any], keys: str, size: int, *, shuffled: bool) -> Any:
    """Return a mapping with these contents. Kept for the next test that wants it, with the values of the last."""
    return make(contents(keys, size, shuffled=shuffled))


def drawn(items: dict[Any, int], seed: str) -> Iterator[tuple[list[Any], list[int]]]:
    """Yield, turn by turn, keys that are in `items`, and as many values that are nowhere yet.

    Every turn has keys of its own: in a large map nobody finds in the processor's caches what another one has just
    looked up. Every seed has an order of its own: nobody finds the items laid out in the order of the last case.
    """
    chance = random.Random(seed)  # noqa: S311
    keys = list(items)
    values = count(10**13)
    while True:
        yield chance.choices(keys, k=PER_TURN), list(islice(values, PER_TURN))

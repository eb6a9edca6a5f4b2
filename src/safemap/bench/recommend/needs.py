"""What users may need of a map, and which variants `guarantees` rules out for it.

Nothing is known of variants here: a need names a field of `safemap.Guarantees` and the values that will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import safemap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

VARIANTS: Final[Mapping[str, safemap.Guarantees]] = {
    cls.__name__: cls.guarantees for cls in safemap.KINDS.values()
}


class NeedError(ValueError):
    """There is no such need. The message is for the user, on one line."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a program relies on, beyond the contract that every variant keeps."""

    name: str
    about: str
    """What the program does not get along without, as the end of "needs ..."."""
    field: str
    """The field of `Guarantees` that tells."""
    fit: tuple[Any, ...]
    """The values of the field that will do."""


NEEDS: Final = {
    need.name: need
    for need in (
        Need("snapshot", "snapshots that cost the same however large the map is", "snapshot", ("O(1)",)),
        Need("order", "iteration in insertion order", "insertion_order", (True,)),
        Need("one-moment", "iteration that shows the map of one moment", "iteration", ("one moment",)),
        Need("batch", "an update that others see whole or not at all", "update", ("all at once",)),
        Need("exact-len", "a len that is exact while others write", "length", ("exact",)),
        Need(
            "free-readers",
            "readers that never wait for a writer",
            "reader_waits_for_writer",
            ("no",),
        ),
        Need(
            "key-functions",
            "functions that exclude others from their key alone",
            "function_excludes",
            ("its key",),
        ),
        Need(
            "map-functions",
            "functions that keep every other writer out",
            "function_excludes",
            ("the map", "the map's writers"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one need ruled out."""

    need: str
    field: str
    """The field of `Guarantees` that was asked."""
    out: Mapping[str, Any]
    """The variants that it ruled out, and what they have there instead."""


def parse_needs(text: str) -> tuple[str, ...]:
    """Return the needs that a list with commas names, each once. Raises NeedError.

    >>> parse_needs("order, batch")
    ('order', 'batch')
    """
    return known(each.strip() for each in text.split(",") if each.strip())


def known(needs: Iterable[str]) -> tuple[str, ...]:
    """Return the needs, each once. Raises NeedError for one that there is not."""
    found = tuple(dict.fromkeys(needs))
    for each in found:
        if each not in NEEDS:
            message = f"unknown need {each!r}; known are: {', '.join(NEEDS)}"
            raise NeedError(message)
    return found


def rulings(needs: Iterable[str]) -> tuple[Ruling, ...]:
    """Return what each need rules out, in the order of the needs. Raises NeedError."""
    return tuple(_ruling(NEEDS[name]) for name in known(needs))


def _ruling(need: Need) -> Ruling:
    values = {name: getattr(guarantees, need.field) for name, guarantees in VARIANTS.items()}
    return Ruling(need.name, need.field, {name: value for name, value in values.items() if value not in need.fit})


def admitted(rulings: Iterable[Ruling]) -> list[str]:
    """Return the variants that nothing rules out."""
    out = {name for ruling in rulings for name in ruling.out}
    return [name for name in VARIANTS if name not in out]


def contradictions(rulings: Sequence[Ruling]) -> tuple[tuple[str, ...], ...]:
    """Return the smallest sets of needs that no variant meets together; none if some variant meets all."""
    found: list[tuple[str, ...]] = []
    for count in range(1, len(rulings) + 1):
        for some in combinations(rulings, count):
            names = tuple(ruling.need for ruling in some)
            if not admitted(some) and not any(set(less) <= set(names) for less in found):
                found.append(names)
    return tuple(found)


def without_least(rulings: Sequence[Ruling]) -> tuple[tuple[str, ...], ...]:
    """Return the smallest sets of needs to give up so that some variant meets the others; none need be: ()."""
    if admitted(rulings):
        return ()
    for count in range(1, len(rulings) + 1):
        given_up = tuple(
            tuple(ruling.need for ruling in some)
            for some in combinations(rulings, count)
            if admitted([ruling for ruling in rulings if ruling not in some])
        )
        if given_up:
            return given_up
    return ()

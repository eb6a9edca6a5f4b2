"""What checked dicts look for and do about it, unless they were told otherwise."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, get_args

from safemap.detect.findings import Kind
from safemap.detect.threads import here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from safemap.detect.findings import OnRace, Report

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""All kinds of races: "iteration", "read-modify-write", "write"."""

_kinds: frozenset[Kind] = frozenset(KINDS)
_on_race: OnRace | Callable[[Report], object] = "log"


def kinds() -> frozenset[Kind]:
    """Return the kinds that new dicts look for."""
    return _kinds


def on_race() -> OnRace | Callable[[Report], object]:
    """Return what new dicts do about a race."""
    return _on_race


def valid_kinds(kinds: Iterable[Any]) -> frozenset[Kind]:
    """Return the kinds; raise ValueError if one is unknown."""
    chosen = frozenset((kinds,) if isinstance(kinds, str) else kinds)
    for kind in chosen:
        if kind not in KINDS:
            message = f"unknown kind {kind!r}; known are: {', '.join(KINDS)}"
            raise ValueError(message)
    return chosen


def valid_on_race(on_race: OnRace | Callable[[Report], object]) -> OnRace | Callable[[Report], object]:
    """Return it; raise ValueError if it is neither "log", "raise" nor a function."""
    if on_race not in {"log", "raise"} and not callable(on_race):
        message = f'on_race must be "log", "raise" or a function; not {on_race!r}'
        raise ValueError(message)
    return on_race


def set_defaults(
    *, kinds: Iterable[Kind] | None = None, on_race: OnRace | Callable[[Report], object] | None = None
) -> None:
    """Set what dicts look for that are made from now on, and what they do about it. None leaves it as it is.

    At first all `KINDS` are looked for, and races are logged. Raises ValueError for an unknown kind or word.
    """
    global _kinds, _on_race  # noqa: PLW0603 - there is one of each
    if kinds is not None:
        _kinds = valid_kinds(kinds)
    if on_race is not None:
        _on_race = valid_on_race(on_race)


@contextmanager
def unchecked() -> Iterator[None]:
    """In a `with` block: what the calling thread does to checked dicts is not recorded, because it is meant so."""
    state = here.state
    state.off += 1
    try:
        yield
    finally:
        state.off -= 1

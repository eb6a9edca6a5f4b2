"""What a contestant is: how to make one, and how a program would write each operation on it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


Role: TypeAlias = Literal["variant", "baseline", "floor"]

CONTRACT: Final[Mapping[str, str]] = {
    "get": "found = m[key]",
    "find": "found = m.get(key)",
    "contains": "found = key in m",
    "set": "m[key] = value",
    "swap": "found = m.swap(key, value)",
    "delete": "found = m.pop(key, None)",
    "setdefault": "found = m.setdefault(key, value)",
    "compute_if_absent": "found = m.compute_if_absent(key, make)",
    "compute": "m.compute(key, increment, 0)",
    "compare_and_set": "m.compare_and_set(key, m[key], value)",
    "compare_and_delete": "m.compare_and_delete(key, m.get(key))",
    "scan": "for found in m.items():\n    pass",
    "scan_100": "for found in islice(m.items(), 100):\n    pass",
    "snapshot": "found = m.snapshot()",
    "update": "m.update(value)",
    "length": "found = len(m)",
    "clear": "m.clear()",
    "transform": "m.compute(key, function, initial)",
}
"""What is written where m is a `ConcurrentMapping`. "transform" is no operation of workloads; jobs use it."""

PLAIN: Final[Mapping[str, str]] = {
    **CONTRACT,
    "swap": "found = m.get(key)\nm[key] = value",
    "compute_if_absent": "found = m.get(key)\nif found is None:\n    found = m[key] = make(key)",
    "compute": "m[key] = increment(m.get(key, 0))",
    "compare_and_set": "found = m[key]\nif m[key] is found:\n    m[key] = value",
    "compare_and_delete": "found = m.get(key, MISSING)\nif found is not MISSING and m.get(key) is found:\n"
    "    m.pop(key, None)",
    "transform": "m[key] = function(m.get(key, initial))",
    # Iterating over m itself raises RuntimeError as soon as another thread changes its size.
    "scan": "for found in m.copy().items():\n    pass",
    "scan_100": "for found in islice(m.copy().items(), 100):\n    pass",
    "snapshot": "found = m.copy()",
}
"""What is written where m is a dict, and no other thread is thought of."""


def locked(
    enter: str, statements: Mapping[str, str] = PLAIN, without: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return statements with `enter` (as "with lock:") before each, but for those in `without`."""
    return {
        name: statement if name in without else f"{enter}\n{textwrap.indent(statement, '    ')}"
        for name, statement in statements.items()
    }


def _no_names(_m: object) -> Mapping[str, Any]:
    return {}


def _always() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Contestant:
    """One thing to measure. Packages can add their own: see `contestants`."""

    name: str
    role: Role
    """A verdict names variants only; baselines are shown beside them; the floor is what the loop itself takes."""
    make: Callable[[Mapping[Any, Any]], Any]
    """Returns a fresh one that holds the given items."""
    statements: Mapping[str, str] = field(default_factory=lambda: CONTRACT)
    """The source for each operation that it has. Workloads with others are left out for it."""
    names: Callable[[Any], Mapping[str, Any]] = _no_names
    """Given what `make` returned, returns what the statements use besides: a lock, for example."""
    atomic: bool = True
    """Whether operations that look and then write are one step. If not, counts may be lost, and that is told."""
    lacks: str = ""
    """What the reader has to know who would take a baseline for its speed."""
    missing: Callable[[], str | None] = _always
    """Returns why it cannot run here, in a line; None if it can."""
    close: Callable[[Any], None] = lambda _m: None
    """Ends what `make` began, where that is more than memory."""
    contents: Callable[[Any], Mapping[Any, Any]] = lambda m: dict(m.items())
    """Returns what it holds, to be checked; nothing else runs then."""

    def does(self, operations: Iterable[str]) -> bool:
        """Return whether it has all of these operations."""
        return all(name in self.statements for name in operations)

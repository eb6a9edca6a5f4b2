"""A workload: what threads do to a map, and to what map, in so few figures that it fits on a line or in a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, TypeAlias, get_args

from safemap.bench.operations import parse

Keys: TypeAlias = Literal["str", "int", "tuple", "object"]
Values: TypeAlias = Literal["immortal", "private", "shared"]
Access: TypeAlias = Literal["uniform", "zipf", "hot", "disjoint", "latest"]
Order: TypeAlias = Literal["shuffled", "rarer writes"]

MOST_ENTRIES: Final = 10_000_000
"""A million entries are measured; ten times as many fit into memory."""
NEEDS_ITS_KEY: Final = ("get", "compare_and_set")
"""Operations that begin with m[k], and have no answer to a KeyError."""
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "keys": get_args(Keys),
    "values": get_args(Values),
    "access": get_args(Access),
    "order": get_args(Order),
}


class WorkloadError(ValueError):
    """A workload is not one. The message is for the user, on one line."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A mix of operations, and the axes along which workloads differ. Raises WorkloadError for nonsense."""

    name: str
    mix: Mapping[str, float]
    """The share of each operation (see `operations`), of those threads that are measured. The sum is 1."""
    about: str = ""
    """What program works like this, for the reader of a report."""
    size: int = 1_000
    """Entries that the map holds at first."""
    keys: Keys = "str"
    """Of what type keys are; "object" are those of a class with `__eq__` and `__hash__` written in Python. What
    threads look up is equal to the map's own key, never the same object, unless it is an int or str by chance."""
    values: Values = "private"
    """private: each value is an object that one thread made. shared: there is one object, which all keys have.
    immortal: None, whose references nobody counts."""
    access: Access = "uniform"
    """Which of the keys are used more. uniform: none. zipf: the n-th as often as 1/n**skew. hot: one alone.
    disjoint: each thread has its own. latest: as zipf, the last inserted being the first."""
    skew: float = 0.99
    """The exponent of zipf and latest; 0.99 is that of YCSB (Cooper et al., 2010)."""
    background: Mapping[str, float] = field(default_factory=dict[str, float])
    """What one thread does that is not measured, beside the others; empty: there is no such thread."""
    order: Order = "shuffled"
    """shuffled: operations come in random order. rarer writes: each write comes after one more read than the
    last, as in Go's AdversarialAlloc, which makes `sync.Map` copy its table at each of them."""

    def __post_init__(self) -> None:
        """Check what a file or a command line may get wrong."""
        if not self.name or not self.name.isprintable():
            message = f"the name of a workload must be a printable word, not {self.name!r}"
            raise WorkloadError(message)
        _check_mix(self.name, "mix", self.mix, empty=False)
        _check_mix(self.name, "background", self.background, empty=True)
        for axis, choices in CHOICES.items():
            if getattr(self, axis) not in choices:
                self._refuse(axis, f"one of {', '.join(choices)}")
        size: object = self.size  # whatever a file has
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MOST_ENTRIES:
            self._refuse("size", f"a whole number from 0 to {MOST_ENTRIES:,}")
        skew: object = self.skew
        if isinstance(skew, bool) or not isinstance(skew, float | int) or not 0 < skew <= 10:  # noqa: PLR2004 - a slip of the finger
            self._refuse("skew", "a number above 0 and at most 10")
        if self.size == 0 and any(parse(share)[1] == "there" for share in (*self.mix, *self.background)):
            self._refuse("size", "above 0 where operations use keys that are there")

        self._check_sources()

    def _check_sources(self) -> None:
        """Refuse what cannot be done to such keys, or would take away what has to stay."""
        shares = (*self.mix, *self.background)
        sources = {parse(share)[1] for share in shares}
        clears = self.uses("clear")
        for share in shares:
            operation, source = parse(share)
            why = None
            if operation.name in NEEDS_ITS_KEY and source != "there":
                why = f"{operation.name} needs keys that are there"
            elif operation.name in NEEDS_ITS_KEY and clears:
                why = f"{operation.name} needs keys that stay, and clear takes them away"
            elif operation.effect in {"removes", "may remove"} and source == "there":
                why = f"{operation.name} takes keys away, and those from there stay; name another source"
            elif operation.effect in {"sets", "may set", "counts"} and source == "absent":
                why = f"{operation.name} would set keys that are never there"
            elif operation.name == "compute_if_absent" and source == "pool" and "compute:pool" in shares:
                why = "compute_if_absent and compute on the same keys: what one makes the other cannot count"
            if why is not None:
                message = f"workload {self.name}: {why}"
                raise WorkloadError(message)
        if "pool" in sources and self.size < 1 + ("there" in sources):
            self._refuse("size", f"above {int('there' in sources)} where operations use keys of the pool")

    def _refuse(self, axis: str, wanted: str) -> None:
        message = f"workload {self.name}: {axis} must be {wanted}, not {getattr(self, axis)!r}"
        raise WorkloadError(message)

    def __str__(self) -> str:
        """Return the workload in words."""
        words = mix_in_words(self.mix)
        if self.background:
            words += f"; one more thread: {mix_in_words(self.background)}"
        keys = {"object": "object keys with __eq__ in Python"}.get(self.keys, f"{self.keys} keys")
        access = f"zipf {self.skew:g}" if self.access == "zipf" else self.access
        return f"{words}; {self.size:,} {keys}, {access}; {self.values} values"

    @property
    def fewest_threads(self) -> int:
        """How many threads it takes at least: one that is measured, and one in the background if there is any."""
        return 1 + bool(self.background)

    @property
    def reads(self) -> float:
        """The share of operations that change nothing."""
        return sum(part for share, part in self.mix.items() if parse(share)[0].effect == "none")

    def uses(self, *operations: str) -> bool:
        """Return whether any of these operations is in it."""
        return any(parse(share)[0].name in operations for share in (*self.mix, *self.background))

    def varied(self, **axes: Any) -> Workload:
        """Return this workload with other axes; its name says which. None: as it is."""
        changed = {axis: value for axis, value in axes.items() if value not in (None, getattr(self, axis))}
        if not changed:
            return self
        name = ",".join(f"{axis}={value}" for axis, value in changed.items())
        return replace(self, name=f"{self.name}@{name}", **changed)

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON knows."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: object) -> Workload:
        """Return what `to_json` gave. Raises WorkloadError."""
        if not isinstance(given, Mapping):
            message = f"a workload must be an object with a name and a mix, not {given!r:.60}"
            raise WorkloadError(message)
        known = {each.name for each in fields(cls)}
        for name in given:
            if name not in known:
                message = f"a workload has no {name!r}; it has: {', '.join(sorted(known))}"
                raise WorkloadError(message)
        for name in ("name", "mix"):
            if name not in given:
                message = f"a workload must have a {name}"
                raise WorkloadError(message)
        if not isinstance(given["name"], str):
            message = f"the name of a workload must be a printable word, not {given['name']!r:.60}"
            raise WorkloadError(message)
        if not isinstance(given.get("about", ""), str):
            message = f"workload {given['name']}: about must be a text, not {given['about']!r:.60}"
            raise WorkloadError(message)
        return cls(**given)


def _check_mix(name: str, role: str, mix: object, *, empty: bool) -> None:
    if not isinstance(mix, Mapping) or not (mix or empty):
        message = f"workload {name}: {role} must be an object of operations and their shares, not {mix!r:.60}"
        raise WorkloadError(message)
    for share, part in mix.items():
        try:
            parse(share)
        except (ValueError, AttributeError) as error:
            message = f"workload {name}: {error}"
            raise WorkloadError(message) from None
        if isinstance(part, bool) or not isinstance(part, float | int) or not 0 < part <= 1:
            message = f"workload {name}: the share of {share} must be above 0 and at most 1, not {part!r:.60}"
            raise WorkloadError(message)
    if mix and not math.isclose(sum(mix.values()), 1, abs_tol=1e-6):
        message = f"workload {name}: the shares of its {role} must come to 1, not {sum(mix.values()):g}"
        raise WorkloadError(message)


def mix_in_words(mix: Mapping[str, float]) -> str:
    """Return a mix as in "95% get, 5% set"."""
    parts: list[str] = []
    for share, part in sorted(mix.items(), key=lambda item: -item[1]):
        operation, source = parse(share)
        parts.append(f"{part * 100:.3g}% {operation.name}" + f" ({source})" * (source != "there"))
    return ", ".join(parts)

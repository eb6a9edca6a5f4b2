"""What a subscriber gets: events."""

from __future__ import annotations

from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Kind: TypeAlias = Literal["added", "changed", "removed", "cleared", "lost"]
WhenFull: TypeAlias = Literal["restart", "skip"]


class Event(NamedTuple, Generic[K, V]):
    """One change of a map.

    What `kind` says, and what is then in the other fields, which else are MISSING:

    - "added": `key`; `new` is its value.
    - "changed": `key`; `old` is the value before, `new` the value now, which may be the same.
    - "removed": `key`; `old` is the value before.
    - "cleared": `old` is a `Snapshot` of what was there.
    - "lost": `new` is how many events the subscriber has missed, see `WatchedMap.subscribe`.
    """

    kind: Kind
    key: Any
    old: Any
    new: Any
    sequence: int
    """The number of the change. The changes of a map are numbered 1, 2, 3, ... as they are committed, while
    anybody listens. Initial contents, and "lost", have the number of the last change before them."""

"""What a subscriber gets: events."""

from __future__ import annotations

from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Kind: TypeAlias = Literal["added", "changed", "removed", "cleared", "lost"]
WhenFull: TypeAlias = Literal["restart", "skip"]


class Event(NamedTuple, Generic[K, V]):
    """One change of a map.

    | kind | key | old | new |
    |---|---|---|---|
    | added | the key | MISSING | its value |
    | changed | the key | the value before | the value now, which may be the same |
    | removed | the key | the value before | MISSING |
    | cleared | MISSING | a `Snapshot` of what was there | MISSING |
    | lost | MISSING | MISSING | how many events the subscriber has missed: see `WatchedMap.subscribe` |
    """

    kind: Kind
    key: Any
    old: Any
    new: Any
    sequence: int
    """The number of the change. The changes of a map are numbered 1, 2, 3, ... as they are committed, while
    anybody listens. Initial contents, and "lost", have the number of the last change before them."""

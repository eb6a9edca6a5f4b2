"""Keys that do what keys seldom do: collide, call back, raise, and let other threads run."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Key:
    """A key with a chosen hash, equal to keys of the same name. `on_eq` and `on_hash` run first."""

    def __init__(
        self,
        name: str,
        hash_: int = 7,
        on_eq: Callable[[], object] | None = None,
        on_hash: Callable[[], object] | None = None,
    ) -> None:
        self.name = name
        self.hash = hash_
        self.on_eq = on_eq
        self.on_hash = on_hash

    def __hash__(self) -> int:
        if self.on_hash is not None:
            self.on_hash()
        return self.hash

    def __eq__(self, other: object) -> bool:
        for key in (self, other):  # a dict asks the key that it holds, not the one that is looked for
            on_eq = getattr(key, "on_eq", None)
            if on_eq is not None:
                on_eq()
        return isinstance(other, Key) and self.name == other.name

    def __repr__(self) -> str:
        return f"Key({self.name!r})"


class Yielding(int):
    """A number at whose hash another thread gets its turn: between the check and the act of those who do both."""

    __slots__ = ()
    if not TYPE_CHECKING:
        __eq__ = int.__eq__

    def __hash__(self) -> int:
        time.sleep(0)
        return int(self)


class RaisesOnce:
    """A callback that raises at its n-th call (counted from 0) and at no other."""

    def __init__(self, n: int) -> None:
        self.left: int = n

    def __call__(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise Hostile

    @property
    def raised(self) -> bool:
        """Whether it has."""
        return self.left < 0


class Hostile(Exception):  # noqa: N818  # not an error: it is what the test is about
    """What hostile keys and functions raise."""

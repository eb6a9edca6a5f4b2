"""Iterators and views of a checked dict.

`list(d)`, `sorted(d.items())`, `[*d]`, `set(d)`: these take all items in one instruction of the program, and a
plain dict hands them out in one step, so they are no iteration that anything could overlap. They are told from a
loop by where the first item is asked for: in the instruction that asked for the iterator, or later. All items are
then taken at that moment, in one C call, as the plain dict would; going through Python for each would tear apart
what is one step.

`dict(d)`, `{**d}` and `f(**d)` take the keys so, and then ask for each value, all of it in one instruction. A
copy of that moment answers these questions (`Bulk`), and each value leaves it as it is asked for.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import ItemsView, KeysView, ValuesView
from typing import TYPE_CHECKING, Any, ClassVar, Self

from safemap.detect.threads import here

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from types import FrameType

    from safemap.detect.checked import CheckedDict
    from safemap.detect.history import Check
    from safemap.detect.records import Walk

TRIES = 100
"""A finalizer that runs in the middle of a copy can change the dict.

After so many times in a row, it always will.
"""


def where(frame: FrameType) -> tuple[int, int]:
    """Return which instruction of which call is being executed."""
    return id(frame), frame.f_lasti


def at_once(view: Collection[Any]) -> list[Any]:
    """Return all items of a dict's own view, of one moment."""
    for _ in range(TRIES):
        try:
            return list(view)
        except RuntimeError:
            continue
    return list(view)


class Bulk:
    """The values of a dict at one moment, for the instruction that takes them one by one."""

    __slots__ = ("frame", "lasti", "serial", "values")

    def __init__(self, serial: int, place: tuple[int, int], values: dict[Any, Any]) -> None:
        self.serial: int = serial
        self.frame: int
        self.lasti: int
        self.frame, self.lasti = place
        self.values: dict[Any, Any] = values


class Steps:
    """An iterator over a view of a checked dict, forwards or backwards."""

    __slots__ = ("_check", "_inner", "_order", "_origin", "_started", "_view", "_walk")

    def __init__(
        self, check: Check, view: Any, frame: FrameType, order: Callable[[Any], Iterator[Any]] = iter
    ) -> None:
        self._check = check
        self._view = view
        self._order = order
        self._inner = order(view)
        self._origin = where(frame)
        self._started = False
        self._walk: Walk | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._started:
            walk = self._walk
            if walk is not None:
                state = here.state
                if (
                    state is not walk.state
                    or state.epoch != walk.epoch
                    or state.holds is not walk.holds
                    or self._check.last is not walk.last
                ):
                    self._check.step(walk, state)
            return next(self._inner)
        self._started = True
        frame = sys._getframe(1)
        if where(frame) == self._origin:
            self._inner = self._order(at_once(self._view))
        else:
            self._walk = self._check.walk(frame)
        return next(self._inner)

    def __length_hint__(self) -> int:
        return operator.length_hint(self._inner)


class View:
    """What all views have in common. All but iteration and lookup is done by the dict's own view, in `_real`."""

    __slots__ = ("_mapping", "_real")

    def __init__(self, mapping: CheckedDict[Any, Any], real: Any) -> None:
        self._mapping = mapping
        self._real = real

    def __iter__(self) -> Iterator[Any]:
        return Steps(self._mapping._check, self._real, sys._getframe(1))

    def __reversed__(self) -> Iterator[Any]:
        return Steps(self._mapping._check, self._real, sys._getframe(1), reversed)

    def __len__(self) -> int:
        return len(self._real)

    def __repr__(self) -> str:
        return repr(self._real)

    @property
    def mapping(self) -> Any:
        """A read-only proxy of the dict, which is not checked."""
        return self._real.mapping


class SetView(View):
    """What the views of keys and of items have in common: they are sets."""

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __contains__(self, item: object) -> bool:
        return item in self._real

    def __eq__(self, other: object) -> bool:
        return bool(self._real == real(other))

    def __lt__(self, other: object) -> bool:
        return bool(self._real < real(other))

    def __le__(self, other: object) -> bool:
        return bool(self._real <= real(other))

    def __gt__(self, other: object) -> bool:
        return bool(self._real > real(other))

    def __ge__(self, other: object) -> bool:
        return bool(self._real >= real(other))

    def __and__(self, other: Any) -> Any:
        return self._real & real(other)

    def __or__(self, other: Any) -> Any:
        return self._real | real(other)

    def __sub__(self, other: Any) -> Any:
        return self._real - real(other)

    def __xor__(self, other: Any) -> Any:
        return self._real ^ real(other)

    def __rand__(self, other: Any) -> Any:
        return other & self._real

    def __ror__(self, other: Any) -> Any:
        return other | self._real

    def __rsub__(self, other: Any) -> Any:
        return other - self._real

    def __rxor__(self, other: Any) -> Any:
        return other ^ self._real

    def isdisjoint(self, other: Any) -> bool:
        """Whether they have nothing in common."""
        return bool(self._real.isdisjoint(real(other)))


class Keys(SetView):
    """`dict.keys()` of a checked dict."""

    __slots__ = ("_origin",)

    def __init__(self, mapping: CheckedDict[Any, Any], view: Any, frame: FrameType) -> None:
        super().__init__(mapping, view)
        self._origin = where(frame)

    def __iter__(self) -> Iterator[Any]:
        frame = sys._getframe(1)
        check = self._mapping._check
        if where(frame) != self._origin:
            return Steps(check, self._real, frame)
        values = dict(at_once(dict.items(self._mapping)))
        here.state.bulk = Bulk(check.serial, self._origin, values) if values else None
        return iter(list(values))

    def __contains__(self, key: object) -> bool:
        self._mapping._check.read(key, sys._getframe(1), here.state)
        return key in self._real

    # A plain dict's keys enter these in one step. A subclass's view is iterated, which without the GIL is none.

    def __or__(self, other: Any) -> Any:
        return set(at_once(self._real)).union(real(other))

    def __sub__(self, other: Any) -> Any:
        return set(at_once(self._real)).difference(real(other))

    def __xor__(self, other: Any) -> Any:
        return set(at_once(self._real)).symmetric_difference(real(other))


class Items(SetView):
    """`dict.items()` of a checked dict."""

    __slots__ = ()


class Values(View):
    """`dict.values()` of a checked dict."""

    __slots__ = ()


KeysView.register(Keys)
ItemsView.register(Items)
ValuesView.register(Values)


def real(other: Any) -> Any:
    """Return the dict's own view in the place of one of these."""
    return other._real if isinstance(other, View) else other

"""`CheckedDict`: a dict that tells the checker what is done to it, and does it.

Each operation is recorded before it takes place: with `on_race="raise"`, the operation that finds a race has no
effect. (`popitem` alone is recorded afterwards: only then is its key known.) Operations that a dict does in one
step stay one step, in C: `update` makes a plain dict of its arguments first, and takes that over at once.

C code that looks into a dict without asking it is not seen, and need not be: it takes one step. That is so of
`==`, `repr`, `len`, `copy`, of the fast paths for kwargs, and of C code that stores by `PyDict_SetItem` (`json`,
`exec`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from safemap.detect import patches, settings
from safemap.detect.history import Check
from safemap.detect.threads import here
from safemap.detect.walking import Items, Keys, Steps, Values, at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType
    from typing import Self, TypeAlias, overload

    from _typeshed import SupportsKeysAndGetItem

    from safemap.detect.findings import Kind, OnRace, Report

K = TypeVar("K")
V = TypeVar("V")

if TYPE_CHECKING:
    T = TypeVar("T")
    Contents: TypeAlias = SupportsKeysAndGetItem[K, V] | Iterable[tuple[K, V]]

ABSENT: Final[Any] = object()

_frame = sys._getframe
_get, _getitem, _setitem, _delitem = dict.get, dict.__getitem__, dict.__setitem__, dict.__delitem__
_contains, _setdefault, _pop, _popitem = dict.__contains__, dict.setdefault, dict.pop, dict.popitem


class CheckedDict(dict[K, V], Generic[K, V]):
    """A dict that reports races between threads that use it. For tests and staging.

    `CheckedDict(d)` takes what `dict` takes, and does what a dict does; what is a race, and what is then done,
    says `safemap.detect`. `configured` makes one with options of its own. Copies (`copy`, `|`, `copy.copy`,
    pickles) are plain dicts, as they are for other subclasses of dict. A key's `__hash__` and `__eq__` are called
    more often.

    An operation takes 15 to 35 times as long as a dict's, and is as atomic; `dict(d)` takes 100 times as long.
    Safe to use from finalizers and signal handlers.
    """

    __slots__ = ("_check",)
    _check: Check

    if TYPE_CHECKING:  # as typeshed has it for dict; below, `__new__` takes anything

        @overload
        def __init__(self, items: Contents[K, V] = (), /) -> None: ...
        @overload
        def __init__(self: CheckedDict[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
        def __init__(self, items: Any = (), /, **named: Any) -> None: ...

    def __new__(cls, *_args: Any, **_items: Any) -> Self:
        """Return an empty one, with the options that `set_defaults` has set."""
        patches.ensure_watched()
        self = super().__new__(cls)
        self._check = Check(settings.kinds(), settings.on_race())
        return self

    @classmethod
    def configured(
        cls,
        items: Contents[K, V] = (),
        /,
        *,
        kinds: Iterable[Kind] | None = None,
        on_race: OnRace | Callable[[Report], object] | None = None,
    ) -> Self:
        """Return one that looks for these kinds of races alone, and does this about them.

        None means what `set_defaults` has set. Raises ValueError for an unknown kind or word.
        """
        self = cls(items)
        self._check = Check(
            settings.kinds() if kinds is None else settings.valid_kinds(kinds),
            settings.on_race() if on_race is None else settings.valid_on_race(on_race),
        )
        return self

    # --- reads of one key

    def __getitem__(self, key: K) -> V:
        frame = _frame(1)
        state = here.state
        bulk: Any = state.bulk
        if bulk is not None:
            if bulk.lasti == frame.f_lasti and bulk.frame == id(frame) and bulk.serial == self._check.serial:
                value = bulk.values.pop(key, ABSENT)
                if value is not ABSENT:
                    return cast("V", value)
            state.bulk = None
        self._check.read(key, frame, state)
        return _getitem(self, key)

    if not TYPE_CHECKING:  # for whom dict's own signatures stand

        def get(self, key: K, default: Any = None, /) -> Any:
            """Return the value of a key, or `default`."""
            self._check.read(key, _frame(1), here.state)
            return _get(self, key, default)

    def __contains__(self, key: object) -> bool:
        self._check.read(key, _frame(1), here.state)
        return _contains(self, key)

    # --- writes of one key

    def __setitem__(self, key: K, value: V) -> None:
        self._check.write(key, _frame(1), "d[key] = value")
        _setitem(self, key, value)

    def __delitem__(self, key: K) -> None:
        self._check.write(key, _frame(1), "del d[key]")
        _delitem(self, key)
        self._check.keys.drop(key)

    if not TYPE_CHECKING:  # for whom dict's own signatures stand

        def setdefault(self, key: K, default: Any = None, /) -> Any:
            """Return the value of a key; if there is none, `default`, which is stored."""
            self._check.write(key, _frame(1), "d.setdefault(key)", claim=True, decided=True)
            return _setdefault(self, key, default)

        def pop(self, key: K, default: Any = ABSENT, /) -> Any:
            """Remove a key and return its value; if there is none, `default`, or raise KeyError without one."""
            decided = default is not ABSENT
            self._check.write(key, _frame(1), "d.pop(key)", claim=True, decided=decided)
            value = _pop(self, key, default) if decided else _pop(self, key)
            self._check.keys.drop(key)
            return value

    def popitem(self) -> tuple[K, V]:
        """Remove the newest item and return it, or raise KeyError."""
        item = _popitem(self)
        self._check.write(item[0], _frame(1), "d.popitem()", claim=True, decided=True)
        self._check.keys.drop(item[0])
        return item

    # --- the whole

    if not TYPE_CHECKING:  # for whom dict's own signatures stand

        def update(self, *args: Any, **items: Any) -> None:
            """Store all items of a mapping or of pairs, and those named.

            One step, for other threads and for errors.
            """
            self._take_over(dict(*args, **items), _frame(1), "d.update(...)")

    def _take_over(self, new: dict[Any, Any], frame: FrameType, did: str) -> None:
        for key in new:
            self._check.write(key, frame, did)
        dict.update(self, new)

    def clear(self) -> None:
        """Remove all items."""
        frame = _frame(1)
        keys = at_once(dict.keys(self))
        for key in keys:
            self._check.write(key, frame, "d.clear()")
        dict.clear(self)
        for key in keys:
            self._check.keys.drop(key)

    if not TYPE_CHECKING:  # for whom dict's own signatures stand

        def __ior__(self, other: Any) -> Any:
            self._take_over(dict(other), _frame(1), "d |= other")
            return self

        def __or__(self, other: Any) -> Any:
            return self.copy() | other if isinstance(other, dict) else NotImplemented

        def __ror__(self, other: Any) -> Any:
            return dict(other) | self.copy() if isinstance(other, dict) else NotImplemented

    def copy(self) -> dict[K, V]:
        """Return a plain dict with the same items."""
        return dict(at_once(dict.items(self)))

    def __copy__(self) -> dict[K, V]:
        return self.copy()

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return dict, (), None, None, iter(at_once(dict.items(self)))

    # --- iteration

    def __iter__(self) -> Iterator[K]:
        return Steps(self._check, dict.keys(self), _frame(1))

    def __reversed__(self) -> Iterator[K]:
        return Steps(self._check, dict.keys(self), _frame(1), reversed)

    if not TYPE_CHECKING:  # for whom dict's own signatures stand

        def keys(self) -> Any:
            """Return a view of the keys."""
            return Keys(self, dict.keys(self), _frame(1))

        def values(self) -> Any:
            """Return a view of the values."""
            return Values(self, dict.values(self))

        def items(self) -> Any:
            """Return a view of the items."""
            return Items(self, dict.items(self))

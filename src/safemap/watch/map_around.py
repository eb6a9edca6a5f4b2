"""A map around another one: how it is made, what it promises, and its reads, which are the inner map's own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

from safemap import MISSING, ConcurrentMapping, Guarantees, MutexMap
from safemap.watch.events import K, V

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from safemap import MissingType, Snapshot


class _GuaranteesOfInner:
    """`guarantees`: of a map, those of the map that it watches; of the class, those of what it makes itself."""

    def __get__(self, map_: MapAround[Any, Any] | None, cls: type[MapAround[Any, Any]]) -> Guarantees:
        inner = (cls.kind if map_ is None else map_.inner).guarantees
        return Guarantees(
            mechanism=f"tells what changes; around it: {inner.mechanism}",
            single_key=inner.single_key,
            reader_waits_for_writer=inner.reader_waits_for_writer,
            function_excludes=inner.function_excludes,
            iteration=inner.iteration,
            insertion_order=inner.insertion_order,
            update=inner.update,
            length=inner.length,
            snapshot=inner.snapshot,
        )


class MapAround(ConcurrentMapping[K, V]):
    """What `WatchedMap` has from its inner map alone."""

    __slots__ = ("_inner",)
    kind: ClassVar[type[ConcurrentMapping[Any, Any]]] = MutexMap
    """What a map that is not around another one makes for itself. A subclass may say another class."""
    options: ClassVar[tuple[str, ...]] = ("default_factory", "inner")
    if not TYPE_CHECKING:
        guarantees = _GuaranteesOfInner()

    _inner: ConcurrentMapping[K, V]

    # --- making one ---------------------------------------------------------------------------------

    def __new__(cls, items: Any = (), /, *args: Any, **named: Any) -> Self:
        """Return a map around `items`, if that is a `ConcurrentMapping`, or else an empty one."""
        self = super().__new__(cls, items, *args, **named)
        if isinstance(items, ConcurrentMapping):
            self._set_up({"inner": items})
        return self

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def __init__(self, items: Any = (), /, **named: Any) -> None:
            """Watch `items`, or fill a new map as `dict(items, **named)` would."""
            super().__init__(() if items is self._inner else items, **named)

    def _set_up(self, options: Mapping[str, Any]) -> None:
        inner = options.get("inner")
        if isinstance(inner, ConcurrentMapping) and "default_factory" not in options:
            options = {"default_factory": inner.default_factory, **options}
        super()._set_up(options)

    def _configure(self, *, inner: ConcurrentMapping[K, V] | None = None) -> None:
        if inner is None:
            inner = self.kind()  # type: ignore[abstract]
        elif not isinstance(inner, ConcurrentMapping):
            message = f"inner must be a ConcurrentMapping, not {inner!r}"
            raise TypeError(message)
        self._inner = inner

    def _options(self) -> dict[str, Any]:
        empty = copy.copy(self._inner)
        empty.clear()
        return super()._options() | {"inner": empty}

    @property
    def inner(self) -> ConcurrentMapping[K, V]:
        """The map that this one watches. What is written to it directly nobody hears of."""
        return self._inner

    # --- reading: the inner map's own ----------------------------------------------------------------

    def _lookup(self, key: Any) -> V | MissingType:
        return self._inner.get(key, MISSING)

    def __getitem__(self, key: K, /) -> V:
        value = self._inner.get(key, MISSING)
        return self._absent(key) if value is MISSING else value

    def __contains__(self, key: object, /) -> bool:
        return key in self._inner

    def __len__(self) -> int:
        return len(self._inner)

    def to_dict(self) -> dict[K, V]:
        return self._inner.to_dict()

    def snapshot(self) -> Snapshot[K, V]:
        return self._inner.snapshot()

    def _iter_keys(self) -> Iterator[K]:
        return iter(self._inner)

    def _iter_values(self) -> Iterator[V]:
        return iter(self._inner.values())

    def _iter_items(self) -> Iterator[tuple[K, V]]:
        return iter(self._inner.items())

    def _check(self) -> None:
        super()._check()
        self._inner._check()

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def get(self, key: K, /, default: Any = None) -> Any:
            return self._inner.get(key, default)

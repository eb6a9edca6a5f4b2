"""Pages of a copy-on-write map, seen at one moment.

A map's entries lie in pages: plain dicts, found through a *directory*, a tuple whose length is a power of two and
whose slots are chosen by the low bits of a key's hash. Several slots may share a page (extendible hashing:
Fagin, Nievergelt, Pippenger, Strong, 1979). Pages are changed in place; directories are replaced.

A `Version` is one moment of the map. It copies nothing when it is made. The map's writer, before it first
changes a page that a version may show, saves a copy of the page *for the version*; so reading a version is:
look in the page, then see whether a copy has been saved, and if so look there instead.

Invariant, for each version v and each page p of its directory: the contents of p at v's moment are
`v.saved[id(p)]` if that exists, and those of p itself otherwise. The writer keeps it by saving first and
changing afterwards; a reader that finds nothing saved *after* it has looked in p has therefore looked in time.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView

from safemap._lookup import MISSING, copy_of, find, items_of, keys_of, mixed_hash, settle_reads, values_of
from safemap._parts import in_parts
from safemap._snapshot import Snapshot
from safemap._types import K, V

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    Page: TypeAlias = dict[Any, Any]
    Directory: TypeAlias = tuple[Page, ...]


def distinct(directory: Directory) -> Iterator[Page]:
    """Yield each page of a directory once."""
    for slot, page in enumerate(directory):
        # A page's slots agree in their low bits: any but the first differs from an earlier one of them
        # in its highest bit.
        if not slot or directory[slot ^ (1 << (slot.bit_length() - 1))] is not page:
            yield page


def page_copy(page: Page) -> Page:
    return copy_of(page)


def page_keys(page: Page) -> Iterable[Any]:
    return keys_of(page)


def page_values(page: Page) -> Iterable[Any]:
    return values_of(page)


def page_items(page: Page) -> Iterable[Any]:
    return items_of(page)


class Version:
    """One moment of a map: its directory and size then, and the pages saved since."""

    __slots__ = ("__weakref__", "directory", "saved", "size")

    def __init__(self, directory: Directory, size: int) -> None:
        self.directory = directory
        self.size = size
        # By id: dicts cannot be keys, and the directory keeps its pages alive. Written by the map's
        # writer, under its lock, each key once; read by anyone.
        self.saved: dict[int, Page] = {}

    def lookup(self, key: Any) -> Any:
        """Return the value of `key`, or MISSING."""
        page = self.directory[mixed_hash(key) & (len(self.directory) - 1)]
        value = find(page, key, MISSING)
        settle_reads()
        saved = find(self.saved, id(page), None)
        return value if saved is None else find(saved, key, MISSING)

    def parts(self, part_of: Callable[[Page], Iterable[Any]]) -> Iterator[Iterable[Any]]:
        """Yield `part_of(page)`, which copies in one step, for the contents of each page."""
        for page in distinct(self.directory):
            saved = find(self.saved, id(page), None)
            part = part_of(page if saved is None else saved)
            if saved is None:
                settle_reads()
                saved = find(self.saved, id(page), None)
                if saved is not None:
                    part = part_of(saved)
            yield part

    def keys(self) -> Iterator[Any]:
        """Iterate over the keys."""
        return in_parts(self.parts(page_keys))

    def values(self) -> Iterator[Any]:
        """Iterate over the values."""
        return in_parts(self.parts(page_values))

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Iterate over the pairs."""
        return in_parts(self.parts(page_items))

    def to_dict(self) -> dict[Any, Any]:
        """Return all pairs as a new dict."""
        contents: dict[Any, Any] = {}
        for page in self.parts(page_copy):
            contents.update(page)
        return contents


class PagedSnapshot(Snapshot[K, V]):
    """A snapshot that is a version of a copy-on-write map. Made in O(1).

    While it lives, each page that the map changes for the first time is copied once.
    """

    __slots__ = ("_version",)
    _version: Version

    def __init__(self, version: Version, /) -> None:
        """Show `version`. O(1)."""
        self._version = version

    def to_dict(self) -> dict[K, V]:
        return self._version.to_dict()

    def __getitem__(self, key: K, /) -> V:
        value = self._version.lookup(key)
        if value is MISSING:
            raise KeyError(key)
        return value  # type: ignore[no-any-return]

    def __contains__(self, key: object, /) -> bool:
        return self._version.lookup(key) is not MISSING

    def __len__(self) -> int:
        return self._version.size

    def __iter__(self) -> Iterator[K]:
        return self._version.keys()

    def __reversed__(self) -> Iterator[K]:
        return reversed(list(self))

    def keys(self) -> KeysView[K]:
        return KeysView(self)

    def values(self) -> ValuesView[V]:
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        return _Items(self)


class _Values(ValuesView[V]):
    """Values without a lookup for each."""

    __slots__ = ()
    _mapping: PagedSnapshot[Any, V]

    def __iter__(self) -> Iterator[V]:
        return self._mapping._version.values()


class _Items(ItemsView[K, V]):
    """Pairs without a lookup for each."""

    __slots__ = ()
    _mapping: PagedSnapshot[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._mapping._version.items()

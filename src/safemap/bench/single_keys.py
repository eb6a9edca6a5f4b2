"""The operations on single keys of a map that is recorded."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, TypeVar

from safemap import MISSING, ConcurrentMapping
from safemap.bench.events import (
    ABSENT_HIT,
    ABSENT_MADE,
    CAD_HIT,
    CAD_MISS,
    CAS_HIT,
    CAS_MISS,
    CAS_NEW,
    COMPUTE,
    COMPUTE_NONE,
    COMPUTE_REMOVED,
    CONTAINS_HIT,
    CONTAINS_MISS,
    DELETE_HIT,
    DELETE_MISS,
    FIND_HIT,
    FIND_MISS,
    GET_HIT,
    GET_MISS,
    POPITEM,
    SET,
    SETDEFAULT_HIT,
    SETDEFAULT_MAYBE,
    SWAP_HIT,
    SWAP_MISS,
    TALLY,
)
from safemap.bench.ledger import GAP

if TYPE_CHECKING:
    from collections.abc import Callable

    from safemap import Entry, MissingType
    from safemap.bench.ledger import Ledger


K = TypeVar("K")
V = TypeVar("V")


class Absent:
    """The class itself stands for no value: without the GIL nobody counts references to classes one by one."""


class SingleKeys(ConcurrentMapping[K, V]):
    """A map that does what its inner map does to single keys, and counts it."""

    __slots__ = ("_ledger", "_local", "_map")

    _map: Any
    _ledger: Ledger
    _local: Any

    # --- counting -----------------------------------------------------------------------------------
    # The most frequent operations have these lines in place: a call would double them.

    def _note(self, event: int, key: Any = None, value: Any = None) -> None:
        try:
            cells = self._local.cells
        except AttributeError:
            cells = self._ledger.enter()
        cells[event] = count = cells[event] + 1
        if count >= cells[event + 1]:
            self._ledger.sample(cells, event, key, value)

    def _add(self, cell: int, count: int) -> None:
        try:
            cells = self._local.cells
        except AttributeError:
            cells = self._ledger.enter()
        cells[cell] += count

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a user's function; one in some that is timed."""
        try:
            cells = self._local.cells
        except AttributeError:
            cells = self._ledger.enter()
        if (cells[COMPUTE] + cells[ABSENT_HIT] + cells[ABSENT_MADE]) % GAP:
            return function
        functions: list[int] = cells[TALLY].functions

        def timed(*args: Any) -> Any:
            begun = perf_counter_ns()
            try:
                return function(*args)
            finally:
                functions[0] += 1
                functions[1] += perf_counter_ns() - begun

        return timed

    # --- single keys --------------------------------------------------------------------------------

    def __getitem__(self, key: K, /) -> V:
        try:
            value: V = self._map[key]
        except KeyError:
            self._note(GET_MISS, key)
            raise
        try:
            cells = self._local.cells
        except AttributeError:
            cells = self._ledger.enter()
        cells[GET_HIT] = count = cells[GET_HIT] + 1
        if count >= cells[GET_HIT + 1]:
            self._ledger.sample(cells, GET_HIT, key, value)
        return value

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def get(self, key: Any, /, default: Any = None) -> Any:
            value = self._map.get(key, Absent)
            event = FIND_HIT if value is not Absent else FIND_MISS
            try:
                cells = self._local.cells
            except AttributeError:
                cells = self._ledger.enter()
            cells[event] = count = cells[event] + 1
            if count >= cells[event + 1]:
                self._ledger.sample(cells, event, key, value)
            return default if value is Absent else value

    def __contains__(self, key: object, /) -> bool:
        held: bool = key in self._map
        event = CONTAINS_HIT if held else CONTAINS_MISS
        try:
            cells = self._local.cells
        except AttributeError:
            cells = self._ledger.enter()
        cells[event] = count = cells[event] + 1
        if count >= cells[event + 1]:
            self._ledger.sample(cells, event, key, None)
        return held

    def __setitem__(self, key: K, value: V, /) -> None:
        self._map[key] = value
        try:
            cells = self._local.cells
        except AttributeError:
            cells = self._ledger.enter()
        cells[SET] = count = cells[SET] + 1
        if count >= cells[SET + 1]:
            self._ledger.sample(cells, SET, key, value)

    def __delitem__(self, key: K, /) -> None:
        try:
            del self._map[key]
        except KeyError:
            self._note(DELETE_MISS, key)
            raise
        self._note(DELETE_HIT, key)

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def pop(self, key: Any, /, default: Any = Absent) -> Any:
            value = self._map.pop(key, Absent)
            if value is not Absent:
                self._note(DELETE_HIT, key, value)
                return value
            self._note(DELETE_MISS, key)
            if default is Absent:
                raise KeyError(key)
            return default

    def popitem(self) -> tuple[K, V]:
        key, value = self._map.popitem()
        self._note(POPITEM, key, value)
        return key, value

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def setdefault(self, key: Any, default: Any = None, /) -> Any:
            value = self._map.setdefault(key, default)
            self._note(SETDEFAULT_MAYBE if value is default else SETDEFAULT_HIT, key, value)
            return value

        def swap(self, key: Any, value: Any, default: Any = None) -> Any:
            previous = self._map.swap(key, value, Absent)
            if previous is Absent:
                self._note(SWAP_MISS, key, value)
                return default
            self._note(SWAP_HIT, key, value)
            return previous

    def compare_and_set(self, key: K, expected: V | MissingType, value: V) -> bool:
        done: bool = self._map.compare_and_set(key, expected, value)
        event = (CAS_NEW if expected is MISSING else CAS_HIT) if done else CAS_MISS
        self._note(event, key, value)
        return done

    def compare_and_delete(self, key: K, expected: V) -> bool:
        done: bool = self._map.compare_and_delete(key, expected)
        self._note(CAD_HIT if done else CAD_MISS, key)
        return done

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def compute(self, key: Any, function: Callable[[Any], Any], default: Any = Absent) -> Any:
            if default is Absent:
                result = self._map.compute(key, self._timed(function))
            else:
                result = self._map.compute(key, self._timed(function), default)
            self._note(COMPUTE if result is not MISSING else COMPUTE_REMOVED, key, result)
            return result

    def compute_if_absent(self, key: K, factory: Callable[[K], V]) -> V:
        made = False
        timed = self._timed(factory)

        def make(key: Any) -> Any:
            nonlocal made
            made = True
            return timed(key)

        value: V = self._map.compute_if_absent(key, make)
        self._note(ABSENT_MADE if made else ABSENT_HIT, key, value)
        return value

    if not TYPE_CHECKING:  # for whom the overloads of the contract stand

        def compute_if_present(self, key: Any, function: Callable[[Any], Any], default: Any = None) -> Any:
            result = self._map.compute_if_present(key, self._timed(function), Absent)
            if result is Absent:
                self._note(COMPUTE_NONE, key)
                return default
            self._note(COMPUTE if result is not MISSING else COMPUTE_REMOVED, key, result)
            return result

        def merge(self, key: Any, value: Any, function: Callable[[Any, Any], Any]) -> Any:
            result = self._map.merge(key, value, self._timed(function))
            self._note(COMPUTE if result is not MISSING else COMPUTE_REMOVED, key, result)
            return result

    def entry(self, key: K, timeout: float | None = None) -> Entry[K, V]:
        entry: Entry[K, V] = self._map.entry(key, timeout)
        self._note(COMPUTE, key)
        return entry

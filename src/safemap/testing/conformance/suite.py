"""What all parts of the suite stand on: the map under test, its claims, and a limit of time for every test."""

from __future__ import annotations

import functools
from contextlib import nullcontext, suppress
from types import FunctionType

import pytest

from safemap import ConcurrentMapping
from safemap.testing.conformance.claims import CONTRACT, checked, guaranteed
from safemap.testing.threads import in_other_thread, rapid_switching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, ClassVar

AFTER_A_HANG = 3.0
"""Seconds that a test gets once another one of its class has hung: a map that hangs shall not take all day."""


class Suite:
    """Tests of one map. `make` and `claims` are set by who tests it; `pairs` and `limit` may be."""

    make: ClassVar[Callable[..., Any]]
    """What makes a map, called as `dict` is: a class, or a function."""
    claims: ClassVar[frozenset[str]]
    """The parts of the contract that it claims. What needs another one is skipped."""
    limit: ClassVar[float] = 20.0
    """Seconds that a test may take. One that takes longer has failed, and is left behind in its thread."""

    def __init_subclass__(
        cls, needs: Iterable[str] = (), *, rapid: bool = False, main_thread: bool = False, **options: Any
    ) -> None:
        """Take on a part of the suite, or a map to test.

        `needs`: the claims that all tests of a part need. `rapid`: its threads switch as often as they can.
        """
        super().__init_subclass__(**options)
        own = vars(cls)
        if cls.__module__.startswith(f"{__package__}."):
            for name, test in list(own.items()):
                if name.startswith("test_"):
                    setattr(cls, name, _guarded(test, checked(needs), rapid=rapid, main_thread=main_thread))
        if isinstance(own.get("make"), FunctionType):
            cls.make = staticmethod(own["make"])
        make = getattr(cls, "make", None)
        if make is not None:
            claims = getattr(cls, "claims", None)
            if claims is None:
                if not (isinstance(make, type) and issubclass(make, ConcurrentMapping)):
                    message = f"{cls.__name__} does not say which parts of the contract {make!r} claims"
                    raise TypeError(message)
                claims = CONTRACT
            cls.claims = checked(claims) | guaranteed(make)
        elif "claims" in own:
            cls.claims = checked(own["claims"])

    @property
    def cls(self) -> Any:
        """The class of the maps under test."""
        return self.make if isinstance(self.make, type) else type(self.make())

    def pairs(self, m: Any) -> Iterable[tuple[Any, Any]]:
        """Iterate over keys and values. Override it for a map that has neither `items` nor `__iter__`."""
        return m.items() if self.has("views") else _looked_up(m)

    # --- for the parts of the suite ------------------------------------------------------------------

    def has(self, *claims: str) -> bool:
        """Return whether the map claims all of these."""
        return checked(claims) <= self.claims

    def need(self, *claims: str) -> None:
        """Skip the test unless the map claims all of these."""
        __tracebackhide__ = True
        absent = sorted(checked(claims) - self.claims)
        if absent:
            pytest.skip(f"not claimed: {', '.join(absent)}")

    def filled(self, items: Any = (), /, **named: Any) -> Any:
        """Return a new map with these items, however it takes them."""
        contents = dict(items, **named)
        if self.has("construction"):
            return self.make(contents)
        m = self.make()
        for key, value in contents.items():
            m[key] = value
        return m

    def check(self, m: Any, expected: dict[Any, Any] | None = None) -> None:
        """Assert that the map is whole, and has the expected contents, whichever way one looks at it."""
        contents = dict(self.pairs(m))
        if expected is not None:
            assert contents == expected
        if self.has("len"):
            assert len(m) == len(contents)
        if self.has("iteration"):
            assert set(m) == contents.keys()
        if self.has("equality"):
            assert m == contents
        if self.has("to_dict"):
            assert m.to_dict() == contents
        if self.has("snapshot"):
            assert m.snapshot() == contents
        for key, value in contents.items():
            assert m[key] is value
        if hasattr(m, "_check"):
            m._check()

    def check_free(self, m: Any, key: Any) -> None:
        """Assert that other threads can write the key: nobody holds it, or the map."""
        in_other_thread(lambda: m.__setitem__(key, "free"), timeout=5)
        assert m[key] == "free"


def _looked_up(m: Any) -> Iterator[tuple[Any, Any]]:
    for key in m:
        with suppress(KeyError):  # it has been removed meanwhile
            yield key, m[key]


def needs(*claims: str) -> Callable[[Any], Any]:
    """Return a decorator for tests that need these claims, beyond those that their whole part needs."""

    def mark(test: Any) -> Any:
        test.needs = checked(claims)
        return test

    return mark


def _guarded(test: Any, claims: frozenset[str], *, rapid: bool, main_thread: bool) -> Any:
    """Return a test that skips what is not claimed, and that ends."""
    claims |= getattr(test, "needs", frozenset())

    @functools.wraps(test)
    def guarded(self: Suite, /, *args: Any, **arguments: Any) -> None:
        __tracebackhide__ = True
        self.need(*claims)
        if main_thread:
            test(self, *args, **arguments)
            return
        with rapid_switching() if rapid else nullcontext():
            _limited(self, functools.partial(test, self, *args, **arguments))

    return guarded


def _limited(suite: Suite, test: Callable[[], None]) -> None:
    __tracebackhide__ = True
    ended = []

    def run() -> None:
        __tracebackhide__ = True
        try:
            test()
        finally:
            ended.append(True)

    where = ""
    try:
        in_other_thread(run, timeout=suite.limit)
    except TimeoutError as error:
        if ended:
            raise
        where = str(error)
    if where:
        type(suite).limit = min(suite.limit, AFTER_A_HANG)
        pytest.fail(f"hangs: {where}", pytrace=False)

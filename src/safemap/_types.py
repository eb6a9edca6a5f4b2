"""Type parameters, and the base of classes that have them; for type checkers, those of `typing`.

At runtime they are stand-ins: nothing looks at them, and importing `typing` would double the time that
importing the package takes. For the same reason the package's files say `TYPE_CHECKING = False`, which type
checkers take for what `typing` calls so.
"""

from __future__ import annotations

from collections import namedtuple
from types import GenericAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Generic, TypeAlias, TypeVar, dataclass_transform, overload

    from _typeshed import SupportsKeysAndGetItem

    from safemap._missing import MissingType

    K = TypeVar("K")
    V = TypeVar("V")
    T = TypeVar("T")
    E = TypeVar("E")  # an element of a view
    V_co = TypeVar("V_co", covariant=True)
    # `V | M` is what a user's function gives: V alone, where it never gives MISSING. So one overload does for
    # both, and type checkers infer lambdas; of two, mypy makes Any.
    M = TypeVar("M", bound=MissingType)

    Contents: TypeAlias = SupportsKeysAndGetItem[K, V] | Iterable[tuple[K, V]]
    """What a dict can be made of, and a map."""

    @dataclass_transform(frozen_default=True)
    def record(cls: type[T]) -> type[T]:
        """Return a class whose instances have the annotated fields for good."""
        return cls
else:
    K = V = T = E = V_co = M = None

    class Generic:
        """What gives a class `[...]`."""

        __slots__ = ()

        def __class_getitem__(cls, parameters: Any, /) -> GenericAlias:
            """Return the class with type parameters, as `dict[str, int]` is one."""
            return GenericAlias(cls, parameters)

    def overload(function: Callable[..., Any]) -> Callable[..., Any]:
        """Mark one of several signatures."""
        return function

    def record(cls: type) -> type:
        """Return a class whose instances have the annotated fields for good."""
        fields = namedtuple(cls.__name__, cls.__annotations__)  # noqa: PYI024  # the other is in typing
        return type(
            cls.__name__, (fields,), {"__slots__": (), "__doc__": cls.__doc__, "__module__": cls.__module__}
        )


__all__ = ["E", "Generic", "K", "M", "T", "V", "V_co", "overload", "record"]

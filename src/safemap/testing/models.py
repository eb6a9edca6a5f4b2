"""What an object does when one thread uses it: the models that histories are held against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from safemap import MISSING, DeadlockError
from safemap.testing.history import NotRecordedError, Pending, Raised, RecordedFunction, RepeatedFunction, Returned

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from safemap.testing.history import Operation


class SequentialModel(ABC):
    """A model that is given by what each operation does. Subclasses define `apply`, and may define `key_of`.

    >>> class Register(SequentialModel):
    ...     def apply(self, state, name, arguments):
    ...         return (state, state) if name == "read" else (arguments[0], None)
    """

    refusals: tuple[type[BaseException], ...] = ()
    """Exceptions that any operation may raise, and that mean that it has not taken effect."""

    def __init__(self, initial: Hashable = None) -> None:
        """Begin in the state `initial`."""
        self.initial: Any = initial

    @abstractmethod
    def apply(self, state: Any, name: str, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
        """Return the state after an operation, and what the operation returns; or raise what it raises."""

    def key_of(self, _operation: Operation) -> Hashable | None:
        """Return what an operation is about, if it neither sees nor changes anything else; else None."""
        return None

    def step(self, state: Any, operation: Operation) -> Iterable[Any]:
        """Return the states that an operation may lead to: none, if it could not have had its outcome."""
        if isinstance(operation.outcome, Raised) and issubclass(operation.outcome.error, self.refusals):
            return [state]
        pending = isinstance(operation.outcome, Pending)
        functions = []
        arguments = []
        for argument in operation.arguments:
            if isinstance(argument, RecordedFunction):
                if pending:  # and so, perhaps, is a call of the function
                    arguments.append(argument.function)
                    continue
                repeated = RepeatedFunction(argument)
                functions.append(repeated)
                arguments.append(repeated)
            else:
                arguments.append(argument)
        outcome: Returned | Raised
        try:
            new, value = self.apply(state, operation.name, tuple(arguments))
            outcome = Returned(value)
        except NotRecordedError:
            return []
        except Exception as error:  # noqa: BLE001
            new, outcome = state, Raised(type(error), error.args)
        if pending:
            return [new]
        if outcome != operation.outcome or any(function.left for function in functions):
            return []
        return [new]

    def partition(self, operations: Sequence[Operation]) -> dict[Hashable, list[Operation]]:
        """Return the operations by their keys; in one group, named None, if any of them has no key."""
        groups: dict[Hashable, list[Operation]] = {}
        for operation in operations:
            key = self.key_of(operation)
            if key is None:
                return {None: list(operations)}
            groups.setdefault(key, []).append(operation)
        return groups


class ReferenceMap(dict[Any, Any]):
    """The contract of `ConcurrentMapping` for one thread: the shortest code that keeps it."""

    def swap(self, key: Any, value: Any, default: Any = None) -> Any:
        previous = self.get(key, default)
        self[key] = value
        return previous

    def compare_and_set(self, key: Any, expected: Any, value: Any) -> bool:
        matches = bool(self.get(key, MISSING) == expected)
        if matches:
            self[key] = value
        return matches

    def compare_and_delete(self, key: Any, expected: Any) -> bool:
        matches = key in self and bool(self[key] == expected)
        if matches:
            del self[key]
        return matches

    def compute(self, key: Any, function: Callable[[Any], Any], *default: Any) -> Any:
        if key not in self and not default:
            raise KeyError(key)
        return self._settle(key, function(self.get(key, *default)))

    def compute_if_absent(self, key: Any, factory: Callable[[Any], Any]) -> Any:
        return self[key] if key in self else self._settle(key, factory(key))

    def compute_if_present(self, key: Any, function: Callable[[Any], Any], default: Any = None) -> Any:
        return self._settle(key, function(self[key])) if key in self else default

    def merge(self, key: Any, value: Any, function: Callable[[Any, Any], Any]) -> Any:
        return self._settle(key, function(self[key], value) if key in self else value)

    def _settle(self, key: Any, value: Any) -> Any:
        if value is MISSING:
            self.pop(key, None)
        else:
            self[key] = value
        return value


def through_entry(m: Any, key: Any, function: Callable[[Any], Any]) -> Any:
    """Change a key from inside an `entry` block; return what the key had before."""
    if isinstance(m, ReferenceMap):
        before = m.get(key, MISSING)
        m._settle(key, function(before))
        return before
    with m.entry(key) as entry:
        before = entry.value
        entry.value = function(before)
    return before


def without_repetition(keys: Iterable[Any]) -> frozenset[Any]:
    """Return the keys that an iteration gave. None may come twice."""
    given = list(keys)
    if len(set(given)) != len(given):
        raise AssertionError(f"an iteration gave a key more than once: {given}")
    return frozenset(given)


def pairs(mapping: Any) -> frozenset[Any]:
    """Return the pairs of a mapping. No key may come twice."""
    given = list(mapping.items())
    without_repetition(key for key, _ in given)
    return frozenset(given)


def still(m: Any) -> frozenset[Any]:
    """Return the pairs of a snapshot, which are the same at a second look."""
    if isinstance(m, ReferenceMap):
        return pairs(m)
    snapshot = m.snapshot()
    first, second = pairs(snapshot), pairs(snapshot)
    if first != second or len(snapshot) != len(first):
        raise AssertionError(f"a snapshot has changed from {set(first)} to {set(second)}")
    return first


# What is done to a map, and to the model of one; what comes back can be hashed and compared.
SINGLE_KEY: dict[str, Callable[..., Any]] = {
    "getitem": lambda m, key: m[key],
    "get": lambda m, key, default=None: m.get(key, default),
    "contains": lambda m, key: key in m,
    "setitem": lambda m, key, value: m.__setitem__(key, value),
    "delitem": lambda m, key: m.__delitem__(key),
    "setdefault": lambda m, key, default: m.setdefault(key, default),
    "pop": lambda m, key, *default: m.pop(key, *default),
    "discard": lambda m, key: (m.pop(key, None), None)[1],
    "swap": lambda m, key, value: m.swap(key, value, MISSING),
    "compare_and_set": lambda m, key, expected, value: m.compare_and_set(key, expected, value),
    "compare_and_delete": lambda m, key, expected: m.compare_and_delete(key, expected),
    "compute": lambda m, key, function, *default: m.compute(key, function, *default),
    "compute_if_absent": lambda m, key, factory: m.compute_if_absent(key, factory),
    "compute_if_present": lambda m, key, function: m.compute_if_present(key, function, MISSING),
    "merge": lambda m, key, value, function: m.merge(key, value, function),
    "entry": through_entry,
}
WHOLE_MAP: dict[str, Callable[..., Any]] = {
    "popitem": lambda m: m.popitem(),
    "update": lambda m, items: m.update(dict(items)),
    "clear": lambda m: m.clear(),
    "len": len,
    "keys": without_repetition,
    "values": lambda m: tuple(sorted(m.values(), key=repr)),
    "items": pairs,
    "snapshot": still,
    "to_dict": lambda m: pairs(m if isinstance(m, ReferenceMap) else m.to_dict()),
    "copy": lambda m: pairs(m.copy()),
}
OPERATIONS = SINGLE_KEY | WHOLE_MAP


class MapModel(SequentialModel):
    """A map: the operations of `OPERATIONS`, by these names, and `locked`, whose parts happen in one step.

    `popitem` may take any item. The state is a frozenset of pairs, so keys and values must be hashable.
    """

    refusals: tuple[type[BaseException], ...] = (TimeoutError, DeadlockError)

    def __init__(self, initial: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        """Begin with the contents `initial`."""
        super().__init__(frozenset(dict(initial).items()))

    def apply(self, state: Any, name: str, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
        m = ReferenceMap(state)
        value = OPERATIONS[name](m, *arguments)
        return frozenset(m.items()), value

    def step(self, state: Any, operation: Operation) -> Iterable[Any]:
        if operation.name == "locked":
            return self._step_through(state, operation)
        if operation.name == "popitem":
            if isinstance(operation.outcome, Pending):
                return [state - {item} for item in state] or [state]
            if isinstance(operation.outcome, Returned):
                item = operation.outcome.value
                return [state - {item}] if item in state else []
        return super().step(state, operation)

    def _step_through(self, state: Any, block: Operation) -> Iterable[Any]:
        """Do what the block got to, whatever ended it."""
        states = [state]
        for part in block.parts:
            states = [new for each in states for new in self.step(each, part)]
        return states

    def key_of(self, operation: Operation) -> Hashable | None:
        return operation.arguments[0] if operation.name in SINGLE_KEY else None

"""Whether a history keeps what a variant guarantees, where that is less than linearizability of everything.

All variants promise that operations on one key are linearizable. Where `Guarantees` says that iteration is "weak",
`update` goes "key by key" and `len` is "approximate", an operation on the whole map is not one step for readers,
who take no lock. That is stated, and so it can be checked:

  - *For readers*, an operation on many keys is one operation on each of them, at moments of its own between its
    call and its return. An iteration looks at each key; `update` sets each; `clear` removes each; a `locked` block
    is what was done in it; `len` counts each key as it finds it. So every key has a history of its own.
  - *For writers*, `clear`, `locked`, `snapshot` and `to_dict` are one step, and so is finding the map empty
    (`popitem`). Only what reads without a lock is left out of this history. (Where nothing in it could be seen
    half done, nothing is left out.)
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from safemap import MISSING
from safemap.testing.history import History, Raised, RecordedFunction, Returned
from safemap.testing.linearizability import STEPS, Search, Verdict, check_linearizable
from safemap.testing.models import SINGLE_KEY, MapModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from safemap import Guarantees
    from safemap.testing.history import Operation

WEAK = {"keys", "values", "items", "len", "copy"}
READING = {"getitem", "get", "contains"}
MAY_READ = {"setdefault", "compute_if_absent", "compute_if_present"}


def check_guaranteed(
    history: Iterable[Operation],
    guarantees: Guarantees,
    initial: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (),
    *,
    steps: int = STEPS,
) -> Verdict:
    """Return whether a map's history keeps what `guarantees` says of the map.

    As `check_linearizable`, with the contents `initial` at the beginning; where guarantees are weaker, it is held
    against these.
    """
    operations = list(history)
    model = MapModel(initial)
    if (
        guarantees.iteration == "one moment"
        and guarantees.update == "all at once"
        and guarantees.length == "exact"
    ):
        return check_linearizable(operations, model, steps=steps)
    one_by_one = list(by_key(operations, keys_in(operations, model)))
    verdict = check_linearizable(one_by_one, model, steps=steps)
    if verdict:
        lengths = [operation for operation in operations if operation.name == "len"]
        verdict = check_lengths(lengths, one_by_one, model, steps) if lengths else verdict
    if verdict:
        verdict = check_linearizable(list(for_writers(operations)), model, steps=steps)
    return verdict


def keys_in(operations: Iterable[Operation], model: MapModel) -> list[Any]:
    """Return all keys that can ever be in the map."""
    keys = dict.fromkeys(key for key, _ in model.initial)
    for operation in operations:
        if operation.name in SINGLE_KEY:
            keys[operation.arguments[0]] = None
        elif operation.name == "update":
            keys.update(dict.fromkeys(key for key, _ in operation.arguments[0]))
        keys.update(dict.fromkeys(keys_in(operation.parts, model)))
    return list(keys)


def by_key(operations: Iterable[Operation], keys: Sequence[Any]) -> Iterator[Operation]:
    """Yield what operations are to readers: each on a single key."""
    for operation in operations:
        if operation.name == "locked":
            yield from by_key(operation.parts, keys)
        elif operation.name in SINGLE_KEY:
            yield operation
        elif operation.name == "popitem":
            yield from as_removal(operation, keys)
        elif isinstance(operation.outcome, Raised):
            yield operation  # which no model does: let it be shown
        elif operation.name == "update":
            yield from as_assignments(operation)
        elif operation.name == "clear":
            yield from (on_key(operation, "discard", (key,), None) for key in keys)
        elif isinstance(operation.outcome, Returned):
            yield from as_looks(operation, operation.outcome.value, keys)


def as_assignments(update: Operation) -> Iterator[Operation]:
    """Yield an `update` key by key."""
    for key, value in update.arguments[0]:
        yield on_key(update, "setitem", (key, value), None)


def as_removal(popitem: Operation, keys: Sequence[Any]) -> Iterator[Operation]:
    """Yield a `popitem` as what it removed, or may have removed."""
    if isinstance(popitem.outcome, Returned):
        key, value = popitem.outcome.value
        yield on_key(popitem, "pop", (key,), value)
    elif popitem.returned is None:
        yield from (on_key(popitem, "discard", (key,), None) for key in keys)


def as_looks(whole: Operation, seen: Any, keys: Sequence[Any]) -> Iterator[Operation]:
    """Yield a look at the whole as a look at each key."""
    if whole.name == "keys":
        yield from (on_key(whole, "contains", (key,), key in seen) for key in keys)
    elif whole.name not in {"len", "values"}:
        values = dict(seen)
        yield from (on_key(whole, "get", (key, MISSING), values.get(key, MISSING)) for key in keys)


def on_key(operation: Operation, name: str, arguments: tuple[Any, ...], value: Any) -> Operation:
    """Return an operation as one on a single key."""
    outcome = operation.outcome if operation.returned is None else Returned(value)
    return replace(operation, name=name, arguments=arguments, outcome=outcome, parts=())


def for_writers(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Yield what is one step to those who take the locks."""
    half_seen = any(operation.name in {"clear", "locked"} for operation in operations)
    for operation in operations:
        if operation.name == "update":
            yield from as_assignments(operation)
        elif operation.name in WEAK or (half_seen and is_reading(operation)):
            continue
        else:
            yield operation


def is_reading(operation: Operation) -> bool:
    """Return whether an operation was a look at one key, and nothing more: no function of it was called."""
    if operation.name == "setdefault":
        return operation.outcome != Returned(operation.arguments[1])
    functions = [argument for argument in operation.arguments if isinstance(argument, RecordedFunction)]
    return operation.name in READING or (
        operation.name in MAY_READ and not any(function.calls for function in functions)
    )


def check_lengths(
    lengths: Sequence[Operation], others: Sequence[Operation], model: MapModel, steps: int
) -> Verdict:
    """Return whether each `len` can have counted every key as that was at some moment of the count.

    For each key, all ways are tried in which the counts can have found it, there or not, and those kept that its
    own history allows; one for each key must add up to what the counts gave.
    """
    groups = model.partition(others)
    wanted = tuple(operation.outcome.value for operation in lengths if isinstance(operation.outcome, Returned))
    counted = [operation for operation in lengths if isinstance(operation.outcome, Returned)]
    sums = {(0,) * len(wanted)}
    taken = 0
    for key in {*groups, *(key for key, _ in model.initial)}:
        found_in = []
        for found in product((False, True), repeat=len(counted)):
            looks = [on_key(each, "contains", (key,), there) for each, there in zip(counted, found, strict=True)]
            search = Search([*groups.get(key, []), *looks], model, steps - taken)
            result = search.run()
            taken += search.steps
            if result is None:
                return Verdict("undecided", taken)
            if result:
                found_in.append(found)
        sums = {tuple(a + b for a, b in zip(total, found, strict=True)) for total in sums for found in found_in}
    if wanted in sums:
        return Verdict("linearizable", taken)
    everything = sorted([*counted, *others], key=lambda operation: operation.called)
    return Verdict("not linearizable", taken, failing=History(everything), group="len")

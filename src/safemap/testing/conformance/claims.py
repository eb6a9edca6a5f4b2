"""What a map can claim: the parts of the contract, each by a short name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

OF_A_DICT: Final[Mapping[str, str]] = {
    "construction": "`M(items, **named)` takes and refuses what `dict` does, and in the same words",
    "fromkeys": "`M.fromkeys(keys, value)`",
    "generic alias": "`M[str, int]`",
    "in": "`key in m`",
    "get": "`m.get(key, default)`",
    "len": "`len(m)`, and an empty map is false",
    "setdefault": "`m.setdefault(key, default)`",
    "pop": "`m.pop(key, default)`",
    "popitem": "`m.popitem()`",
    "clear": "`m.clear()`",
    "update": "`m.update(items, **named)`",
    "union": "`m | other`, `other | m`, `m |= items`",
    "iteration": "`iter(m)`",
    "reversed": "`reversed(m)`, and of its views",
    "ordered": "iteration and `popitem` follow the order of insertion",
    "views": "`keys()`, `values()`, `items()`: live, and sets where dict's are",
    "mapping": "`isinstance(m, MutableMapping)`, `{**m}`, `match`",
    "equality": "`==` compares as dict's does",
    "unhashable": "`hash(m)` and `m < other` are errors",
    "repr": "a map and its views look as dict's do, also where they contain themselves",
    "copy": "`m.copy()`, `copy.copy(m)`",
    "deepcopy": "`copy.deepcopy(m)`",
    "pickle": "every protocol",
    "subclass": "can be subclassed, and does not go through the operators that the subclass overrides",
    "missing": "`__missing__` of a subclass",
    "no attributes": "an instance has no `__dict__`",
    "lets go": "what was removed or replaced is not kept alive",
    "all or nothing": "if a key or a comparison raises, nothing has changed",
}

OF_THREADS: Final[Mapping[str, str]] = {
    "weakref": "can be referred to weakly; cycles through it are collected",
    "threads": "what one thread stores others find, whole; afterwards `len` is right",
    "atomic setdefault": "of those who set the same key, one wins",
    "atomic pop": "each value is popped once",
    "atomic popitem": "each item is popped once, until the map is empty",
    "whole updates": "if what `update` or `|=` reads raises, nothing has changed",
    "swap": "`m.swap(key, value, default)`, in one step",
    "compare_and_set": "`m.compare_and_set(key, expected, value)`, in one step",
    "compare_and_delete": "`m.compare_and_delete(key, expected)`, in one step",
    "compute": "`m.compute(key, function, default)`, in one step, with one call of the function",
    "compute_if_absent": "`m.compute_if_absent(key, factory)`, with one call of the factory for all who wait",
    "compute_if_present": "`m.compute_if_present(key, function, default)`",
    "merge": "`m.merge(key, value, function)`, in one step",
    "entry": "`with m.entry(key) as entry:` holds one key",
    "locked": "`with m.locked():` keeps other writers out",
    "timeouts": "`m.entry(key, timeout=...)`, `m.locked(timeout=...)`",
    "default_factory": "`M.configured(items, default_factory=...)`, with one call for all who wait",
    "to_dict": "`m.to_dict()` is a plain dict of its own",
    "snapshot": "`m.snapshot()` is a mapping that does not change",
    "one-moment snapshot": "snapshots never show the middle of a `locked` section",
    "safe iteration": "never raises because of another thread; each key once; all that were there throughout",
    "two maps": "`a.update(b)`, `a == b` and the like, while another thread does the same the other way round",
    "deadlock detection": "where two threads would wait for one another for ever, one gets `DeadlockError`",
    "reentrant": "may be used from a key's `__eq__`, a value's `__del__`, a signal handler, a running function",
}

OF_GUARANTEES: Final[Mapping[str, str]] = {
    "one-moment iteration": "an iteration shows the map of one moment",
    "all-at-once update": "nobody sees a part of an `update`, or of a `locked` section",
    "exact len": "`len` is that of one moment, also while others write",
    "reads do not wait": "`m[k]` does not wait for a writer",
    "looks do not wait": "iteration, `len` and snapshots do not wait for a function that runs under the map",
    "keys apart": "functions on different keys do not wait for one another",
}

CLAIMS: Final[Mapping[str, str]] = {**OF_A_DICT, **OF_THREADS, **OF_GUARANTEES}
"""All that can be claimed, and what each claim means."""

DICT: Final[frozenset[str]] = frozenset(OF_A_DICT)
"""All that a plain dict does for one thread."""

CONTRACT: Final[frozenset[str]] = DICT - {"ordered"} | frozenset(OF_THREADS)
"""All of `ConcurrentMapping`. What its `guarantees` say counts as claimed beyond that."""


def checked(claims: Any) -> frozenset[str]:
    """Return the claims as a set. Raises ValueError for one that there is not."""
    unknown = sorted(set(claims) - CLAIMS.keys())
    if unknown:
        message = f"unknown claims: {', '.join(map(repr, unknown))}; known are: {', '.join(CLAIMS)}"
        raise ValueError(message)
    return frozenset(claims)


def guaranteed(make: Any) -> frozenset[str]:
    """Return the claims that the `guarantees` of a class amount to."""
    guarantees = getattr(make, "guarantees", None)
    if guarantees is None:
        return frozenset()
    amounts = {
        "ordered": guarantees.insertion_order,
        "one-moment iteration": guarantees.iteration == "one moment",
        "all-at-once update": guarantees.update == "all at once",
        "exact len": guarantees.length == "exact",
        "reads do not wait": guarantees.reader_waits_for_writer != "yes",
        "looks do not wait": guarantees.function_excludes != "the map",
        "keys apart": guarantees.function_excludes == "its key",
    }
    return frozenset(claim for claim, holds in amounts.items() if holds)

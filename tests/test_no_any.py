"""No public call gives `Any` that need not: asked of the annotations, as type checkers see them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import safemap
from tests.test_types import OWNED

ANY = {
    "Event.key": "by the event's kind a key or MISSING; no checker can tell which",
    "Event.old": "likewise a value, a snapshot or MISSING",
    "Event.new": "likewise a value, a number or MISSING",
    "Call.arguments": "those of any operation",
    "Operation.arguments": "likewise",
    "Raised.arguments": "those of any exception",
    "Returned.value": "what any operation returned",
    "Program.initial": "the contents of any map",
    "Recorder.record": "what any operation returns",
    "RecordedMap.__getattr__": "an operation of any map",
    "RecordedMap.__getitem__": "a value of any map",
    "RecordedMap.locked": "what any function returns",
    "RecordedMap.perform": "what any operation returns",
    "Runner.check": "a function that takes any map",
    "Runner.guarantees": "those of any map, or of what is none",
    "Runner.make": "a function that makes any map",
    "Runner.run": "any map",
    "Scenario.check": "a function of which nobody wants to know what it returns",
    "Scenario.threads": "likewise",
    "SequentialModel.apply": "the states of a model, and what its operations return",
    "SequentialModel.step": "likewise",
    "WatchedMap.kind": "a class of any keys and values: there is no type for classes without parameters",
    "MapModel.apply": "likewise",
    "MapModel.step": "likewise",
}
"""Public names whose type has `Any` in it, and why."""
DUNDERS = ("__class_getitem__", "__getstate__", "__reduce__", "__reduce_ex__")
"""What pickle and `C[...]` ask for."""


def as_checkers_see(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "not TYPE_CHECKING"}:
            yield from as_checkers_see(node.body if isinstance(node.test, ast.Name) else node.orelse)
        else:
            yield node


def types_in(body: list[ast.stmt]) -> dict[str, list[str]]:
    """Return what a body's functions return, by name, and the types of its variables; of overloads, all."""
    found: dict[str, list[str]] = {}
    overloaded = set()
    for node in as_checkers_see(body):
        match node:
            case ast.FunctionDef(name=name, returns=returns, decorator_list=decorators):
                if any(ast.unparse(decorator) == "overload" for decorator in decorators):
                    overloaded.add(name)
                elif name in overloaded:
                    continue
                found.setdefault(name, []).append(ast.unparse(returns) if returns else "Any")
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                found.setdefault(name, []).append(ast.unparse(annotation))
    return found


def body_of(module: str) -> list[ast.stmt]:
    path = Path(sys.modules[module].__file__ or "")
    return ast.parse(path.with_name(f"{path.name.partition('.')[0]}.py").read_text()).body  # compiled: beside it


def public_types(thing: Any) -> dict[str, list[str]]:
    """Return the types of a public class's members, inherited ones too, or that of a function."""
    if isinstance(thing, FunctionType):
        return {thing.__name__: types_in(body_of(thing.__module__))[thing.__name__]}
    members: dict[str, list[str]] = {}
    for cls in reversed(thing.__mro__):
        if cls.__module__.startswith(("safemap", __name__)):
            for node in as_checkers_see(body_of(cls.__module__)):
                if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                    members |= types_in(node.body)
    return {
        f"{thing.__name__}.{name}": stated
        for name, stated in members.items()
        if not name.startswith("_") or name.endswith("__")
    }


def leaks(things: Iterable[Any]) -> dict[str, list[str]]:
    found = {name: stated for thing in things for name, stated in public_types(thing).items()}
    return {name: stated for name, stated in found.items() if any(re.search(r"\bAny\b", one) for one in stated)}


def test_no_public_call_gives_any():
    found = leaks(OWNED.values())
    untold = {name: stated for name, stated in found.items() if name not in ANY and not name.endswith(DUNDERS)}
    assert not untold
    assert set(ANY) <= set(found), "these are Any no more"


class Leaking(safemap.MutexMap[str, int]):
    """What must be found."""

    def double(self, key: str) -> Any:
        return self.compute(key, lambda n: 2 * n)

    def unsaid(self):
        return 1


def test_a_call_that_gives_any_is_found():
    assert {"Leaking.double", "Leaking.unsaid"} <= set(leaks([Leaking]))

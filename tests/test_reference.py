"""The reference: what every public operation says of itself.

A docstring of an operation is prose; then a paragraph with `Cost:`, `Atomicity:` and `Errors:`, each on a line of
its own that may go on, indented; then an example that runs. docs/reference/index.md says what the words mean.
"""

from __future__ import annotations

import ast
import concurrent.futures
import doctest
import inspect
import json
import pickle
import re
import tempfile
import threading
from pathlib import Path

import pytest

import safemap
from safemap.bench import Recorder
from safemap.bench.recording import load
from safemap.watch import Watch, WatchedMap

SOURCE = Path(safemap.__file__).parent
SECTIONS = ["Cost", "Atomicity", "Errors"]
BEGINNING = r"(Cost|Atomicity|Errors): "
NO_OPERATIONS = {"guarantees", "options", "key"}  # attributes, which hold what the prose of their class says
OF_THE_LANGUAGE = {
    "__new__",
    "__doc__",
    "__class_getitem__",
    "__lt__",
    "__le__",
    "__ne__",
    "__gt__",
    "__ge__",
}
VIEWS = [
    type(view) for view in (safemap.MutexMap().keys(), safemap.MutexMap().values(), safemap.MutexMap().items())
]
FOR_EXAMPLES = {name: getattr(safemap, name) for name in safemap.__all__} | {
    "Recorder": Recorder,
    "TemporaryDirectory": tempfile.TemporaryDirectory,
    "WatchedMap": WatchedMap,
    "load": load,
    "ThreadPoolExecutor": concurrent.futures.ThreadPoolExecutor,
    "json": json,
    "pickle": pickle,
    "threading": threading,
}


# --- what there is ----------------------------------------------------------------------------------------


def members(cls, operators):
    """Yield the names and docstrings of a class's public members, and of the operators that dict has."""
    for name in vars(cls):
        member = getattr(cls, name)  # not what `vars` has: a classmethod of compiled code has no docstring
        is_operator = name in dir(dict) and name.startswith("__") and name not in OF_THE_LANGUAGE and member
        if (operators and is_operator) or not (name.startswith("_") or name in NO_OPERATIONS):
            yield name, inspect.cleandoc(getattr(member, "__doc__", None) or "")


CONTRACT = {f"ConcurrentMapping.{name}": doc for name, doc in members(safemap.ConcurrentMapping, operators=True)}
BESIDE = {
    **{f"Snapshot.{name}": doc for name, doc in members(safemap.Snapshot, operators=True)},
    **{f"Entry.{name}": doc for name, doc in members(safemap.Entry, operators=False)},
    **{
        f"{cls.__name__}.{name}": doc
        for view in VIEWS
        for cls in view.__mro__
        if cls.__module__.startswith("safemap")
        for name, doc in members(cls, operators=False)
    },
    **{view.__name__: inspect.cleandoc(view.__doc__) for view in VIEWS},
    **{f"WatchedMap.{name}": doc for name, doc in members(WatchedMap, operators=False)},
    **{
        f"{cls.__name__}.{name}": doc
        for cls in Watch.__mro__
        if cls.__module__ == Watch.__module__
        for name, doc in members(cls, operators=False)
    },
}
BESIDE |= {
    f"Recorder.{name}": inspect.cleandoc(vars(Recorder)[name].__doc__)
    for name in ("seen", "recording", "workload", "save", "reset")  # the rest is the inner map's
}
NAMES = {
    name: inspect.cleandoc(getattr(safemap, name).__doc__ or "")
    for name in safemap.__all__
    if inspect.isclass(getattr(safemap, name)) or inspect.isfunction(getattr(safemap, name))
}
ALL = CONTRACT | BESIDE | NAMES


def explained():
    """Return the names of the package's constants that have a docstring below them."""
    for path in SOURCE.glob("*.py"):
        body = ast.parse(path.read_text("utf-8")).body
        for node, below in zip(body, body[1:], strict=False):
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if isinstance(node, ast.AnnAssign | ast.Assign) and is_text:
                yield from (
                    name.id
                    for name in getattr(node, "targets", None) or [node.target]
                    if isinstance(name, ast.Name)
                )


def test_constants_are_explained():
    assert {"KINDS", "MISSING", "__version__", "compiled"} == set(safemap.__all__) - set(NAMES)
    assert set(safemap.__all__) - set(NAMES) <= set(explained())


# --- the sections -----------------------------------------------------------------------------------------


def sections(doc):
    """Return the paragraph with the sections: name to text, continuations joined."""
    found = {}
    for line in next((each for each in doc.split("\n\n") if re.match(BEGINNING, each)), "").splitlines():
        name, colon, text = line.partition(": ")
        if line.startswith("    ") and found:
            found[list(found)[-1]] += f" {line.strip()}"
        elif colon:
            found[name] = text
        else:
            found[line] = ""
    return found


def fault(doc):
    """Return what is wrong with the docstring of an operation, or None."""
    found = sections(doc)
    if list(found) != SECTIONS:
        return f"its sections are {list(found)}, not {SECTIONS}"
    if not all(text.rstrip(".") for text in found.values()):
        return "a section is empty"
    if re.match(BEGINNING, doc):
        return "no prose stands before its sections"
    if doc.find(">>> ") < doc.find("\nErrors: "):
        return "no example stands below its sections"
    word, dash, why = found["Atomicity"].partition(" - ")
    if word not in {"good", "maybe", "bad"} or not (dash and why):
        return f"its atomicity is neither good, maybe nor bad, for a reason: {found['Atomicity']}"
    named = re.findall(r"`guarantees\.(\w+)`", why)
    if word == "maybe" and not (named and set(named) <= set(fields())):
        return f"it does not say by which of the guarantees it is atomic: {why}"
    return None


def fields():
    return list(inspect.get_annotations(safemap.Guarantees)) or safemap.Guarantees._fields


@pytest.mark.parametrize("name", ALL)
def test_it_says_cost_atomicity_and_errors_and_shows_it(name):
    assert fault(ALL[name]) is None, name


def test_nothing_is_left_out():
    assert {"ConcurrentMapping.compute", "ConcurrentMapping.__setitem__", "ConcurrentMapping.default_factory"} <= {
        *CONTRACT
    }
    assert {"Snapshot.__ror__", "Entry.value", "_SetView.isdisjoint", "_View.mapping", "Keys"} <= {*BESIDE}
    assert {"WatchedMap.wait_for", "Watch.take", "_Listener.close"} <= {*BESIDE}
    assert {"create", "MutexMap", "Guarantees", "DeadlockError", "MissingType"} <= {*NAMES}


GOOD = ALL["ConcurrentMapping.compute"]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (GOOD, "", "sections"),
        ("Cost: ", "Costs: ", "sections"),
        ("Cost: O(1), and the function.\n", "", "sections"),
        ("Atomicity: good", "Cost: good", "sections"),
        ("Errors: ", "\nErrors: ", "sections"),
        ("    has changed", "has changed", "sections"),
        (GOOD[: GOOD.index("Cost: ")], "", "prose"),
        ("Cost: O(1), and the function.", "Cost: .", "empty"),
        (GOOD[GOOD.index(">>>") :], "", "example"),
        ("Atomicity: good", "Atomicity: fine", "neither"),
        ("Atomicity: good - nobody", "Atomicity: good, nobody", "neither"),
        ("Atomicity: good", "Atomicity: maybe", "guarantees"),
        ("Atomicity: good", "Atomicity: maybe - `guarantees.updates`, so", "guarantees"),
        ("Atomicity: good", "Atomicity: maybe - `guarantees.update`, so", None),
        ("Atomicity: good", "Atomicity: bad", None),
    ],
)
def test_faulty_docstrings_are_found(old, new, found):
    said = fault(GOOD.replace(old, new))
    assert said is None if found is None else found in said


@pytest.mark.parametrize("cls", safemap.KINDS.values())
def test_an_override_has_the_contracts_docstring_or_its_own(cls):
    for name in vars(safemap.ConcurrentMapping):
        if not name.startswith("_") and name not in NO_OPERATIONS:
            said = inspect.getdoc(inspect.getattr_static(cls, name))
            if safemap.compiled:  # then inspect finds no inherited ones
                said = next(filter(None, (vars(base)[name].__doc__ for base in cls.__mro__ if name in vars(base))))
            assert said, name


# --- the examples -----------------------------------------------------------------------------------------


def failures(doc, name, namespace):
    """Return what doctest has to say of a docstring's examples; nothing if they are right."""
    said = []
    test = doctest.DocTestParser().get_doctest(doc, dict(namespace), name, None, 0)
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    return "".join(said)


@pytest.mark.parametrize("variant", safemap.KINDS.values())
def test_the_contracts_examples_are_right_of_every_variant(variant):
    """They say ShardedMap; each of the five can stand there."""
    namespace = FOR_EXAMPLES | {"ShardedMap": variant}
    assert "".join(failures(doc, name, namespace) for name, doc in (CONTRACT | BESIDE).items()) == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_names_are_right(name):
    assert failures(NAMES[name], name, FOR_EXAMPLES) == ""


def test_an_example_that_is_wrong_is_found():
    assert "Expected:\n    (1, 3)\nGot:\n    (1, 2)" in failures(
        GOOD.replace("(1, 2)", "(1, 3)"), "", FOR_EXAMPLES
    )

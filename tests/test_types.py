"""What type checkers say of all that is public.

Nothing is unknown, and all of it is as it says at runtime, plain and compiled.

The files in `typing` are typed usage. `mypy` and `pyright` check them with the package itself; here they are
run, too, and each type that they state is held against what there is.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

import safemap
import safemap.bench
import safemap.detect
import safemap.testing
import safemap.watch
from tests.support import ROOT, run_python
from tests.typing import contract

HERE = Path(__file__).parent / "typing"
USAGE = sorted(HERE.glob("[a-z]*.py"))
PUBLIC = [safemap, safemap.bench, safemap.detect, safemap.testing, safemap.watch]
OWNED = {
    f"{thing.__module__}.{thing.__qualname__}": thing
    for module in PUBLIC
    for thing in (getattr(module, name) for name in module.__all__)
    if isinstance(thing, type | types.FunctionType) and thing.__module__.startswith("safemap")
}
"""The classes and functions that they hand out, by where they stand."""


def run_checker(module: str, *arguments: str, **environment: str) -> str:
    """Run a type checker on the package as it stands in `src`; return what it printed."""
    pytest.importorskip(module.partition(".")[0], reason="it comes with the dependency group lint")
    paths = {name: str(ROOT / "src") for name in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | paths | environment,
    )
    return done.stdout + done.stderr


# --- nothing is unknown ---------------------------------------------------------------------------------


def test_pyright_knows_the_type_of_every_public_name():
    arguments = ["--verifytypes", "safemap", "--ignoreexternal", "--outputjson"]
    answer = json.loads(run_checker("pyright", "--pythonpath", sys.executable, *arguments))["typeCompleteness"]
    assert Path(answer["packageRootDirectory"]) == ROOT / "src" / "safemap"
    unknown = [
        f"{symbol['name']}: {problem['message']}"
        for symbol in answer["symbols"]
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
        for problem in symbol["diagnostics"]
        if "docstring" not in problem["message"]
    ]
    assert not unknown, "\n".join(unknown)
    assert answer["completenessScore"] == 1
    assert answer["exportedSymbolCounts"]["withKnownType"] > 2000


# --- all of it is used ----------------------------------------------------------------------------------


def used(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_typed_usage_leaves_out_no_public_name():
    names = set().union(*map(used, USAGE))
    for module in PUBLIC:
        for name in set(module.__all__) - {"DeadlockError"}:  # an exception without anything of its own
            assert name in names, f"{module.__name__}.{name}"


@pytest.mark.parametrize(
    ("cls", "file"),
    [
        (safemap.ConcurrentMapping, "contract.py"),
        (safemap.Entry, "contract.py"),
        (safemap.Snapshot, "snapshots.py"),
        (safemap.watch.WatchedMap, "watching.py"),
        (safemap.watch.Watch, "watching.py"),
        (safemap.watch.Subscription, "watching.py"),
        (safemap.detect.Place, "detecting.py"),
        (safemap.bench.Recorder, "recording.py"),
    ],
)
def test_typed_usage_leaves_out_no_operation(cls, file):
    names = used(HERE / file) | used(HERE / "making.py")
    if issubclass(cls, safemap.ConcurrentMapping):
        names |= used(HERE / "contract.py")
    left_out = {name for name in dir(cls) if not name.startswith("_")} - names
    assert left_out <= {"kind"}, f"{cls.__name__}: {left_out}"


# --- it is so at runtime --------------------------------------------------------------------------------


def fits(value: object, type_: Any) -> bool:
    """Return whether a value is of a type, as far as that shows without a look into it."""
    origin, arguments = get_origin(type_), get_args(type_)
    if type_ is Any or origin is Callable and callable(value):
        return True
    if origin in {typing.Union, types.UnionType}:
        return any(fits(value, argument) for argument in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is type:
        return isinstance(value, type) and issubclass(value, get_origin(arguments[0]) or arguments[0])
    if origin is tuple and Ellipsis not in arguments:
        return isinstance(value, tuple) and len(value) == len(arguments) and all(map(fits, value, arguments))
    return isinstance(value, type(None) if type_ is None else origin or type_)


def must_fit(value: Any, type_: Any) -> Any:
    assert fits(value, type_), f"{value!r} is no {type_}"
    return value


@pytest.fixture
def types_are_checked(monkeypatch):
    monkeypatch.setattr(typing, "assert_type", must_fit)
    monkeypatch.setattr(contract, "assert_type", must_fit)


def test_what_fits():
    assert fits(1, int)
    assert fits(None, int | None)
    assert fits(safemap.MISSING, int | safemap.MissingType)
    assert fits(("a", 1), tuple[str, int])
    assert fits(len, Callable[[str], int])
    for value, type_ in [
        ("1", int),
        ("1", int | None),
        (None, int | safemap.MissingType),
        (("a", "1"), tuple[str, int]),
        (["a"], set[str]),
        ({}, safemap.Snapshot[str, int]),
        (1, Callable[[], int]),
        ("no", typing.Literal["yes"]),
    ]:
        with pytest.raises(AssertionError):
            must_fit(value, type_)


FUNCTIONS = [
    function
    for function in vars(contract).values()
    if isinstance(function, types.FunctionType) and [*function.__annotations__] == ["m", "return"]
]
MAPS = [*safemap.KINDS.values(), safemap.watch.WatchedMap]


@pytest.mark.usefixtures("types_are_checked")
@pytest.mark.parametrize("make", MAPS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_typed_usage_of_the_contract_holds_at_runtime(function, make):
    function(make(a=1, b=2))


@pytest.mark.usefixtures("types_are_checked")
@pytest.mark.parametrize("name", ["making", "recording", "snapshots", "watching"])
def test_typed_usage_holds_at_runtime(name, capsys):
    importlib.reload(importlib.import_module(f"tests.typing.{name}"))


@pytest.mark.parametrize("name", ["detecting", "proving"])
def test_typed_usage_that_watches_the_process_holds_at_runtime(name):
    run_python(f"""
        import typing, tests.test_types as test
        typing.assert_type = test.must_fit
        import tests.typing.{name}
    """)


# --- the sources are the compiled modules' types --------------------------------------------------------

CINIT = r"[\w.]+\.__(cinit|dealloc)__ is not present at runtime"
UNSET = r"Literal\[safemap\._missing\.Unset\.UNSET\]"
ALLOWED = {
    CINIT: "Cython makes C of them; plain, nobody calls them",
    r"safemap\.\w*Options is not present at runtime": "the keywords of `create`, for type checkers",
    r"safemap\._contract\.Guarantees\.__init__ is inconsistent": "a named tuple has them in `__new__`",
    rf"[\w.]+\.(pop|compute) is inconsistent, .* default value of type {UNSET}": "another overload is without",
    r"safemap\._snapshot\.Snapshot\.__repr__ is inconsistent": "typeshed's recursive_repr forgets names",
    r"safemap\.watch\.events\.Event\.__class_getitem__ is inconsistent": "it is typing.Generic's",
}
"""What stubtest says and need not be cured, and why."""


def is_public(name: str) -> bool:
    """Whether stubtest speaks of a public module's name, or of an object that one of them hands out."""
    owner, _, last = name.rpartition(".")
    if last.startswith("_") and not last.startswith("__"):
        return False
    return name in OWNED or owner in OWNED or owner in {module.__name__ for module in PUBLIC}


def stubtest(**environment: str) -> list[str]:
    """Return what stubtest says of public names, with the sources for stubs."""
    arguments = ["safemap", "--concise", "--ignore-disjoint-bases", "--mypy-config-file", "pyproject.toml"]
    report = run_checker("mypy.stubtest", *arguments, **environment)
    lines = report.splitlines()
    assert len(lines) > 50, report  # of what is private there is always something
    return [line for line in lines if is_public(line.partition(" ")[0])]


@pytest.mark.parametrize("pure", ["1", ""], ids=["plain", "compiled"])
def test_what_runs_is_what_the_sources_say(pure):
    if not pure and not safemap.compiled:
        pytest.skip("nothing is compiled here")
    said = stubtest(SAFEMAP_PURE=pure)
    unexpected = [line for line in said if not any(re.match(pattern, line) for pattern in ALLOWED)]
    assert not unexpected, "\n".join(unexpected)
    assert {pattern for pattern in ALLOWED if not any(re.match(pattern, line) for line in said)} <= {CINIT}

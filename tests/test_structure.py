"""The structure: imports go one way. Each check is shown what it must find."""

from __future__ import annotations

import ast
import os
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import safemap
from tests.support import run_python

PACKAGE = Path(safemap.__file__).parent

CORE = {"_compiled", "_types"}  # a constant, and names for type checkers: anybody's
FACE = ""  # `import safemap`, and its public names
LAYERS = {
    "_compiled": set(),
    "_c": set(),
    "_missing": set(),
    "_speed": set(),
    "_version": set(),
    "_types": set(),
    "_lookup": {"_missing", "_c"},
    "_snapshot": {"_missing"},
    "_entry": {"_missing"},
    "_views": {"_missing"},
    "sync": {"sync", "_c"},
    "_parts": {"sync", "_c"},
    "_contract": {"_lookup", "_missing", "_snapshot", "_entry", "_views", "sync", "_c"},
    "maps": {"_contract", "_lookup", "_missing", "_parts", "_snapshot", "sync", "maps", "_c"},
    "__init__": {"_contract", "_entry", "_missing", "_snapshot", "_speed", "_version", "maps", "sync"},
    "bench": {FACE, "bench"},
    "testing": {FACE, "testing"},
    "watch": {FACE, "watch"},
    "detect": {"detect"},
}
"""For each layer, those that it stands on."""
FOR_CHECKERS = {"_entry": {"_contract"}, "_views": {"_contract"}, "_types": {"_missing"}}
"""What a layer may import besides for its annotations, under TYPE_CHECKING: at runtime it would be a circle."""
EXCEPTIONS = {"testing.scheduled_locks": {"sync"}}  # it replaces the locks that maps are made of


@dataclass(frozen=True)
class Import:
    """A module of the package, by its name below it, which a file imports or reaches by attributes."""

    module: str
    line: int
    for_checkers: bool = False

    @property
    def layer(self) -> str:
        return self.module.partition(".")[0]


def is_module(name: str) -> bool:
    path = PACKAGE.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists() or path.with_suffix(".pxd").exists()


def imports_of(module: str, source: str) -> Iterator[Import]:
    """Return what a Python file imports of the package: at any depth, in any way that says a name."""
    tree = ast.parse(source)
    for_checkers = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    faces = set()
    for node in ast.walk(tree):
        for name in names_imported(module, node):
            yield Import(name, node.lineno, id(node) in for_checkers)
        if isinstance(node, ast.Import):
            faces |= {alias.asname or "safemap" for alias in node.names if re.match(r"safemap\b", alias.name)}
    for node in ast.walk(tree):  # `safemap.maps.mutex`, `safemap._contract`, where the whole package is at hand
        if isinstance(node, ast.Attribute):
            root, *path = ast.unparse(node).split(".")
            name = ".".join(path)
            if root in faces and re.fullmatch(r"[\w.]+", name) and (is_module(name) or is_private(path[0])):
                yield Import(name, node.lineno, id(node) in for_checkers)


def names_imported(module: str, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            found = [alias.name for alias in names]
        case ast.ImportFrom(names=names, level=level):
            # One level takes the module's own name away; that of a package's file is `__init__`.
            above = ["safemap", *module.split(".")][:-level] if level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            found = [f"{origin}.{alias.name}" if is_whole(origin, alias.name) else origin for alias in names]
        case ast.Call(args=[first, *_], func=function) if "import" in ast.unparse(function).rpartition(".")[2]:
            text = first.values[0] if isinstance(first, ast.JoinedStr) and first.values else first
            found = [text.value] if isinstance(text, ast.Constant) and isinstance(text.value, str) else []
        case _:
            found = []
    yield from (name.removeprefix("safemap").strip(".") for name in found if re.match(r"safemap\b", name))


def is_whole(origin: str, name: str) -> bool:
    """Whether `from origin import name` takes a module, or what only the package's own files may know."""
    if not re.match(r"safemap\b", origin):
        return False
    return is_module(f"{origin}.{name}".removeprefix("safemap.")) or (origin == "safemap" and is_private(name))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def cimports_of(source: str) -> Iterator[Import]:
    """Return what a `.pxd` file cimports of the package. A relative cimport is none of anybody's layers."""
    for found in re.finditer(r"^[ \t]*(?:from\s+(\S+)\s+)?c?import\s+(\([^)]*\)|[^\n#]+)", source, re.MULTILINE):
        origin, names = found.groups()
        line = source.count("\n", 0, found.start()) + 1
        for name in re.findall(r"([\w.]+)(?:\s+as\s+\w+)?\s*(?:,|\)|$)", names):
            taken = name if origin is None else f"{origin}.{name}" if is_whole(origin, name) else origin
            if taken.startswith("."):
                yield Import("a relative cimport", line)
            elif re.match(r"safemap\b", taken):
                yield Import(taken.removeprefix("safemap").strip("."), line)


def against_the_layers(module: str, imports: Iterator[Import]) -> list[str]:
    """Return the imports of a module that go the wrong way."""
    layer = module.partition(".")[0]
    wrong = []
    for found in imports:
        allowed = LAYERS[layer] | EXCEPTIONS.get(module, set())
        if layer not in {"bench", "detect", "testing", "watch"}:
            allowed = allowed | CORE
        if found.for_checkers:
            allowed = allowed | FOR_CHECKERS.get(layer, set())
        is_variant = found.layer == "maps" and not found.module.startswith("maps._")
        if found.layer not in allowed or (is_variant and layer == "maps"):
            wrong.append(f"{module}:{found.line} imports {found.module or 'safemap'}")
    return wrong


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports_in(path: Path) -> Iterator[Import]:
    text = path.read_text(encoding="utf-8")
    return cimports_of(text) if path.suffix == ".pxd" else imports_of(name_of(path), text)


FILES = sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pxd")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    assert not against_the_layers(name_of(path), imports_in(path))


WRONG_WAYS = [
    ("maps.mutex", "import safemap.maps.sharded"),
    ("maps.mutex", "import safemap.maps.sharded as other"),
    ("maps.mutex", "from safemap.maps import sharded"),
    ("maps.mutex", "from safemap.maps.sharded import ShardedMap"),
    ("maps.mutex", "from .sharded import ShardedMap"),
    ("maps.mutex", "from . import sharded"),
    ("maps.mutex", "from ..bench import Recorder"),
    ("maps.mutex", "import safemap"),
    ("maps._one_dict", "from safemap.maps.mutex import MutexMap"),
    ("maps.mutex", "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from safemap.maps.sharded import ShardedMap"),
    ("sync.lock", "from safemap._contract import ConcurrentMapping"),
    ("sync.lock", "def later():\n    from safemap import _contract"),
    ("sync.lock", "class C:\n    import safemap.maps"),
    ("sync.lock", "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from safemap._contract import ConcurrentMapping"),
    ("_contract", "from safemap.maps.mutex import MutexMap"),
    ("_contract", "from safemap import MutexMap"),
    ("_entry", "from safemap._contract import ConcurrentMapping"),  # but for annotations
    ("__init__", "from safemap.bench import Recorder"),
    ("__init__", "from .watch import WatchedMap"),
    ("watch.events", "from safemap._missing import MISSING"),
    ("watch.events", "from safemap import _missing"),
    ("watch.events", "from safemap import _unheard_of"),
    ("watch.events", "from safemap.maps.mutex import MutexMap"),
    ("watch.events", "import safemap\nsafemap._contract.share"),
    ("watch.events", "import safemap\nsafemap.maps.mutex.MutexMap"),
    ("watch.events", "import safemap as s\ns.sync.lock"),
    ("watch.events", "import safemap.watch.log\nsafemap._speed"),
    ("watch.events", "from .. import _missing"),
    ("watch.events", "from safemap.testing import Recorder"),
    ("testing.models", "from safemap.sync.lock import Lock"),
    ("testing.models", "import importlib\nimportlib.import_module('safemap.sync.lock')"),
    ("testing.models", "from importlib import import_module\nimport_module(f'safemap.sync.{name}')"),
    ("testing.models", "__import__('safemap._contract')"),
    ("bench.cell", "from safemap._types import K"),
    ("bench.cell", "from safemap import watch"),
    ("bench.cell", "import safemap.detect"),
    ("detect.locks", "import safemap"),
    ("detect.locks", "from safemap import MISSING"),
]
RIGHT_WAYS = [
    (
        "maps.mutex",
        "from safemap._contract import Guarantees\nfrom ._one_dict import OneDictMap\nimport threading",
    ),
    (
        "sync.rwlock",
        "from safemap.sync import lock\nfrom safemap._compiled import COMPILED\nfrom .lock import Lock",
    ),
    ("_entry", "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from safemap._contract import ConcurrentMapping"),
    ("watch.events", "import safemap\nsafemap.MISSING\nsafemap.__version__\nfrom safemap.watch.log import Log"),
    ("watch.events", "from . import log\nfrom .. import MISSING\nother._private"),
    ("testing.scheduled_locks", "import importlib\nimportlib.import_module('safemap.sync.lock')"),
    ("detect.locks", "from safemap.detect import findings\nfrom . import threads\nimport safemapping"),
]
WRONG_CIMPORTS = [
    ("maps.mutex", "from safemap.maps.sharded cimport ShardedMap"),
    ("maps.mutex", "cimport safemap.maps.sharded"),
    ("maps.mutex", "from safemap.maps cimport sharded"),
    ("maps.mutex", "from .sharded cimport ShardedMap"),
    ("sync.lock", "from safemap._contract cimport ConcurrentMapping"),
    ("_lookup", "cdef extern from *:\n    pass\nfrom safemap.sync.lock cimport (\n    Lock,\n)"),
]


@pytest.mark.parametrize(("module", "source"), WRONG_WAYS)
def test_an_import_that_goes_the_wrong_way_is_found(module, source):
    assert len(against_the_layers(module, imports_of(module, source))) >= 1


@pytest.mark.parametrize(("module", "source"), RIGHT_WAYS)
def test_an_import_that_goes_the_right_way_is_none(module, source):
    assert not against_the_layers(module, imports_of(module, source))


@pytest.mark.parametrize(("module", "source"), WRONG_CIMPORTS)
def test_a_cimport_that_goes_the_wrong_way_is_found(module, source):
    assert len(against_the_layers(module, cimports_of(source))) == 1
    assert not against_the_layers("maps.mutex", cimports_of("from safemap._c cimport find_in\ncimport cython"))


def in_order(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules, each after those that it imports. Raises CycleError if there is no such order."""
    return list(TopologicalSorter(graph).static_order())


def test_no_module_imports_itself_by_way_of_others():
    graph = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        module = name_of(path).removesuffix(".__init__")
        graph[module] = {found.module for found in imports_in(path) if not found.for_checkers} - {"", module}
    assert len(in_order(graph)) > 100
    with pytest.raises(CycleError):
        in_order(graph | {"sync.lock": {"maps.sharded"}})


def test_each_module_imports_alone():
    names = [m.name for m in pkgutil.walk_packages([str(PACKAGE)], "safemap.") if "__main__" not in m.name]
    assert "safemap.maps.sharded" in names
    if not hasattr(os, "fork"):
        for name in names:
            run_python(f"import {name}")
        return
    told = run_python(f"""
        import os, sys
        import hypothesis, pytest  # what takes long to import, and none of ours
        assert "safemap" not in sys.modules
        for name in {names}:
            child = os.fork()  # much faster than another interpreter
            if not child:
                __import__(name)
                os._exit(0 if name in sys.modules else 1)
            if os.waitpid(child, 0)[1]:
                raise SystemExit(name)
            print(name)
    """)
    assert told.split() == names


def test_importing_safemap_does_not_import_readerwriterlock():
    run_python("import sys, safemap; assert 'readerwriterlock' not in sys.modules")

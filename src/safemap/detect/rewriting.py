"""Has the dicts that a program makes at named places checked, without a change to its files.

A place is `FILE:LINE`, `FILE:NAME`, `MODULE:LINE` or `MODULE:NAME`. FILE ends in `.py` and names every file whose
path ends so; NAME is that of a variable or attribute (`registry`, `self.registry`) that the dict is assigned to,
in any function or class.

A dict display cannot be patched; its module's source can. When a module that is named is imported, its syntax
tree is changed before it is compiled: each dict display, dict comprehension and call of `dict` that begins in the
line, or is the whole of what is assigned to the name, goes through `CheckedDict`. Line numbers stay. Cached
bytecode is neither used nor written. Other kinds of dicts (`defaultdict`, `OrderedDict`, `Counter`) stay as they
are: they do more than a dict.

Only modules that come from source files by the usual import are seen: not those that are imported already, and
not those that another import hook loads (pytest loads test modules by its own).
"""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Self

from safemap.detect.checked import CheckedDict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

MAKER: Final = "__safemap_checked__"
"""The name of `CheckedDict` among the builtins, for the rewritten modules."""


@dataclass
class Place:
    """Where dicts are made that are to be checked."""

    text: str
    """As the user wrote it."""
    module: str
    """A file or module."""
    line: int | None
    name: str | None
    """Neither line nor name: all dicts of the module."""
    found: int = field(default=0, compare=False)
    """How many dicts in the source are made there."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that a text names. Raises ValueError if it names none."""
        module, colon, what = text.rpartition(":")
        if not (colon and module and (what.isdecimal() or what.isidentifier())):
            message = f"a place is FILE.py:LINE, FILE.py:NAME, MODULE:LINE or MODULE:NAME; not {text!r}"
            raise ValueError(message)
        return cls(text, module, int(what) if what.isdecimal() else None, None if what.isdecimal() else what)

    def is_in(self, name: str, path: str) -> bool:
        """Whether it is in a module of that name, or in the file."""
        if self.module.endswith(".py"):
            parts = PurePath(self.module).parts
            return PurePath(path).parts[-len(parts) :] == parts
        return self.module == name

    def takes(self, line: int, names: frozenset[str]) -> bool:
        """Whether a dict that is made in that line, and assigned to these names, is meant."""
        return (self.line is None and self.name is None) or self.line == line or self.name in names


class Rewriter(ast.NodeTransformer):
    """Wraps the dicts that are made at some places."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self.names: dict[int, frozenset[str]] = {}  # what the dict that a node makes is assigned to

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """Note to what names the value goes."""
        self._assigned(node.value, node.targets)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Note to what name the value goes."""
        self._assigned(node.value, [node.target])
        return self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        """Note to what name the value goes."""
        self._assigned(node.value, [node.target])
        return self.generic_visit(node)

    def _assigned(self, value: ast.expr | None, targets: Sequence[ast.expr]) -> None:
        names = [each.id for each in targets if isinstance(each, ast.Name)]
        names += [each.attr for each in targets if isinstance(each, ast.Attribute)]
        if value is not None:
            self.names[id(value)] = frozenset(names)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        """Wrap a display."""
        return self._wrapped(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        """Wrap a comprehension."""
        return self._wrapped(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Wrap what `dict` makes."""
        if isinstance(node.func, ast.Name) and node.func.id == "dict":
            return self._wrapped(node)
        return self.generic_visit(node)

    def _wrapped(self, node: ast.expr) -> ast.AST:
        names = self.names.get(id(node), frozenset())
        meant = [place for place in self.places if place.takes(node.lineno, names)]
        self.generic_visit(node)
        if not meant:
            return node
        for place in meant:
            place.found += 1
        call = ast.Call(ast.Name(MAKER, ast.Load()), [node], [])
        ast.copy_location(call, node)
        ast.copy_location(call.func, node)
        return call


def compile_checked(source: bytes | str, path: str, places: Sequence[Place]) -> CodeType:
    """Return the code of a module in which the dicts at these places are checked. Raises SyntaxError."""
    tree = Rewriter(places).visit(ast.parse(source, path))
    setattr(builtins, MAKER, CheckedDict)
    code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


class Loader(SourceFileLoader):
    """Loads a source file with some of its dicts checked."""

    def __init__(self, name: str, path: str, places: Sequence[Place]) -> None:
        super().__init__(name, path)
        self.places = places

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        path = self.get_filename(fullname)
        return compile_checked(self.get_data(path), path, self.places)


class Finder:
    """An entry of `sys.meta_path` that gives the modules of some places to a `Loader`."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """Return how to load a module that has one of the places; None for all others."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or spec.origin is None:
            return None
        places = [place for place in self.places if place.is_in(name, spec.origin)]
        if not places:
            return None
        spec.loader = Loader(spec.loader.name, spec.loader.path, places)
        return spec


def install(places: Sequence[Place]) -> None:
    """Have the modules that are imported from now on looked through for these places."""
    sys.meta_path.insert(0, Finder(places))

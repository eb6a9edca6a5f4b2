"""Compiles safemap's modules with Cython. Everything else about the package stands in pyproject.toml.

The modules are plain Python, and run as such. Compiled, a class becomes a C structure: a `.pxd` file beside the
module names its C fields and which of its methods are C functions, and holds the few inline lines of C. What
Cython cannot read, or the `.pxd` replaces, is left out of a copy in the build folder (`as_cython`); line numbers
stay.

Without a C compiler, or with SAFEMAP_PURE=1 in the environment, the plain files are the package.
"""

from __future__ import annotations

import ast
import os
import platform
import re
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("src")
MODULES = [str(pxd.with_suffix("").relative_to(SOURCE)).replace("/", ".").replace(os.sep, ".")
           for pxd in sorted(SOURCE.rglob("*.pxd")) if pxd.with_suffix(".py").exists()]  # fmt: skip
DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,  # annotations are for readers and type checkers
    "freethreading_compatible": True,
    "initializedcheck": False,
    "auto_pickle": False,
}


def as_cython(source: str, pxd: str) -> str:
    """Return a module's source as Cython wants it, line for line.

    - `if TYPE_CHECKING:` is decided, and overloads go.
    - What the `.pxd` defines with a body, or cimports, is not defined or imported a second time.
    - A class of the `.pxd` has the bases named there (Cython knows no type parameters), and no `__slots__`,
      `__new__`, bare annotations or abstract methods, for which such a class has other means.
    - A class's alias for a method (`__setitem__ = _store`) becomes a method that calls it: the two may be of
      different kinds.
    """
    supplied = set(re.findall(r"^cdef inline .*?\b(\w+)\(", pxd, re.MULTILINE))
    supplied |= set(re.findall(r"\b(\w+) \"safemap_\w+\"\(", pxd))
    for names in re.findall(r"^cdef enum:\n((?: +\w+ = .*\n?)+)", pxd, re.MULTILINE):
        supplied |= set(re.findall(r"(\w+) =", names))
    for names in re.findall(r"^\s*from \S+ cimport (.*)$", pxd, re.MULTILINE):
        supplied |= {name.split(" as ")[-1].strip() for name in names.split(",")}
    classes = {
        name: bases or "" for name, bases in re.findall(r"^cdef class (\w+)(\([\w, ]*\))?:", pxd, re.MULTILINE)
    }
    lines = source.splitlines()

    def blank(node: ast.AST) -> None:
        first = min([node.lineno, *[d.lineno for d in getattr(node, "decorator_list", [])]])
        for number in range(first - 1, node.end_lineno):
            lines[number] = ""

    def dedent(nodes: list[ast.stmt], to: int) -> None:
        first = min([nodes[0].lineno, *[d.lineno for d in getattr(nodes[0], "decorator_list", [])]])
        for number in range(first - 1, nodes[-1].end_lineno):
            lines[number] = lines[number][nodes[0].col_offset - to :]

    def decide(nodes: list[ast.stmt]) -> list[ast.stmt]:
        """Resolve the TYPE_CHECKING blocks among some statements."""
        kept: list[ast.stmt] = []
        for node in nodes:
            test = ast.unparse(node.test) if isinstance(node, ast.If) else ""
            if test not in {"TYPE_CHECKING", "not TYPE_CHECKING"}:
                kept.append(node)
                continue
            live, dead = (node.orelse, node.body) if test == "TYPE_CHECKING" else (node.body, node.orelse)
            last = node.end_lineno
            shown = range(live[0].lineno, live[-1].end_lineno + 1) if live else range(0)
            shown = (
                range(min([shown.start, *[d.lineno for d in getattr(live[0], "decorator_list", [])]]), shown.stop)
                if live
                else shown
            )
            for number in range(node.lineno, last + 1):
                if number not in shown:
                    lines[number - 1] = ""
            del dead
            if live:
                dedent(live, node.col_offset)
                kept.extend(live)
        return kept

    def names_bound(node: ast.stmt) -> list[str]:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            return [node.name]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return [alias.asname or alias.name for alias in node.names]
        if isinstance(node, ast.Assign):
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        if isinstance(node, ast.If):
            return [name for part in [*node.body, *node.orelse] for name in names_bound(part)]
        return []

    def is_overload(node: ast.stmt) -> bool:
        return any(ast.unparse(d) == "overload" for d in getattr(node, "decorator_list", []))

    def class_body(cls: ast.ClassDef) -> None:
        header = re.compile(rf"^class {cls.name}\b.*:$")
        assert header.match(lines[cls.lineno - 1]), f"the header of {cls.name} must stand on one line"
        lines[cls.lineno - 1] = f"class {cls.name}{classes[cls.name]}:"
        body = decide(cls.body)
        methods = {node.name: node for node in body if isinstance(node, ast.FunctionDef) and not is_overload(node)}
        for node in body:
            bound = names_bound(node)
            bare = isinstance(node, ast.AnnAssign) and node.value is None
            inherited = isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute)
            if bare or inherited or is_overload(node) or {"__slots__", "__new__"} & set(bound):
                blank(node)
            elif isinstance(node, ast.AnnAssign):
                start, value = node.target.end_col_offset, node.value
                line = lines[node.lineno - 1]
                lines[node.lineno - 1] = line[:start] + " = " + line[value.col_offset :]
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in methods:
                arguments = methods[node.value.id].args
                passed = [a.arg for a in [*arguments.posonlyargs, *arguments.args][1:]]
                line = lines[node.lineno - 1]
                lines[node.lineno - 1] = (
                    line[: len(line) - len(line.lstrip())] + f"def {bound[0]}({ast.unparse(_bare(arguments))}): "
                    f"{'' if bound[0] == '__setitem__' else 'return '}self.{node.value.id}({', '.join(passed)})"
                )
            elif isinstance(node, ast.FunctionDef):
                for decorator in node.decorator_list:
                    if ast.unparse(decorator) == "abstractmethod":
                        lines[decorator.lineno - 1] = ""

    for node in decide(ast.parse(source).body):
        bound = names_bound(node)
        if isinstance(node, ast.ClassDef) and node.name in classes:
            class_body(node)
        elif is_overload(node):
            blank(node)
        elif isinstance(node, ast.ImportFrom) and supplied & set(bound):
            left = [ast.unparse(alias) for alias in node.names if (alias.asname or alias.name) not in supplied]
            blank(node)
            if left:
                lines[node.lineno - 1] = f"from {node.module} import {', '.join(left)}"
        elif bound and set(bound) <= supplied:
            blank(node)
    return "\n".join(lines) + "\n"


def _bare(arguments: ast.arguments) -> ast.arguments:
    for argument in [*arguments.posonlyargs, *arguments.args]:
        argument.annotation = None
    return arguments


class BuildExtensions(build_ext):
    """Translates, then compiles; does without if there is no compiler."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        try:
            self._translate()
            super().run()
        except Exception as error:  # noqa: BLE001 # whatever it is, the plain files work
            reason = str(error).splitlines()[0]
            print(f"safemap: NOT COMPILED ({reason}); the plain Python files are installed", file=sys.stderr)
            if os.environ.get("SAFEMAP_COMPILED") == "1":
                raise
            self.extensions = []
            self.inplace = False

    def _translate(self) -> None:
        from Cython.Build import cythonize

        copy = Path(self.build_temp).absolute() / "cython"
        for path in SOURCE.rglob("*"):
            if path.suffix in {".py", ".pxd"}:
                target = copy / path.relative_to(SOURCE)
                pxd = path.with_suffix(".pxd")
                text = path.read_text(encoding="utf-8")
                if path.suffix == ".py" and pxd.exists():
                    text = as_cython(text, pxd.read_text(encoding="utf-8"))
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists() or target.read_text(encoding="utf-8") != text:
                    target.write_text(text, encoding="utf-8")
        here = Path.cwd()
        os.chdir(copy)
        try:
            built = cythonize(
                [Extension(name, [name.replace(".", "/") + ".py"]) for name in MODULES],
                include_path=["."],
                compiler_directives=DIRECTIVES,
                nthreads=0,
            )
        finally:
            os.chdir(here)
        for extension, ours in zip(built, self.extensions, strict=True):
            ours.sources = [os.path.relpath(copy / source) for source in extension.sources]
            ours.depends = []


compile_it = os.environ.get("SAFEMAP_PURE", "") in {"", "0"} and platform.python_implementation() == "CPython"
setup(
    ext_modules=[Extension(name, [f"src/{name.replace('.', '/')}.py"]) for name in MODULES] if compile_it else [],
    cmdclass={"build_ext": BuildExtensions},
)

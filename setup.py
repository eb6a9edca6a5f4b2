"""Compiles safemap's modules with Cython. Everything else about the package stands in pyproject.toml.

The modules are plain Python, and run as such. Compiled, a class becomes a C structure: a `.pxd` file beside the
module names its C fields and which of its methods are C functions, and holds the few inline lines of C. What
Cython cannot read, or the `.pxd` replaces, is left out of a copy in the build folder (`as_cython`); line numbers
stay.

Where that fails, the plain files are the package. In the environment, SAFEMAP_COMPILED=1 makes it an error, and
SAFEMAP_PURE=1 does without trying.
"""

from __future__ import annotations

import ast
import contextlib
import gzip
import os
import platform
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

SOURCE = Path("src")
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
    - Nor are its C fields cleared by the collector, which breaks cycles at the maps' dicts: a finalizer or a
      weak reference's callback may come upon a map that is about to go, and use it.
    - A class's alias for a method (`__setitem__ = _store`) becomes a method that calls it: the two may be of
      different kinds.
    """
    source = without_type_checking(source)
    lines = source.splitlines()
    supplied = supplied_by(pxd)
    bases = dict(re.findall(r"^cdef class (\w+)(\([\w, ]*\))?:", pxd, re.MULTILINE))
    for node in ast.parse(source).body:
        bound = names_bound(node)
        if isinstance(node, ast.ClassDef) and node.name in bases:
            rewrite_header(node, bases[node.name], lines)
            rewrite_body(node, lines)
        elif isinstance(node, ast.ImportFrom) and node.module == "__future__":
            replace(node, f"{ast.unparse(node)}; import cython", lines)
        elif is_overload(node) or (bound and bound <= supplied):
            replace(node, "", lines)
        elif isinstance(node, ast.ImportFrom) and bound & supplied:
            left = [ast.unparse(alias) for alias in node.names if (alias.asname or alias.name) not in supplied]
            replace(node, f"from {node.module} import {', '.join(left)}", lines)
    return "\n".join(lines) + "\n"


def without_type_checking(source: str) -> str:
    """Return the source with only the part of each TYPE_CHECKING block that runs."""
    lines = source.splitlines()
    scopes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef))
    for node in (node for scope in scopes for node in scope.body if isinstance(node, ast.If)):
        test = ast.unparse(node.test)
        if test in {"TYPE_CHECKING", "not TYPE_CHECKING"}:
            left = node.orelse if test == "TYPE_CHECKING" else node.body
            kept = {n: lines[n][left[0].col_offset - node.col_offset :] for n in extent(left)}
            for n in extent([node]):
                lines[n] = kept.get(n, "")
    return "\n".join(lines) + "\n"


def supplied_by(pxd: str) -> set[str]:
    """Return the names that a module has from its `.pxd`: functions of C, constants, and what is cimported."""
    names = set(re.findall(r"^cdef inline .*?\b(\w+)\(", pxd, re.MULTILINE))
    names.update(re.findall(r"\b(\w+) \"safemap_\w+\"\(", pxd))
    for constants in re.findall(r"^cdef enum:\n((?: +\w+ = .*\n?)+)", pxd, re.MULTILINE):
        names.update(re.findall(r"(\w+) =", constants))
    for imported in re.findall(r"^\s*from \S+ cimport (?:\(([^)]*)\)|(.*))$", pxd, re.MULTILINE):
        names.update(name.split(" as ")[-1].strip() for name in "".join(imported).split(","))
    return names


def rewrite_header(cls: ast.ClassDef, bases: str, lines: list[str]) -> None:
    if not re.fullmatch(rf"class {cls.name}\b.*:", lines[cls.lineno - 1]):
        raise ValueError(f"the header of {cls.name} must stand on one line")
    top = extent([cls]).start
    if lines[top - 2 : top] != ["", ""]:
        raise ValueError(f"two empty lines must stand above {cls.name}")
    lines[top - 2 : top] = ["@cython.no_gc_clear", "@cython.cclass"]
    lines[cls.lineno - 1] = f"class {cls.name}{bases}:"


def rewrite_body(cls: ast.ClassDef, lines: list[str]) -> None:
    methods = {node.name: node for node in cls.body if isinstance(node, ast.FunctionDef) and not is_overload(node)}
    for node in cls.body:
        line = lines[node.lineno - 1]
        match node:
            case ast.AnnAssign(value=None) | ast.Assign(value=ast.Attribute()):
                replace(node, "", lines)
            case _ if is_overload(node) or {"__slots__", "__new__"} & names_bound(node):
                replace(node, "", lines)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                lines[node.lineno - 1] = line[: target.end_col_offset] + " = " + line[value.col_offset :]
            case ast.Assign(targets=[ast.Name(id=alias)], value=ast.Name(id=name)) if name in methods:
                replace(node, line[: node.col_offset] + calling(methods[name], alias), lines)
            case ast.FunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    if ast.unparse(decorator) == "abstractmethod":
                        lines[decorator.lineno - 1] = ""


def calling(method: ast.FunctionDef, alias: str) -> str:
    """Return the definition of a method named `alias` that calls `method`."""
    named = [*method.args.posonlyargs, *method.args.args]
    for argument in named:
        argument.annotation = None
    call = f"self.{method.name}({', '.join(argument.arg for argument in named[1:])})"
    doc = ast.get_docstring(method, clean=False)
    said = "" if doc is None else f"{doc!r}; "
    # In C, the slot for `__setitem__` returns no object.
    return f"def {alias}({ast.unparse(method.args)}): {said}{call if alias == '__setitem__' else f'return {call}'}"


def names_bound(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name for alias in names}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.If(body=body, orelse=orelse):
            return {name for part in [*body, *orelse] for name in names_bound(part)}
    return set()


def is_overload(node: ast.stmt) -> bool:
    return any(ast.unparse(decorator) == "overload" for decorator in getattr(node, "decorator_list", []))


def extent(nodes: list[ast.stmt]) -> range:
    """Return the indexes of the lines on which statements that follow one another stand."""
    if not nodes:
        return range(0)
    first = min(part.lineno for part in [nodes[0], *getattr(nodes[0], "decorator_list", [])])
    return range(first - 1, nodes[-1].end_lineno or first)


def replace(node: ast.stmt, text: str, lines: list[str]) -> None:
    first, *others = extent([node])
    lines[first] = text
    for n in others:
        lines[n] = ""


def to_c(modules: list[str], copy: Path) -> dict[str, list[str]]:
    """Translate modules to C, from a copy of the package that Cython can read; return the C files of each."""
    from Cython.Build import cythonize  # which a pure build does without

    for path in [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.pxd")]:
        text = path.read_text(encoding="utf-8")
        pxd = path.with_suffix(".pxd")
        if path.suffix == ".py" and pxd.exists():
            text = as_cython(text, pxd.read_text(encoding="utf-8"))
        target = copy / path.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Cython goes by the files' times.
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    # Tracebacks show the file names that Cython is given: here they are below the package's folder.
    with contextlib.chdir(copy):
        extensions = cythonize(
            [Extension(name, [name.replace(".", "/") + ".py"]) for name in modules],
            include_path=["."],
            compiler_directives=DIRECTIVES,
        )
    return {extension.name: [str(copy / source) for source in extension.sources] for extension in extensions}


def is_set(variable: str) -> bool:
    return os.environ.get(variable, "") not in {"", "0"}


class CompileOrDoWithout(build_ext):
    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        in_place = self.inplace
        try:
            c_files = to_c([extension.name for extension in self.extensions], Path(self.build_temp, "cython"))
            for extension in self.extensions:
                extension.sources = c_files[extension.name]
            super().run()
        except Exception as error:
            if is_set("SAFEMAP_COMPILED"):
                raise
            self.inplace = in_place
            self.do_without(error)

    def do_without(self, error: Exception) -> None:
        # setuptools quotes the compiler's whole command line.
        reason = re.sub(r"'?\['(.+?)'.*\]'?", r"\1", str(error).partition("\n")[0])
        reason = f"{type(error).__name__}: {reason}"
        print(f"safemap: NOT COMPILED ({reason}); the plain Python files are installed", file=sys.stderr)
        # Of this build or an earlier one: a package that is half compiled would not work.
        for built in [*self.get_outputs(), *self.get_output_mapping().values()]:
            Path(built).unlink(missing_ok=True)
        self.extensions = self.distribution.ext_modules = []
        self.distribution.get_command_obj("bdist_wheel").root_is_pure = True


class ReproducibleSdist(sdist):
    """With SOURCE_DATE_EPOCH in the environment, the same files give the same bytes, whoever packs them and when.

    See https://reproducible-builds.org/specs/source-date-epoch/. setuptools itself heeds it in wheels alone.
    """

    def make_archive(self, base_name: str, *args: Any, **options: Any) -> str:
        made = super().make_archive(base_name, *args, **options)
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is not None and made.endswith(".tar.gz"):
            self.pack(Path(made), options["base_dir"], int(epoch))
        return made

    def pack(self, archive: Path, folder: str, epoch: int) -> None:
        def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = epoch, 0, 0, "", ""
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            return entry

        with (
            archive.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=epoch) as compressed,
            tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            tar.add(folder, filter=anonymous)  # in the order of names


if __name__ == "__main__":
    pure = is_set("SAFEMAP_PURE") or platform.python_implementation() != "CPython"
    modules = [path for path in sorted(SOURCE.rglob("*.py")) if path.with_suffix(".pxd").exists() and not pure]
    setup(
        ext_modules=[
            Extension(".".join(path.relative_to(SOURCE).with_suffix("").parts), [path.as_posix()])
            for path in modules
        ],
        cmdclass={"build_ext": CompileOrDoWithout, "sdist": ReproducibleSdist},
    )

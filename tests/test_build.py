"""What setup.py makes of the sources: C where it can, and otherwise the plain files, whole."""

from __future__ import annotations

import ast
import os
import platform
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from tests.support import run_python

ROOT = Path(__file__).parent.parent
if not (ROOT / "setup.py").exists():
    pytest.skip("setup.py is not here", allow_module_level=True)
if platform.python_implementation() != "CPython":
    pytest.skip("compiled for CPython alone", allow_module_level=True)
pytest.importorskip("setuptools", minversion="77", reason="setuptools builds the package")
pytest.importorskip("Cython", minversion="3.2", reason="Cython translates the modules to C")

as_cython = runpy.run_path(str(ROOT / "setup.py"), run_name="setup")["as_cython"]
MODULES = [path for path in sorted(ROOT.glob("src/**/*.py")) if path.with_suffix(".pxd").exists()]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


def translated(source, pxd=""):
    """Return the lines that Cython gets, without those left empty; none may be at another place than it was."""
    source = textwrap.dedent(source)
    lines = as_cython(source, pxd).splitlines()
    assert len(lines) == len(source.splitlines())
    return [line for line in lines if line]


def test_modules_without_anything_special_stay_as_they_are():
    source = "import sys  # used\n\n\nclass C(Base[K]):\n    a: int = 1\n\n    def f(self) -> None: ...\n"
    assert as_cython(source, "") == source


def test_type_checking_is_decided():
    source = """
        TYPE_CHECKING = False
        if TYPE_CHECKING:
            from typing import Any
        if not TYPE_CHECKING:
            @decorated
            def f():
                # a comment
                return 1

            x = 2
        if TYPE_CHECKING:
            y: int
        else:
            y = 3
        class C:
            if TYPE_CHECKING:
                def f(self): ...
            else:
                f = 4
        if sys.version_info < (3, 14):
            z = 5
    """
    assert translated(source) == [
        "TYPE_CHECKING = False",
        "@decorated",
        "def f():",
        "    # a comment",
        "    return 1",
        "x = 2",
        "y = 3",
        "class C:",
        "    f = 4",
        "if sys.version_info < (3, 14):",
        "    z = 5",
    ]


def test_overloads_go():
    source = """
        @overload
        def f(a: int) -> int: ...
        @overload
        def f(
            a: str,
        ) -> str: ...
        def f(a): return a
    """
    assert translated(source) == ["def f(a): return a"]


@pytest.mark.parametrize(
    "pxd",
    [
        "cdef inline bint name(object key) noexcept:\n    return True",
        'cdef extern from *:\n    object name "safemap_name"(PyObject *data) noexcept',
        "cdef enum:\n    OTHER = 0\n    name = 1",
        "from safemap.other cimport name",
        "from safemap.other cimport one as two, other as name",
        "from safemap.other cimport (one,\n                           name, two)",
    ],
)
@pytest.mark.parametrize(
    "definition",
    [
        "def name(key):\n    return True",
        "name = 1",
        "from safemap.other import name",
        "from safemap.other import other as name",
        "class name:\n    pass",
        "if FAST:\n    name = 1\nelse:\n    def name(): ...",
    ],
)
def test_what_the_pxd_supplies_is_not_defined_again(pxd, definition):
    assert translated(f"{definition}\nx = 1\n", pxd) == ["x = 1"]


def test_of_an_import_the_names_that_the_pxd_does_not_supply_are_left():
    source = "from safemap.other import (\n    a,\n    b as c,\n    d,\n)\n"
    assert translated(source, "from safemap.other cimport d") == ["from safemap.other import a, b as c"]


def test_what_the_pxd_only_declares_is_defined():
    source = "MISSING = object()\ndef f(a): return a\n"
    assert translated(source, "cdef object MISSING\ncpdef object f(object a)\n") == source.splitlines()


def test_classes_of_the_pxd_lose_what_such_classes_have_by_other_means():
    source = """
        from __future__ import annotations


        class C(Base[K, V], Generic[K]):
            '''Its docstring.'''

            __slots__ = ("a", "b")
            a: int
            b: dict[K, V] = {}
            inherited = Base.other

            def __new__(cls):
                return object.__new__(cls)

            @property
            @abstractmethod
            def f(self): ...

            @overload
            def g(self): ...
            def g(self, key: K) -> V: ...

        class D(Base[K, V]):
            __slots__ = ("a",)
    """
    assert translated(source, "cdef class C(Base):\n    cdef int a\n") == [
        "from __future__ import annotations; import cython",
        "@cython.no_gc_clear",
        "@cython.cclass",
        "class C(Base):",
        "    '''Its docstring.'''",
        "    b = {}",
        "    @property",
        "    def f(self): ...",
        "    def g(self, key: K) -> V: ...",
        "class D(Base[K, V]):",
        '    __slots__ = ("a",)',
    ]


@pytest.mark.parametrize("header", ["class C(Generic[K]):", "class C:", "@decorated\nclass C:"])
def test_the_collector_does_not_clear_the_fields_of_the_pxds_classes(header):
    before = [
        "@cython.no_gc_clear",
        "@cython.cclass",
        *header.replace("(Generic[K])", "").splitlines(),
        "    x = 1",
    ]
    assert translated(f"\n\n{header}\n    x = 1\n", "cdef class C:\n") == before


def test_an_alias_for_a_method_becomes_a_method():
    source = """

        class C:
            def _store(self, key: K, value: V) -> None: ...
            def _pop(self, key: K, /, default: V = UNSET) -> V: ...

            __setitem__ = _store
            store = _store
            if not TYPE_CHECKING:
                pop = _pop
            other = elsewhere
    """
    assert translated(source, "cdef class C:\n")[5:] == [
        "    def __setitem__(self, key, value): self._store(key, value)",
        "    def store(self, key, value): return self._store(key, value)",
        "    def pop(self, key, /, default=UNSET): return self._pop(key, default)",
        "    other = elsewhere",
    ]


def test_an_alias_for_a_method_says_what_the_method_says():
    source = '''

        class C:
            def _store(self, key):
                """Set it.

                Cost: O(1).
                """

            __setitem__ = _store
    '''
    said = r"'Set it.\n\n        Cost: O(1).\n        '"
    assert translated(source, "cdef class C:\n")[-1] == f"    def __setitem__(self, key): {said}; self._store(key)"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("\n\nclass C(\n    Base,\n):\n    pass\n", "header of C"),
        ("x = 1\n\nclass C:\n    pass\n", "lines must stand above C"),
        ("\nclass C:\n    pass\n", "lines must stand above C"),
    ],
)
def test_what_cannot_keep_its_lines_is_refused(source, reason):
    with pytest.raises(ValueError, match=reason):
        as_cython(source, "cdef class C:\n")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_modules_lines_keep_their_numbers(path):
    """Tracebacks of compiled functions name them."""
    source = path.read_text(encoding="utf-8")
    text = as_cython(source, path.with_suffix(".pxd").read_text(encoding="utf-8"))
    assert len(text.splitlines()) == len(source.splitlines())
    here = {(node.name, node.lineno) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    there = source.splitlines()
    for name, number in here:
        assert name in there[number - 1]


PROJECT = (
    "setup.py",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
)


@pytest.fixture
def tree(tmp_path):
    """A copy of what the package is built from."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.so", "*.pyd")
    shutil.copytree(ROOT / "src", tmp_path / "tree" / "src", ignore=ignored)
    for name in PROJECT:
        shutil.copy(ROOT / name, tmp_path / "tree")
    return tmp_path / "tree"


def build(tree, command="build_meta.build_wheel('.')", **environment):
    """Run a build in the tree; return its exit code and its log."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SAFEMAP_")}
    done = subprocess.run(
        [sys.executable, "-c", f"from setuptools import build_meta; {command}"],
        cwd=tree,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout


def check_plain_wheel(tree):
    """See that the one wheel in the tree is for any machine, has no compiled module, and works; remove it."""
    (path,) = tree.glob("*.whl")
    assert path.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if ".dist-info/" not in name]
        wheel.extractall(tree / "installed")
    assert {Path(name).suffix for name in names} == {".py", ".typed", ".json", ".gz", ".html", ".css", ".js"}
    files = {file.relative_to(tree / "src").as_posix() for file in tree.glob("src/safemap/**/*.py")}
    assert {name for name in names if name.endswith(".py")} == files
    run_python(f"""
        import sys
        sys.path.insert(0, {str(tree / "installed")!r})
        import safemap
        assert safemap.__file__.startswith(sys.path[0]), safemap.__file__
        assert not safemap.compiled
        for kind in safemap.KINDS:
            assert safemap.create(kind, {{"a": 1}}).compute("a", lambda n: n + 1) == 2
    """)
    path.unlink()


@pytest.mark.skipif(os.name == "nt", reason="CC does not choose the compiler here")
def test_without_a_compiler_the_package_is_the_plain_files(tree):
    code, log = build(tree, CC="false")
    assert code == 0, log
    reports = [line for line in log.splitlines() if "NOT COMPILED" in line]
    assert len(reports) == 1, log
    assert reports[0].startswith("safemap: NOT COMPILED (")
    assert reports[0].endswith("); the plain Python files are installed")
    assert "false" in reports[0]
    check_plain_wheel(tree)

    # What earlier builds made goes too: it would be loaded instead of the plain files.
    (library,) = tree.glob("build/lib*")
    stale = [folder / "safemap" / "sync" / f"lock{SUFFIX}" for folder in (library, tree / "src")]
    for path in stale:
        path.write_bytes(b"")
    code, log = build(tree, "build_meta.build_editable('.')", CC="false")
    assert code == 0, log
    assert not stale[1].exists(), "in place"
    (wheel,) = tree.glob("*editable*.whl")
    wheel.unlink()
    assert build(tree, CC="false")[0] == 0
    assert not stale[0].exists()
    check_plain_wheel(tree)

    code, log = build(tree, CC="false", SAFEMAP_COMPILED="1")
    assert code != 0, log
    assert "NOT COMPILED" not in log
    assert not list(tree.glob("*.whl"))


def test_a_pure_wheel_needs_no_cython(tree):
    blocked = "import sys; sys.modules['Cython'] = None; "
    code, log = build(tree, blocked + "build_meta.build_wheel('.')", SAFEMAP_PURE="1", SAFEMAP_COMPILED="1")
    assert code == 0, log
    assert "NOT COMPILED" not in log
    check_plain_wheel(tree)


def test_the_source_distribution_has_all_that_a_build_and_the_tests_need(tree):
    for name in ("tests", "benchmarks", "docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    code, log = build(tree, "build_meta.build_sdist('.')", SAFEMAP_PURE="1")
    assert code == 0, log
    (archive,) = tree.glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        there = {entry.name.partition("/")[2] for entry in sdist if entry.isfile()}
    assert set(PROJECT) <= there
    for folder in ("src/safemap", "tests", "benchmarks", "docs"):
        here = {path.relative_to(tree).as_posix() for path in (tree / folder).rglob("*") if path.is_file()}
        assert {name for name in there if name.startswith(f"{folder}/")} == here


def test_the_same_source_gives_the_same_distribution(tree):
    """Another user, umask and checkout make no difference, once SOURCE_DATE_EPOCH says when."""
    archives = []
    for days, mode in ((1, 0o644), (2, 0o664)):
        for path in tree.rglob("*.py"):
            os.utime(path, (days * 86400,) * 2)
            path.chmod(mode)
        code, log = build(tree, "build_meta.build_sdist('.')", SAFEMAP_PURE="1", SOURCE_DATE_EPOCH="1700000000")
        assert code == 0, log
        (archive,) = tree.glob("*.tar.gz")
        archives.append(archive.read_bytes())
        with tarfile.open(archive) as sdist:
            assert {(entry.mtime, entry.uid, entry.uname) for entry in sdist} == {(1_700_000_000, 0, "")}
        archive.unlink()
    assert archives[0] == archives[1]

"""What the maps lean on in the interpreter, and which of their files it loads."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import sysconfig
import threading
from _thread import RLock
from importlib.machinery import ExtensionFileLoader
from pathlib import Path

import pytest

import safemap
from safemap.sync.lock import Lock
from safemap.testing.threads import in_threads
from tests.support import run_python

SOURCE = Path(__file__).parent.parent / "src"
COMPILABLE = [
    ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    for path in sorted(SOURCE.glob("safemap/**/*.py"))
    if path.with_suffix(".pxd").exists()
]
ASKED_FOR_PLAIN_FILES = os.environ.get("SAFEMAP_PURE", "") not in {"", "0"}


def test_the_repr_of_a_lock_names_its_owner():
    lock = Lock()
    assert lock.owners() == ()
    lock.acquire()
    assert lock.owners() == (threading.get_ident(),)
    assert in_threads(lock.owners) == [(threading.get_ident(),)]
    lock.release()
    assert lock.owners() == ()


def test_rlock_has_what_lock_uses():
    for name in ("_is_owned", "_release_save", "_acquire_restore", "_at_fork_reinit"):
        assert hasattr(RLock, name)


def test_a_dicts_copy_is_atomic(rapid_switching):
    """With one key always there, and one of two others: a copy has two keys, never one or three."""
    data = {"stays": 0, "a": 0}
    stop = threading.Event()

    def writer():
        while not stop.is_set():
            data["b"] = data.pop("a")
            data["a"] = data.pop("b")

    def reader():
        try:
            for _ in range(20_000):
                assert 1 <= len(data.copy()) <= 2
                assert 1 <= len(list(data)) <= 2
        finally:
            stop.set()

    in_threads(writer, reader)


def test_lock_is_reentrant_times_out_and_detects_deadlocks():
    lock = Lock()
    with lock, lock:
        assert lock.is_mine()
        assert in_threads(lambda: lock.acquire_within(0.05)) == [False]
        assert in_threads(lambda: lock.acquire_within(0)) == [False]


@pytest.mark.skipif(platform.python_implementation() != "CPython", reason="compiled for CPython alone")
@pytest.mark.skipif(ASKED_FOR_PLAIN_FILES, reason="SAFEMAP_PURE is set")
def test_all_that_can_be_compiled_is():
    """A build that lost its compiled modules would pass all other tests, slowly."""
    assert "safemap.maps.sharded" in COMPILABLE
    loaders = {name: importlib.import_module(name).__spec__.loader for name in COMPILABLE}
    plain = [name for name, loader in loaders.items() if not isinstance(loader, ExtensionFileLoader)]
    assert not plain, "not compiled: reinstall with a C compiler, or set SAFEMAP_PURE=1 to test the plain files"
    assert safemap.compiled


def test_the_plain_files_are_there_for_the_asking(monkeypatch):
    monkeypatch.setenv("SAFEMAP_PURE", "1")
    run_python(f"""
        import importlib, safemap
        assert safemap.compiled is False
        for name in {COMPILABLE}:
            module = importlib.import_module(name)
            assert type(module.__spec__.loader) is importlib.machinery.SourceFileLoader, name
            assert module.__file__.endswith(".py"), name
    """)
    assert not (ASKED_FOR_PLAIN_FILES and safemap.compiled), "these tests have asked for them too"


free_threaded = pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="it has a GIL")


@free_threaded
@pytest.mark.parametrize("pure", ["0", "1"])
def test_importing_the_package_leaves_the_gil_off(monkeypatch, pure):
    monkeypatch.delenv("PYTHON_GIL", raising=False)
    monkeypatch.setenv("SAFEMAP_PURE", pure)
    run_python("import sys, safemap; assert not sys._is_gil_enabled()")


@free_threaded
@pytest.mark.skipif("PYTHON_GIL" in os.environ or "gil" in sys._xoptions, reason="the GIL was asked for, or not")
def test_nothing_that_the_tests_import_has_turned_the_gil_on():
    assert not sys._is_gil_enabled()

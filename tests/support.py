"""Fresh interpreters for tests. Threads and hostile keys are in `safemap.testing`."""

from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import safemap
from safemap.testing.threads import in_other_thread

ROOT = Path(__file__).resolve().parent.parent


def run_python(code: str, *, timeout: float = 60) -> str:
    """Run code in a fresh interpreter that dumps all stacks if it hangs; return what it printed."""
    preamble = f"import faulthandler; faulthandler.dump_traceback_later({timeout - 5}, exit=True)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", preamble + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=ROOT,  # where `tests` can be imported from
    )
    if done.returncode:
        raise AssertionError(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def in_fresh_python(function: Any = None, **options: Any) -> Any:
    """Make a test of a function that takes a kind of map: run in a fresh interpreter, where it may hang.

    One interpreter goes through all `kinds`; with `each=True` there is one test, and one interpreter, for each.
    `skip` is a reason not to run it.
    """
    if function is None:
        return lambda function: in_fresh_python(function, **options)
    pytest = sys.modules.get("pytest")
    return function if pytest is None else _isolated(function, pytest, **options)  # this is the fresh interpreter


def _isolated(
    function: Any,
    pytest: Any,
    each: bool = False,
    kinds: Any = tuple(safemap.KINDS),
    timeout: float = 60,
    skip: str = "",
) -> Any:
    def run(kinds: Any) -> None:
        program = f"run_program({function.__module__!r}, {function.__name__!r}, {list(kinds)})"
        run_python(f"from tests.support import run_program; {program}", timeout=timeout)

    def test_each(kind: str) -> None:
        run([kind])

    def test_all() -> None:
        run(kinds)

    test = pytest.mark.parametrize("kind", kinds)(test_each) if each else test_all
    test.__name__, test.__module__, test.__doc__ = function.__name__, function.__module__, function.__doc__
    return pytest.mark.skipif(bool(skip), reason=skip)(test)


def run_program(module: str, name: str, kinds: list[str]) -> None:
    """Call a function for each kind of map; say which, so that a failure shows where it was, and when.

    Much time of which little is processor time: the machine stood still, or was too busy.
    """
    function = getattr(importlib.import_module(module), name)
    began = time.monotonic()
    for kind in kinds:
        sys.stdout.write(
            f"{kind}, after {time.monotonic() - began:.1f} s ({time.process_time():.1f} s of it used)\n"
        )
        sys.stdout.flush()
        function(kind)


def come_at_every_line(of: str, begin: Any, but: frozenset[str] = frozenset()) -> int:
    """Have something come in the middle of an operation, as finalizers do; return at how many lines it was tried.

    `begin()` returns the operation, which each time is the first of a new thread, and what comes: the n-th time,
    at the n-th line of those files whose path begins with `of`, `but` not of functions with these names.
    """
    for n in itertools.count(1):
        operation, come = begin()
        lines = iter(range(n, 0, -1))

        def trace(frame: Any, event: str, _argument: Any, lines: Any = lines, come: Any = come) -> Any:
            if not frame.f_code.co_filename.startswith(of) or frame.f_code.co_name in but:
                return None
            if event == "line" and next(lines, None) == 1:
                come()
            return trace

        def run(trace: Any = trace, operation: Any = operation) -> None:
            sys.settrace(trace)
            try:
                operation()
            finally:
                sys.settrace(None)

        in_other_thread(run)
        if next(lines, None) is not None:
            return n - 1
    raise AssertionError("not reached")

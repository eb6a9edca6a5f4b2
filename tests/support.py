"""Helpers for tests: threads that start together and report their errors, and hostile keys."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from typing import Any


def in_threads(*functions: Any, timeout: float = 60) -> list[Any]:
    """Run the functions at the same time, each in a thread; return their results, or raise their first error."""
    barrier = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait()
            results[number] = functions[number]()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(len(functions))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        raise TimeoutError(f"threads still run after {timeout} s; errors so far: {errors}")
    if errors:
        raise errors[0]
    return results


def in_other_thread(function: Any, timeout: float = 10) -> Any:
    """Return `function()`, called in a thread of its own."""
    return in_threads(function, timeout=timeout)[0]


def run_python(code: str, *, timeout: float = 60) -> str:
    """Run code in a fresh interpreter that dumps all stacks if it hangs; return what it printed."""
    preamble = f"import faulthandler; faulthandler.dump_traceback_later({timeout - 5}, exit=True)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", preamble + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Key:
    """A key with a chosen hash, equal to keys of the same name. `on_eq` and `on_hash` run first."""

    def __init__(self, name: str, hash_: int = 7, on_eq: Any = None, on_hash: Any = None) -> None:
        self.name = name
        self.hash = hash_
        self.on_eq = on_eq
        self.on_hash = on_hash

    def __hash__(self) -> int:
        if self.on_hash is not None:
            self.on_hash()
        return self.hash

    def __eq__(self, other: object) -> bool:
        for key in (self, other):  # a dict asks the key that it holds, not the one that is looked for
            on_eq = getattr(key, "on_eq", None)
            if on_eq is not None:
                on_eq()
        return isinstance(other, Key) and self.name == other.name

    def __repr__(self) -> str:
        return f"Key({self.name!r})"


class RaisesOnce:
    """A callback that raises at its n-th call (counted from 0) and at no other."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise Hostile

    @property
    def raised(self) -> bool:
        return self.left < 0


class Hostile(Exception):
    """What hostile keys raise."""

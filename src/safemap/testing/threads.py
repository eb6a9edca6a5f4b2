"""Threads for tests: they start together, their errors are the test's, and none can hang the run."""

from __future__ import annotations

import gc
import sys
import threading
import time
import traceback
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType
    from typing import Any

SWITCH_INTERVAL = 1e-6
"""Seconds between two switches of threads: less than any operation takes, so that they meet in its middle."""


def in_threads(*functions: Callable[[], Any], timeout: float = 60) -> list[Any]:
    """Run the functions at the same time, each in a thread; return their results, or raise their first error.

    Raises TimeoutError if one has not ended after `timeout` seconds. It says where each thread is that was started
    meanwhile and still runs; those that run the functions are daemons, and are left behind.
    """
    __tracebackhide__ = True
    barrier = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        __tracebackhide__ = True
        try:
            barrier.wait()
            results[number] = functions[number]()
        except BaseException as error:  # noqa: BLE001  # it is raised again, in the thread that waits
            errors.append(error)

    others = set(threading.enumerate())
    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(len(functions))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        _collect_elsewhere()
        where = _stacks(set(threading.enumerate()) - others)
        message = f"threads still run after {timeout} s; errors so far: {errors}\n{where}"
        raise TimeoutError(message)
    if errors:
        raise errors[0]
    return results


def in_other_thread(function: Callable[[], Any], timeout: float = 10) -> Any:
    """Return `function()`, called in a thread of its own."""
    __tracebackhide__ = True
    return in_threads(function, timeout=timeout)[0]


@contextmanager
def rapid_switching() -> Iterator[None]:
    """Have the interpreter switch threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def _collect_elsewhere() -> None:
    """Have what threads that hang were to finalize die in a thread of its own.

    Without the GIL an object is let go by the thread that made it, or else by whoever collects next: that could be
    the caller, who would wait in the finalizer as they do. While one waits there, nothing more is collected.
    """
    collector = threading.Thread(target=gc.collect, daemon=True)
    collector.start()
    collector.join(1)


def _stacks(threads: set[threading.Thread]) -> str:
    """Return where the threads are, innermost call last, without the functions that pytest hides as well."""
    frames = sys._current_frames()
    stacks = []
    for thread in sorted(threads, key=lambda thread: thread.name):
        frame = frames.get(thread.ident or 0)
        if frame is not None:
            calls = [each for each in traceback.walk_stack(frame) if not _is_hidden(each[0].f_code)]
            lines = traceback.StackSummary.extract(reversed(calls)).format()
            stacks.append(f"{thread.name}:\n{''.join(lines)}")
    return "\n".join(stacks)


def _is_hidden(code: CodeType) -> bool:
    return "__tracebackhide__" in code.co_varnames or code.co_filename == threading.__file__

"""The incidents of docs/incidents: each fault shown, and shown to be gone."""

from __future__ import annotations

import importlib.util
import sys
import threading
from functools import partial

from safemap.testing.threads import in_threads
from tests.support import ROOT

FOLDER = ROOT / "docs" / "incidents"


def load(name):
    """Return the module `name` of docs/incidents, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def observed(workers, observers, timeout=30):
    """Run each of `workers` in a thread, and meanwhile each of `observers` in one, again and again.

    Return how often each observer has looked, which is at least once after the last worker has ended.
    """
    ended = threading.Barrier(len(workers), action=lambda: done.set())
    done = threading.Event()

    def work(worker):
        try:
            worker()
        except BaseException:
            done.set()
            ended.abort()
            raise
        ended.wait(timeout)

    def observe(look):
        looks = 0
        while not done.is_set():
            look()
            looks += 1
        look()
        return looks + 1

    threads = [partial(work, worker) for worker in workers] + [partial(observe, look) for look in observers]
    return in_threads(*threads, timeout=timeout)[len(workers) :]

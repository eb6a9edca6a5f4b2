"""The incidents of docs/incidents: each fault shown, and shown to be gone."""

from __future__ import annotations

import importlib.util
import sys
import threading
from functools import partial
from operator import ge

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

    A worker is given a function to call in its middle: it returns when every observer has begun and ended a look
    since. After the last worker each observer looks once more. Return how often each has looked.
    """
    looks = [0] * len(observers)
    looked, done = threading.Condition(), threading.Event()
    working = [len(workers)]

    def pause():
        with looked:
            enough = [count + 2 for count in looks]
            assert looked.wait_for(lambda: done.is_set() or all(map(ge, looks, enough)), timeout), "nobody looks"

    def work(worker):
        try:
            worker(pause)
        except BaseException:
            done.set()
            raise
        with looked:
            working[0] -= 1
            if not working[0]:
                done.set()

    def observe(number, look):
        while True:
            last = done.is_set()
            try:
                look()
            except BaseException:
                with looked:  # nobody waits for it
                    done.set()
                    looked.notify_all()
                raise
            with looked:
                looks[number] += 1
                looked.notify_all()
            if last:
                return

    threads = [partial(work, worker) for worker in workers]
    threads += [partial(observe, number, look) for number, look in enumerate(observers)]
    in_threads(*threads, timeout=timeout)
    return looks

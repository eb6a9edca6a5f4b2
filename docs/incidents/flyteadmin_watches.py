"""FlyteAdmin: the handlers of many requests read and write one map of stop watches, by project and domain.

The page is flyteadmin_watches.md; flyteadmin_watches_cost.py measures which map serves them best.
"""

import threading
from typing import NamedTuple


class Watch(NamedTuple):
    """What was measured so far. It never changes: an observation makes another one."""

    count: int = 0
    total: int = 0

    def plus(self, delay):
        return Watch(self.count + 1, self.total + delay)


class FaultyWatches:
    """A dict of dicts: looked at, then filled."""

    def __init__(self, register):
        self._projects = {}
        self._register = register

    def observe(self, project, domain, delay):
        domains = self._projects.get(project)
        if domains is None:
            domains = self._projects[project] = {}
        if domain not in domains:
            domains[domain] = self._register(project, domain)
        domains[domain] = domains[domain].plus(delay)

    def report(self):
        return {(project, domain): w for project, ds in self._projects.items() for domain, w in ds.items()}


class LockedWatches:
    """One dict, one lock."""

    def __init__(self, register):
        self._watches = {}
        self._lock = threading.Lock()
        self._register = register

    def observe(self, project, domain, delay):
        key = (project, domain)
        with self._lock:
            if key not in self._watches:
                self._watches[key] = self._register(project, domain)
            self._watches[key] = self._watches[key].plus(delay)

    def read(self, project, domain):
        with self._lock:
            return self._watches.get((project, domain), Watch())

    def report(self):
        with self._lock:
            return self._watches.copy()


class Watches:
    """One map, by project and domain together: registered once, counted in one step."""

    def __init__(self, watches, register):
        self._watches = watches
        self._register = register

    def observe(self, project, domain, delay):
        key = (project, domain)
        self._watches.compute_if_absent(key, lambda _key: self._register(project, domain))
        self._watches.compute(key, lambda watch: watch.plus(delay))

    def read(self, project, domain):
        return self._watches.get((project, domain), Watch())

    def report(self):
        return self._watches.snapshot()


def others_go_on_while_one_registers(guarantees):
    """Return whether requests for other projects are served while `register` takes its time."""
    return guarantees.function_excludes == "its key"

"""Argo Workflows' sync manager: a scan over the map of locks while others take and release them.

The page is argo_sync_manager.md; argo_sync_manager_cost.py measures what each solution costs.
"""

import threading


class FaultySyncManager:
    """Who holds which lock: a dict behind a mutex, and a scan that does without."""

    def __init__(self):
        self._holders = {}
        self._mutex = threading.Lock()

    def try_acquire(self, name, workflow):
        with self._mutex:
            return self._holders.setdefault(name, workflow) == workflow

    def release(self, name, workflow):
        with self._mutex:
            if self._holders.get(name) == workflow:
                del self._holders[name]

    def check_existence(self, exists):
        """Release what is held by workflows that are gone."""
        gone = [(name, workflow) for name, workflow in self._holders.items() if not exists(workflow)]
        for name, workflow in gone:
            self.release(name, workflow)


class LockedSyncManager(FaultySyncManager):
    """As it was mended upstream: the scan takes the lock as well, and keeps it to its end."""

    def check_existence(self, exists):
        with self._mutex:
            gone = [(name, workflow) for name, workflow in self._holders.items() if not exists(workflow)]
        for name, workflow in gone:
            self.release(name, workflow)


class SyncManager:
    """Who holds which lock, in any map of safemap: each operation is one step, and the scan needs no lock."""

    def __init__(self, holders):
        self._holders = holders

    def try_acquire(self, name, workflow):
        return self._holders.setdefault(name, workflow) == workflow

    def try_acquire_all(self, names, workflow):
        """Take all of these locks, or none."""
        with self._holders.locked() as holders:
            if any(holders.get(name, workflow) != workflow for name in names):
                return False
            for name in names:
                holders[name] = workflow
        return True

    def release(self, name, workflow):
        return self._holders.compare_and_delete(name, workflow)

    def release_all(self, names, workflow):
        with self._holders.locked():
            for name in names:
                self.release(name, workflow)

    def check_existence(self, exists):
        """Release what is held by workflows that are gone."""
        gone = [(name, workflow) for name, workflow in self._holders.items() if not exists(workflow)]
        for name, workflow in gone:
            self.release(name, workflow)

    def report(self):
        """Return who holds what, at one moment."""
        return self._holders.snapshot()


def may_iterate_for_a_report(guarantees):
    """Return whether `items()` would do in `report`, where `snapshot()` does in every map."""
    return guarantees.iteration == "one moment"

"""What each solution of argo_sync_manager costs: `python docs/incidents/argo_sync_manager_cost.py [seconds]`."""

import sys

from argo_sync_manager import LockedSyncManager, SyncManager
from rounds import measured, rate, rates_together, table

import safemap

LOCKS = 300
"""That are held while a scan goes over them."""


def filled(manager):
    for n in range(LOCKS):
        manager.try_acquire(f"lock-{n}", f"workflow-{n}")
    return manager


def exists(_workflow):
    return True


def pairs(manager):
    """Take a lock and release it, alone."""

    def pair():
        manager.try_acquire("mine", "workflow")
        manager.release("mine", "workflow")

    return pair


def alone(manager):
    return {
        "take and release, alone": rate(pairs(manager), 5_000),
        "scan, alone": rate(lambda: manager.check_existence(exists), 20),
    }


def together(manager):
    taken, scans = rates_together([pairs(manager), lambda: manager.check_existence(exists)], 0.1)
    return {"take and release, while another scans": taken, "scan, while another takes": scans}


if __name__ == "__main__":
    contestants = {"dict and lock, scan under the lock": lambda: filled(LockedSyncManager())}
    for kind, cls in safemap.KINDS.items():
        contestants[f"`{cls.__name__}`"] = lambda kind=kind: filled(SyncManager(safemap.create(kind)))
    print(table(*measured(contestants, [alone, together], float(sys.argv[1]) if sys.argv[1:] else 10)))

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


def taking(manager):
    return rate(pairs(manager), 5_000)


def scanning(manager):
    return rate(lambda: manager.check_existence(exists), 20)


def taking_while_scanned(manager):
    return rates_together([pairs(manager), lambda: manager.check_existence(exists)], 0.03)[0]


def scanning_while_others_take(manager):
    return rates_together([pairs(manager), lambda: manager.check_existence(exists)], 0.03)[1]


MEASURES = {
    "take and release, alone": taking,
    "scan, alone": scanning,
    "take and release, while scanned": taking_while_scanned,
    "scan, while others take": scanning_while_others_take,
}

if __name__ == "__main__":
    contestants = {"dict and lock, scan under the lock": lambda: filled(LockedSyncManager())}
    for kind, cls in safemap.KINDS.items():
        contestants[f"`{cls.__name__}`"] = lambda kind=kind: filled(SyncManager(safemap.create(kind)))
    print(table(*measured(contestants, MEASURES, float(sys.argv[1]) if sys.argv[1:] else 10)))

"""Which map serves flyteadmin_watches best: `python docs/incidents/flyteadmin_watches_cost.py [seconds]`."""

import itertools
import sys

from flyteadmin_watches import LockedWatches, Watch, Watches
from rounds import measured, rate, rates_together, table

import safemap

KEYS = [(f"project-{n % 20}", f"domain-{n % 3}") for n in range(60)]


def register(_project, _domain):
    return Watch()


def filled(watches):
    for key in KEYS:
        watches.observe(*key, 1)
    return watches


def requests(watches, reads):
    """Return a handler: of `reads` + 1 requests one observes and the others read, each another watch."""
    keys = itertools.cycle(KEYS)

    def handle():
        watches.observe(*next(keys), 1)
        for _ in range(reads):
            watches.read(*next(keys))

    return handle


def alone(watches):
    return {
        "9 reads to a write, 1 thread": rate(requests(watches, 9), 1_000),
        "writes, 1 thread": rate(requests(watches, 0), 1_000),
        "report": rate(watches.report, 500),
    }


def together(watches):
    return {
        f"{name}, 2 threads": sum(rates_together([requests(watches, reads), requests(watches, reads)], 0.05))
        for name, reads in [("9 reads to a write", 9), ("writes", 0)]
    }


if __name__ == "__main__":
    contestants = {"dict and lock": lambda: filled(LockedWatches(register))}
    for kind, cls in safemap.KINDS.items():
        contestants[f"`{cls.__name__}`"] = lambda kind=kind: filled(Watches(safemap.create(kind), register))
    print(table(*measured(contestants, [alone, together], float(sys.argv[1]) if sys.argv[1:] else 10)))

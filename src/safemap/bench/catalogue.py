"""The named workloads."""

from __future__ import annotations

from typing import Final

from safemap.bench.workload import Workload, WorkloadError

READ_SHARES: Final = (100, 99, 95, 90, 75, 50, 10)

_ABOUT_READS: Final = {
    100: "a table that is made once, and then only read",
    99: "routing tables, configuration, feature flags",
    95: "caches of what seldom changes; YCSB's B without its skew",
    90: "sessions, registries",
    75: "caches of what changes often",
    50: "each request reads a record and writes it back; YCSB's A without its skew",
    10: "last-seen times, gauges, counters that are set",
}

_READS: Final = tuple(
    Workload(
        f"reads-{percent}",
        {"get": percent / 100, "set": 1 - percent / 100} if percent < 100 else {"get": 1.0},  # noqa: PLR2004
        _ABOUT_READS[percent],
    )
    for percent in READ_SHARES
)

_OURS: Final = (
    Workload("read-modify-write", {"compute": 1.0}, "counters, aggregates: d[k] += 1"),
    Workload(
        "set-if-absent-storm",
        {"compute_if_absent:pool": 15 / 16, "delete:pool": 1 / 16},
        "a cold cache entry that all threads ask for at once",
        access="hot",
    ),
    Workload(
        "grow",
        {"get": 0.05, "set:new": 0.80, "delete:pool": 0.05, "set": 0.10},
        "a table that is filled; conc-map-bench's RapidGrow",
        size=100,
    ),
    Workload(
        "exchange",
        {"find:pool": 0.10, "set:pool": 0.50, "delete:pool": 0.40},
        "entries come and go: open connections, jobs in flight; conc-map-bench's Exchange",
    ),
    Workload(
        "readers-and-a-writer",
        {"get": 1.0},
        "what readers get while one other thread writes all the time",
        background={"set": 1.0},
    ),
    Workload(
        "scan-with-writer",
        {"scan": 1.0},
        "going through all items while one other thread writes",
        background={"set": 1.0},
    ),
    Workload(
        "snapshots",
        {"snapshot": 0.01, "get": 0.495, "set": 0.495},
        "a consistent copy now and then: metrics, checkpoints",
    ),
    Workload("batches", {"update": 0.05, "get": 0.95}, "ten keys change together"),
)

_GO: Final = (
    Workload("go-load-mostly-hits", {"find": 1023 / 1024, "find:absent": 1 / 1024}, "Go's LoadMostlyHits"),
    Workload("go-load-mostly-misses", {"find": 1 / 1024, "find:absent": 1023 / 1024}, "Go's LoadMostlyMisses"),
    Workload(
        "go-load-or-store-balanced",
        {"setdefault": 0.5, "setdefault:new": 0.5},
        "Go's LoadOrStoreBalanced",
        size=128,
    ),
    Workload("go-load-or-store-unique", {"setdefault:new": 1.0}, "Go's LoadOrStoreUnique", size=100),
    Workload("go-load-or-store-collision", {"setdefault": 1.0}, "Go's LoadOrStoreCollision", access="hot"),
    Workload(
        "go-load-and-delete",
        {"delete:pool": 0.5, "setdefault:pool": 0.5},
        "Go's LoadAndDeleteBalanced",
        size=128,
    ),
    Workload("go-range", {"scan": 1.0}, "Go's Range", size=1024),
    Workload(
        "go-adversarial-alloc",
        {"find:absent": 0.99, "setdefault:new": 0.01},
        "Go's AdversarialAlloc: a write each time that sync.Map has promoted its table",
        order="rarer writes",
    ),
    Workload(
        "go-adversarial-delete",
        {"find:pool": 1022 / 1024, "delete:pool": 1 / 1024, "set:pool": 1 / 1024},
        "Go's AdversarialDelete: entries leave and come, seldom",
        size=1024,
    ),
    Workload("go-compare-and-swap", {"compare_and_set": 1.0}, "Go's CompareAndSwapMostlyHits", size=1024),
    Workload("go-compare-and-swap-collision", {"compare_and_set": 1.0}, "Go's, of one key", access="hot"),
    Workload("go-swap", {"swap": 1.0}, "Go's SwapMostlyHits", size=1024),
    Workload("go-swap-collision", {"swap": 1.0}, "Go's SwapCollision", access="hot"),
    Workload("go-clear", {"set:pool": 0.99, "clear": 0.01}, "Go's Clear, with writes between"),
)

_YCSB: Final = (
    Workload("ycsb-a", {"get": 0.5, "set": 0.5}, "update heavy: session store", access="zipf"),
    Workload("ycsb-b", {"get": 0.95, "set": 0.05}, "read mostly: photo tagging", access="zipf"),
    Workload("ycsb-c", {"get": 1.0}, "read only: user profile cache", access="zipf"),
    Workload("ycsb-d", {"find": 0.95, "set:new": 0.05}, "read latest: status updates", access="latest"),
    Workload("ycsb-e", {"scan_100": 0.95, "set:new": 0.05}, "short scans: threaded conversations", access="zipf"),
    Workload("ycsb-f", {"get": 0.5, "compute": 0.5}, "read-modify-write: user database", access="zipf"),
)

WORKLOADS: Final = {workload.name: workload for workload in (*_READS, *_OURS, *_GO, *_YCSB)}


def named(name: str) -> Workload:
    """Return the workload of a name. Raises WorkloadError, with those that there are, for any other."""
    try:
        return WORKLOADS[name]
    except KeyError:
        message = f"unknown workload {name!r}; known are: {', '.join(WORKLOADS)}"
        raise WorkloadError(message) from None

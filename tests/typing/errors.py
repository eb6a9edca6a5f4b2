# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Calls that must be errors. Never run.

Each checker looks at the `ignore` of each line, and complains where it finds nothing to ignore.
"""

from __future__ import annotations

from collections.abc import Hashable

from safemap import MISSING, CopyOnWriteMap, MutexMap, ShardedMap, create
from safemap.bench import Recorder
from safemap.detect import CheckedDict
from safemap.watch import Event, WatchedMap


def text(_n: int) -> str:
    return ""


def increment(n: int) -> int:
    return n + 1


m: ShardedMap[str, int] = ShardedMap(a=1)

# --- single keys
m[1]  # type: ignore[index]
m["a"] = "1"  # type: ignore[assignment]
m[1] = 1  # type: ignore[index]
del m[1]  # type: ignore[arg-type]
m.get(1)  # type: ignore[call-overload]
m.setdefault("a", "1")  # type: ignore[arg-type]
m.setdefault("a")  # type: ignore[call-arg]
m.pop(1)  # type: ignore[call-overload]
one: str = m["a"]  # type: ignore[assignment]
maybe: int = m.get("a")  # type: ignore[assignment]
popped: int = m.pop("a", None)  # type: ignore[arg-type]

# --- compound operations
m.swap("a", "1")  # type: ignore[call-overload]
m.swap(1, 1)  # type: ignore[call-overload]
m.compare_and_set("a", "0", 1)  # type: ignore[arg-type]
m.compare_and_set("a", MISSING, "1")  # type: ignore[arg-type]
m.compare_and_set("a", 0, MISSING)  # type: ignore[arg-type]
m.compare_and_delete("a", "1")  # type: ignore[arg-type]
m.compute("a", text)  # type: ignore[arg-type]
m.compute("a", lambda n: str(n))  # type: ignore[arg-type, return-value]
m.compute("a", increment, None)  # type: ignore[arg-type]
m.compute("a", increment, "0")  # type: ignore[arg-type]
m.compute("a", lambda: 1)  # type: ignore[arg-type, misc]
m.compute(1, increment)  # type: ignore[call-overload]
m.compute_if_absent("a", lambda key: key)  # type: ignore[arg-type, return-value]
m.compute_if_present("a", text)  # type: ignore[arg-type]
m.compute_if_present("a", lambda n: str(n))  # type: ignore[arg-type, return-value]
m.merge("a", "1", max)  # type: ignore[arg-type]
m.merge("a", 1, lambda old, new: str(old + new))  # type: ignore[arg-type, return-value]
removed: int = m.compute("a", lambda n: MISSING if n else n)  # type: ignore[assignment]
absent: int = m.compute_if_present("a", increment)  # type: ignore[assignment]
previous: int = m.swap("a", 1)  # type: ignore[assignment]

# --- sections
with m.entry(1) as entry:  # type: ignore[arg-type]
    pass
with m.entry("a") as entry:
    entry.value = "1"  # type: ignore[assignment]
    entry.value += 1  # type: ignore[operator]
m.entry("a", timeout="1")  # type: ignore[arg-type]
m.locked(timeout="1")  # type: ignore[arg-type]

# --- many keys
m.update({1: 1})  # type: ignore[dict-item]
m.update({"a": "1"})  # type: ignore[dict-item]
m.update([("a", "1")])  # type: ignore[list-item]
m.update(a="1")  # type: ignore[call-overload]
m | {"a": "1"}  # type: ignore[dict-item]
m | [("a", 1)]  # type: ignore[operator]

# --- the whole
hashable: Hashable = m  # type: ignore[assignment]
snapshot = m.snapshot()
snapshot["a"] = 2  # type: ignore[index]
del snapshot["a"]  # type: ignore[attr-defined]
m.keys() + m.keys()  # type: ignore[operator]
m.default_factory = int  # type: ignore[misc]
CopyOnWriteMap(a=1).snapshot() | [("a", 1)]  # type: ignore[operator]

# --- making one
wrong: ShardedMap[str, int] = ShardedMap({"a": "1"})  # type: ignore[arg-type]
named: ShardedMap[int, int] = ShardedMap(a=1)  # type: ignore[assignment]
MutexMap[str, int].configured({"a": "1"})  # type: ignore[arg-type]
MutexMap[str, int].configured(default_factory=str)  # type: ignore[arg-type]
MutexMap[str, int].fromkeys("ab", "0")  # type: ignore[call-overload]
MutexMap(1)  # type: ignore[call-overload]
ints: MutexMap[str, int] = create("sharded", {"a": 1})  # type: ignore[assignment]
create("sharded", {"a": 1}, shards="4")  # type: ignore[call-overload]
create(1)  # type: ignore[call-overload]

# --- around a map
watched = WatchedMap(m)


def of_others(_event: Event[int, str]) -> None: ...


watched.subscribe(of_others)  # type: ignore[arg-type]
watched.subscribe(print, keys=[1])  # type: ignore[list-item]
watched.subscribe(print, when_full="wait")  # type: ignore[arg-type]
watched.wait_for("a", 1)  # type: ignore[arg-type]
Recorder(1)  # type: ignore[arg-type]
Recorder(m)["a"] = "1"  # type: ignore[assignment]
CheckedDict({"a": 1})["a"] = "1"  # type: ignore[assignment]
CheckedDict[str, int].configured(kinds=["reads"])  # type: ignore[list-item]
m |= {"a": "1"}  # type: ignore[arg-type]

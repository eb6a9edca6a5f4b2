"""`safemap.bench.Recorder` as users write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import assert_type

from safemap import ConcurrentMapping, Entry, Guarantees, MissingType, ShardedMap, Snapshot
from safemap.bench import Recorder

recorder = Recorder(ShardedMap(a=1))
assert_type(recorder, Recorder[str, int])
assert_type(Recorder({"a": 1}), Recorder[str, int])
recorder["a"] = 2
assert_type(recorder["a"], int)
assert_type(recorder.get("a"), int | None)
assert_type(recorder.pop("a", 0), int)
assert_type(recorder.setdefault("a", 1), int)
assert_type(recorder.swap("a", 2), int | None)
assert_type(recorder.compute("a", lambda n: n + 1), int)
assert_type(recorder.compute_if_absent("abc", len), int)
assert_type(recorder.compute_if_present("a", lambda n: n + 1), int | None)
assert_type(recorder.merge("a", 1, max), int)
assert_type(recorder.compare_and_set("a", 1, 2), bool)
assert_type(recorder.compare_and_delete("a", 1), bool)
assert_type(recorder.popitem(), tuple[str, int])
assert_type(list(recorder), list[str])
assert_type(list(recorder.items()), list[tuple[str, int]])
assert_type(recorder.to_dict(), dict[str, int])
assert_type(recorder.snapshot(), Snapshot[str, int])
# The inner map's own copies, of whatever class they are.
assert_type(recorder.copy(), MutableMapping[str, int])
assert_type(recorder | {"b": 2}, MutableMapping[str, int])
assert_type(recorder.guarantees, Guarantees)
assert_type(recorder.default_factory, Callable[[], int] | None)
recorder |= {"b": 2}
recorder.update(c=3)
with recorder.entry("a") as entry:
    assert_type(entry, Entry[str, int])
    assert_type(entry.value, int | MissingType)
with recorder.locked() as whole:
    assert_type(whole, ConcurrentMapping[str, int])
assert_type(recorder.seen().threads, list[Mapping[str, int]])


def save(path: Path) -> None:
    recorder.save(path, name="mine")
    assert_type(recorder.recording().notes, tuple[str, ...])
    assert_type(recorder.recording().threads, int)
    assert_type(recorder.workload().name, str)
    recorder.reset()

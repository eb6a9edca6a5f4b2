"""`safemap.detect` as users write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, assert_type

from safemap.detect import (
    KINDS,
    CheckedDict,
    Lock,
    Place,
    RaceError,
    Report,
    RLock,
    Side,
    forget,
    reports,
    set_defaults,
    unchecked,
    unwatch,
    watch,
    watching,
)


def look(report: Report) -> None:
    assert_type(report.kind, Literal["iteration", "read-modify-write", "write"])
    assert_type(report.key, str | None)
    assert_type(report.note, str | None)
    assert_type(report.found, Side)
    assert_type(report.other.thread, str)
    assert_type(report.other.did, str)
    assert_type(report.other.stack, tuple[Place, ...])
    assert_type(report.other.locks, tuple[str, ...])
    assert_type(report.other.stack[0].filename, str)
    assert_type(report.other.stack[0].line, int)
    assert_type(report.other.stack[0].function, str)
    assert_type(report.other.stack[0].source(), str)
    assert_type(str(report), str)


watch()
with watching():
    set_defaults(kinds=KINDS, on_race="log")
registry = CheckedDict({"a": 1})
assert_type(registry, CheckedDict[str, int])
assert_type(CheckedDict(a=1), CheckedDict[str, int])
assert_type(CheckedDict[str, int].configured({"a": 1}, kinds=["write"], on_race=look), CheckedDict[str, int])
assert_type(CheckedDict[str, int].configured(on_race="raise"), CheckedDict[str, int])
assert_type(registry["a"], int)
assert_type(registry.get("a"), int | None)
assert_type(registry.get("a", 0), int)
assert_type(registry.setdefault("a", 0), int)
assert_type(registry.pop("a"), int)
assert_type(registry.pop("a", None), int | None)
assert_type(registry | {"b": 2}, dict[str, int])
assert_type(registry.copy(), dict[str, int])
registry |= {"b": 2}
registry.update(c=3)
with unchecked():
    for key, value in registry.items():
        assert_type(key, str)
        assert_type(value, int)
    assert_type(list(registry.keys()), list[str])
    assert_type(list(registry.values()), list[int])
assert_type(registry.popitem(), tuple[str, int])

with Lock() as taken, RLock():
    assert_type(taken, bool)
try:
    forget()
except RaceError as error:
    look(error.report)
assert_type(reports(), Sequence[Report])
unwatch()

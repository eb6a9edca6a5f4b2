"""A finalizer or signal handler that uses the map, at every line of the maps' own code, one line after the other.

Both come in the middle of what their thread is doing. What they do is done before the operation or after it, and
what they have seen stays as they saw it. Compiled maps have no lines: see `test_interruptions`.
"""

from __future__ import annotations

from contextlib import suppress

import safemap
from safemap.testing.hostile import Hostile, Key
from safemap.testing.threads import in_other_thread
from tests.support import come_at_every_line, in_fresh_python

SKIP = "a compiled map has no lines" if safemap.compiled else ""
OURS = safemap.__path__[0]
STEPS = frozenset({"_begin_batch", "_end_batch"})
"""Functions of CopyOnWriteMap whose lines let nothing in between where it matters, as they say."""


def by_entry(m):
    with m.entry("a") as entry:
        entry.value = 7


def by_section(m):
    with m.locked():
        m["a"] = 8
        m["new"] = 9


def raising():
    raise Hostile


def failing_update(m):
    """Ends after some keys, at one whose comparison raises."""
    with suppress(Hostile):
        m.update({"a": 3, "new": 4, Key("held", on_eq=raising): 5, "later": 6})


OPERATIONS = {
    "m[k]": lambda m: m["a"],
    "m[k], absent": lambda m: m.get("absent"),
    "m[k] = v": lambda m: m.__setitem__("a", 2),
    "m[k] = v, absent": lambda m: m.__setitem__("new", 2),
    "del": lambda m: m.__delitem__("a"),
    "pop": lambda m: m.pop("a"),
    "popitem": lambda m: m.popitem(),
    "setdefault": lambda m: m.setdefault("new", 1),
    "swap": lambda m: m.swap("a", 5),
    "compare_and_set": lambda m: m.compare_and_set("a", 1, 2),
    "compute": lambda m: m.compute("a", lambda n: n + 1),
    "compute_if_absent": lambda m: m.compute_if_absent("new", lambda _: 1),
    "merge": lambda m: m.merge("a", 1, int.__add__),
    "update": lambda m: m.update(a=2, new=3),
    "update, failing": failing_update,
    "clear": lambda m: m.clear(),
    "entry": by_entry,
    "locked": by_section,
    "snapshot": lambda m: m.snapshot().to_dict(),
    "iteration": lambda m: list(m.items()),
    "len": len,
    "copy": lambda m: m.copy(),
}
COMING = {
    "a key": lambda m: m.compute("came", lambda n: n + 1, 0),
    "a section": lambda m: come_in_a_section(m),
    "many keys": lambda m: m.update({n: n for n in range(200)}),
}


def come_in_a_section(m):
    with m.locked():
        m.update(came=1, gone=2)
        m.pop("gone")
    with m.entry("came") as entry:
        entry.value += 1


def filled(kind):
    m = safemap.create(kind, {"a": 1, "b": 2, Key("held"): 3})
    for _ in range(4):
        m.get("a")
    return m


def contents_after(kind, *operations):
    m = filled(kind)
    for operation in operations:
        operation(m)
    return contents(m)


def possible(kind, name, operation, come):
    """Return what the map may have in the end; None: do not ask."""
    by_key = safemap.KINDS[kind].guarantees.update == "key by key"
    if name == "popitem" or (by_key and name == "clear"):  # an update may be cleared in part
        return None
    orders = [contents_after(kind, operation, come), contents_after(kind, come, operation)]
    if name == "update, failing" and kind == "copy_on_write":
        orders.append(contents_after(kind))  # all that the thread has done meanwhile is undone
    return orders


def contents(m):
    return {getattr(key, "name", key): value for key, value in m.to_dict().items()}


def check(m, before, seen, orders):
    """See that the map is whole and free, that looks at it were of one moment, and that nothing is lost."""
    m._check()
    assert contents(before) == {"a": 1, "b": 2, "held": 3}
    for snapshot, shown in seen:
        assert snapshot.to_dict() == shown, "a snapshot has changed"
    assert orders is None or contents(m) in orders, contents(m)

    def use():
        with m.locked(timeout=5), m.entry("a", timeout=5) as entry:
            entry.value = 1

    in_other_thread(use)


@in_fresh_python(each=True, skip=SKIP, timeout=110)
def test_a_finalizer_may_use_the_map_at_any_line(kind):
    for name, operation in OPERATIONS.items():
        for what, come in COMING.items():
            if what == "many keys" and name not in {"m[k] = v, absent", "update, failing", "clear"}:
                continue
            orders = possible(kind, name, operation, come)
            checks = []

            def begin(name=name, operation=operation, come=come, orders=orders, checks=checks):
                while checks:
                    checks.pop()()
                m, seen = filled(kind), []
                before = m.snapshot()

                def coming():
                    come(m)
                    snapshot = m.snapshot()
                    seen.append((snapshot, snapshot.to_dict()))

                checks.append(lambda: check(m, before, seen, orders if seen else None))
                return lambda: operation(m), coming

            try:
                assert come_at_every_line(OURS, begin, STEPS) > 1
                checks.pop()()
            except BaseException as error:
                raise AssertionError(f"{name}, {what}") from error

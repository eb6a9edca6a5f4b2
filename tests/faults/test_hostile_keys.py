"""Keys that raise, write, wait or lie when they are hashed and compared; iterables that raise half-way."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import safemap
from safemap.testing.hostile import Hostile, Key, RaisesOnce
from safemap.testing.threads import in_other_thread, in_threads, rapid_switching
from tests.support import in_fresh_python


def by_entry(m, key):
    with m.entry(key) as entry:
        entry.value = ("entry", entry.value)


def by_section(m, key):
    with m.locked():
        m[key] = "section"


# All that takes a key, or compares keys. Each is one step, on its key at least.
OPERATIONS = {
    "m[k]": lambda m, k: m[k],
    "get": lambda m, k: m.get(k),
    "in": lambda m, k: k in m,
    "set": lambda m, k: m.__setitem__(k, "new"),
    "del": lambda m, k: m.__delitem__(k),
    "pop": lambda m, k: m.pop(k, None),
    "popitem": lambda m, k: m.popitem(),
    "clear": lambda m, k: m.clear(),
    "setdefault": lambda m, k: m.setdefault(k, "new"),
    "update": lambda m, k: m.update({k: "new"}),
    "ior": lambda m, k: m.__ior__({k: "new"}),
    "swap": lambda m, k: m.swap(k, "new"),
    "compare_and_set": lambda m, k: m.compare_and_set(k, 2, "new"),
    "compare_and_delete": lambda m, k: m.compare_and_delete(k, 2),
    "compute": lambda m, k: m.compute(k, lambda v: (v, "new"), None),
    "compute_if_absent": lambda m, k: m.compute_if_absent(k, lambda _: "new"),
    "compute_if_present": lambda m, k: m.compute_if_present(k, lambda v: (v, "new")),
    "merge": lambda m, k: m.merge(k, "new", lambda v, new: (v, new)),
    "entry": by_entry,
    "locked": by_section,
    "copy": lambda m, k: m.copy(),
    "to_dict": lambda m, k: m.to_dict(),
    "snapshot": lambda m, k: m.snapshot().get(k),
    "items": lambda m, k: list(m.items()),
    "in items": lambda m, k: (k, 2) in m.items(),
    "keys": lambda m, k: m.keys() & {k},
    "==": lambda m, k: m == {Key("a"): 1, Key("b"): 2, Key("c"): 3},
    "|": lambda m, k: m | {k: "new"},
}


def contents_of(m):
    return {key.name: value for key, value in m.items()}


def usable_by_others(m):
    def use():
        with m.locked(timeout=5), m.entry(Key("probe", hash_=3), timeout=5) as entry:
            entry.value = 1
        return m.pop(Key("probe", hash_=3))

    assert in_other_thread(use) == 1


@in_fresh_python
def test_a_key_that_raises_changes_nothing_and_holds_nothing(kind):
    """At its n-th hash or comparison, for every n, whether it is the key asked for or one that is in the map."""
    raised = 0
    for name, operation in OPERATIONS.items():
        for whose, where in [(whose, where) for whose in ("asked", "held") for where in ("on_hash", "on_eq")]:
            for n in range(100):
                held = Key("b")
                m = safemap.create(kind, {Key("a"): 1, held: 2, Key("c"): 3})
                asked = Key("b")
                done = m.copy()
                operation(done, asked)
                raises = RaisesOnce(n)
                setattr(asked if whose == "asked" else held, where, raises)
                with suppress(Hostile):
                    operation(m, asked)
                setattr(asked if whose == "asked" else held, where, None)
                if raises.raised:
                    assert contents_of(m) in ({"a": 1, "b": 2, "c": 3}, contents_of(done)), (name, whose, where, n)
                m._check()
                if not raises.raised:
                    break
                usable_by_others(m)
                raised += 1
            else:
                raise AssertionError(f"{name}: the key was never left alone")
    assert raised > 80


@in_fresh_python
def test_a_key_may_change_the_map_that_compares_it(kind):
    """In every operation, at its first comparison: other keys, the very key, and everything at once."""
    changes = {
        "fill": lambda m: m.update({i: i for i in range(400)}),
        "same key": lambda m: m.__setitem__(Key("b"), "inner"),
        "remove": lambda m: m.pop(Key("b"), None),
        "section": lambda m: by_section(m, "s"),
        "entry": lambda m: by_entry(m, "e"),
        "compute": lambda m: m.compute("c", lambda _: m.get("c"), 0),
    }
    if sys.version_info >= (
        3,
        14,
    ):  # before, a dict that is emptied while it sets a key may store it where nobody looks
        changes["clear"] = lambda m: m.clear()
    for name, operation in OPERATIONS.items():
        for what, change in changes.items():
            for where in ("on_eq", "on_hash"):
                m = safemap.create(kind, {Key("a"): 1, Key("b"): 2, Key("c"): 3})
                asked, armed = Key("b"), [1]

                def callback(m=m, change=change, armed=armed):
                    if armed:
                        armed.clear()
                        change(m)

                setattr(asked, where, callback)
                with suppress(KeyError):  # it is gone now
                    operation(m, asked)
                setattr(asked, where, None)
                m._check()
                assert len(m) == len(list(m)) == len(m.to_dict()), (name, what, where)
        usable_by_others(m)


@in_fresh_python
def test_a_comparison_may_look_at_the_whole(kind):
    for look in (lambda m: m.snapshot(), lambda m: list(m), lambda m: m.copy(), lambda m: len(m)):
        for name, operation in OPERATIONS.items():
            m = safemap.create(kind, {Key("a"): 1, Key("b"): 2, Key("c"): 3})
            asked, armed = Key("b"), [1]

            def callback(m=m, look=look, armed=armed):
                if armed:
                    armed.clear()
                    look(m)

            asked.on_eq = callback
            operation(m, asked)
            asked.on_eq = None
            assert len(m) == len(m.to_dict()), name
            m._check()


@in_fresh_python
def test_a_comparison_that_lets_others_run_loses_nothing(kind):
    """Keys of one hash, whose `__eq__` lets another thread go on: the check and the act are still one step."""

    def pause():
        time.sleep(0)

    m = safemap.create(kind, {Key("before"): 0})
    tokens = [object() for _ in range(3)]

    def work(me):
        keys = [Key(name, on_eq=pause) for name in "abcd"]
        won = 0
        for i in range(24):
            key = keys[i % 4]
            m.compute(key, lambda n: n + 1, 0)
            m.merge(Key("sum", on_eq=pause), 1, int.__add__)
            won += m.setdefault(Key(f"token {i}", on_eq=pause), tokens[me]) is tokens[me]
            if i >= 3:
                m.pop(Key(f"token {i - 3}"), None)
            keys[0] in m, len(m)
        return won

    with rapid_switching():
        in_threads(*(lambda me=me: work(me) for me in range(3)))
    assert [m[Key(name)] for name in "abcd"] == [18] * 4
    assert m[Key("sum")] == 72
    m._check()


@in_fresh_python
def test_a_comparison_that_waits_for_a_reader_in_another_thread(kind):
    """What another thread may do meanwhile is what the guarantees say: in no variant does it end in a hang."""
    m = safemap.create(kind, {Key("a"): 1, "plain": 2})
    for _ in range(3):
        m.get("plain")
    answers = []

    def ask():
        if not answers:
            answers.append(None)
            with suppress(TimeoutError):
                answers[0] = in_other_thread(lambda: m["plain"], timeout=0.5)

    m[Key("a", on_eq=ask)] = 3
    assert answers == [None if m.guarantees.reader_waits_for_writer == "yes" else 2]
    assert m[Key("a")] == 3
    usable_by_others(m)


@in_fresh_python
def test_an_iterable_that_raises_half_way_changes_nothing(kind):
    def pairs(k):
        for i in range(k):
            yield i, "new"
        raise Hostile

    class Halfway:
        def __init__(self, k):
            self.k = k

        def keys(self):
            return range(6)

        def __getitem__(self, key):
            if key == self.k:
                raise Hostile
            return "new"

    old = {0: "old", 3: "old", "x": "old"}
    m = safemap.create(kind, old)
    for k in range(6):
        for what in (lambda k=k: pairs(k), lambda k=k: Halfway(k), lambda k=k: [*zip(range(k), "newnew"), (k,)]):
            for change in (m.update, m.__ior__, m.__init__, type(m)):
                try:
                    change(what())
                except (Hostile, ValueError):
                    pass
                else:
                    raise AssertionError("the error did not come through")
                assert m == old
    usable_by_others(m)


@in_fresh_python
def test_a_key_that_raises_in_an_update_leaves_none_or_the_first_of_its_keys(kind):
    names = ["c", "a", "d", "e"]
    for where in ("on_hash", "on_eq"):
        for n in range(40):
            m = safemap.create(kind, {Key("a"): 1, Key("b"): 2})
            raises, hostile = RaisesOnce(n), Key("d")
            setattr(hostile, where, raises)
            failed = False
            try:
                m.update([(hostile if name == "d" else Key(name), "new") for name in names])
            except Hostile:
                failed = True
            setattr(hostile, where, None)
            firsts = [{"a": 1, "b": 2} | dict.fromkeys(names[:k], "new") for k in range(len(names) + 1)]
            if m.guarantees.update == "all at once":
                firsts = [firsts[0], firsts[-1]]
            assert contents_of(m) in firsts, (where, n)
            assert not failed or contents_of(m) != firsts[-1]
            m._check()
            if not raises.raised:
                break

"""Threads: no lost update, no torn look, no error of another's making. Counts are exact."""

from __future__ import annotations

import itertools
import random
import threading
import time
from operator import add

import pytest

from safemap import MISSING
from tests.support import in_threads

THREADS = 4
ROUNDS = 500

pytestmark = pytest.mark.usefixtures("rapid_switching")


class TestNoLostUpdate:
    def test_compute(self, variant):
        m = variant(n=0)
        calls = [itertools.count() for _ in range(THREADS)]

        def work(mine):
            def increment(n):
                next(mine)
                return n + 1

            return [m.compute("n", increment) for _ in range(ROUNDS)]

        results = in_threads(*(lambda mine=mine: work(mine) for mine in calls))
        assert m["n"] == THREADS * ROUNDS
        assert sum(next(mine) for mine in calls) == THREADS * ROUNDS, "one call for each"
        assert sorted(sum(results, [])) == list(range(1, THREADS * ROUNDS + 1)), "each result once"
        m._check()

    def test_merge(self, variant):
        m = variant()
        in_threads(*[lambda: [m.merge(i % 7, 1, add) for i in range(ROUNDS)]] * THREADS)
        assert sum(m.values()) == THREADS * ROUNDS
        m._check()

    def test_entry(self, variant):
        m = variant()

        def work():
            for i in range(ROUNDS):
                with m.entry(i % 3) as entry:
                    entry.value = 1 if entry.value is MISSING else entry.value + 1

        in_threads(*[work] * THREADS)
        assert sum(m.values()) == THREADS * ROUNDS
        m._check()

    def test_locked(self, variant):
        m = variant(n=0)

        def work():
            for _ in range(ROUNDS // 5):
                with m.locked():
                    m["n"] = m["n"] + 1

        in_threads(*[work] * THREADS)
        assert m["n"] == THREADS * (ROUNDS // 5)
        m._check()

    def test_compare_and_set(self, variant):
        m = variant(n=0)

        def work():
            won = 0
            while won < ROUNDS // 5:
                n = m["n"]
                won += m.compare_and_set("n", n, n + 1)

        in_threads(*[work] * THREADS)
        assert m["n"] == THREADS * (ROUNDS // 5)

    def test_compare_and_set_if_absent_has_one_winner(self, variant):
        m = variant()
        wins = in_threads(*[lambda: [m.compare_and_set(i, MISSING, 1) for i in range(ROUNDS)]] * THREADS)
        assert [sum(each) for each in zip(*wins, strict=True)] == [1] * ROUNDS

    def test_compare_and_delete_has_one_winner(self, variant):
        m = variant({i: i for i in range(ROUNDS)})
        wins = in_threads(*[lambda: [m.compare_and_delete(i, i) for i in range(ROUNDS)]] * THREADS)
        assert [sum(each) for each in zip(*wins, strict=True)] == [1] * ROUNDS
        assert m == {}

    def test_setdefault_has_one_winner(self, variant):
        m = variant()
        tokens = [object() for _ in range(THREADS)]
        seen = in_threads(*(lambda t=t: [m.setdefault(i, t) for i in range(ROUNDS)] for t in tokens))
        for i, each in enumerate(zip(*seen, strict=True)):
            assert set(each) == {m[i]}

    def test_swap_passes_every_value_on(self, variant):
        m = variant(n=-1)
        numbers = [range(t * ROUNDS, (t + 1) * ROUNDS) for t in range(THREADS)]
        seen = in_threads(*(lambda mine=mine: [m.swap("n", i) for i in mine] for mine in numbers))
        assert sorted([*sum(seen, []), m["n"]]) == list(range(-1, THREADS * ROUNDS))

    def test_pop_gives_each_value_once(self, variant):
        m = variant({i: i for i in range(ROUNDS)})
        seen = in_threads(*[lambda: [m.pop(i, None) for i in range(ROUNDS)]] * THREADS)
        assert sorted(v for v in sum(seen, []) if v is not None) == list(range(ROUNDS))
        assert len(m) == 0
        m._check()

    def test_popitem_gives_each_item_once(self, variant):
        m = variant({i: i for i in range(ROUNDS)})

        def work():
            items = []
            while True:
                try:
                    items.append(m.popitem())
                except KeyError:
                    return items

        seen = in_threads(*[work] * THREADS)
        assert sorted(sum(seen, [])) == [(i, i) for i in range(ROUNDS)]
        m._check()

    def test_plain_writes_respect_compound_ones(self, variant):
        """A plain write is lost only if it came before: the function saw it, or it is there at the end."""
        m = variant(n=(0, 0))
        stop = threading.Event()

        def writer():
            for i in range(1, ROUNDS):
                m["n"] = (i, 0)
            stop.set()

        def computer():
            seen = set()

            def function(value):
                seen.add(value[0])
                return value[0], value[1] + 1

            while not stop.is_set():
                m.compute("n", function)
            m.compute("n", function)
            return seen

        _, seen = in_threads(writer, computer)
        assert max(seen) == ROUNDS - 1
        assert m["n"][0] == ROUNDS - 1


class TestOnce:
    @pytest.mark.parametrize("way", ["compute_if_absent", "default_factory"])
    def test_a_factory_runs_once_for_all_who_wait(self, variant, way):
        calls = []

        def factory(*_):
            calls.append(1)
            time.sleep(0.05)
            return object()

        m = variant.cls.configured(default_factory=factory)
        get = m.__getitem__ if way == "default_factory" else lambda key: m.compute_if_absent(key, factory)
        values = in_threads(*[lambda: get("k")] * 6)
        assert len(calls) == 1
        assert len(set(values)) == 1

    def test_if_the_factory_raises_the_next_one_tries(self, variant):
        m = variant()
        calls = []

        def factory(_key):
            calls.append(1)
            time.sleep(0.01)
            if len(calls) < 3:
                raise LookupError
            return "made"

        def work():
            try:
                return m.compute_if_absent("k", factory)
            except LookupError:
                return None

        assert sorted(in_threads(*[work] * 5), key=str) == [None, None, "made", "made", "made"]
        assert len(calls) == 3
        m._check()


class TestWhoWaits:
    """What a slow function keeps others from is what `guarantees.function_excludes` says."""

    @staticmethod
    def during(m, section):
        """Return what others can do, within a little while, during a section on the key "held"."""
        inside, leave = threading.Event(), threading.Event()

        def holder():
            with section():
                inside.set()
                leave.wait(20)

        done = set()

        def attempt(name, operation):
            operation()
            done.add(name)

        attempts = {
            "read held": lambda: m.get("held"),
            "read other": lambda: m["other"],
            "write held": lambda: m.__setitem__("held", 2),
            "write other": lambda: m.__setitem__("other", 2),
            "compute other": lambda: m.compute("other", lambda n: n),
            "iterate": lambda: list(m.items()),
            "snapshot": m.snapshot,
            "len": lambda: len(m),
        }
        thread = threading.Thread(target=holder, daemon=True)
        thread.start()
        assert inside.wait(10)
        threads = [threading.Thread(target=attempt, args=a, daemon=True) for a in attempts.items()]
        for each in threads:
            each.start()
        deadline = time.monotonic() + 0.4
        for each in threads:
            each.join(max(0, deadline - time.monotonic()))
        could = set(done)
        leave.set()
        for each in [thread, *threads]:
            each.join(10)
            assert not each.is_alive()
        assert done == set(attempts), "all go on when the section is over"
        return could

    LOOKING = {"iterate", "snapshot", "len"}

    def test_a_function_or_an_entry(self, variant):
        m = variant(held=1, other=1)
        for _ in range(5):
            m.get("held"), m.get("other")  # settles in ReadDirtyMap's read table
        could = self.during(m, lambda: m.entry("held"))
        readers = {"read held", "read other"}
        if variant.guarantees.function_excludes == "the map":
            assert could == set()
        elif variant.guarantees.function_excludes == "the map's writers":
            assert could == readers | self.LOOKING
        else:
            assert could == readers | self.LOOKING | {"write other", "compute other"}
        m._check()

    def test_locked(self, variant):
        m = variant(held=1, other=1)
        for _ in range(5):
            m.get("held"), m.get("other")
        could = self.during(m, m.locked)
        assert not could & {"write held", "write other", "compute other"}
        if variant.guarantees.reader_waits_for_writer != "yes":
            assert could >= {"read held", "read other"}
        if variant.guarantees.snapshot == "O(1)":
            assert could >= self.LOOKING
        m._check()

    def test_slow_functions_on_different_keys_do_not_wait_for_one_another(self, variant):
        if variant.guarantees.function_excludes != "its key":
            pytest.skip("this variant's functions exclude one another")
        m = variant()
        barrier = threading.Barrier(8, timeout=10)  # all of them inside at the same time, whatever the shard
        values = in_threads(
            *(lambda i=i: m.compute_if_absent(i, lambda key: (barrier.wait(), key)[1]) for i in range(8))
        )
        assert values == list(range(8))
        m._check()


class TestTimeouts:
    @pytest.mark.parametrize("how", ["entry", "locked"])
    @pytest.mark.parametrize("held_by", ["entry", "locked"])
    def test_are_kept(self, variant, how, held_by):
        m = variant(a=1)
        inside, leave = threading.Event(), threading.Event()

        def holder():
            with m.entry("a") if held_by == "entry" else m.locked():
                inside.set()
                leave.wait(20)

        def waiter():
            assert inside.wait(10)
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                (m.entry("a", timeout=0.2) if how == "entry" else m.locked(timeout=0.2)).__enter__()
            waited = time.monotonic() - started
            with pytest.raises(TimeoutError):
                (m.entry("a", timeout=0) if how == "entry" else m.locked(timeout=0)).__enter__()
            leave.set()
            return waited

        _, waited = in_threads(holder, waiter)
        assert 0.19 <= waited < 5
        with m.entry("a", timeout=5) as entry, m.locked(timeout=5):
            entry.value = 2
        assert m == {"a": 2}
        m._check()


class TestLookingAtTheWhole:
    def test_iteration_and_views_under_writers(self, variant):
        stable = {f"stable{i}": i for i in range(200)}
        m = variant(stable)
        stop = threading.Event()

        def writer(seed):
            chance = random.Random(seed)
            while not stop.is_set():
                key = f"moving{chance.randrange(300)}"
                chance.choice(
                    [
                        lambda: m.__setitem__(key, key),
                        lambda: m.pop(key, None),
                        lambda: m.setdefault(key, key),
                        lambda: m.compute(key, lambda _: key, None),
                        lambda: m.update({key: key, key + "x": key + "x"}),
                    ]
                )()

        def reader():
            try:
                for _ in range(60):
                    for keys in (list(m), list(m.keys()), [k for k, _ in m.items()], list(reversed(m))):
                        assert len(keys) == len(set(keys)), "a key at most once"
                        assert stable.keys() <= set(keys), "every key that was there throughout"
                    for key, value in m.items():
                        assert value == (stable[key] if key in stable else key), "pairs that were there"
                    assert set(stable.values()) <= set(m.values())
                    assert stable.items() <= m.items()
                    assert stable.keys() <= dict(m.items()).keys()
                    assert stable.keys() <= m.to_dict().keys()
                    assert len(m) >= len(stable)
                    repr(m)
                    assert m == m  # noqa: PLR0124
                    assert m.copy().keys() >= stable.keys()
            finally:
                stop.set()

        in_threads(lambda: writer(1), lambda: writer(2), reader)
        m._check()

    def test_snapshots_of_transfers_always_sum_the_same(self, variant):
        m = variant({i: 100 for i in range(10)})
        stop = threading.Event()

        def transfer(seed):
            chance = random.Random(seed)
            while not stop.is_set():
                a, b = chance.sample(range(10), 2)
                with m.locked():
                    m[a] -= 1
                    m[b] += 1

        def look():
            try:
                for _ in range(300):
                    assert sum(m.snapshot().values()) == 1000
                    assert sum(m.to_dict().values()) == 1000
                    if variant.guarantees.iteration == "one moment":
                        assert sum(m.values()) == 1000
                        assert sum(v for _, v in m.items()) == 1000
            finally:
                stop.set()

        in_threads(lambda: transfer(1), lambda: transfer(2), look)
        m._check()

    def test_a_snapshot_stays_as_it_is(self, variant):
        m = variant({i: 0 for i in range(500)})
        stop = threading.Event()

        def writer():
            n = 0
            while not stop.is_set():
                n += 1
                m[n % 700] = n
                m.pop((n * 7) % 700, None)

        def look():
            try:
                for _ in range(40):
                    snapshot = m.snapshot()
                    first = dict(snapshot.items())
                    assert len(first) == len(snapshot)
                    for _ in range(3):
                        assert snapshot.to_dict() == first
                        assert {k: snapshot[k] for k in first} == first
                        assert set(snapshot) == set(first)
            finally:
                stop.set()

        in_threads(writer, writer, look)
        m._check()

    def test_an_update_is_seen_as_guaranteed(self, variant):
        m = variant(a=0, b=0)
        stop = threading.Event()

        def writer():
            n = 0
            while not stop.is_set():
                n += 1
                m.update({"a": n, "b": n})

        def look():
            try:
                for _ in range(2000):
                    if variant.guarantees.update == "all at once":
                        b, a = m["b"], m["a"]  # later, so at least as new
                        assert a >= b
                        snapshot = m.snapshot()
                        assert snapshot["a"] == snapshot["b"]
                        assert len(set(m.values())) == 1
                    else:
                        snapshot = m.snapshot()
                        assert snapshot["a"] - snapshot["b"] in (0, 1), "key by key, in order"
            finally:
                stop.set()

        in_threads(writer, look)

    def test_a_section_is_seen_whole_or_not_at_all_where_updates_are(self, variant):
        if variant.guarantees.update != "all at once":
            pytest.skip("readers of this variant may see the middle of a section")
        m = variant(a=0, b=0)
        stop = threading.Event()

        def writer():
            n = 0
            while not stop.is_set():
                n += 1
                with m.locked():
                    m["a"] = -1
                    m["b"] = n
                    m["a"] = n

        def look():
            try:
                last = 0
                for _ in range(3000):
                    b, a = m["b"], m["a"]
                    assert a >= b >= last, "never the intermediate value, never back in time"
                    last = a
            finally:
                stop.set()

        in_threads(writer, look)

    def test_len_is_exact_where_guaranteed(self, variant):
        if variant.guarantees.length != "exact":
            pytest.skip("len is approximate while others write")
        m = variant({i: i for i in range(400)})
        stop = threading.Event()

        def writer():
            while not stop.is_set():
                for i in range(400, 420):
                    m[i] = i
                for i in range(400, 420):
                    del m[i]

        def look():
            try:
                for _ in range(3000):
                    assert 400 <= len(m) <= 420
            finally:
                stop.set()

        in_threads(writer, look)
        assert len(m) == 400

    def test_len_is_exact_when_nobody_writes(self, variant):
        m = variant()

        def work(seed):
            chance = random.Random(seed)
            for _ in range(ROUNDS):
                key = chance.randrange(50)
                chance.choice([lambda: m.__setitem__(key, 1), lambda: m.pop(key, None), lambda: m.get(key)])()

        in_threads(*(lambda s=s: work(s) for s in range(THREADS)))
        assert len(m) == len(list(m)) == len(m.to_dict())
        m._check()

    def test_clear_and_popitem_against_compute(self, variant):
        m = variant()
        stop = threading.Event()

        def computer(key):
            while not stop.is_set():
                m.compute(key, lambda n: n + 1, 0)

        def clearer():
            try:
                for _ in range(50):
                    m.clear()
                    try:
                        m.popitem()
                    except KeyError:
                        pass
                    with m.locked(timeout=30):
                        before = m.to_dict()
                        assert m.to_dict() == before
            finally:
                stop.set()

        in_threads(*(lambda k=k: computer(k) for k in range(3)), clearer)
        m._check()


class TestCrossed:
    @pytest.mark.parametrize(
        "operation",
        [
            lambda a, b: a.update(b),
            lambda a, b: a == b,
            lambda a, b: a | b,
            lambda a, b: a.__ior__(b),
            lambda a, b: a.keys() & b.keys(),
            lambda a, b: a.items() == b.items(),
        ],
        ids=["update", "==", "|", "|=", "keys", "items"],
    )
    def test_two_maps_at_once(self, variant, operation):
        a, b = variant({i: i for i in range(50)}), variant({i: i for i in range(25, 75)})
        in_threads(
            lambda: [operation(a, b) for _ in range(100)],
            lambda: [operation(b, a) for _ in range(100)],
            timeout=60,
        )
        a._check()
        b._check()


def test_the_first_reader_of_a_value_sees_it_whole(variant):
    """What was written before a value was stored is visible to whoever reads the value."""
    m = variant()

    def writer():
        for i in range(ROUNDS):
            box = [0]
            box[0] = i
            m["box"] = box

    def reader():
        last = -1
        while last < ROUNDS - 1:
            box = m.get("box")
            if box is not None:
                assert box[0] >= last
                last = box[0]

    in_threads(writer, reader)

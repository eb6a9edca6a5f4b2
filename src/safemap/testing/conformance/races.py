"""No update is lost, and where one thread can win, one does. Counts are exact."""

from __future__ import annotations

import itertools
import random
import threading
import time
from operator import add
from typing import Any

from safemap import MISSING
from safemap.testing.conformance.suite import Suite, needs
from safemap.testing.hostile import Yielding
from safemap.testing.threads import in_threads

THREADS = 4
ROUNDS = 500
KEYS: list[Any] = [*range(ROUNDS // 2), *map(Yielding, range(ROUNDS // 2, ROUNDS))]


def winners(seen: Any) -> Any:
    """Return how many threads won each round."""
    return [sum(each) for each in zip(*seen, strict=True)]


class Races(Suite, rapid=True):
    @needs("threads")
    def test_the_first_reader_of_a_value_sees_it_whole(self):
        """What was written before a value was stored is visible to whoever reads the value."""
        m = self.filled(box=[-1])

        def writer():
            for i in range(ROUNDS):
                box = [0]
                box[0] = i
                m["box"] = box

        def reader():
            last = -1
            while last < ROUNDS - 1:
                box = m["box"]
                assert box[0] >= last
                last = box[0]

        in_threads(writer, reader)

    @needs("threads")
    def test_writers_of_different_keys_do_not_disturb_one_another(self):
        m = self.filled()

        def work(mine):
            for i in range(ROUNDS):
                m[mine, i] = i
                assert m[mine, i] == i
                if i % 3:
                    del m[mine, i]

        in_threads(*(lambda mine=mine: work(mine) for mine in range(THREADS)))
        self.check(m, {(mine, i): i for mine in range(THREADS) for i in range(0, ROUNDS, 3)})

    @needs("threads", "len")
    def test_len_is_exact_when_nobody_writes(self):
        m = self.filled()

        def remove(key):
            try:
                del m[key]
            except KeyError:
                pass

        def work(seed):
            chance = random.Random(seed)
            for _ in range(ROUNDS):
                key = chance.randrange(50)
                chance.choice([lambda: m.__setitem__(key, 1), lambda: remove(key)])()

        in_threads(*(lambda s=s: work(s) for s in range(THREADS)))
        assert len(m) == len(list(self.pairs(m)))
        self.check(m)

    @needs("compute")
    def test_compute_loses_no_update(self):
        m = self.filled(n=0)
        calls = [itertools.count() for _ in range(THREADS)]

        def work(mine):
            def increment(n):
                if next(mine) % 8 == 0:
                    time.sleep(0)
                return n + 1

            return [m.compute("n", increment) for _ in range(ROUNDS)]

        results = in_threads(*(lambda mine=mine: work(mine) for mine in calls))
        assert m["n"] == THREADS * ROUNDS
        assert sum(next(mine) for mine in calls) == THREADS * ROUNDS, "one call for each"
        assert sorted(sum(results, [])) == list(range(1, THREADS * ROUNDS + 1)), "each result once"
        self.check(m)

    @needs("compute")
    def test_plain_writes_respect_compute(self):
        """A plain write is lost only if it came before: the function saw it, or it is there at the end."""
        m = self.filled(n=(0, 0))
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

    @needs("merge")
    def test_merge_loses_no_update(self):
        m = self.filled()

        def slowly(current, value):
            time.sleep(0)
            return current + value

        work = [lambda: [m.merge(i % 7, 1, add if i % 8 else slowly) for i in range(ROUNDS)]]
        in_threads(*work * THREADS)
        assert sum(value for _, value in self.pairs(m)) == THREADS * ROUNDS
        self.check(m)

    @needs("entry")
    def test_entry_loses_no_update(self):
        m = self.filled()

        def work():
            for i in range(ROUNDS):
                with m.entry(i % 3) as entry:
                    entry.value = 1 if entry.value is MISSING else entry.value + 1

        in_threads(*[work] * THREADS)
        assert sum(value for _, value in self.pairs(m)) == THREADS * ROUNDS
        self.check(m)

    @needs("locked", "reentrant")
    def test_locked_loses_no_update(self):
        m = self.filled(n=0)

        def work():
            for _ in range(ROUNDS // 5):
                with m.locked():
                    m["n"] = m["n"] + 1

        in_threads(*[work] * THREADS)
        assert m["n"] == THREADS * (ROUNDS // 5)
        self.check(m)

    @needs("compare_and_set")
    def test_compare_and_set_loses_no_update(self):
        m = self.filled(n=0)

        def work():
            won = 0
            while won < ROUNDS // 5:
                n = m["n"]
                won += m.compare_and_set("n", n, n + 1)

        in_threads(*[work] * THREADS)
        assert m["n"] == THREADS * (ROUNDS // 5)

    @needs("compare_and_set")
    def test_compare_and_set_if_absent_has_one_winner(self):
        m = self.filled()
        wins = in_threads(*[lambda: [m.compare_and_set(key, MISSING, 1) for key in KEYS]] * THREADS)
        assert winners(wins) == [1] * ROUNDS

    @needs("compare_and_delete")
    def test_compare_and_delete_has_one_winner(self):
        m = self.filled({key: int(key) for key in KEYS})
        wins = in_threads(*[lambda: [m.compare_and_delete(key, int(key)) for key in KEYS]] * THREADS)
        assert winners(wins) == [1] * ROUNDS
        self.check(m, {})

    @needs("swap")
    def test_swap_passes_every_value_on(self):
        m = self.filled(n=-1)
        numbers = [range(t * ROUNDS, (t + 1) * ROUNDS) for t in range(THREADS)]
        seen = in_threads(*(lambda mine=mine: [m.swap("n", i) for i in mine] for mine in numbers))
        assert sorted([*sum(seen, []), m["n"]]) == list(range(-1, THREADS * ROUNDS))

    @needs("setdefault", "atomic setdefault")
    def test_setdefault_has_one_winner(self):
        m = self.filled()
        tokens = [object() for _ in range(THREADS)]
        seen = in_threads(*(lambda t=t: [m.setdefault(key, t) for key in KEYS] for t in tokens))
        for key, each in zip(KEYS, zip(*seen, strict=True), strict=True):
            assert set(each) == {m[key]}

    @needs("pop", "atomic pop")
    def test_pop_gives_each_value_once(self):
        m = self.filled({key: int(key) for key in KEYS})
        seen = in_threads(*[lambda: [m.pop(key, None) for key in KEYS]] * THREADS)
        assert sorted(value for value in sum(seen, []) if value is not None) == list(range(ROUNDS))
        self.check(m, {})

    @needs("popitem", "atomic popitem")
    def test_popitem_gives_each_item_once(self):
        m = self.filled({key: int(key) for key in KEYS})

        def work():
            items = []
            while True:
                try:
                    items.append(m.popitem())
                except KeyError:
                    assert not list(self.pairs(m)), "an error, but the map is not empty"
                    return items

        seen = in_threads(*[work] * THREADS)
        assert sorted(sum(seen, [])) == [(i, i) for i in range(ROUNDS)]
        self.check(m, {})

"""Writers that use all operations at once, and what subscribers must have made of it."""

from __future__ import annotations

import random

from safemap import MISSING
from safemap.testing.threads import in_threads, rapid_switching
from tests.watch.support import WAIT, Replica

KEYS = "abcd"


def set_in_entry(m, key, value):
    with m.entry(key) as entry:
        entry.value = value


def set_in_section(m, key, value):
    with m.locked():
        m[key] = value
        m[KEYS[0]] = value


def pop_item(m, _key, _value):
    try:
        m.popitem()
    except KeyError:
        pass


WAYS = [
    *[lambda m, key, value: m.__setitem__(key, value)] * 6,
    lambda m, key, value: m.pop(key, None),
    lambda m, key, value: m.swap(key, value),
    lambda m, key, value: m.setdefault(key, value),
    lambda m, key, value: m.compute(key, lambda _: value, None),
    lambda m, key, value: m.compute(key, lambda _: MISSING, None),
    lambda m, key, value: m.compute_if_absent(key, lambda _: value),
    lambda m, key, value: m.merge(key, value, lambda _, new: new),
    lambda m, key, value: m.compare_and_set(key, m.get(key), value),
    lambda m, key, value: m.update({key: value, KEYS[0]: value, KEYS[-1]: value}),
    set_in_entry,
    set_in_section,
    pop_item,
]


def writer(m, number, rounds):
    """Return a function that writes at random; each value is another object."""
    chance = random.Random(number)

    def write():
        for n in range(rounds):
            chance.choice(WAYS)(m, chance.choice(KEYS), (number, n))
            if n % 100 == 99:
                m.clear()

    return write


def faults_under_load(m, rounds, *, initial=False, writers=3):
    """Write from several threads; return what subscribers found wrong, and which do not have what the map has."""
    first = Replica()
    first.contents = m.to_dict()
    replicas = [first]
    m.subscribe(first)

    def subscribe_later():
        for _ in range(15 if initial else 0):
            replicas.append(Replica())
            m.subscribe(replicas[-1], initial=True)

    with rapid_switching():
        in_threads(*(writer(m, number, rounds) for number in range(writers)), subscribe_later)
    m.flush(WAIT)
    wrong = [fault for replica in replicas for fault in replica.wrong[:1]]
    return wrong + [replica.contents for replica in replicas if replica.contents != m.to_dict()]

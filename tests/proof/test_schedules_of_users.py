"""Schedules that switch threads in the users' functions and blocks: these can be decided on compiled maps, too."""

from __future__ import annotations

import time

import safemap
from safemap.testing import Explorer, Scenario


def slowly(function):
    def call(*arguments):
        time.sleep(0)  # a point
        result = function(*arguments)
        time.sleep(0)
        return result

    return call


def test_a_function_excludes_other_writers_of_its_key(variant, effort):
    def scenario():
        m = variant(n=0)

        def add():
            m.compute("n", slowly(lambda n: n + 1))

        def replace():
            with m.entry("n") as entry:
                before = entry.value
                time.sleep(0)
                entry.value = before + 10

        def check():
            assert m == {"n": 12}
            m._check()

        return Scenario([add, replace, add], check)

    effort.explore(Explorer(scenario))


def test_one_factory_is_called(variant, effort):
    def scenario():
        m = variant()
        made = []

        def ask():
            return m.compute_if_absent("k", slowly(lambda _: made.append(1) or len(made)))

        def check():
            assert made == [1]
            assert m == {"k": 1}

        return Scenario([ask] * 3, check)

    effort.explore(Explorer(scenario))


def test_a_section_is_not_seen_half_done(variant, effort):
    def scenario():
        m = variant(a=0, b=0)
        seen = []

        def write():
            with m.locked():
                m["a"] += 1
                time.sleep(0)
                m["b"] += 1

        def look():
            time.sleep(0)
            seen.append(m.snapshot())

        def check():
            assert all(snapshot["a"] == snapshot["b"] for snapshot in seen), seen
            assert m == {"a": 2, "b": 2}
            m._check()

        return Scenario([write, look, write], check)

    effort.explore(Explorer(scenario))


def test_crossed_functions_have_at_most_one_victim(variant, effort):
    def scenario():
        m = variant(a=0, b=0)
        victims = []

        def cross(mine, other):
            def function(n):
                time.sleep(0)
                m.compute(other, lambda n: n + 10)
                return n + 1

            try:
                m.compute(mine, function)
            except safemap.DeadlockError:
                victims.append(mine)

        def check():
            assert len(victims) <= 1
            assert sum(m.values()) == 11 * (2 - len(victims))
            m._check()

        return Scenario([lambda: cross("a", "b"), lambda: cross("b", "a")], check)

    effort.explore(Explorer(scenario))

"""Stop watches that many handlers make and write: lost and half made in dicts, exact in every map of safemap."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import safemap
from safemap.testing import Explorer, Scenario, ScheduleError
from safemap.testing.threads import in_other_thread
from tests.incidents import load, observed

incident = load("flyteadmin_watches")
Watch = incident.Watch

THREADS = 4
TURNS = 8_000 if safemap.compiled else 600


def two_requests(domains, problem):
    """Return a scenario: two requests of one project, and what is wrong when both are through."""

    def scenario():
        registered = []

        def register(project, domain):
            registered.append((project, domain))
            return Watch()

        watches = incident.FaultyWatches(register)

        def check():
            wrong = problem(registered, watches.report())
            assert not wrong, wrong

        return Scenario([partial(watches.observe, "flytesnacks", domain, 10) for domain in domains], check)

    return Explorer(scenario, traced=[incident.FaultyWatches.observe])


@pytest.mark.parametrize(
    ("domains", "problem", "message"),
    [
        (["dev", "dev"], lambda made, _: len(made) > 1 and "registered twice", "registered twice"),
        (["dev", "dev"], lambda _, seen: list(seen.values()) != [(2, 20)] and "one is lost", "one is lost"),
        (["dev", "prod"], lambda _, seen: len(seen) != 2 and "a domain is lost", "a domain is lost"),
    ],
    ids=["registered twice", "lost observation", "lost domain"],
)
def test_the_faulty_watches_lose_what_two_requests_do_at_once(domains, problem, message):
    explorer = two_requests(domains, problem)
    with pytest.raises(ScheduleError, match=message) as failed:
        explorer.explore(interruptions=1)
    with pytest.raises(ScheduleError, match=message):
        explorer.replay(failed.value.schedule)


def test_a_project_without_a_domain_is_seen_while_the_faulty_watches_register():
    seen = []

    def register(*_):
        in_other_thread(lambda: seen.append(watches._projects["flytesnacks"].copy()))
        return Watch()

    watches = incident.FaultyWatches(register)
    watches.observe("flytesnacks", "dev", 10)
    assert seen == [{}]


def test_a_report_of_the_faulty_watches_fails_when_a_project_comes():
    watches = incident.FaultyWatches(lambda *_: Watch())

    class Project(str):
        """A name whose hash, that the report asks for, lets a request of another project through."""

        __slots__ = ()

        def __hash__(self):
            if coming:
                in_other_thread(partial(watches.observe, coming.pop(), "dev", 10))
            return hash(str(self))

    coming = []
    watches.observe(Project("one"), "dev", 10)
    watches.observe(Project("two"), "dev", 10)
    coming.append("three")
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        watches.report()


def test_every_watch_is_registered_once_and_counts_exactly(variant, rapid_switching):
    """Handlers observe known delays; whoever looks sees whole watches that never go back."""
    registered, lock = [], threading.Lock()

    def register(project, domain):
        with lock:
            registered.append((project, domain))
        return Watch()

    watches = incident.Watches(variant(), register)
    delays = {(f"project-{n % 7}", f"domain-{n % 3}"): n + 1 for n in range(21)}
    keys = list(delays)
    last = dict.fromkeys(keys, 0)

    def handle(me, pause):
        for turn in range(TURNS):
            if turn == TURNS // 2:
                pause()
            key = keys[(turn * 5 + me) % len(keys)]
            watches.observe(*key, delays[key])

    def report():
        for key, watch in watches.report().items():
            assert watch.total == watch.count * delays[key], "half made"
            assert watch.count >= last[key], "gone back"
            last[key] = watch.count

    def read():
        for key in keys:
            watch = watches.read(*key)
            assert watch.total == watch.count * delays[key], "half made"

    looks = observed([partial(handle, me) for me in range(THREADS)], [report, read])
    assert min(looks) > 2
    assert sorted(registered) == sorted(keys)
    expected = dict.fromkeys(keys, 0)
    for me in range(THREADS):
        for turn in range(TURNS):
            expected[keys[(turn * 5 + me) % len(keys)]] += 1
    assert watches.report() == {key: Watch(n, n * delays[key]) for key, n in expected.items()}


def test_the_locked_watches_count_exactly_too(rapid_switching):
    watches = incident.LockedWatches(lambda *_: Watch())

    def handle(_pause):
        for _ in range(TURNS):
            watches.observe("flytesnacks", "dev", 10)

    observed([handle] * THREADS, [lambda: watches.read("flytesnacks", "dev"), watches.report])
    assert watches.report() == {("flytesnacks", "dev"): Watch(THREADS * TURNS, THREADS * TURNS * 10)}


def test_who_waits_while_one_registers(variant):
    """A registry that does not answer: do requests for another project still read, and observe?"""
    others_go_on = incident.others_go_on_while_one_registers(variant.guarantees)
    asked, answered = threading.Event(), threading.Event()

    def register(project, domain):
        if project == "slow":
            asked.set()
            assert answered.wait(30)
        return Watch()

    watches = incident.Watches(variant(), register)
    for n in range(3):
        watches.observe("quick", "dev", n)
    with ThreadPoolExecutor(3) as pool:
        slow = pool.submit(watches.observe, "slow", "dev", 10)
        assert asked.wait(10)
        try:
            quick = pool.submit(watches.observe, "quick", "dev", 3)
            if others_go_on:
                quick.result(10)
            else:
                with pytest.raises(TimeoutError):
                    quick.result(0.1)
            read = pool.submit(watches.read, "quick", "dev")
            if variant.guarantees.reader_waits_for_writer == "yes":
                with pytest.raises(TimeoutError):
                    read.result(0.1)
            else:
                assert read.result(10) in {Watch(3, 3), Watch(4, 6)}
        finally:
            answered.set()
        for request in (slow, quick, read):
            request.result(10)
    assert watches.report() == {("quick", "dev"): Watch(4, 6), ("slow", "dev"): Watch(1, 10)}

"""The incidents' programs, each with two threads of which one comes after the other: `test_detected` runs them.

    python -m safemap.detect --check PLACE ... tests/incidents/arranged.py PROGRAM

prints what was found in each arrangement, as JSON. The threads never meet. What makes one wait for the other is a
lock that the detector does not know of, so as far as it can see they might.
"""

from __future__ import annotations

import _thread
import json
import sys
import threading
from contextlib import suppress
from functools import partial

import safemap
from safemap import detect

TIME = 20
"""Seconds that anything may take that is waited for."""


class Signal:
    """What one thread waits for until another one gives it; unknown to the detector."""

    def __init__(self):
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def give(self):
        self._lock.release()

    def wait(self):
        assert self._lock.acquire(timeout=TIME)


def one_after_the_other(*functions):
    """Call each function in a thread of its own. All threads are started before the first one begins."""
    turns = [Signal() for _ in functions]

    def run(number):
        turns[number].wait()
        functions[number]()
        if number + 1 < len(functions):
            turns[number + 1].give()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(functions))]
    for thread in threads:
        thread.start()
    turns[0].give()
    for thread in threads:
        thread.join(TIME)
        assert not thread.is_alive()


runs = []
"""What was found in each arrangement: of each report, its kind and its two places."""


def arranged(*functions):
    """Run functions one after the other, and note what is found in that."""
    detect.forget()
    one_after_the_other(*functions)
    runs.append([[report.kind, *sorted(map(place, (report.found, report.other)))] for report in detect.reports()])


def place(side):
    innermost = side.stack[0]
    function = innermost.function.partition(".<locals>")[0]  # before 3.12 a comprehension was one of its own
    return f"{function}: {innermost.source()}"


def in_both_orders(prepare):
    """Run what `prepare` returns, two functions, in one order and, prepared anew, in the other one."""
    arranged(*prepare())
    arranged(*reversed(prepare()))


def scanned(make):
    """The sync manager: a scan, and somebody who takes a new lock."""

    def prepare():
        manager = make()
        manager.try_acquire("lock-0", "workflow-0")
        scan = partial(manager.check_existence, lambda workflow: True)
        return scan, partial(manager.try_acquire, "lock-1", "workflow-1")

    in_both_orders(prepare)


def observed(make):
    """The stop watches: two first requests."""
    import flyteadmin_watches

    def prepare():
        observe = partial(make(lambda *_: flyteadmin_watches.Watch()).observe, "flytesnacks", "dev", 10)
        return observe, observe

    in_both_orders(prepare)


def swept(make):
    """The sweeper: a sweep, and a worker who finishes the only task."""

    def prepare():
        sweeper = make()
        sweeper.start("w", 1)
        return partial(sweeper.sweep, "w"), partial(sweeper.finish_task, "w")

    in_both_orders(prepare)


OLD, NEW = safemap.Snapshot({"a": "Running"}), safemap.Snapshot({"a": "Succeeded"})


def stopped_while_saving():
    """The faulty offload: the controller saves, and somebody stops the workflow."""
    from argo_offload import FaultyOffload, Head

    def prepare():
        store = FaultyOffload(ttl=9)  # no version is old enough to be missed already
        original = store.heads["w"] = Head(0, store.save("w", OLD, now=0))
        return partial(store.persist, "w", original, NEW, 1), partial(store.stop, "w")

    in_both_orders(prepare)


def written_again():
    """The faulty offload: one controller deletes the old version, another one writes it again."""
    from argo_offload import FaultyOffload

    def prepare():
        store = FaultyOffload(ttl=0)
        store.save("w", OLD, now=0)
        return partial(store.save, "w", NEW, 1), partial(store.save, "w", OLD, 1)

    in_both_orders(prepare)


def looked_up():
    """The faulty offload: a controller looks up the version that it has begun with; another one has deleted it."""
    from argo_offload import FaultyOffload

    def prepare():
        store = FaultyOffload(ttl=0)
        version = store.save("w", OLD, now=0)

        def look():
            with suppress(LookupError):
                store.load("w", version)

        return partial(store.save, "w", NEW, 1), look

    in_both_orders(prepare)


def offloaded(variant):
    """The mended offload: two controllers save, somebody stops the workflow, and all is swept that may be."""
    from argo_offload import Offload

    others = [
        lambda store, view: store.persist("w", view, OLD, 1),
        lambda store, view: store.stop("w"),
        lambda store, view: store.sweep(2),
    ]
    for other in others:

        def prepare(other=other):
            store = Offload(variant(), ttl=0)
            store.create("w", OLD, 0)
            view = store.begin()
            return partial(store.persist, "w", view, NEW, 1), partial(other, store, view)

        in_both_orders(prepare)


class Relay:
    """A listener that waits before it is told, or gives a signal afterwards."""

    def __init__(self, before=None, after=None):
        from volcano_configuration import Listener

        self.listener = Listener()
        self._before, self._after = before, after

    def sync(self, name, value):
        if self._before:
            self._before.wait()
        self.listener.sync(name, value)
        if self._after:
            self._after.give()


def delivered(manager_class, when, look):
    """The configuration manager by hand: somebody stops it and looks, before or after the listener is told."""
    signal = Signal()
    relay = Relay(before=signal) if when == "before" else Relay(after=signal)
    manager = manager_class([relay])

    def stop_and_look():
        manager.worker.start()
        manager.change("level", "debug")
        if when == "after":
            signal.wait()
        manager.stop()
        look(relay.listener)
        if when == "before":
            signal.give()
        manager.worker.join(TIME)

    arranged(stop_and_look)


def called(listener):
    return listener.called


def watched(variant, finish):
    """The configuration manager around a map: somebody reports when it was stopped, or flushed, or neither."""
    from volcano_configuration import ConfigManager

    signal = Signal()
    relay = Relay(after=signal)
    manager = ConfigManager(variant())

    def stop_and_report():
        manager.listen(relay)
        manager.change("level", "debug")
        signal.wait()
        finish(manager)
        relay.listener.report()
        manager.stop(TIME)

    arranged(stop_and_report)


def stop_again(manager):
    """Stop it, when a thread that the detector knows nothing of has stopped it before."""
    stopped = Signal()

    def stop():
        manager.stop(TIME)
        stopped.give()

    _thread.start_new_thread(stop, ())
    stopped.wait()
    manager.stop(TIME)


def with_each_map(function):
    for variant in safemap.KINDS.values():
        function(variant)


def program(name):
    """Run one of the programs."""
    import argo_sync_manager as argo
    import conductor_sweeper as conductor
    import flyteadmin_watches as flyte
    import volcano_configuration as volcano

    {
        "scan: faulty": lambda: scanned(argo.FaultySyncManager),
        "scan: locked": lambda: scanned(argo.LockedSyncManager),
        "scan: mended": lambda: with_each_map(lambda kind: scanned(lambda: argo.SyncManager(kind()))),
        "watches: faulty": lambda: observed(flyte.FaultyWatches),
        "watches: locked": lambda: observed(flyte.LockedWatches),
        "watches: mended": lambda: with_each_map(lambda kind: observed(partial(flyte.Watches, kind()))),
        "sweeper: faulty": lambda: swept(conductor.FaultySweeper),
        "sweeper: mended": lambda: with_each_map(lambda kind: swept(lambda: conductor.Sweeper(kind(), kind()))),
        "offload: faulty, stopped": stopped_while_saving,
        "offload: faulty, written again": written_again,
        "offload: faulty, looked up": looked_up,
        "offload: mended": lambda: with_each_map(offloaded),
        "manager: faulty, report before": lambda: delivered(
            volcano.FaultyConfigManager, "before", volcano.Listener.report
        ),
        "manager: faulty, report after": lambda: delivered(
            volcano.FaultyConfigManager, "after", volcano.Listener.report
        ),
        "manager: faulty, counter": lambda: delivered(volcano.FaultyConfigManager, "before", called),
        "manager: drained": lambda: delivered(volcano.DrainedConfigManager, "after", volcano.Listener.report),
        "manager: mended, not stopped": lambda: with_each_map(lambda kind: watched(kind, lambda manager: None)),
        "manager: mended, flushed": lambda: with_each_map(
            lambda kind: watched(kind, lambda manager: manager.wait_until_applied(TIME))
        ),
        "manager: mended, stopped": lambda: with_each_map(
            lambda kind: watched(kind, lambda manager: manager.stop(TIME))
        ),
        "manager: mended, stopped again": lambda: with_each_map(lambda kind: watched(kind, stop_again)),
    }[name]()


if __name__ == "__main__":
    program(sys.argv[1])
    json.dump(runs, sys.stdout)

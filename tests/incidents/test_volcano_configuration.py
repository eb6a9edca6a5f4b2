"""Who stops the configuration manager looks at its listeners: too early, and never with a watched map."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import pytest

import safemap
from safemap.testing.threads import in_other_thread, in_threads
from tests.incidents import load

incident = load("volcano_configuration")

TIME = 20
"""Seconds that anything may take that is waited for."""
WRITERS = 3
NAMES = 4
TURNS = 2_000 if safemap.compiled else 600


class Gated(incident.Listener):
    """Waits, whenever it is told something, until it is let go on."""

    def __init__(self):
        super().__init__()
        self.reached, self.open = threading.Event(), threading.Event()

    def sync(self, name, value):
        self.reached.set()
        assert self.open.wait(TIME)
        super().sync(name, value)


class Failing(incident.Listener):
    """Raises the first times that it is told of a value, as often as it is to."""

    def __init__(self, times):
        super().__init__()
        self._times, self._left = times, {}

    def sync(self, name, value):
        left = self._left.setdefault((name, value), self._times)
        if left:
            self._left[name, value] = left - 1
            message = f"{name} cannot be applied"
            raise ValueError(message)
        super().sync(name, value)


class Ordered(incident.Listener):
    """Keeps all that it was told, by name and in order; what `sync` does first is given."""

    def __init__(self, first):
        super().__init__()
        self.heard, self._first = {}, first

    def sync(self, name, value):
        self._first(value)
        super().sync(name, value)
        self.heard.setdefault(name, []).append(value)


def ended(manager):
    """Wait for the faulty manager's worker."""
    manager.worker.join(TIME)
    assert not manager.worker.is_alive()


def stopped_during_a_delivery(manager_class):
    """Stop a manager whose listener is just being told; return what is seen then, and what is seen later."""
    listener = Gated()
    manager = manager_class([listener])
    manager.worker.start()
    manager.change("level", "debug")
    assert listener.reached.wait(TIME)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(manager.stop)
        if manager_class is incident.DrainedConfigManager:
            assert not wait([stopping], timeout=0.05).done
            listener.open.set()
        stopping.result(TIME)
    seen = listener.called, listener.report()
    listener.open.set()
    ended(manager)
    return seen, (listener.called, listener.report())


def test_the_faulty_manager_is_stopped_and_a_listener_is_still_being_told():
    seen, later = stopped_during_a_delivery(incident.FaultyConfigManager)
    assert seen == (0, [])
    assert later == (1, ["level=debug"])


def test_the_manager_as_mended_upstream_waits_for_the_listener():
    seen, later = stopped_during_a_delivery(incident.DrainedConfigManager)
    assert seen == later == (1, ["level=debug"])


def test_a_report_of_the_stopped_listener_fails_when_its_last_setting_comes():
    listener = Gated()
    manager = incident.FaultyConfigManager([listener])

    class Level(str):
        """A value that, when a report shows it, lets the delivery go on to its end."""

        __slots__ = ()

        def __format__(self, _spec):
            listener.open.set()
            ended(manager)
            return "debug"

    listener.applied["level"] = Level()
    manager.worker.start()
    manager.change("workers", 4)
    assert listener.reached.wait(TIME)
    manager.stop()
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        listener.report()


@pytest.mark.parametrize("manager_class", [incident.FaultyConfigManager, incident.DrainedConfigManager])
def test_a_retry_that_comes_after_the_stop_is_lost(manager_class):
    """The queue is empty while the listener fails; what is put back comes behind the end."""
    gate, failing = Gated(), Failing(1)
    manager = manager_class([gate, failing])
    manager.worker.start()
    manager.change("level", "debug")
    assert gate.reached.wait(TIME)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(manager.stop)
        if manager_class is incident.FaultyConfigManager:
            stopping.result(TIME)
        else:
            while manager._changed.empty():  # until it has asked the worker to end
                assert not wait([stopping], timeout=0.001).done
        gate.open.set()
        stopping.result(TIME)
    ended(manager)
    assert (gate.report(), failing.report()) == (["level=debug"], [])


def test_a_retry_tells_the_other_listeners_again():
    well, failing, behind = incident.Listener(), Failing(1), Gated()
    manager = incident.DrainedConfigManager([well, failing, behind])
    manager.worker.start()
    manager.change("level", "debug")
    assert behind.reached.wait(TIME)  # nobody has failed before it
    behind.open.set()
    manager.stop()
    assert (well.called, failing.called, behind.called) == (2, 1, 1)


def test_stopping_waits_for_what_is_being_delivered_and_for_retries(variant):
    """The same arrangement: a listener is being told, another one fails at first."""
    gate, failing = Gated(), Failing(incident.TRIES - 1)
    manager = incident.ConfigManager(variant(workers=4))
    for listener in (gate, failing):
        manager.listen(listener)
    manager.change("level", "debug")
    assert gate.reached.wait(TIME)
    with pytest.raises(TimeoutError):
        manager.wait_until_applied(0.01)
    with pytest.raises(TimeoutError):
        manager.stop(0.01)  # takes no more in, from now on
    manager.change("level", "never told")
    gate.open.set()
    manager.stop(TIME)
    for listener in (gate, failing):
        assert listener.called == 2
        assert listener.report() == ["level=debug", "workers=4"]
    assert manager.settings["level"] == "never told"
    assert manager.failed == []


def test_what_cannot_be_applied_is_known_when_it_is_stopped_and_the_next_change_comes(variant):
    listener, well = Failing(incident.TRIES), incident.Listener()
    manager = incident.ConfigManager(variant())
    manager.listen(listener)
    manager.listen(well)
    manager.change("level", "debug")
    manager.change("level", "debug")  # from now on it can be
    manager.stop(TIME)
    assert [(event.key, event.new, repr(error)) for event, error in manager.failed] == [
        ("level", "debug", "ValueError('level cannot be applied')")
    ]
    assert listener.report() == well.report() == ["level=debug"]
    assert well.called == 2


def test_every_change_is_told_once_and_in_order_by_the_time_it_is_stopped(variant, rapid_switching):
    """Three listeners: one keeps up, one stands still until all has been written, one raises now and then."""
    written = threading.Event()
    raised = set()

    def raise_at_first(value):
        if value % 7 == 0 and value not in raised:
            raised.add(value)
            message = "not yet"
            raise ValueError(message)

    listeners = [Ordered(lambda _: None), Ordered(lambda _: written.wait(TIME)), Ordered(raise_at_first)]
    names = [(writer, n) for writer in range(WRITERS) for n in range(NAMES)]
    manager = incident.ConfigManager(variant(dict.fromkeys(names, -1)))
    for listener in listeners:
        manager.listen(listener)

    def write(writer):
        for turn in range(TURNS):
            manager.change((writer, turn % NAMES), turn)

    in_threads(*(partial(write, writer) for writer in range(WRITERS)), timeout=60)
    written.set()
    manager.stop(60)
    expected = {name: [-1, *range(name[1], TURNS, NAMES)] for name in names}
    for listener in listeners:
        assert listener.heard == expected
        assert listener.called == len(names) + WRITERS * TURNS
        assert listener.applied == manager.settings
    assert raised and not manager.failed


def test_who_is_stopped_while_others_write_has_told_all_up_to_some_moment(variant, rapid_switching):
    """No gap, whenever it is: of each writer's changes, the first ones and no others."""
    listener = Ordered(lambda _: None)
    manager = incident.ConfigManager(variant())
    manager.listen(listener)
    going, stopped = threading.Semaphore(0), threading.Event()
    last = [0] * WRITERS

    def write(writer):
        turn = 0
        while not stopped.is_set():
            turn += 1
            manager.change(writer, turn)
            if turn == 50:
                going.release()
        last[writer] = turn

    def stop():
        for _ in range(WRITERS):
            assert going.acquire(timeout=TIME)
        try:
            manager.stop(TIME)
            return {name: heard.copy() for name, heard in listener.heard.items()}
        finally:
            stopped.set()

    *_, told = in_threads(*(partial(write, writer) for writer in range(WRITERS)), stop, timeout=60)
    for writer in range(WRITERS):
        assert told[writer] == list(range(1, len(told[writer]) + 1))
        assert 50 <= len(told[writer]) <= last[writer]
    assert listener.heard == told  # and nothing came later


def test_who_begins_to_listen_while_others_write_misses_nothing(variant, rapid_switching):
    manager = incident.ConfigManager(variant(counter=0))
    listeners = [Ordered(lambda _: None) for _ in range(20)]
    writing, listening = threading.Event(), threading.Event()

    def write():
        turn = 0
        while turn < TURNS // 10 or not listening.is_set():
            turn += 1
            manager.change("counter", turn)
            writing.set()

    def listen():
        assert writing.wait(TIME)
        for listener in listeners:
            manager.listen(listener)
        listening.set()

    in_threads(write, listen, timeout=60)
    manager.wait_until_applied(TIME)
    last = manager.settings["counter"]
    for listener in listeners:
        heard = listener.heard["counter"]
        assert heard == list(range(heard[0], last + 1))
        assert heard[0] > 0
    manager.stop(TIME)


def test_requests_read_while_a_setting_is_being_changed(variant):
    manager = incident.ConfigManager(variant(level="info"))
    waits = variant.guarantees.reader_waits_for_writer == "yes"
    with ThreadPoolExecutor(1) as pool:
        with manager.settings.entry("level") as entry:
            read = pool.submit(manager.settings.get, "level")
            entry.value = "debug"
            assert bool(wait([read], timeout=0.1 if waits else TIME).done) is not waits
        assert read.result(TIME) == ("debug" if waits else "info")
    if incident.reads_wait_for_nobody_and_see_no_half_change(variant.guarantees):
        assert not waits
    manager.stop(TIME)


def test_settings_that_belong_together_change_together_where_that_is_guaranteed(variant):
    """Changing asks for the second name's hash: each time another thread looks at all settings."""
    manager = incident.ConfigManager(variant(low=1, high=2))
    key_by_key = variant.guarantees.update == "key by key"
    looks = []

    class Name(str):
        __slots__ = ()

        def __hash__(self):
            if all(look.done() for look in looks):
                looks.append(pool.submit(manager.settings.snapshot))
                wait(looks, timeout=0.5 if key_by_key else 0.1)  # it may have to wait for us
            return hash(str(self))

    with ThreadPoolExecutor(1) as pool:
        manager.change_together({"low": 3, Name("high"): 4})
        seen = [look.result(TIME) for look in looks]
    torn = {"low": 3, "high": 2} in seen
    assert torn is key_by_key
    if incident.reads_wait_for_nobody_and_see_no_half_change(variant.guarantees):
        assert not torn
    assert in_other_thread(manager.settings.snapshot) == {"low": 3, "high": 4}
    manager.stop(TIME)

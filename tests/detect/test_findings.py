"""What is done about a race: once for each pair of places, with both stacks; logged, raised or handed on."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

import pytest

from safemap import detect
from safemap.detect import CheckedDict, RaceError
from safemap.testing.threads import in_other_thread, in_threads
from tests.detect.programs import together
from tests.support import run_python


@pytest.fixture(autouse=True)
def fresh():
    detect.forget()
    with detect.watching():
        yield
    detect.forget()


def line_of(function, offset=1):
    return function.__code__.co_firstlineno + offset


def test_a_report_has_both_stacks_threads_and_locks():
    d, lock = CheckedDict(n=0), threading.Lock()

    def careful():
        with lock:
            d["n"] = 1

    def careless():
        d["n"] = 2

    threads = [threading.Thread(target=each, name=each.__name__) for each in (careful, careless)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (report,) = detect.reports()
    assert (report.kind, report.key) == ("write", "'n'")
    sides = {side.thread: side for side in (report.found, report.other)}
    assert sides["careful"].stack[0].line == line_of(careful, 2)
    assert sides["careless"].stack[0].line == line_of(careless)
    assert sides["careless"].locks == ()
    assert sides["careful"].locks == (
        f"Lock made at {__file__}:{line_of(test_a_report_has_both_stacks_threads_and_locks)}",
    )
    text = str(report)
    assert "thread 'careless': d[key] = value, holding no lock" in text
    assert text.count(__file__) == 3
    assert 'd["n"] = 2' in text
    assert "threading.py" not in text and "edges.py" not in text


def test_each_pair_of_places_once(caplog):
    d = CheckedDict()

    def one():
        d[key] = 1

    def other():
        d[key] = 2

    for key in range(5):
        together(one, other)
    assert len(detect.reports()) == 1
    together(one, one)
    assert len(detect.reports()) == 2
    assert [record.name for record in caplog.records] == ["safemap.detect"] * 2
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    detect.forget()
    together(one, other)
    assert len(detect.reports()) == 1


def test_what_raises_has_no_effect():
    d = CheckedDict.configured({"k": 0}, on_race="raise")
    in_other_thread(lambda: in_threads(lambda: d.__setitem__("k", 1)))  # joined: in order
    d["k"] = 2

    def assign():
        d["k"] = 4

    done = []
    threading.Thread(target=lambda: done.append(d.__setitem__("k", 3))).start()
    while not done:  # which orders nothing
        pass
    with pytest.raises(RaceError) as caught:
        assign()
    assert dict.__getitem__(d, "k") == 3
    assert caught.value.report is detect.reports()[0]
    assert str(caught.value) == str(caught.value.report)
    assign()  # once for each pair of places
    with pytest.raises(RaceError):
        del d["k"]
    assert dict.__getitem__(d, "k") == 4
    with pytest.raises(RaceError):
        for _ in d:
            raise AssertionError


def test_a_function_is_called_in_the_thread_that_found_it():
    called = []
    d = CheckedDict.configured(on_race=lambda report: called.append((report, threading.current_thread().name)))
    together(lambda: d.update(k=1), lambda: d.update(k=2))
    (report, name), = called  # fmt: skip
    assert report is detect.reports()[0]
    assert report.found.thread == name


def test_kinds_and_what_is_done_can_be_set_for_all():
    def racy():
        d = CheckedDict()
        together(lambda: d.update(k=1), lambda: d.update(k=2))

    detect.set_defaults(kinds=["iteration"])
    try:
        racy()
        assert detect.reports() == []
        detect.set_defaults(kinds=detect.KINDS, on_race="raise")
        with pytest.raises(RaceError):
            racy()
        with pytest.raises(ValueError, match="on_race"):
            detect.set_defaults(on_race="shout")
    finally:
        detect.set_defaults(kinds=detect.KINDS, on_race="log")


def test_a_key_is_shown_shortly_and_whatever_it_does():
    class Bad:
        def __repr__(self):
            raise OSError

    for key, shown in (("x" * 1000, 40), (Bad(), 60)):
        detect.forget()
        d = CheckedDict()
        together(lambda d=d, key=key: d.update({key: 1}), lambda d=d, key=key: d.update({key: 2}))
        assert len(detect.reports()[0].key) <= shown


def test_what_a_handler_or_a_repr_does_to_the_dict_is_no_access():
    class Curious:
        def __repr__(self):
            return f"Curious({d[self]}, {list(d)[1:]})"

    key = Curious()
    d = CheckedDict({key: 0})
    together(lambda: d.update({key: 1}), lambda: d.update({key: 2}))
    assert detect.reports()[0].key.startswith("Curious(")


def test_deep_stacks_are_cut():
    d = CheckedDict()

    def write(depth):
        if depth:
            write(depth - 1)
        else:
            d["k"] = 1

    together(lambda: write(100), lambda: write(100))
    assert len(detect.reports()[0].found.stack) == 12


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_a_signal_handler_may_use_the_dict_at_any_line():
    d, lock = CheckedDict(n=0), threading.Lock()
    handled = []

    def handle(*_):
        handled.append(1)
        d["h"] = d.get("h", 0) + 1
        for _ in d:
            break

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        while len(handled) < 100:
            with lock:
                d["n"] = d["n"] + 1
            d.pop("x", None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert 0 < d["h"] <= len(handled)  # a handler may interrupt another one
    assert detect.reports() == []


def test_a_report_says_if_nobody_has_called_watch():
    printed = run_python("""
        import logging, sys, threading
        from safemap import detect
        logging.basicConfig(stream=sys.stdout, format="%(message)s")
        before = threading.Lock()
        d = detect.CheckedDict()
        after = threading.Lock()
        def run(key, lock):
            def assign():
                with lock:
                    d[key] = 1
            threads = [threading.Thread(target=assign) for _ in range(2)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        run("after", after)
        print(len(detect.reports()))
        run("before", before)
        """)
    assert printed.startswith("0\nwrite (key 'before')")
    assert printed.endswith(
        "\nnote: watch() was not called; locks made before the first CheckedDict are not seen\n"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="DeprecationWarning: this process is multi-threaded")
def test_a_child_process_takes_what_was_before_the_fork_as_past():
    run_python("""
        import os, threading
        from safemap import detect
        detect.watch()
        d, go, end = detect.CheckedDict(n=0), threading.Event(), threading.Event()
        def other():
            d["n"] = 1
            go.set(); end.wait(20)
        thread = threading.Thread(target=other); thread.start(); go.wait(20)
        late = threading.Thread(target=lambda: d.update(m=1)); late.start()
        while "m" not in d: pass
        child = os.fork()
        if not child:
            d["n"] = d["m"] = 2
            os._exit(len(detect.reports()))
        end.set(); thread.join(); late.join()
        assert os.waitpid(child, 0)[1] == 0
        """)

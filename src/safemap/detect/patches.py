"""How the checker learns of locks and of order: a patch of `threading`, `queue` and `concurrent.futures`.

While it is on, `threading.Lock` and `RLock` make locks of `safemap.detect.locks`. Those that the standard library
makes for the inside of an event, a queue or a future stay plain: they guard that object, and no dict. The one
that `Condition()` makes is the program's own if the program made the condition.

These say that what one thread did happened before what another does:

  - `Thread.start` → the thread; the thread → `join`, and `is_alive` that returned False
  - `Event.set` → `wait` and `is_set` that returned True
  - `Condition.notify` → `wait`, and whoever takes the condition's lock next
  - `Barrier.wait` → all others' return from it
  - `Semaphore.release` → `acquire`, if it was made with 0 or 1. One that lets several in at once orders nothing.
  - `Queue.put` → `get`; `task_done` → `join`; `SimpleQueue.put` → `get`
  - `Future.set_result`, `set_exception` → `result`, `exception`, `done` that returned True, callbacks,
    `concurrent.futures.wait` and `as_completed`; so `Executor.submit` → the call → whoever asks for its result

They are taken as wide as it takes to never order too little: a `get` comes after all `put`s so far, not after
one. Races that only such a width orders are missed. A lock's release and next acquisition order nothing: or luck
would decide.

What is patched is looked up when it is used, except `Lock`, `RLock` and `SimpleQueue`, which are other classes
meanwhile: those that were made before, or imported by name (`from threading import Lock`) before, are not seen.
"""

from __future__ import annotations

import concurrent.futures
import queue
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from safemap.detect import edges, findings, locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

INSIDE: Final = frozenset({"threading", "queue", "concurrent", "multiprocessing"})
"""Packages of the standard library whose locks guard what is their own."""

CONDITION_INIT: Final = threading.Condition.__init__.__code__

_originals: list[tuple[Any, str, Any]] = []
_wanted = 0
_guard = threading.RLock()
"""Held while the patch is put on or taken off, and never while a program's code runs."""


def watch() -> None:
    """Begin to see the locks and threads of this process. `unwatch` ends it; calls are counted.

    Locks that were made before are not seen, and what they guard will be reported: call it first, in
    `conftest.py` for instance. Making a `CheckedDict` calls it too, if nobody has.
    """
    global _wanted  # noqa: PLW0603 - there is one `threading`
    with _guard:
        _wanted += 1
        if _wanted == 1:
            findings.set_note(None)
            _patch()


def unwatch() -> None:
    """Undo one `watch`. Locks that were made meanwhile are seen for as long as they live."""
    global _wanted  # noqa: PLW0603
    with _guard:
        if not _wanted:
            raise RuntimeError("unwatch() without watch()")
        _wanted -= 1
        if not _wanted:
            _restore()


@contextmanager
def watching() -> Iterator[None]:
    """`watch()` for the time of a `with` block."""
    watch()
    try:
        yield
    finally:
        unwatch()


def ensure_watched() -> None:
    """Call `watch`, once and for all, if nobody has."""
    if not _wanted:
        watch()
        findings.set_note(findings.UNWATCHED)


def lock_maker(cls: type[Any], plain: Any) -> type[Any]:
    """Return a class that stands for `threading.Lock` or `RLock`: its instances are `cls`'s, or plain ones."""

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, kinds)

    class Maker(metaclass=Meta):
        def __new__(cls) -> Any:
            frame: FrameType | None = sys._getframe(1)
            while frame is not None and frame.f_code is CONDITION_INIT:
                frame = frame.f_back
            if frame is None or frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
                return plain()
            return locks.made_by(known, frame)

    known, kinds = cls, (cls, type(plain()))
    Maker.__name__ = Maker.__qualname__ = cls.__name__
    return Maker


def _patch() -> None:
    base = concurrent.futures._base
    semaphore, bounded = threading.Semaphore, threading.BoundedSemaphore
    acquire = edges.if_narrow(edges.after_true(semaphore.acquire), semaphore.acquire)
    wait, as_completed = edges.waiting(base.wait), edges.completing(base.as_completed)
    replacements: list[tuple[Any, str, Any]] = [
        (threading, "Lock", lock_maker(locks.Lock, threading.Lock)),
        (threading, "RLock", lock_maker(locks.RLock, threading.RLock)),
        (threading.Thread, "start", edges.starting(threading.Thread.start)),
        (threading.Thread, "join", edges.joining(threading.Thread.join)),
        (threading.Thread, "is_alive", edges.asking_alive(threading.Thread.is_alive)),
        (threading.Event, "set", edges.before(threading.Event.set)),
        (threading.Event, "wait", edges.after_true(threading.Event.wait)),
        (threading.Event, "is_set", edges.after_true(threading.Event.is_set)),
        (threading.Condition, "notify", edges.notifying(threading.Condition.notify)),
        (threading.Condition, "wait", edges.after(threading.Condition.wait)),
        (threading.Barrier, "wait", edges.before(edges.after(threading.Barrier.wait))),
        (semaphore, "__init__", edges.initialising(semaphore.__init__)),
        (semaphore, "acquire", acquire),
        (semaphore, "__enter__", acquire),
        (semaphore, "release", edges.if_narrow(edges.before(semaphore.release), semaphore.release)),
        (bounded, "release", edges.if_narrow(edges.before(bounded.release), bounded.release)),
        (queue.Queue, "put", edges.before(queue.Queue.put)),
        (queue.Queue, "get", edges.after(queue.Queue.get)),
        (queue.Queue, "task_done", edges.before(queue.Queue.task_done)),
        (queue.Queue, "join", edges.after(queue.Queue.join)),
        (queue, "SimpleQueue", edges.SimpleQueue),
        (base.Future, "set_result", edges.before(base.Future.set_result)),
        (base.Future, "set_exception", edges.before(base.Future.set_exception)),
        (base.Future, "result", edges.after(base.Future.result)),
        (base.Future, "exception", edges.after(base.Future.exception)),
        (base.Future, "done", edges.after_true(base.Future.done)),
        (base.Future, "add_done_callback", edges.adding_callback(base.Future.add_done_callback)),
    ]
    for module in (base, concurrent.futures):
        replacements += [(module, "wait", wait), (module, "as_completed", as_completed)]
    _originals.extend((place, name, getattr(place, name)) for place, name, _ in replacements)
    for place, name, new in replacements:
        setattr(place, name, new)


def _restore() -> None:
    while _originals:
        setattr(*_originals.pop())

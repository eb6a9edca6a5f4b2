"""What blocks, replaced while a scenario runs, so that the scheduler knows about it.

The locks of `threading` (and what is made of them: conditions, events, queues), `time.sleep`, `time.monotonic`,
and what safemap's own locks are made of. Outside a run, where there is one thread left to use them, none waits for
ever.
"""

from __future__ import annotations

import _thread
import contextlib
import importlib
import threading
import time
from typing import TYPE_CHECKING, Any

from safemap.testing.scheduler import run_under_way

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_HELD = "this would wait for ever: a lock has been left held"


class ScheduledLock:
    """`threading.Lock`, of which the scheduler knows."""

    def __init__(self) -> None:
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
        run = run_under_way()
        if run is not None and run.current() is not None:
            run.point()
            if self._held and blocking and not run.block(lambda: not self._held, None if timeout < 0 else timeout):
                return False
        if self._held:
            if blocking and timeout < 0:
                raise RuntimeError(LEFT_HELD)
            return False
        self._held = True
        return True

    def release(self) -> None:
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False

    def locked(self) -> bool:
        return self._held

    def _at_fork_reinit(self) -> None:
        self._held = False

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()


class ScheduledRLock(ScheduledLock):
    """`threading.RLock`, of which the scheduler knows."""

    def __init__(self) -> None:
        super().__init__()
        self._owner = self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
        me = _thread.get_ident()
        if self._owner != me:
            if not super().acquire(blocking, timeout):
                return False
            self._owner = me
        self._count += 1
        return True

    def release(self) -> None:
        if self._owner != _thread.get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = 0
            super().release()

    def _is_owned(self) -> bool:
        return self._owner == _thread.get_ident()

    def _release_save(self) -> tuple[int, int]:
        state = self._count, self._owner
        self._count = self._owner = 0
        ScheduledLock.release(self)
        return state

    def _acquire_restore(self, state: tuple[int, int]) -> None:
        ScheduledLock.acquire(self)
        self._count, self._owner = state


_sleep, _monotonic = time.sleep, time.monotonic


def sleep_scheduled(seconds: float) -> None:
    """Let others run: `time.sleep`."""
    run = run_under_way()
    if run is None or run.current() is None:
        _sleep(seconds)
    else:
        run.now += seconds
        run.point()


def monotonic_scheduled() -> float:
    """Return the scheduler's time: `time.monotonic`."""
    run = run_under_way()
    return _monotonic() if run is None or _thread.get_ident() not in run.by_ident else run.now


def take_scheduled(lock: Any, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
    """Take a plain `safemap.sync.lock.Lock`, which is a `threading.RLock`, as `RLock.acquire` does."""
    run = run_under_way()
    if run is None or run.current() is None:
        taken = _thread.RLock.acquire(lock, blocking=False)
        if not taken and blocking:  # whoever has it has ended, and waiting in slices for it would not end
            raise RuntimeError(LEFT_HELD)
        return taken
    run.point()
    taken = _thread.RLock.acquire(lock, blocking=False)
    if blocking and not taken:
        run.block(lambda: repr(lock).startswith("<unlocked"), None if timeout < 0 else timeout)
        taken = _thread.RLock.acquire(lock, blocking=False)
    return taken


def begin_step(_lock: Any) -> None:
    """Begin what is one step for other threads."""
    run = run_under_way()
    if run is not None and (task := run.by_ident.get(_thread.get_ident())) is not None:
        task.atomic += 1


def end_step(_lock: Any) -> None:
    """End it."""
    run = run_under_way()
    if run is not None and (task := run.by_ident.get(_thread.get_ident())) is not None:
        task.atomic -= 1


@contextlib.contextmanager
def replaced() -> Iterator[None]:
    """Put what the scheduler knows about in the place of what blocks."""
    replacements: list[tuple[Any, str, Any]] = [
        (time, "sleep", sleep_scheduled),
        (time, "monotonic", monotonic_scheduled),
        (threading, "_time", monotonic_scheduled),
        (threading, "Lock", ScheduledLock),
        (threading, "RLock", ScheduledRLock),
        (threading, "_allocate_lock", ScheduledLock),
    ]
    steps = {"allocate_lock": ScheduledLock, "enter": begin_step, "leave": end_step}
    all_seams: dict[str, dict[str, Any]] = {
        "lock": {"_take": take_scheduled, "YIELDS": 0},
        "deadlock": {"_graph": ScheduledRLock()},
        "field_lock": steps,
        "field_rwlock": steps,
        "rwlock": {"allocate_lock": ScheduledLock},
    }
    for name, seams in all_seams.items():
        module = importlib.import_module(f"safemap.sync.{name}")
        replacements += [(module, seam, new) for seam, new in seams.items() if hasattr(module, seam)]
    for made in vars(importlib.import_module("readerwriterlock.rwlock")).values():
        # It looked up `threading.Lock` when its constructors were defined.
        defaults = getattr(getattr(made, "__init__", None), "__defaults__", None)
        if isinstance(made, type) and defaults and threading.Lock in defaults:
            new = tuple(ScheduledLock if default is threading.Lock else default for default in defaults)
            replacements.append((made.__init__, "__defaults__", new))  # type: ignore[misc]
    former = [(place, name, getattr(place, name)) for place, name, _ in replacements]
    for place, name, new in replacements:
        setattr(place, name, new)
    try:
        yield
    finally:
        for place, name, old in former:
            setattr(place, name, old)

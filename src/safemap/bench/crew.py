"""Threads that prepare, start together, whose exceptions are kept, and that are not waited for without end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE: Final = 10.0
"""Seconds to wait for a thread that should be done at once: far above any scheduler's delay, so what takes
longer is a map that hangs, and the other maps can still be measured."""


class Crew:
    """One thread for each of `jobs`. It runs its part of `preparations` at once; no job begins before `go`."""

    def __init__(
        self, jobs: Sequence[Callable[[], None]], preparations: Sequence[Callable[[], None]] = ()
    ) -> None:
        self._gate = threading.Event()
        self._begun: list[None] = []
        self._all_begun = threading.Event()
        self._failures: list[str] = []
        # Daemons: the process must be able to end although a broken map hangs one of them.
        self._threads = [
            threading.Thread(
                target=self._run, args=(job, preparations[place] if preparations else None), daemon=True
            )
            for place, job in enumerate(jobs)
        ]
        self._prepared = threading.Semaphore(0)
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._prepared.acquire()

    def _run(self, job: Callable[[], None], preparation: Callable[[], None] | None) -> None:
        try:
            try:
                if preparation is not None:
                    preparation()
            finally:
                self._prepared.release()
                self._gate.wait()
                self._begun.append(None)
                if len(self._begun) == len(self._threads):
                    self._all_begun.set()  # once for all: with the GIL, each wake-up of the main thread costs 5 ms
            job()
        except BaseException as error:  # noqa: BLE001 - whatever a map raises is the map's fault, and is reported
            self._failures.append(f"raised {type(error).__name__}: {error}")

    def go(self) -> None:
        """Let all threads begin."""
        self._gate.set()

    def wait_until_all_run(self) -> None:
        """Return when every thread has begun its job."""
        self._all_begun.wait()

    def failed(self) -> bool:
        """Return whether one of them has raised something."""
        return bool(self._failures)

    def finish(self, patience: float = PATIENCE) -> str | None:
        """Wait for all threads. Return what went wrong in one of them; None: nothing.

        Waits for `patience` seconds at most: after that a thread counts as hung, and is left behind.
        """
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            return f"hung: a thread did not come back within {patience:g} s"
        return self._failures[0] if self._failures else None

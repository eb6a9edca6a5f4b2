"""What a thread is doing with a map, and how long it may wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safemap.watch.log import Batch


class Here(threading.local):
    """What a thread is doing with a map."""

    def __init__(self) -> None:
        self.holds = 0
        """How many sections it is in: keys, and the whole."""
        self.wholes: list[Any] = []
        """Those on the whole, as the inner map gave them."""
        self.batch: Batch | None = None
        """What it has done in these."""

    def check_free(self) -> None:
        """Raise RuntimeError if the thread holds anything."""
        if self.holds:
            message = "this would wait for others while the thread holds a key of the map, or the map"
            raise RuntimeError(message)


def seconds_left(deadline: float | None) -> float | None:
    """Return the seconds until a moment of the monotonic clock; None for ever.

    At least 0, and at most what a lock takes.
    """
    return None if deadline is None else min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)


def check_timeout(timeout: float | None) -> None:
    """Raise ValueError unless `timeout` is None or a number of seconds, 0 or more."""
    if timeout is not None and not timeout >= 0:  # so that NaN is refused too
        message = f"timeout must be None or at least 0 seconds, not {timeout!r}"
        raise ValueError(message)

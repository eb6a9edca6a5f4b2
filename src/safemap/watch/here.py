"""What a thread is doing with a map, and how long it may wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    from safemap.watch.log import Batch

    Whole: TypeAlias = tuple[tuple[Any, ...], Batch | None]


class Here(threading.local):
    """What a thread is doing with a map.

    A finalizer may use the map in the middle of any line here, and leaves all as it found it. So a thread begins
    with what stands in the class (it would find half of what an `__init__` makes), and what belongs together is
    one attribute, replaced in one step.
    """

    holds: int = 0
    """How many sections it is in: keys, and the whole."""
    whole: Whole = ((), None)
    """Those on the whole, as the inner map gave them, and what the thread has done in these."""

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

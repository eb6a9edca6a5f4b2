"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass

import safemap


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gil_enabled() -> bool:
    """Return whether the GIL is on now. An extension module that is imported can turn it on."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    return True if enabled is None else bool(enabled())


@dataclass(frozen=True, slots=True)
class Environment:
    """Taken once, before the first window."""

    interpreter: str
    gil: bool
    cores: int
    platform: str
    load: float | None
    """Threads that wanted to run, of the machine as a whole, in the last minute; None if it cannot tell."""
    version: str
    seed: int

    @classmethod
    def now(cls, seed: int) -> Environment:
        """Look around."""
        return cls(
            interpreter=f"{platform.python_implementation()} {platform.python_version()}",
            gil=gil_enabled(),
            cores=cores(),
            platform=f"{platform.system()} {platform.machine()}",
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            version=safemap.__version__,
            seed=seed,
        )

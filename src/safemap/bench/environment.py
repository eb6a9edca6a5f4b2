"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import safemap

KIB: Final = 1024


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gil_enabled() -> bool:
    """Return whether the GIL is on now. An extension module that is imported can turn it on."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    return True if enabled is None else bool(enabled())


def load() -> float | None:
    """Return how many threads wanted to run, of the machine as a whole, in the last minute; None if unknown."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def peak_bytes() -> int | None:
    """Return the most memory that this process ever had; None where the system does not tell."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * KIB


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _governor() -> str | None:
    try:
        path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Environment:
    """Taken once, before the first cell."""

    interpreter: str
    build: str
    """The interpreter's own line about its version, compiler and build."""
    gil: bool
    switch_interval: float
    """Seconds that a thread may keep the GIL while others wait for it."""
    compiled: bool
    """Whether safemap's maps are compiled."""
    version: str
    cores: int
    processor: str
    platform: str
    governor: str | None
    load: float | None

    @classmethod
    def now(cls) -> Environment:
        """Look around."""
        return cls(
            interpreter=f"{platform.python_implementation()} {platform.python_version()}",
            build=" ".join(sys.version.split()),
            gil=gil_enabled(),
            switch_interval=sys.getswitchinterval(),
            compiled=safemap.compiled,
            version=safemap.__version__,
            cores=cores(),
            processor=_processor(),
            platform=f"{platform.system()} {platform.machine()}",
            governor=_governor(),
            load=load(),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON knows."""
        return asdict(self)

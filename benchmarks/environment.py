"""What was measured, and on what."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any, Final

import safemap

COMPILED: Final[bool] = getattr(safemap, "compiled", False)
GIL: Final[bool] = getattr(sys, "_is_gil_enabled", lambda: True)()


def described() -> dict[str, Any]:
    """Return it as JSON takes it. `gil` is as it is now: an extension may have turned it on meanwhile."""
    return {
        "python": platform.python_version(),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "safemap": safemap.__version__,
        "compiled": COMPILED,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
    }

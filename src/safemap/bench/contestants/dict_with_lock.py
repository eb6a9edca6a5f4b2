"""A dict, and a `threading.Lock` or `RLock` that is taken around each use, in place."""

from __future__ import annotations

import threading
from typing import Final

from safemap.bench.contestants.contestant import Contestant, locked

_STATEMENTS: Final = locked("with lock:")

DICT_WITH_LOCK: Final = Contestant(
    "dict + Lock",
    "baseline",
    dict,
    _STATEMENTS,
    lambda _m: {"lock": threading.Lock()},
    lacks="every use has to be written under the lock, iteration included; one forgotten use is a race, "
    "and a callback that comes back to it hangs",
)
DICT_WITH_RLOCK: Final = Contestant(
    "dict + RLock",
    "baseline",
    dict,
    _STATEMENTS,
    lambda _m: {"lock": threading.RLock()},
    lacks="every use has to be written under the lock, iteration included; one forgotten use is a race",
)

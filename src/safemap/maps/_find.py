"""Looking a key up in a dict: `find(data, key, default)` is `data.get(key, default)`.

Except on free-threaded 3.13, where `dict.get` takes the dict's lock twice over when it meets a value that
another thread made, and spins for 20 microseconds each time; subscripting there does not (3.14 mended it).
"""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info[:2] == (3, 13) and not getattr(sys, "_is_gil_enabled", lambda: True)():

    def find(data: dict[Any, Any], key: Any, default: Any = None, /) -> Any:
        """Return the value of `key`, or `default` if it is absent."""
        try:
            return data[key]
        except KeyError:
            return data.get(key, default)  # what the key's own comparison raised, it raises again

else:
    find = dict.get

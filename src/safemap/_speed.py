"""Which files of the package are loaded: compiled modules where there are any, or the plain ones.

Beside a compiled module lies the `.py` file that it was made from. With SAFEMAP_PURE=1 in the environment, those
are taken: to see what the compiler has to do with a fault, to step through with a debugger, or to measure. It
must be set before the package is imported first.
"""

from __future__ import annotations

import os
import sys

if os.environ.get("SAFEMAP_PURE", "") not in {"", "0"}:
    from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from collections.abc import Sequence
        from importlib.machinery import ModuleSpec

    class PlainFiles:
        """Finds this package's modules as source files, and no others."""

        @staticmethod
        def find_spec(name: str, path: Sequence[str] | None, _target: object = None) -> ModuleSpec | None:
            """Return how to load the module `name`, or None if it is not one of ours."""
            if not name.startswith("safemap."):
                return None
            finders = [FileFinder(entry, (SourceFileLoader, SOURCE_SUFFIXES)) for entry in path or ()]
            return next(filter(None, (finder.find_spec(name) for finder in finders)), None)

    if not any(finder.__qualname__ == "PlainFiles" for finder in sys.meta_path if isinstance(finder, type)):
        sys.meta_path.insert(0, PlainFiles)

"""Whether this is compiled: then the steps of a C function follow one another with nothing in between."""

from __future__ import annotations

COMPILED = False

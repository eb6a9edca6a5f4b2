"""safemap's own maps."""

from __future__ import annotations

from functools import partial
from typing import Final

import safemap
from safemap.bench.contestants.contestant import Contestant

VARIANTS: Final = tuple(
    Contestant(cls.__name__, "variant", partial(safemap.create, kind)) for kind, cls in safemap.KINDS.items()
)

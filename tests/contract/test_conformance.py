"""Every variant keeps the contract, and what of it is dict's own, dict keeps."""

from __future__ import annotations

import safemap
from safemap.testing.conformance import DICT, Conformance


class TestDict(Conformance):
    make = dict
    claims = DICT


for variant in safemap.KINDS.values():
    name = f"Test{variant.__name__}"
    globals()[name] = type(name, (Conformance,), {"make": variant, "__module__": __name__})

"""cereggii's AtomicDict, by the part of the contract that it has."""

import pytest

from safemap import MISSING
from safemap.testing.conformance import Conformance

cereggii = pytest.importorskip("cereggii", reason="cereggii is not installed: it has wheels for some Pythons only")


class AtomicDict:
    """An AtomicDict whose operations have the contract's names."""

    def __init__(self):
        self.dict = cereggii.AtomicDict()
        self.get = self.dict.get

    def __getitem__(self, key):
        return self.dict[key]

    def __setitem__(self, key, value):
        self.dict[key] = value

    def __delitem__(self, key):
        del self.dict[key]

    def __len__(self):
        return len(self.dict)

    def compare_and_set(self, key, expected, value):
        try:
            self.dict.compare_and_set(key, cereggii.NOT_FOUND if expected is MISSING else expected, value)
        except cereggii.ExpectationFailed:
            return False
        return True


class TestAtomicDict(Conformance):
    make = AtomicDict
    claims = {
        "get",
        "len",
        "lets go",
        "all or nothing",
        "threads",
        "compare_and_set",
        "safe iteration",
        "reentrant",
    }
    limit = 1  # second: what hangs, hangs at once

    def pairs(self, m):
        return m.dict.fast_iter()

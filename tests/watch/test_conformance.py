"""A watched map keeps the contract, around every variant, while somebody listens to every write.

While nobody does, writes go to the inner map: that is tried around one that makes one step of a batch, and around
one that does not.
"""

from __future__ import annotations

import safemap
from safemap.testing.conformance import Conformance
from safemap.watch import WatchedMap


class Heard:
    """A watched map that somebody listens to from its first moment on, so that every write is logged.

    But not to these keys: an event keeps its values until it is delivered, at a time that no test here knows.
    """

    __slots__ = ()

    def __new__(cls, *args, **named):
        self = super().__new__(cls, *args, **named)
        self.subscribe(lambda _: None, keys=["no key of any test"])
        return self


def made(name, *bases, **body):
    """Make a class of this module, where its pickled maps will look for it."""
    globals()[name] = type(name, bases, {"__module__": __name__, **body})
    return globals()[name]


for variant in safemap.KINDS.values():
    name = variant.__name__
    watched = made(f"Watched{name}", WatchedMap, __slots__=(), kind=variant)
    heard = made(f"Heard{name}", Heard, watched, __slots__=())
    made(f"TestHeard{name}", Conformance, make=heard)
    if variant in {safemap.MutexMap, safemap.ShardedMap}:
        made(f"Test{name}", Conformance, make=watched)

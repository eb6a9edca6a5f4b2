"""A map that tells what changes in it.

    from safemap import ShardedMap
    from safemap.watch import WatchedMap

    config = WatchedMap(ShardedMap(level="info"))
    config.subscribe(print, keys=["level"])             # in a thread of its own
    config["level"] = "debug"                           # Event(kind='changed', key='level', old='info', ...)
    config.close(timeout=10)                            # returns when all has been delivered

The layers, each on those before it: events; mailbox (what waits for one subscriber); log (the order of the
changes, and their way to the mailboxes); map_around (the reads); logged_map (the writes); listeners; watched_map.
All stand on the public names of safemap, and are plain Python where the maps are compiled, too.
"""

from __future__ import annotations

from safemap.watch.events import Event
from safemap.watch.listeners import Subscription, Watch
from safemap.watch.watched_map import WatchedMap

__all__ = ["Event", "Subscription", "Watch", "WatchedMap"]

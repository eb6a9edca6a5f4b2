"""`safemap.watch` as users write it."""

from __future__ import annotations

from typing import Any, assert_type

from safemap import ConcurrentMapping, Guarantees, MutexMap, ShardedMap, Snapshot
from safemap.watch import Event, Subscription, Watch, WatchedMap

PAIRS = [("level", "info")]

config: WatchedMap[str, str] = WatchedMap()
assert_type(WatchedMap(ShardedMap(level="info")), WatchedMap[str, str])
assert_type(WatchedMap({"level": "info"}), WatchedMap[str, str])
assert_type(WatchedMap(PAIRS), WatchedMap[str, str])
assert_type(WatchedMap(level="info"), WatchedMap[str, str])
assert_type(WatchedMap[str, str].configured(inner=MutexMap()), WatchedMap[str, str])
assert_type(config.inner, ConcurrentMapping[str, str])
assert_type(config.guarantees, Guarantees)
assert_type(config.copy(), WatchedMap[str, str])
assert_type(config.snapshot(), Snapshot[str, str])


def note(event: Event[str, str]) -> None:
    assert_type(event.sequence, int)
    # A key, a value, a snapshot, a number or MISSING: it depends on the kind, and no checker can tell from that.
    assert_type(event.key, Any)
    assert_type(event.old, Any)
    assert_type(event.new, Any)
    if event.kind == "cleared":
        return


def complain(error: BaseException, event: Event[str, str]) -> None:
    assert_type(error, BaseException)
    note(event)


subscription = config.subscribe(note, keys=["level"], initial=True, on_error=complain, limit=10, when_full="skip")
assert_type(subscription, Subscription)
assert_type(subscription.closed, bool)
assert_type(subscription.lost, int)
subscription.close()
config.subscribe(print)
config.subscribe(lambda event: event.sequence)
with config.subscribe(note) as subscription:
    assert_type(subscription, Subscription)

with config.watch(["level"], initial=True, limit=10, when_full="restart") as events:
    assert_type(events, Watch[str, str])
    config["level"] = "debug"
    assert_type(next(events), Event[str, str])
    config["level"] = "info"
    assert_type(events.take(timeout=5.0), Event[str, str] | None)
    config.close()
    for event in events:
        assert_type(event, Event[str, str])

assert_type(config.wait_for("level", lambda level: level == "info"), str)
assert_type(config.closed, bool)
config.flush(timeout=5.0)
config.close(timeout=5.0)

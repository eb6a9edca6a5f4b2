"""Volcano's configuration manager: it is stopped, and its worker still tells a listener.

The page is volcano_configuration.md. Settings are set and changed here, and never removed.
"""

import queue
import threading
import time
from contextlib import suppress

from safemap.watch import WatchedMap

STOP = object()
LOOKS_EVERY = 0.001
"""Seconds."""
TRIES = 3
"""How often a listener is told of one change, as long as it raises."""


class Listener:
    """A part of the agent: what it was told to apply, by name, and how often it was told anything."""

    def __init__(self):
        self.applied = {}
        self.called = 0

    def sync(self, name, value):
        self.called += 1
        self.applied[name] = value

    def report(self):
        return sorted(f"{name}={value}" for name, value in self.applied.items())


class FaultyConfigManager:
    """A dict, a queue of the names that have changed, and a worker that tells the listeners."""

    def __init__(self, listeners):
        self.settings = {}
        self._changed = queue.SimpleQueue()
        self._listeners = listeners
        self.worker = threading.Thread(target=self._work, daemon=True)

    def change(self, name, value):
        self.settings[name] = value
        self._changed.put(name)

    def stop(self):
        """Wait until nothing is queued, and end the worker."""
        while not self._changed.empty():
            time.sleep(LOOKS_EVERY)
        self._changed.put(STOP)

    def _work(self):
        while (name := self._changed.get()) is not STOP:
            try:
                for listener in self._listeners:
                    listener.sync(name, self.settings[name])
            except Exception:
                self._changed.put(name)  # to try again


class DrainedConfigManager(FaultyConfigManager):
    """As it was mended upstream: who stops it waits for what the worker has in its hands."""

    def stop(self):
        super().stop()
        self.worker.join()


class ConfigManager:
    """One map that tells its listeners, each in a thread of its own; stopped means that all were told."""

    def __init__(self, settings):
        self.settings = WatchedMap(settings)
        self.failed = []
        """What a listener could not apply: the event, and the error."""

    def listen(self, listener):
        """Tell a listener what is set, and then each change, in order. The listener may raise, and be slow."""

        def tell(event):
            if event.kind in {"added", "changed"}:
                persistently(listener.sync, event.key, event.new)

        def give_up(error, event):
            self.failed.append((event, error))

        self.settings.subscribe(tell, initial=True, on_error=give_up)

    def change(self, name, value):
        self.settings[name] = value

    def change_together(self, settings):
        self.settings.update(settings)

    def wait_until_applied(self, timeout):
        """Return when the listeners have been told of all changes so far, and have returned from it."""
        self.settings.flush(timeout)

    def stop(self, timeout):
        """Tell the listeners of no further change, and return when they have been told of all before."""
        self.settings.close(timeout)


def persistently(function, *arguments):
    """Call a function, and again if it raises; `TRIES` times, and then it raises what the last call raised."""
    for _ in range(TRIES - 1):
        with suppress(Exception):
            return function(*arguments)
    return function(*arguments)


def reads_wait_for_nobody_and_see_no_half_change(guarantees):
    """Return whether requests can look at the settings while these are changed, several at once."""
    return guarantees.reader_waits_for_writer == "no" and guarantees.update == "all at once"

"""What the tests of `safemap.watch` share."""

from __future__ import annotations

import threading

from safemap import MISSING

WAIT = 20
"""Seconds that anything may take that is waited for."""


class Replica:
    """A subscriber that makes a dict of the events, and sees that each fits what came before it."""

    def __init__(self):
        self.contents = {}
        self.sequence = -1
        self.count = 0
        self.wrong = []

    def __call__(self, event):
        self.count += 1
        if event.kind == "lost":
            self.contents.clear()
        elif event.kind == "cleared":
            if event.old.to_dict() != self.contents:
                self.wrong.append(event)
            self.contents.clear()
        else:
            before = self.contents.pop(event.key, MISSING)
            if before is not event.old:
                self.wrong.append(event)
            if event.new is not MISSING:
                self.contents[event.key] = event.new
        expected = "added" if event.old is MISSING else "removed" if event.new is MISSING else "changed"
        if event.kind not in (expected, "lost", "cleared"):
            self.wrong.append(event)
        self.number(event.sequence)

    def number(self, sequence):
        """Initial contents share the number of the last change before them."""
        if sequence < self.sequence:
            self.wrong.append(f"{sequence} after {self.sequence}")
        self.sequence = sequence


class Gate:
    """A callback that waits at its first event until it is let go on."""

    def __init__(self):
        self.reached = threading.Event()
        self.open = threading.Event()
        self.passed = threading.Event()
        self.events = []

    def __call__(self, event):
        self.reached.set()
        assert self.open.wait(WAIT)
        self.events.append(event)
        self.passed.set()


class Flag:
    """A callback that sets a `threading.Event` at a given key."""

    def __init__(self, key):
        self.key = key
        self.seen = threading.Event()

    def __call__(self, event):
        if event.key == self.key:
            self.seen.set()

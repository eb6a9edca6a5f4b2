"""Argo Workflows' offloaded state: new versions are written and old ones deleted while others still need these.

The page is argo_offload.md. Of `nodes`, nobody changes one that was saved: they are `safemap.Snapshot`s.
"""

from hashlib import sha256
from typing import NamedTuple

from safemap import MISSING, Snapshot


class Head(NamedTuple):
    """What a workflow is: which version of its nodes counts, and whether it was stopped."""

    number: int
    """One more with each change of the workflow, so that no two heads are equal."""
    version: str
    stopped: bool = False


NOT_YET = Head(-1, "")
"""Of a workflow that is just being created."""


class Row(NamedTuple):
    """One version of a workflow's nodes."""

    number: int
    """Of the head that it was last written for."""
    saved: float
    """When that was."""
    nodes: Snapshot


def version_of(nodes):
    return sha256(repr(sorted(nodes.items())).encode()).hexdigest()[:16]


class FaultyOffload:
    """Saving a version deletes the others that are old."""

    def __init__(self, ttl):
        self.heads = {}
        self.rows = {}
        self._ttl = ttl

    def save(self, uid, nodes, now):
        version = version_of(nodes)
        self.rows[uid, version] = (now, nodes)
        for (owner, other), (saved, _) in list(self.rows.items()):
            if owner == uid and other != version and saved <= now - self._ttl:
                del self.rows[owner, other]
        return version

    def load(self, uid, version):
        if (uid, version) not in self.rows:
            raise LookupError("no more rows in this result set")
        return self.rows[uid, version][1]

    def persist(self, uid, original, nodes, now):
        """Make `nodes` the state of a workflow that was `original`; what others did meanwhile stays."""
        version = self.save(uid, nodes, now)
        current = self.heads[uid]
        if current != original:  # somebody stopped it: find out what we changed, and apply that to what it is now
            before = self.load(uid, original.version)
            ours = {node: state for node, state in nodes.items() if before.get(node) != state}
            version = self.save(uid, self.load(uid, current.version) | ours, now)
        self.heads[uid] = Head(current.number + 1, version, current.stopped)

    def stop(self, uid):
        head = self.heads[uid]
        self.heads[uid] = head._replace(number=head.number + 1, stopped=True)


class Offload:
    """Heads by workflow, rows by workflow and version, in one map: so one snapshot has both."""

    def __init__(self, states, ttl):
        self.states = states
        self._ttl = ttl

    def create(self, uid, nodes, now):
        version = version_of(nodes)
        self._upsert(uid, version, nodes, 0, now)
        return self.states.compare_and_set(uid, MISSING, Head(0, version))

    def begin(self):
        """Return all workflows with their nodes at one moment. As long as it is kept, nobody deletes from it."""
        return self.states.snapshot()

    def persist(self, uid, view, nodes, now):
        """Make `nodes` the state of a workflow that was as in `view`; what others did meanwhile stays."""
        original = view[uid]
        before = view[uid, original.version].nodes
        ours = {node: state for node, state in nodes.items() if before.get(node) != state}
        while True:
            head = view[uid]
            merged = view[uid, head.version].nodes | ours
            version = version_of(merged)
            self._upsert(uid, version, merged, head.number + 1, now)
            if self.states.compare_and_set(uid, head, Head(head.number + 1, version, head.stopped)):
                return
            view = self.begin()  # somebody else was faster: what we changed, on what it is now

    def stop(self, uid):
        self.states.compute(uid, lambda head: head._replace(number=head.number + 1, stopped=True))

    def sweep(self, now):
        """Delete the versions that are old, that do not count, and that nobody has written again meanwhile."""
        view = self.begin()
        for key, row in view.items():
            if isinstance(row, Row) and row.saved <= now - self._ttl:
                head = view.get(key[0], NOT_YET)
                if row.number <= head.number and key[1] != head.version:
                    self.states.compare_and_delete(key, row)

    def _upsert(self, uid, version, nodes, number, now):
        """Write a version; one that is there already is as good as new."""

        def newer(row):
            return Row(number, now, nodes) if row is None else Row(max(row.number, number), now, row.nodes)

        self.states.compute((uid, version), newer, None)


def a_look_costs_no_copy(guarantees):
    """Return whether `begin` costs the same however many workflows there are."""
    return guarantees.snapshot == "O(1)"

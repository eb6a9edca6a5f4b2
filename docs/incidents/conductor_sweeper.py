"""Conductor's workflow sweeper: workers and sweepers change one workflow, and whoever completes it unqueues it.

The page is conductor_sweeper.md.
"""

import threading
from typing import NamedTuple

from safemap import MISSING


class Workflow(NamedTuple):
    """The state of a workflow. It never changes: a step makes another one."""

    todo: int
    """Tasks that are not done."""
    lost: int = 0
    """Those of them whose worker is gone."""
    status: str = "RUNNING"


def finished(workflow):
    return workflow._replace(todo=workflow.todo - 1)


def lost(workflow):
    return workflow._replace(lost=workflow.lost + 1)


def verified_and_repaired(workflow):
    """Return the workflow without its lost tasks: nobody will ever finish them."""
    return workflow._replace(todo=workflow.todo - workflow.lost, lost=0)


def decided(workflow):
    return workflow if workflow.todo else workflow._replace(status="COMPLETED")


class FaultySweeper:
    """Two dicts, and a lock for each workflow that a sweep takes too late and lets go too early."""

    def __init__(self):
        self.workflows = {}
        self.queue = {}
        self._locks = {}

    def start(self, name, tasks):
        self._locks[name] = threading.RLock()
        self.workflows[name] = Workflow(tasks)
        self.queue[name] = True

    def sweep(self, name):
        workflow = verified_and_repaired(self.workflows[name])
        with self._locks[name]:
            workflow = decided(workflow)
            self.workflows[name] = workflow
        if workflow.status == "COMPLETED":
            self.queue.pop(name, None)

    def lose_task(self, name):
        with self._locks[name]:
            self.workflows[name] = lost(self.workflows[name])

    def finish_task(self, name):
        with self._locks[name]:
            workflow = decided(finished(self.workflows[name]))
            self.workflows[name] = workflow
            if workflow.status == "COMPLETED":
                self.queue.pop(name, None)

    def look(self, name):
        """Return the workflow, and whether it is queued."""
        with self._locks[name]:
            return self.workflows[name], name in self.queue


class Sweeper:
    """Two maps; whoever changes a workflow holds it and its place in the queue, from the look to the end."""

    def __init__(self, workflows, queue):
        self.workflows = workflows
        self.queue = queue

    def start(self, name, tasks):
        with self.workflows.entry(name) as workflow, self.queue.entry(name) as queued:
            workflow.value = Workflow(tasks)
            queued.value = True

    def sweep(self, name):
        return self._step(name, verified_and_repaired)

    def finish_task(self, name):
        return self._step(name, finished)

    def lose_task(self, name):
        return self._step(name, lost)

    def _step(self, name, change):
        """Change a workflow that runs, and decide. Return whether that completed it."""
        with self.workflows.entry(name) as workflow, self.queue.entry(name) as queued:
            before = workflow.value
            if before is MISSING or before.status == "COMPLETED":
                return False
            after = decided(change(before))
            workflow.value = after
            if after.status == "COMPLETED":
                queued.delete()
        return after.status == "COMPLETED"

    def look(self, name):
        """Return the workflow, and whether it is queued."""
        with self.workflows.entry(name) as workflow, self.queue.entry(name) as queued:
            return workflow.value, queued.value is not MISSING

    def audit(self):
        """Return both maps at a moment when nobody is in the middle of a step."""
        with self.workflows.locked(), self.queue.locked():
            return self.workflows.snapshot(), self.queue.snapshot()


def workflows_do_not_wait_for_one_another(guarantees):
    """Return whether two workflows are swept at the same time."""
    return guarantees.function_excludes == "its key"

"""Who waits for whom: the check that turns a deadlock into an error.

A thread that must block first writes down what it is about to wait for, then walks the chain
thread -> what it waits for -> who holds that -> what they wait for ... If the chain comes back to
the thread itself, blocking would never end, and `DeadlockError` is raised instead. Nothing of
this is paid by a lock that is free: it runs only when a thread is about to sleep anyway.

Invariants
  1. `_waiting[t]` is written only by thread t, and only while it holds `_graph`.
  2. It is removed by t, without `_graph`, after t has its resource or has given up, and before t
     lets go of anything. Who gives up because of a deadlock removes it in the very walk that says so, under
     `_graph`: walks after that end there. So of a circle, one thread gives up, and not two at once.

Why a reported cycle is real, although owners are read without stopping anyone: a walk holds
`_graph`, so every wait it meets was written down before it began and not yet removed; such a
thread still holds all that it held then (2). If it had got its resource meanwhile, the resource's
owner is that thread itself, and the walk ends there. By induction from the walking thread, which
stands still, every edge of a found cycle holds at once. Why no cycle is missed: the last thread
to write itself down walks after all others have, and none of them can move.

What can mislead a walk is a thread that is written down as waiting but runs: a signal handler that came
while it slept, or a finalizer just before it sleeps. It may hold locks of its own for a moment (a false alarm),
or wait for something else meanwhile (a cycle missed). Therefore a cycle counts when it has been found again
and again for CONFIRMATIONS * STEP seconds: a deadlock does not go away. And who sleeps looks again every SLICE.

A thread that gives up by itself after a while cannot be part of a deadlock, and need not be written down.

The same idea guards CPython's import locks (`importlib._bootstrap._ModuleLock`).
"""

from __future__ import annotations

import time
from _thread import RLock, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    class Resource(Protocol):
        """What a thread can wait for."""

        def owners(self) -> Iterable[int]:
            """Return the idents of the threads that hold this now."""
            ...


class DeadlockError(RuntimeError):
    """Waiting would never end: the threads concerned wait for one another.

    Raised in the thread whose wait would have closed the circle; the other threads go on.

    Cost: nothing where nobody waits. A circle is an error when it has been seen for 50 ms.
    Atomicity: good - what the thread was about to do has not been done.
    Errors: it is one: a RuntimeError.

    >>> accounts, both = ShardedMap(anna=30, ben=10), threading.Barrier(2)
    >>> def pay(giver, taker):
    ...     with accounts.entry(giver) as gives:
    ...         both.wait(10)
    ...         with accounts.entry(taker) as takes:
    ...             gives.value, takes.value = gives.value - 5, takes.value + 5
    >>> with ThreadPoolExecutor() as pool:
    ...     paid = [pool.submit(pay, "anna", "ben"), pool.submit(pay, "ben", "anna")]
    >>> [type(each.exception()) for each in paid if each.exception()]
    [<class 'safemap.sync.deadlock.DeadlockError'>]
    """


# Re-entrant, because a signal handler or a finalizer may come in the middle of a walk and have to
# wait itself: it then lets go of `_graph` while it sleeps (see `wait`).
_graph = RLock()
_waiting: dict[int, Resource] = {}


CONFIRMATIONS = 10
STEP = 0.005
"""A cycle must be seen this often, and this many seconds apart, to be an error: 50 ms in all. A false alarm needs
a signal handler that holds a lock for longer than that, having interrupted its thread in a wait for another."""
SLICE = 0.25
"""Seconds after which a sleeping thread looks again: long, as this is for cycles that a signal handler hid."""


def wait(
    resource: Resource, block: Callable[[float], bool], timeout: float = -1, *, slice_: float = SLICE
) -> bool:
    """Wait until the calling thread holds `resource`, or until `timeout` seconds are over (-1: without end).

    `block(seconds)` sleeps for that long (-1: without end) or until the thread holds the resource, and returns
    whether it does. Returns the same. Raises `DeadlockError` if every thread that could let go of the
    resource waits, directly or through others, for this one.
    """
    me = get_ident()
    deadline = None if timeout < 0 else time.monotonic() + timeout
    alarms = 0
    # A signal handler or a finalizer may wait while its own thread waits, or even walks.
    interrupted = _waiting.get(me)
    walking = _graph._release_save() if _graph._is_owned() else None  # type: ignore[attr-defined]
    try:
        while True:
            alarms = alarms + 1 if _closes_cycle(resource, me, alarms == CONFIRMATIONS) else 0
            if alarms > CONFIRMATIONS:
                message = "waiting would never end: the threads concerned wait for one another"
                raise DeadlockError(message)
            seconds = STEP if alarms else slice_
            if deadline is not None:
                left = max(0.0, deadline - time.monotonic())
                seconds = left if seconds < 0 else min(seconds, left)
            if block(seconds):
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False
    finally:
        if _graph._is_owned():  # type: ignore[attr-defined]  # interrupted at the edge of `with`
            _graph._release_save()  # type: ignore[attr-defined]
        if interrupted is None:
            _waiting.pop(me, None)
        else:
            _waiting[me] = interrupted
        if walking is not None:
            _graph._acquire_restore(walking)  # type: ignore[attr-defined]


def _closes_cycle(resource: Resource, me: int, confirmed: bool) -> bool:
    """Write down that thread `me` waits for `resource`, and return whether a circle of waits leads back to it.

    `confirmed`: it then gives up, and waits no more.
    """
    with _graph:
        _waiting[me] = resource
        closes = _leads_to(resource, me)
        if closes and confirmed:
            del _waiting[me]
        return closes


def _leads_to(resource: Resource, me: int) -> bool:
    """Return whether the holders of `resource` wait, directly or through others, for thread `me`."""
    seen: set[int] = set()
    resources = [resource]
    while resources:
        for owner in resources.pop().owners():
            if owner == me:
                return True
            if owner in seen:
                continue
            seen.add(owner)
            awaited = _waiting.get(owner)
            # A thread that owns what it waits for has just been given it.
            if awaited is not None and owner not in awaited.owners():
                resources.append(awaited)
    return False


def reset_after_fork() -> None:
    """Forget the waits of threads that did not survive a fork. Called in the child."""
    if not _graph._is_owned():  # type: ignore[attr-defined]
        _graph._at_fork_reinit()  # type: ignore[attr-defined]
    me = get_ident()
    for thread in list(_waiting):
        if thread != me:
            del _waiting[thread]

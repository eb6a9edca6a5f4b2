"""Who waits for whom: the check that turns a deadlock into an error.

A thread that must block first writes down what it is about to wait for, then walks the chain
thread -> what it waits for -> who holds that -> what they wait for ... If the chain comes back to
the thread itself, blocking would never end, and `DeadlockError` is raised instead. Nothing of
this is paid by a lock that is free: it runs only when a thread is about to sleep anyway.

Invariants
  1. `_waiting[t]` is written only by thread t, and only while it holds `_graph`.
  2. It is removed by t, without `_graph`, after t has its resource or has given up, and before t
     lets go of anything.

Why a reported cycle is real, although owners are read without stopping anyone: a walk holds
`_graph`, so every wait it meets was written down before it began and not yet removed; such a
thread still holds all that it held then (2). If it had got its resource meanwhile, the resource's
owner is that thread itself, and the walk ends there. By induction from the walking thread, which
stands still, every edge of a found cycle holds at once. Why no cycle is missed: the last thread
to write itself down walks after all others have, and none of them can move.

Only waits without end need to be written down. One that gives up by itself after a while cannot
be part of a deadlock.

The same idea guards CPython's import locks (`importlib._bootstrap._ModuleLock`).
"""

from __future__ import annotations

from _thread import RLock, get_ident
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class DeadlockError(RuntimeError):
    """Waiting would never end: the threads concerned wait for one another.

    Raised in the thread whose wait would have closed the circle. What that thread was about to do
    has not been done; the other threads go on.
    """


class Resource(Protocol):
    """What a thread can wait for."""

    def owners(self) -> Iterable[int]:
        """Return the idents of the threads that hold this now."""
        ...


# Re-entrant, because a signal handler or a finalizer may come in the middle of a walk and have to
# wait itself: it then lets go of `_graph` while it sleeps (see `wait`).
_graph = RLock()
_waiting: dict[int, Resource] = {}
_registrations = [0]  # grows with every wait written down; guarded by _graph


def wait(resource: Resource, block: Callable[[], bool]) -> bool:
    """Run `block()`, which sleeps until the thread holds `resource`, unless that would never end.

    Returns what `block` returns. Raises `DeadlockError`, before sleeping, if every thread that could
    let go of the resource waits, directly or through others, for this one.
    """
    me = get_ident()
    # A signal handler or a finalizer may wait while its own thread waits, or even walks.
    interrupted = _waiting.get(me)
    walking = _graph._release_save() if _graph._is_owned() else None  # type: ignore[attr-defined]
    try:
        with _graph:
            _registrations[0] += 1
            _waiting[me] = resource
            while True:
                before = _registrations[0]
                deadlocked = _leads_to(resource, me)
                if before == _registrations[0]:
                    break
                # A handler ran inside the walk and waited: what was walked may be out of date.
        if deadlocked:
            message = "waiting would never end: the threads concerned wait for one another"
            raise DeadlockError(message)
        return block()
    finally:
        if _graph._is_owned():  # type: ignore[attr-defined]  # interrupted at the edge of `with`
            _graph._release_save()  # type: ignore[attr-defined]
        if interrupted is None:
            _waiting.pop(me, None)
        else:
            _waiting[me] = interrupted
        if walking is not None:
            _graph._acquire_restore(walking)  # type: ignore[attr-defined]


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

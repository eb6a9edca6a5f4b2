"""What must be put right in the child of a fork.

Only the thread that forked lives on in the child; locks that others held would stay held for ever, and
what others had half done stays half done. Every map registers itself here, weakly, and is asked in the
child to free what was held and to mend what was unfinished.
"""

from __future__ import annotations

import os
from weakref import WeakValueDictionary

from safemap.sync import deadlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Survivor(Protocol):
        """What can be put right after a fork."""

        def _after_fork_in_child(self) -> None: ...


# By id, because maps are not hashable.
_survivors: WeakValueDictionary[int, Any] = WeakValueDictionary()


def register(survivor: Survivor) -> None:
    """Have `survivor._after_fork_in_child()` called in every child forked while it is alive."""
    _survivors[id(survivor)] = survivor


def _after_fork_in_child() -> None:
    deadlock.reset_after_fork()
    for survivor in list(_survivors.values()):
        survivor._after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)

"""MutexMap: one lock, one dict. The mechanism is that of `_one_dict`, with a mutex for its lock.

Rejected: reading without the lock. Each single read would be as good (dict's reads are atomic), but a
reader could see the first half of an `update` or of a `locked` section; and the simplest map, with which
all others are compared, should have the simplest argument.
"""

from __future__ import annotations

from safemap._contract import Guarantees
from safemap._types import K, V
from safemap.maps._one_dict import OneDictMap
from safemap.sync.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from safemap._types import Contents, T, overload


class MutexMap(OneDictMap[K, V]):
    """A mapping behind one re-entrant lock: the simplest, and as strong as any.

    Take it where threads seldom meet, where order matters, or where many keys must change at once. Every
    operation and every user's function excludes every other thread, so a slow function in `compute` holds
    up all of them. Iteration copies first and then shows that moment, in insertion order.

    Cost: one lock an operation; beginning to iterate is O(n).
    Atomicity: good - every operation is one step, `update`, `clear` and a `locked` block too.
    Errors: those of the contract.

    >>> stock = MutexMap(apples=3)
    >>> stock.compute("apples", lambda n: n - 1)
    2
    >>> stock
    {'apples': 2}
    """

    __slots__ = ()

    guarantees: ClassVar[Guarantees] = Guarantees(
        mechanism="one lock, one dict",
        single_key="linearizable",
        reader_waits_for_writer="yes",
        function_excludes="the map",
        iteration="one moment",
        insertion_order=True,
        update="all at once",
        length="exact",
        snapshot="O(n)",
    )

    if TYPE_CHECKING:

        @overload
        def __init__(self, items: Contents[K, V] = (), /) -> None: ...
        @overload
        def __init__(self: MutexMap[str, T], items: Contents[str, T] = (), /, **named: T) -> None: ...
        def __init__(self, items: Any = (), /, **named: Any) -> None: ...

    def __cinit__(self, *_args: Any, **_items: Any) -> None:
        self._configure()

    def _configure(self) -> None:
        self._lock = Lock()
        self._data = {}

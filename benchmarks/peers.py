"""What other packages' mappings can do: the README's comparison, each cell tried.

    python -m benchmarks.peers

prints the table. A package that is not installed has a question mark in each cell; no interpreter has wheels of
all of them, so the table in the README is that of two runs (CPython 3.14 and 3.11), laid over one another.
"""

from __future__ import annotations

import importlib
import pickle
import sys
import threading
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNKNOWN = "?"
YES = {True: "yes", False: "no"}
THREADS, EACH = 4, 500
ENOUGH = 100
"""An iteration over three items that gets so far will not end."""
OPERATIONS: dict[str, tuple[Callable[[Any], object], object]] = {
    "m[k]": (lambda m: m["a"], 1),
    "m[k] = v": (lambda m: m.__setitem__("a", 2) or m["a"], 2),
    "del m[k]": (lambda m: m.__delitem__("a") or len(m), 1),
    "k in m": (lambda m: ("a" in m, "c" in m), (True, False)),
    "len": (len, 2),
    "iter": (sorted, ["a", "b"]),
    "keys": (lambda m: sorted(m.keys() | {"c"}), ["a", "b", "c"]),
    "values": (lambda m: sorted(m.values()), [1, 2]),
    "items": (lambda m: sorted(m.items() & {("a", 1)}), [("a", 1)]),
    "get": (lambda m: (m.get("a"), m.get("c", 3)), (1, 3)),
    "pop": (lambda m: (m.pop("a"), len(m)), (1, 1)),
    "popitem": (lambda m: (m.popitem() in [("a", 1), ("b", 2)], len(m)), (True, 1)),
    "setdefault": (lambda m: (m.setdefault("a", 5), m.setdefault("c", 5)), (1, 5)),
    "update": (lambda m: m.update({"c": 3}, d=4) or m["d"], 4),
    "clear": (lambda m: m.clear() or len(m), 0),
    "copy": (lambda m: m.copy()["a"], 1),
    "==": (lambda m: m == {"a": 1, "b": 2}, True),
    "|": (lambda m: (m | {"c": 3})["c"], 3),
    "reversed": (lambda m: len(list(reversed(m))), 2),
    "pickle": (lambda m: pickle.loads(pickle.dumps(m))["a"], 1),  # noqa: S301 - our own
}
"""Of dict, with what they give on {"a": 1, "b": 2}."""


@dataclass(frozen=True)
class Peer:
    """A mapping of another package, or one of ours."""

    title: str
    package: str | None
    """As it is installed; None: there always."""
    make: Callable[[dict[str, int]], Any]
    alone: bool
    """Whether it needs no lock around it where threads share it: what its documentation says."""
    processes: bool = False
    evicts: bool = False
    immutable: bool = False

    @property
    def heading(self) -> str:
        """The title, with the version that is installed."""
        return self.title if self.package is None else f"{self.title} {version(self.package)}"

    @property
    def installed(self) -> bool:
        try:
            return self.package is None or bool(version(self.package))
        except PackageNotFoundError:
            return False


def from_name(
    module: str, name: str, make: Any = lambda cls, items: cls(items)
) -> Callable[[dict[str, int]], Any]:
    """Return what makes a mapping of a class that is imported when it is needed."""
    return lambda items: make(getattr(importlib.import_module(module), name), items)


def filled(cls: Any, items: dict[str, int]) -> Any:
    """Make an empty mapping, and set the items one by one."""
    made = cls()
    for key, value in items.items():
        made[key] = value
    return made


_servers: list[Any] = []


def managed(items: dict[str, int]) -> Any:
    """Return a proxy of a dict in another process, one for all tries."""
    if not _servers:
        _servers.append(get_context("spawn").Manager())
    return _servers[0].dict(items)


PEERS = (
    Peer("safemap", None, from_name("safemap", "ShardedMap"), alone=True),
    Peer("cereggii `AtomicDict`", "cereggii", from_name("cereggii", "AtomicDict"), alone=True),
    Peer(
        "ft_utils `ConcurrentDict`",
        "ft_utils",
        from_name("ft_utils.concurrency", "ConcurrentDict", filled),
        alone=True,
    ),
    Peer("immutables `Map`", "immutables", from_name("immutables", "Map"), alone=True, immutable=True),
    Peer(
        "cachetools `LRUCache`",
        "cachetools",
        from_name("cachetools", "LRUCache", lambda cls, items: filled(lambda: cls(100), items)),
        alone=False,
        evicts=True,
    ),
    Peer("`Manager().dict()`", None, managed, alone=True, processes=True),
)


def operations(peer: Peer) -> str:
    """How many of dict's operations it has, and right."""
    return f"{sum(works(peer, *each) for each in OPERATIONS.values())} of {len(OPERATIONS)}"


def works(peer: Peer, operation: Callable[[Any], object], wanted: object) -> bool:
    try:
        return bool(operation(peer.make({"a": 1, "b": 2})) == wanted)
    except (AttributeError, KeyError, TypeError):
        return False


def add_in_one_step(peer: Peer) -> str:
    """By which method several threads add to one value and none is lost."""
    m = peer.make({"a": 0})
    if hasattr(m, "compute"):
        name, add = "`compute`", lambda: m.compute("a", lambda n: n + 1)
    elif hasattr(m, "reduce_sum"):
        name, add = "`reduce_sum`", lambda: m.reduce_sum([("a", 1)])
    else:
        return "no"
    threads = [threading.Thread(target=lambda: [add() for _ in range(EACH)]) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert m["a"] == THREADS * EACH, m["a"]
    return name


def made_once(peer: Peer) -> str:
    """By which method a missing value is made once, while other threads that want it wait."""
    m = peer.make({})
    return "`compute_if_absent`" if hasattr(m, "compute_if_absent") else "no"


def while_iterated(peer: Peer) -> str:
    """What comes of a new key in the middle of an iteration."""
    if peer.immutable:
        return "never changes"
    m = peer.make({"a": 1, "b": 2, "c": 3})
    try:
        for place, _key in enumerate(m):
            m[f"new{place}"] = 0
            if place > ENOUGH:
                return "without end"
    except RuntimeError:
        return "`RuntimeError`"
    except TypeError:
        return "cannot be iterated over"
    return "goes on"


def of_one_moment(peer: Peer) -> str:
    """What shows the contents of one moment, whatever others write."""
    if peer.immutable:
        return "is one"
    m = peer.make({"a": 1})
    if hasattr(m, "snapshot"):
        return "`snapshot`"
    return "`copy`" if peer.processes else "no"  # the server makes it in one step of dict


def key_held(peer: Peer) -> str:
    """What keeps other threads from one key for several statements."""
    return "`entry`" if hasattr(peer.make({}), "entry") else "no"


def alone(peer: Peer) -> str:
    return YES[peer.alone]


def processes(peer: Peer) -> str:
    return YES[peer.processes]


def evicts(peer: Peer) -> str:
    return YES[peer.evicts]


ROWS: dict[str, Callable[[Peer], str]] = {
    "operations of dict": operations,
    "`d[k] += 1` in one step": add_in_one_step,
    "a missing value is made once": made_once,
    "a write while it is iterated over": while_iterated,
    "the contents of one moment": of_one_moment,
    "a key held for several statements": key_held,
    "threads need no lock of their own": alone,
    "processes can share it": processes,
    "evicts old entries": evicts,
}


def columns() -> dict[str, list[str]]:
    """Return the cells of each column, by its heading; UNKNOWN where the package is not installed."""
    return {
        peer.heading if peer.installed else peer.title: [
            row(peer) if peer.installed else UNKNOWN for row in ROWS.values()
        ]
        for peer in PEERS
    }


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    known = columns()
    yield f"| | {' | '.join(known)} |"
    yield f"|---|{'---|' * len(known)}"
    for title, *cells in zip(ROWS, *known.values(), strict=True):
        yield f"| {title} | {' | '.join(cells)} |"


if __name__ == "__main__":
    print(*table(), sep="\n")  # noqa: T201 - it is a command
    print(f"(CPython {sys.version.split()[0]})")  # noqa: T201

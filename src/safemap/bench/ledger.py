"""What threads did to a map, counted by each of them for itself, and samples of it.

Each thread has cells of its own, a list that nobody else writes to: for each kind of event how often it was, and
at what count the next one is looked at more closely. So an event costs a look into `threading.local`, an addition
and a comparison. About every 64th event of a kind is sampled, at irregular distances: which key, by its hash; of
what type; what value. Samples wait in their thread, some hundred at a time, and go then into a common reservoir
(Vitter 1985, algorithm R), which keeps each sample so far with the same probability. After every 64th one,
64 events in a row are noted, for what a single one cannot show: whether keys are used soon after they were set.

Nothing that is kept refers to a key or a value. Nobody ever waits: the lock is only tried for, so that a signal
handler or a finalizer may use the map in the middle of all this; summing up alone takes it. What a thread leaves
when it ends is handed on by a finalizer, and added to what is past by whoever comes next.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter_ns
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from safemap.bench.events import EVENTS, TALLY, UPDATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

GAP: Final = 64
"""Events of a kind from one sample to the next, on average. A sample takes about 1 us, 15 ns for each event."""
RUN: Final = 64
"""Events that are noted in a row."""
SAMPLES_TO_A_RUN: Final = 64
"""Samples from one run to the next: so there are as many samples in runs as there are others."""
PARCEL: Final = 256
"""Samples that go into the reservoir together."""
RESERVOIR: Final = 16_384
"""Samples that are kept; 2 to 3 MB. A key used by one event in a thousand is among them 16 times."""
RUNS: Final = 256
SIZES: Final = 1_024
THREADS: Final = 128
"""Threads that ended and are known one by one; of more, those that did least are added up."""
CENSUS_NS: Final = 200_000_000
"""How often it is counted which threads are active: often enough that a second has some, and so long that each of
thirty threads gets its turn under the GIL."""


class Sample(NamedTuple):
    """One event, looked at closely."""

    thread: int
    event: int
    key: int
    """Its hash."""
    keys: str
    """Of what type it is, as in `Workload.keys`, or the name of another type."""
    value: int
    """The identity of the value that was read or written; 0: there is none, 1: an immortal one."""


_Sample: TypeAlias = tuple[int, int, int, str, int]
"""A `Sample`, as long as no one has asked for it: a plain tuple is made in a tenth of the time."""


@dataclass(slots=True)
class Tally:
    """What a thread has besides its cells."""

    thread: int
    gaps: Iterator[int]
    samples: list[_Sample] = field(default_factory=list["_Sample"])
    run: list[_Sample] = field(default_factory=list["_Sample"])
    left_of_run: int = 0
    until_run: int = SAMPLES_TO_A_RUN // 4
    """The first run comes early: a program may be done before the second."""
    at_census: int = 0
    next_walk: int = 0
    """At what count of iterations one is watched next."""
    walks: deque[list[int]] = field(default_factory=lambda: deque[list[int]](maxlen=64))
    """Of some iterations: how many items were taken, and of how many."""
    functions: list[int] = field(default_factory=lambda: [0, 0])
    """How many calls of users' functions were timed, and the ns that they took."""


@dataclass(slots=True)
class Seen:
    """All that a ledger knows, at one moment."""

    threads: list[Mapping[str, int]]
    """The counts of each thread, by event; "updated" and "cleared" are keys and entries."""
    ever: int
    """Threads that used the map."""
    active: Mapping[int, int]
    """How many events there were while so many threads were active."""
    samples: list[Sample]
    runs: list[list[Sample]]
    sizes: list[int]
    grown: int
    """By how much the map is larger than at the beginning."""
    walks: list[list[int]]
    functions: list[int]
    seconds: float


class _Leaving:
    """Stands among a thread's locals, and goes when the thread does."""

    __slots__ = ("cells", "ended")

    def __init__(self, cells: list[Any], ended: deque[list[Any]]) -> None:
        self.cells, self.ended = cells, ended

    def __del__(self) -> None:
        self.ended.append(self.cells)


class Ledger:
    """Cells of all threads, and what was sampled. `size` returns the map's size, or None where it would wait."""

    def __init__(self, size: Callable[[], int | None]) -> None:
        self.size = size
        self.lock: threading.Lock = threading.Lock()
        self.local: threading.local = threading.local()
        self.chance: random.Random = random.Random()  # noqa: S311 - a sample, not a secret
        self.begun_ns: int = perf_counter_ns()
        self.first_size: int | None = size()
        self.live: dict[int, list[Any]] = {}
        self.ended: deque[list[Any]] = deque()
        self.past: list[list[int]] = []
        self.ever: int = 0
        self.samples: list[_Sample] = []
        self.offered: int = 0
        self.runs: deque[list[_Sample]] = deque(maxlen=RUNS)
        self.sizes: list[int] = []
        self.sizes_offered: int = 0
        self.walks: deque[list[int]] = deque(maxlen=1_024)
        self.functions: list[int] = [0, 0]
        self.active: Counter[int] = Counter()
        self.most: int = 0
        """Threads that were there at the same time, since the last census."""
        self.gone: list[int] = []
        """What those did that have ended since then."""
        self.census_due: int = self.begun_ns + CENSUS_NS

    # --- in the threads -----------------------------------------------------------------------------

    def enter(self) -> list[Any]:
        """Return the cells of a thread that has none yet."""
        chance = random.Random()  # noqa: S311 - a sample, not a secret
        cells: list[Any] = [chance.randrange(1, GAP + 1) * (place % 2) for place in range(UPDATED)]
        cells += [0, 0]
        gaps = cycle([chance.randrange(GAP // 2, 3 * GAP // 2 + 1) for _ in range(61)])
        tally = Tally(chance.getrandbits(62), gaps)
        cells.append(tally)
        self.local.cells = cells
        self.local.leaving = _Leaving(cells, self.ended)
        if self.ended and self.lock.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self.lock.release()
        self.live[id(cells)] = cells
        self.most = max(self.most, len(self.live))
        return cells

    def sample(self, cells: list[Any], event: int, key: Any, value: Any) -> None:
        """Look closely at an event that is due."""
        tally: Tally = cells[TALLY]
        try:
            hashed = hash(key)
        except Exception:  # noqa: BLE001 - a key's own code: it has raised nothing to the map, so not to its user
            hashed = 0
        types = _TYPES.get(type(key)) or _type_of_key(key)
        sample = (tally.thread, event, hashed, types, 1 if value is None else _identity(value))
        if tally.left_of_run > 0:
            tally.run.append(sample)
            tally.left_of_run -= 1
            if tally.left_of_run == 0:
                run, tally.run = tally.run, []
                self.runs.append(run)
                for place in range(0, UPDATED, 2):
                    cells[place + 1] = cells[place] + next(tally.gaps)
            return
        tally.samples.append(sample)
        cells[event + 1] = cells[event] + next(tally.gaps)
        tally.until_run -= 1
        if tally.until_run == 0:
            tally.until_run, tally.left_of_run = SAMPLES_TO_A_RUN, RUN
            for place in range(1, UPDATED, 2):
                cells[place] = 0
            self._note_size()
        if len(tally.samples) >= PARCEL and self.lock.acquire(blocking=False):
            try:
                self._settle()
                parcel, tally.samples = tally.samples, []
                self._keep(parcel)
            finally:
                self.lock.release()
        if perf_counter_ns() >= self.census_due and self.lock.acquire(blocking=False):
            try:
                self._count_active()
            finally:
                self.lock.release()

    # --- together; the lock is held -----------------------------------------------------------------

    def _note_size(self) -> None:
        size = self.size()
        if size is None:
            return
        self.sizes_offered += 1
        if len(self.sizes) < SIZES:
            self.sizes.append(size)
        else:
            place = int(self.chance.random() * self.sizes_offered)
            if place < SIZES:
                self.sizes[place] = size

    def _keep(self, parcel: list[_Sample]) -> None:
        for sample in parcel:
            self.offered += 1
            if len(self.samples) < RESERVOIR:
                self.samples.append(sample)
            else:
                place = int(self.chance.random() * self.offered)
                if place < RESERVOIR:
                    self.samples[place] = sample

    def _count_active(self) -> None:
        self.census_due = perf_counter_ns() + CENSUS_NS
        work, self.gone = self.gone, []
        live = self.live.copy()
        for cells in live.values():
            work.append(_new_work(cells))
        # Threads of which one began when the other had ended were not active together.
        active = min(self.most, sum(map(bool, work)))
        self.most = len(live)
        if active:
            self.active[active] += sum(work)

    def _settle(self) -> None:
        """Add what threads left that have ended."""
        while self.ended:
            cells = self.ended.popleft()
            self.live.pop(id(cells), None)
            tally: Tally = cells[TALLY]
            self.ever += 1
            self.gone.append(_new_work(cells))
            self.past.append(_counts(cells))
            self._keep(tally.samples)
            if tally.run:
                self.runs.append(tally.run)
            self.walks.extend(tally.walks)
            self.functions = [mine + its for mine, its in zip(self.functions, tally.functions, strict=True)]
        if len(self.gone) > THREADS:
            self.gone = [*sorted(self.gone)[-THREADS:], sum(sorted(self.gone)[:-THREADS])]
        if len(self.past) > THREADS:
            self.past.sort(key=sum, reverse=True)
            rest = self.past[THREADS // 2 :]
            self.past[THREADS // 2 :] = [[sum(each) for each in zip(*rest, strict=True)]]

    def survive_fork(self) -> None:
        """Go on in a child process, where whoever had the lock is no more."""
        self.lock = threading.Lock()

    # --- summing up ---------------------------------------------------------------------------------

    def seen(self) -> Seen:
        """Return what was seen so far. Threads that are in the middle of an event may or may not count it."""
        size = self.size()
        with self.lock:
            self._settle()
            self._count_active()
            live = [*self.live.copy().values()]
            tallies: list[Tally] = [cells[TALLY] for cells in live]
            sizes = [*self.sizes] or [size or 0]
            first = self.first_size
            return Seen(
                threads=[
                    dict(zip((*EVENTS, "updated", "cleared"), counts, strict=True))
                    for counts in (*self.past, *map(_counts, live))
                ],
                ever=self.ever + len(live),
                active=dict(self.active),
                samples=[
                    Sample(*sample)
                    for samples in (self.samples, *(tally.samples.copy() for tally in tallies))
                    for sample in samples
                ],
                runs=[
                    [Sample(*sample) for sample in run]
                    for run in (*self.runs.copy(), *(tally.run.copy() for tally in tallies))
                ],
                sizes=sizes,
                grown=0 if size is None or first is None else size - first,
                walks=[*self.walks.copy(), *(walk for tally in tallies for walk in tally.walks.copy())],
                functions=[
                    sum(each) for each in zip(self.functions, *(tally.functions for tally in tallies), strict=True)
                ],
                seconds=(perf_counter_ns() - self.begun_ns) / 1e9,
            )


def _new_work(cells: list[Any]) -> int:
    """Return how many events there were in a thread since it was last asked."""
    tally: Tally = cells[TALLY]
    before, tally.at_census = tally.at_census, sum(cells[0:UPDATED:2])
    return tally.at_census - before


def _counts(cells: list[Any]) -> list[int]:
    return [*cells[0:UPDATED:2], *cells[UPDATED:TALLY]]


_TYPES: Final[Mapping[type, str]] = {str: "str", int: "int", tuple: "tuple"}


def _type_of_key(key: object) -> str:
    cls = type(key)
    if isinstance(cls.__eq__, FunctionType) or isinstance(cls.__hash__, FunctionType):
        return "object"
    return cls.__name__


_IMMORTAL: Final = frozenset({type(None), bool})
_LARGEST_SMALL_INT: Final = 256


def _identity(value: object) -> int:
    if type(value) in _IMMORTAL or (type(value) is int and -5 <= value <= _LARGEST_SMALL_INT):  # noqa: PLR2004
        return 1
    return id(value)

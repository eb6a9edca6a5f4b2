"""Plans that are ready: quick (under a minute), standard (about twelve minutes), full (hours)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from safemap.bench import wordindex
from safemap.bench.catalogue import READ_SHARES, WORKLOADS, named
from safemap.bench.contestants import CONTROL, REFERENCE, contestants
from safemap.bench.contestants import named as contestant_named
from safemap.bench.drawn import LEARNT, draw
from safemap.bench.plan import LOADS, Entrant, Plan, job_workload, size_workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.workload import Workload

QUICK, STANDARD, FULL = "quick", "standard", "full"

_READS: Final = tuple(f"reads-{percent}" for percent in READ_SHARES)
_THREE: Final = ("reads-95", "reads-50", "reads-10")
_BALANCED: Final = "reads-50"
_OTHERS: Final = tuple(name for name in WORKLOADS if name not in _READS)
_ALIKE: Final = ("dict + RLock", "dict + readerwriterlock", "Manager().dict()", "null map")
"""Measured where a profile says `few_workloads`: as slow as another one, much slower, or no map."""
_FEW_WORKLOADS: Final = ("reads-100", "reads-95", "reads-50", "read-modify-write")
_SLOW: Final = "Manager().dict()"
"""It takes 50 us an operation, and a second to fill with 100,000 entries: the one workload is enough to see it."""

_AXES: Final[Sequence[Mapping[str, Any]]] = (
    {"size": 100},
    {"size": 100_000},
    {"keys": "int"},
    {"keys": "tuple"},
    {"keys": "object"},
    {"values": "immortal"},
    {"values": "shared"},
    {"access": "zipf"},
    {"access": "hot"},
    {"access": "disjoint"},
)
"""One axis at a time, from reads-90."""
_VARIED: Final = "reads-90"
_VARIANTS_ONLY: Final = ("go-", f"{_VARIED}@")
"""Workloads, by how their names begin, that the standard profile measures the variants on, and no baselines."""
DRAWN: Final = {STANDARD: 80, FULL: 640}
"""Workloads drawn at random, each measured once, for `recommend` to learn from: many teach more than exact ones.
What ships with the package has learnt from 640, for some interpreters."""
_SIZES: Final = (100, 1_000, 10_000, 100_000)
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may ask for; None and empty: as the profile has it."""

    profile: str = QUICK
    workloads: tuple[Workload, ...] = ()
    jobs: tuple[str, ...] | None = None
    threads: tuple[int, ...] = ()
    own_threads: Mapping[str, int] = field(default_factory=dict[str, int])
    """What workloads were recorded with: so they are measured, unless `threads` says otherwise."""
    contestants: tuple[str, ...] = ()
    blocks: int | None = None
    seconds: float | None = None
    seed: int = 1


def plan(options: Options, cores: int) -> Plan:
    """Return the plan of a profile, changed by what the user asks for. Raises ContestantError, WorkloadError."""
    made = {QUICK: _quick, STANDARD: _standard, FULL: _full}[options.profile](cores)
    if options.workloads or options.jobs is not None:
        made = _of_these(made, options, cores)
    elif options.threads:
        made = replace(
            made, threads={name: _enough(options.threads, made.workload(name)) for name in made.threads}
        )
    if options.contestants:
        for name in options.contestants:
            why = contestant_named(name).missing()
            if why is not None:
                message = f"{name} cannot run: {why}"
                raise ValueError(message)
        wanted = {REFERENCE, CONTROL, *options.contestants}
        # Who is asked for by name is measured wherever it can be.
        made = replace(made, entrants=tuple(each for each in _entrants(()) if each.name in wanted), few=())
    changes: dict[str, Any] = {"blocks": options.blocks, "seconds": options.seconds, "seed": options.seed}
    return replace(made, **{name: value for name, value in changes.items() if value is not None})


def of_one(workload: Workload, threads: int, cores: int) -> Plan:
    """Return a plan that tells the variants apart on one workload, with so many threads: five blocks of each."""
    variants = tuple(name for name, contestant in contestants().items() if contestant.role == "variant")
    return plan(
        Options(workloads=(workload,), threads=(threads,), contestants=variants, blocks=5, seconds=0.1), cores
    )


def _of_these(made: Plan, options: Options, cores: int) -> Plan:
    jobs = options.jobs or ()
    workloads = (*options.workloads, *(job_workload() for _ in jobs))
    default = options.threads or _threads(made.profile, cores)
    own = {} if options.threads else options.own_threads
    threads = dict.fromkeys(jobs, default) | {
        each.name: (own[each.name],) if each.name in own else default for each in options.workloads
    }
    names = {workload.name for workload in workloads}
    return replace(
        made,
        workloads=workloads,
        threads={workload.name: _enough(threads[workload.name], workload) for workload in workloads},
        jobs=jobs,
        once=(),
        latency=tuple(name for name in names if made.latency and name not in jobs),
        sizes=(),
        few=(),
    )


def _entrants(without: Sequence[str]) -> tuple[Entrant, ...]:
    names = [name for name, contestant in contestants().items() if contestant.missing() is None]
    return tuple(Entrant.of(name) for name in (*names, CONTROL) if name not in without)


def _notes() -> tuple[str, ...]:
    return tuple(
        f"{name} was not measured: {why}"
        for name, contestant in contestants().items()
        if (why := contestant.missing()) is not None
    )


def _threads(profile: str, cores: int) -> tuple[int, ...]:
    most = min(max(cores, 2), 8)
    if profile == QUICK:
        return (1, most)
    return tuple(sorted({1, 2, 4, most, *((8,) if profile == FULL else ())}))


def _enough(threads: Sequence[int], workload: Workload) -> tuple[int, ...]:
    """Return the numbers of threads that a workload can be run with."""
    fewest = workload.fewest_threads
    return tuple(dict.fromkeys(max(count, fewest) for count in threads))


def _at_once(threads: Sequence[int], cores: int) -> tuple[int, ...]:
    """Return the highest number of threads that the cores can run at once."""
    return (max(count for count in threads if count <= max(cores, 2)),)


def _in_turns(mixtures: Sequence[Workload], at_once: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the numbers of threads of what is drawn: one, and as many as the cores run at once, in turns."""
    return {each.name: at_once if place % 2 else (1,) for place, each in enumerate(mixtures)}


def _quick(cores: int) -> Plan:
    one, most = _threads(QUICK, cores)
    workloads = (*map(named, _THREE), job_workload())
    return Plan(
        QUICK,
        _entrants((*_ALIKE, "cereggii.AtomicDict", "ft_utils.ConcurrentDict")),
        workloads,
        # One mix with one thread, too: that is enough to see what a second one brings.
        {workload.name: (most,) for workload in workloads} | {_BALANCED: (one, most)},
        jobs=(wordindex.NAME,),
        blocks=5,
        seconds=0.05,
    )


def _standard(cores: int) -> Plan:
    threads = _threads(STANDARD, cores)
    at_once = _at_once(threads, cores)
    varied = tuple(named(_VARIED).varied(**axes) for axes in _AXES)
    counts = {name: threads if name in _FEW_WORKLOADS or name in _THREE else at_once for name in _READS}
    counts |= dict.fromkeys(_OTHERS, at_once)
    counts["read-modify-write"] = threads
    counts |= {workload.name: at_once for workload in varied}
    counts[wordindex.NAME] = at_once
    mixtures = draw(DRAWN[STANDARD], LEARNT)
    counts |= _in_turns(mixtures, at_once)
    return Plan(
        STANDARD,
        _entrants(()),
        (*WORKLOADS.values(), *varied, *mixtures, job_workload(), *map(size_workload, _SIZES)),
        {name: _enough(each, WORKLOADS[name]) if name in WORKLOADS else each for name, each in counts.items()},
        variants_only=tuple(name for name in counts if name.startswith(_VARIANTS_ONLY)),
        few=_ALIKE,
        few_workloads=_FEW_WORKLOADS,
        latency=_THREE,
        sizes=_SIZES,
        jobs=(wordindex.NAME,),
        once=tuple(each.name for each in mixtures),
        blocks=5,
        seconds=0.05,
        notes=_notes(),
    )


def _full(cores: int) -> Plan:
    threads = _threads(FULL, cores)
    sizes = tuple(
        WORKLOADS[name].varied(size=size) for name in _READS for size in (100, 10_000, 100_000, _MILLION)
    )
    varied = tuple(WORKLOADS[name].varied(**axes) for name in _THREE for axes in _AXES if "size" not in axes)
    varied += tuple(WORKLOADS[name].varied(size=size) for name in _OTHERS for size in (100_000,))
    workloads = (*WORKLOADS.values(), *sizes, *varied, job_workload())
    counts = {workload.name: _enough(threads, workload) for workload in workloads}
    mixtures = draw(DRAWN[FULL], LEARNT)
    counts |= _in_turns(mixtures, _at_once(threads, cores))
    return Plan(
        FULL,
        _entrants(()),
        (*workloads, *mixtures, *map(size_workload, (*_SIZES, _MILLION))),
        counts,
        few=(_SLOW,),
        few_workloads=_FEW_WORKLOADS,
        latency=(*_READS, "read-modify-write", "exchange", "snapshots"),
        loads=LOADS,
        sizes=(*_SIZES, _MILLION),
        jobs=(wordindex.NAME,),
        once=tuple(each.name for each in mixtures),
        blocks=10,
        seconds=0.3,
        notes=_notes(),
    )

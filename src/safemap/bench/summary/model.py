"""What reports show, as plain data: `dataclasses.asdict` of any of it is JSON.

Rates are operations per second, latencies and costs are in ns, memory is in bytes. None is what was not measured,
or has no figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safemap.bench.statistics import Ratio

State: TypeAlias = Literal["good", "fault", "capped", "lost", "not measured"]
"""fault: the map came out wrong. capped: given up. lost: a job that lost counts, so was not done."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure: the median of all blocks, the lowest and the highest."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who was compared. The control is left out: it is in `Noise`."""

    name: str
    role: str
    atomic: bool
    lacks: str
    few: bool
    """Whether it was measured on few workloads only."""


@dataclass(frozen=True, slots=True)
class Pick:
    """Which variant to take for a workload."""

    workload: str
    about: str
    described: str
    family: str
    threads: int
    beyond: bool
    """Whether these are more threads than cores."""
    best: str | None
    """None: there is no verdict."""
    ratio: Ratio | None
    """Of the best to the reference."""
    ties: tuple[str, ...]
    runner_up: tuple[str, float] | None
    """The next variant that is worse, and how many times as good the best is."""
    faster: tuple[tuple[str, Ratio], ...]
    """Baselines that beat every variant, with their ratios to the reference."""
    not_for: tuple[str, ...]
    """What the best does not promise: who needs it has to take another one."""


@dataclass(frozen=True, slots=True)
class Overall:
    """The one variant to take where there is to be one."""

    pick: str
    judged: int
    """How many workloads have a verdict."""
    leads: int
    """In how many of them it is the best, or not to be told from it."""
    typical: float | None
    """Where it is behind: the median of its throughput as a share of the best variant's. None: it never is."""
    worst: tuple[str, str, float] | None
    """The workload in which it is furthest behind, beyond noise; the best there, and how many times as good."""
    not_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """A row of the table of guarantees."""

    title: str
    values: tuple[str, ...]
    """Of each variant, in their order."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A contestant on a workload, with a number of threads: what all blocks together showed."""

    workload: str
    family: str
    kind: str
    threads: int
    beyond: bool
    judged: bool
    """Whether verdicts speak of this number of threads."""
    contestant: str
    state: State
    why: str
    blocks: int
    throughput: Spread | None
    ratio: Ratio | None
    """To the reference."""
    tie: bool | None
    """Whether the ratio is within noise."""
    net: float | None
    """Throughput without what the timed loop takes by itself. None: that was not measured, or is all."""
    fairness: float | None
    """Jain's index; None of one thread."""
    cpu: float | None
    """CPU seconds per million operations."""
    collections: float | None
    lost: float | None
    peak_bytes: float | None
    background: float | None
    """Operations per second of the thread that is not measured."""


@dataclass(frozen=True, slots=True)
class Crossover:
    """Where one contestant overtakes another one as reads become more."""

    below: str
    """Who is ahead with fewer reads."""
    above: str
    reads: float
    """The share of reads, interpolated: time per operation is taken to change evenly between two measurements."""
    rate: float
    between: tuple[float, float]
    """The nearest shares at which the two were told apart."""


@dataclass(frozen=True, slots=True)
class ReadShares:
    """Throughput by the share of reads."""

    threads: int
    beyond: bool
    workloads: tuple[str, ...]
    shares: tuple[float, ...]
    crossovers: tuple[Crossover, ...]


@dataclass(frozen=True, slots=True)
class Latency:
    """A contestant's latencies on a workload under a load."""

    workload: str
    threads: int
    beyond: bool
    load: float
    contestant: str
    count: int
    p50: float
    p90: float
    p99: float
    p999: float
    longest: float
    kept_up: float
    """The share of the offered rate that it achieved."""
    behind: bool
    """Whether it did not keep up: its latencies only say how long the test was."""
    curve: tuple[tuple[float, float], ...]
    """Pairs of a share and the latency that it did not exceed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation, or an entry's memory, costs a contestant, by the size of the map."""

    cost: str
    contestant: str
    by_size: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Noise:
    """What the reference, run twice in each block, differs from itself."""

    kind: str
    threads: int
    floor: float | None
    """Ratios nearer to 1 are ties. None: there is no limit to it, for the control has next to no figures."""
    ratios: tuple[tuple[str, int, float], ...]
    """Workload, block, and how many times as good the control was as the reference."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A contestant that has no figures on a workload, and why."""

    workload: str
    contestant: str
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Run:
    """How, where and when it was measured."""

    profile: str
    command: str
    began: str
    ended: str | None
    blocks: int
    planned_blocks: int
    cells: int
    planned_cells: int | None
    """None where a contestant of the plan is not known here."""
    cores: int
    gil: bool
    environment: tuple[tuple[str, str], ...]
    """Titles and values, for the reader."""


@dataclass(frozen=True, slots=True)
class Summary:
    """All that reports show."""

    run: Run
    reference: str
    overall: Overall | None
    picks: tuple[Pick, ...]
    cautions: tuple[str, ...]
    """What is wrong with the figures as a whole: unfinished, few blocks, a busy machine, faults."""
    notes: tuple[str, ...]
    contestants: tuple[Contestant, ...]
    variants: tuple[str, ...]
    promises: tuple[Promise, ...]
    measured: tuple[Measured, ...]
    read_shares: ReadShares | None
    latencies: tuple[Latency, ...]
    costs: tuple[Cost, ...]
    peaks: tuple[Cost, ...]
    """The most memory that a process ever had, interpreter and all, by size of the map in it."""
    noise: tuple[Noise, ...]
    troubles: tuple[Trouble, ...]

    def of(self, workload: str, threads: int | None = None) -> tuple[Measured, ...]:
        """Return what was measured on a workload: with that many threads; None: with the number that is judged."""
        return tuple(
            each
            for each in self.measured
            if each.workload == workload and (each.judged if threads is None else each.threads == threads)
        )

    @property
    def lost(self) -> tuple[Measured, ...]:
        """Where counts were lost by who does not promise to keep them."""
        return tuple(each for each in self.measured if each.lost)

"""What is to be measured: profiles, and the cells that they come to, in the order in which they run.

The order: blocks, each with every cell once. In a block the contestants of one workload follow one another, in
random order, so that what the machine does besides hits all of them, and ratios within a block cancel it.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from safemap.bench import wordindex
from safemap.bench.contestants import CONTROL, named
from safemap.bench.script import operations_of
from safemap.bench.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


Kind: TypeAlias = Literal["throughput", "latency", "job", "size"]
"""throughput: as fast as it goes. latency: at a paced rate. job: real work, until it is done. size: the costs and
the memory of a map of a size."""

LOADS: Final = (0.25, 0.5)
"""The rates of latency, as shares of what the reference does at its fastest, in the same block. Keeping time costs
a thread about as much as an operation, so that at more than half no map could keep up."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One thing to measure once, in a process of its own. The same cell, but for the block, is measured again."""

    kind: Kind
    block: int
    workload: str
    threads: int
    contestant: str
    load: float = 0.0
    """latency: the share of the reference's throughput that is offered."""

    @property
    def series(self) -> tuple[str, str, int, str, float]:
        """What cells have in common that differ in nothing but the block."""
        return self.kind, self.workload, self.threads, self.contestant, self.load


@dataclass(frozen=True, slots=True)
class Entrant:
    """What a report has to know of a contestant."""

    name: str
    role: str
    """variant, baseline, floor; or control: the reference, a second time."""
    atomic: bool
    lacks: str

    @classmethod
    def of(cls, name: str) -> Entrant:
        """Look a contestant up. Raises ContestantError."""
        contestant = named(name)
        role = "control" if name == CONTROL else contestant.role
        return cls(name, role, contestant.atomic, contestant.lacks)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    profile: str
    entrants: tuple[Entrant, ...]
    workloads: tuple[Workload, ...]
    """Also those that stand for a size (see `sizes`) and for jobs: then only name and `about` mean something."""
    threads: Mapping[str, tuple[int, ...]]
    """The numbers of threads, by the workload's name."""
    few: tuple[str, ...] = ()
    """Entrants that are slow, or much alike: only their throughput is measured, on `few_workloads` alone, at the
    highest number of threads that the cores can run."""
    few_workloads: tuple[str, ...] = ()
    variants_only: tuple[str, ...] = ()
    """Workloads that baselines are not measured on."""
    latency: tuple[str, ...] = ()
    """Workloads whose latency is measured, at the highest number of threads that the cores can run."""
    loads: tuple[float, ...] = LOADS[:1]
    sizes: tuple[int, ...] = ()
    """Sizes of maps whose costs and memory are measured."""
    jobs: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    """Workloads that only the variants are measured on, and each in one block alone: they take turns. They are for
    advice to learn from, and reports leave them out."""
    blocks: int = 5
    seconds: float = 0.05
    seed: int = 1
    notes: tuple[str, ...] = field(default=())
    """What the reader has to know of the plan itself: contestants that are not installed."""

    def names(self, *roles: str) -> list[str]:
        """Return the names of the entrants in these roles."""
        return [entrant.name for entrant in self.entrants if entrant.role in roles]

    def entrant(self, name: str) -> Entrant:
        """Return the entrant of a name."""
        return next(entrant for entrant in self.entrants if entrant.name == name)

    def workload(self, name: str) -> Workload:
        """Return the workload of a name."""
        return next(workload for workload in self.workloads if workload.name == name)

    def judged_threads(self, workload: str, cores: int) -> int:
        """Return the number of threads that verdicts speak of: the highest that the cores can run at once."""
        threads = self.threads[workload]
        return max((count for count in threads if count <= cores), default=min(threads))

    def in_block(self, workload: str, block: int) -> bool:
        """Return whether a workload is measured in a block; those that are measured once take turns."""
        return workload not in self.once or self.once.index(workload) % self.blocks == block

    def cells(self, cores: int) -> Iterator[Cell]:
        """Yield every cell, in the order in which they are to run. The same plan gives the same order."""
        chance = random.Random(self.seed)  # noqa: S311 - an order, not a secret
        for block in range(self.blocks):
            groups = [*self._groups(block, cores)]
            chance.shuffle(groups)
            for group in groups:
                for part in group:
                    yield from chance.sample(part, len(part))

    def _groups(self, block: int, cores: int) -> Iterator[list[list[Cell]]]:
        """Yield the cells of a block, those together that must be: latency needs the throughput before it."""
        for name, counts in self.threads.items():
            if not self.in_block(name, block):
                continue
            kind: Kind = "job" if name in self.jobs else "throughput"
            for threads in counts:
                judged = threads == self.judged_threads(name, cores)
                who = self._who(name, few=judged)
                group = [[Cell(kind, block, name, threads, entrant) for entrant in who]]
                if name in self.latency and judged:
                    paced = [entrant for entrant in who if entrant not in self.few]
                    group += [
                        [Cell("latency", block, name, threads, entrant, load) for entrant in paced]
                        for load in self.loads
                    ]
                yield group
        for size in self.sizes:
            names = [each for each in self.names("variant", "baseline") if each not in self.few]
            yield [[Cell("size", block, size_name(size), 1, entrant) for entrant in names]]

    def _who(self, workload: str, *, few: bool) -> list[str]:
        """Return the entrants that run a workload: those that have all of its operations."""
        known = [entrant.name for entrant in self.entrants]
        if workload in self.once:
            known = self.names("variant")
        elif workload in self.variants_only:
            known = self.names("variant", "control")
        if workload not in self.few_workloads or not few:
            known = [name for name in known if name not in self.few]
        needed: tuple[str, ...] = wordindex.STATEMENTS
        if workload not in self.jobs:
            needed = tuple(operation.name for operation in operations_of(self.workload(workload)))
        else:
            known = [name for name in known if self.entrant(name).role != "floor"]
        return [name for name in known if named(name).does(needed)]

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON knows."""
        return {**asdict(self), "workloads": [workload.to_json() for workload in self.workloads]}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Plan:
        """Return what `to_json` gave. What it has was checked against the schema. Raises WorkloadError."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
        }
        known |= {
            "entrants": tuple(Entrant(**each) for each in given["entrants"]),
            "workloads": tuple(Workload.from_json(each) for each in given["workloads"]),
            "threads": {name: tuple(counts) for name, counts in given["threads"].items()},
        }
        return cls(**known)


def size_name(size: int) -> str:
    """Return the name of the workload that stands for a size."""
    return f"size-{size}"


def size_workload(size: int) -> Workload:
    """Return the workload that stands for a size."""
    return Workload(size_name(size), {"get": 0.5, "set": 0.5}, "costs and memory by size", size=size)


def job_workload() -> Workload:
    """Return what stands for the word index."""
    return Workload(wordindex.NAME, {"compute": 1.0}, wordindex.ABOUT)

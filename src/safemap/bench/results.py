"""What was planned and what has been measured so far, sorted by the questions of the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.statistics import Verdict, jain, judge, noise_floor, within_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safemap.bench.contestants import Contestant
    from safemap.bench.engine import Measurement
    from safemap.bench.wordindex import Build, Corpus
    from safemap.bench.workloads import Workload


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    contestants: tuple[Contestant, ...]
    workloads: tuple[Workload, ...]
    threads: tuple[int, ...]
    index: bool
    blocks: int
    seconds: float
    seed: int

    def names(self, role: str) -> list[str]:
        """Return the names of the contestants in a role."""
        return [contestant.name for contestant in self.contestants if contestant.role == role]

    def judged_threads(self, cores: int) -> int:
        """Return the number of threads that verdicts speak of: the highest that the cores can run at once."""
        return max((count for count in self.threads if count <= cores), default=min(self.threads))


@dataclass(slots=True)
class Results:
    """What has been measured. Whatever has a fault, in any block, has no score."""

    plan: Plan
    corpus: Corpus | None = None
    measurements: list[Measurement] = field(default_factory=list["Measurement"])
    builds: list[Build] = field(default_factory=list["Build"])

    @property
    def blocks(self) -> int:
        """How many blocks are done, at least in part."""
        return len({each.block for each in self.measurements} | {each.block for each in self.builds})

    @property
    def faulty(self) -> bool:
        """Whether any map came out wrong."""
        return any(self.faults(workload.name) for workload in self.plan.workloads) or bool(self.index_faults())

    def faults(self, workload: str) -> dict[str, str]:
        """Return what was wrong with contestants on a workload: the first fault of each, with its place."""
        faults: dict[str, str] = {}
        for each in self.measurements:
            if each.workload == workload and each.window.fault is not None:
                faults.setdefault(each.contestant, f"{each.window.fault} (threads: {each.threads})")
        return faults

    def throughputs(self, workload: str, threads: int) -> dict[str, dict[int, float]]:
        """Return each contestant's operations per second, by block."""
        faults = self.faults(workload)
        scores: dict[str, dict[int, float]] = {}
        for each in self._cell(workload, threads):
            if each.contestant not in faults:
                scores.setdefault(each.contestant, {})[each.block] = each.window.throughput
        return scores

    def fairness(self, workload: str, threads: int) -> dict[str, float]:
        """Return each contestant's Jain index: the median of those of its windows."""
        indices: dict[str, list[float]] = {}
        for each in self._cell(workload, threads):
            indices.setdefault(each.contestant, []).append(jain(each.window.counts))
        return {name: median(each) for name, each in indices.items()}

    def _cell(self, workload: str, threads: int) -> list[Measurement]:
        return [each for each in self.measurements if (each.workload, each.threads) == (workload, threads)]

    def index_faults(self) -> dict[str, str]:
        """Return what was wrong with contestants' word indexes: the first fault of each."""
        faults: dict[str, str] = {}
        for each in self.builds:
            if each.fault is not None:
                faults.setdefault(each.contestant, each.fault)
        return faults

    def index_losses(self) -> dict[str, int]:
        """Return how many counts each contestant lost in its worst run."""
        losses: dict[str, int] = {}
        for each in self.builds:
            losses[each.contestant] = max(each.lost, losses.get(each.contestant, 0))
        return losses

    def index_scores(self) -> dict[str, dict[int, float]]:
        """Return each contestant's indexes per second, by block; none for one that was ever incomplete."""
        out = self.index_faults().keys() | {name for name, lost in self.index_losses().items() if lost}
        scores: dict[str, dict[int, float]] = {}
        for each in self.builds:
            if each.contestant not in out:
                scores.setdefault(each.contestant, {})[each.block] = 1 / each.seconds
        return scores

    def index_seconds(self) -> dict[str, float]:
        """Return the median time of each contestant's builds, those that went wrong left out."""
        seconds: dict[str, list[float]] = {}
        for each in self.builds:
            if each.fault is None:
                seconds.setdefault(each.contestant, []).append(each.seconds)
        return {name: median(each) for name, each in seconds.items()}

    def noise(self, threads: int) -> float:
        """Return the noise floor at a number of threads, from the control on all workloads."""
        ratios: list[float] = []
        for workload in self.plan.workloads:
            ratios += _control(self.throughputs(workload.name, threads))
        return noise_floor(ratios, self.plan.blocks)

    def index_noise(self) -> float:
        """Return the noise floor of the word index."""
        return noise_floor(_control(self.index_scores()), self.plan.blocks)

    def verdict(self, workload: str, threads: int) -> Verdict | None:
        """Return which variant to take for a workload. None without a good figure of the reference."""
        return self._judge(self.throughputs(workload, threads), self.noise(threads))

    def index_verdict(self) -> Verdict | None:
        """Return which variant to take for the word index. None without a good figure of the reference."""
        return self._judge(self.index_scores(), self.index_noise())

    def _judge(self, scores: dict[str, dict[int, float]], noise: float) -> Verdict | None:
        return judge(scores, self.plan.names("variant"), self.plan.names("baseline"), REFERENCE, noise)

    def cores_had(self, threads: int) -> float | None:
        """Return how many cores' worth of CPU time the threads got in the windows of a plain dict: the median.

        A thread on a plain dict never waits for another one, so it is the machine that kept from it what is
        missing. None before there is such a window.
        """
        free = [contestant.name for contestant in self.plan.contestants if contestant.updates == "not atomic"]
        shares = [
            each.window.cpu_seconds / each.window.seconds
            for each in self.measurements
            if each.threads == threads and each.contestant in free
        ]
        return median(shares) if shares else None


def _control(scores: dict[str, dict[int, float]]) -> list[float]:
    return within_blocks(scores.get(CONTROL, {}), scores.get(REFERENCE, {}))


def medians(scores: dict[str, dict[int, float]]) -> dict[str, float]:
    """Return the median over the blocks, of each contestant."""
    return {name: median(each.values()) for name, each in scores.items()}


def shown(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Return the contestants that a table has a row for."""
    return [contestant for contestant in contestants if contestant.role != "control"]

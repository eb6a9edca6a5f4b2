"""What was planned and what has been measured so far: kept in a file, and sorted by the questions of reports.

The file is JSON, as `results.schema.json` beside this module says; its version changes when that does. It is
written to another name first and then renamed, so whoever reads it finds a whole one.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import zlib
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from safemap.bench import histogram
from safemap.bench.contestants import CONTROL, REFERENCE
from safemap.bench.environment import Environment
from safemap.bench.plan import Cell, Plan
from safemap.bench.statistics import jain, noise_floor, within_blocks
from safemap.bench.workload import WorkloadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


FORMAT: Final = "safemap benchmark results"
VERSION: Final = 1
COMPRESSED: Final = ".gz"
QUANTILES: Final = (0.5, 0.9, 0.99, 0.999)


class ResultsError(ValueError):
    """A file is no results that this version can read. The message is for the user, on one line."""


Scores = dict[str, dict[int, float]]
"""Each contestant's figure in each block; the more the better."""


@dataclass(frozen=True, slots=True)
class Record:
    """A cell, and what it showed."""

    cell: Cell
    found: Mapping[str, Any]
    """As `cell.measure` returned it. `fault`: what was wrong with the map, or null; `capped`: why it was given up,
    where it was."""

    @property
    def good(self) -> bool:
        """Whether it has figures."""
        return self.found.get("fault") is None and self.found.get("capped") is None

    @property
    def rates(self) -> list[float]:
        """Operations per second of each thread that is measured."""
        rates: list[float] = self.found["rates"][: self.found["measured"]]
        return rates

    @property
    def throughput(self) -> float:
        """Operations per second, of all threads that are measured together."""
        return sum(self.rates)


@dataclass(slots=True)
class Results:
    """What has been measured. Whatever has a fault, in any block, has no score."""

    plan: Plan
    environment: Environment
    command: str
    began: str
    """When, in UTC, as ISO 8601 has it."""
    ended: str | None = None
    """When all was measured; None: it was not, or is not yet."""
    records: list[Record] = field(default_factory=list["Record"])

    # --- the file -----------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON knows, and the schema describes."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "command": self.command,
            "began": self.began,
            "ended": self.ended,
            "environment": self.environment.to_json(),
            "plan": self.plan.to_json(),
            "records": [{**asdict(each.cell), **each.found} for each in self.records],
        }

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all. Raises OSError."""
        write_atomically(path, json.dumps(self.to_json(), separators=(",", ":")) + "\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read the file. Raises ResultsError, with one line for the user."""
        given = read_json(path, FORMAT, VERSION)
        try:
            _validator()(given)
        except ValueError as error:  # fastjsonschema's is one
            message = f"{path} is not as the schema of version {VERSION} wants it: {error}"
            raise ResultsError(message) from None
        return cls.from_json(given, str(path))

    @classmethod
    def from_json(cls, given: Mapping[str, Any], name: str = "these results") -> Results:
        """Return what `to_json` gave. Raises ResultsError."""
        cell_fields = Cell.__dataclass_fields__
        try:
            records = [
                Record(
                    Cell(**{key: value for key, value in each.items() if key in cell_fields}),
                    {key: value for key, value in each.items() if key not in cell_fields},
                )
                for each in given["records"]
            ]
            return cls(
                plan=Plan.from_json(given["plan"]),
                environment=Environment(**given["environment"]),
                command=given["command"],
                began=given["began"],
                ended=given["ended"],
                records=records,
            )
        except (KeyError, TypeError, WorkloadError) as error:
            message = f"{name} is not as the schema of version {VERSION} wants it: {error}"
            raise ResultsError(message) from None

    # --- what was measured --------------------------------------------------------------------------

    def done(self) -> set[Cell]:
        """Return the cells that have been measured."""
        return {each.cell for each in self.records}

    def of(self, kind: str, workload: str, threads: int | None = None) -> Iterator[Record]:
        """Yield the records of a kind and a workload; `threads`: only those."""
        for each in self.records:
            cell = each.cell
            if (cell.kind, cell.workload) == (kind, workload) and threads in (None, cell.threads):
                yield each

    @property
    def blocks(self) -> int:
        """How many blocks are done, at least in part."""
        return len({each.cell.block for each in self.records})

    @property
    def faulty(self) -> bool:
        """Whether any map came out wrong."""
        return any(each.found.get("fault") is not None for each in self.records)

    def faults(self, workload: str) -> dict[str, str]:
        """Return what was wrong with contestants on a workload: the first fault of each, with its place."""
        return self._why("fault", workload)

    def capped(self, workload: str) -> dict[str, str]:
        """Return why contestants were given up on a workload, the first reason of each."""
        return self._why("capped", workload)

    def _why(self, what: str, workload: str) -> dict[str, str]:
        why: dict[str, str] = {}
        for each in self.records:
            reason = each.found.get(what)
            if each.cell.workload == workload and reason is not None:
                why.setdefault(each.cell.contestant, f"{reason} (threads: {each.cell.threads})")
        return why

    def kind_of(self, workload: str) -> str:
        """Return the kind of cells that measure a workload's throughput: "throughput" or "job"."""
        return "job" if workload in self.plan.jobs else "throughput"

    def throughputs(self, workload: str, threads: int) -> Scores:
        """Return each contestant's operations per second, by block; none for one that ever lost what it must not.

        Of a job also none for one that lost what it may: it did not do the job.
        """
        out = set(self.faults(workload))
        if workload in self.plan.jobs:
            out |= {each.cell.contestant for each in self.of("job", workload) if each.found.get("lost")}
        scores: Scores = {}
        for each in self.of(self.kind_of(workload), workload, threads):
            if each.good and each.cell.contestant not in out:
                scores.setdefault(each.cell.contestant, {})[each.cell.block] = each.throughput
        return scores

    def figures(self, workload: str, threads: int, name: str) -> dict[str, float]:
        """Return the median over the blocks of one figure, of each contestant that has it.

        fairness: Jain's index of the threads' rates. cpu: CPU seconds per million operations. collections: runs
        of the cyclic collector. lost: counts lost (the most, not the median). seconds: how long it took.
        peak_bytes: the most memory that the process ever had. background: operations per second of the thread
        that is not measured.
        """
        found: dict[str, list[float]] = {}
        for each in self.of(self.kind_of(workload), workload, threads):
            figure = _figure(each, name) if each.good else None
            if figure is not None:
                found.setdefault(each.cell.contestant, []).append(figure)
        return {who: max(each) if name == "lost" else median(each) for who, each in found.items()}

    def latencies(self, workload: str, load: float) -> dict[str, histogram.Histogram]:
        """Return each contestant's latencies under a load, all blocks together."""
        pairs: dict[str, list[Any]] = {}
        for each in self.of("latency", workload):
            if each.good and each.cell.load == load:
                pairs.setdefault(each.cell.contestant, []).append(each.found["histogram"])
        return {who: histogram.merged(each) for who, each in pairs.items()}

    def kept_up(self, workload: str, load: float) -> dict[str, float]:
        """Return the share of the offered rate that each contestant achieved: the median over the blocks."""
        shares: dict[str, list[float]] = {}
        for each in self.of("latency", workload):
            if each.good and each.cell.load == load:
                shares.setdefault(each.cell.contestant, []).append(each.throughput / each.found["rate"])
        return {who: median(each) for who, each in shares.items()}

    def costs(self, cost: str) -> dict[str, dict[int, float]]:
        """Return what an operation takes each contestant by itself, in ns, by the size of the map.

        `cost`: as in `sizes`, or "bytes_per_entry".
        """
        found: dict[str, dict[int, list[float]]] = {}
        for each in self.records:
            if each.cell.kind == "size" and each.good:
                known = {**each.found["costs"], "bytes_per_entry": each.found["bytes_per_entry"]}
                if cost in known:
                    size = self.plan.workload(each.cell.workload).size
                    found.setdefault(each.cell.contestant, {}).setdefault(size, []).append(known[cost])
        return {who: {size: median(each) for size, each in sorted(by.items())} for who, by in found.items()}

    # --- what follows from it -----------------------------------------------------------------------

    def noise(self, threads: int, kind: str = "throughput") -> float:
        """Return the noise floor at a number of threads, from the control on all workloads of a kind."""
        ratios: list[float] = []
        for workload, counts in self.plan.threads.items():
            if threads in counts and self.kind_of(workload) == kind:
                scores = self.throughputs(workload, threads)
                ratios += within_blocks(scores.get(CONTROL, {}), scores.get(REFERENCE, {}))
        return noise_floor(ratios, self.plan.blocks)

    def cores_had(self, threads: int) -> float | None:
        """Return how many cores' worth of CPU time the threads got in the windows of a plain dict: the median.

        A thread on a plain dict never waits for another one, so it is the machine that kept from it what is
        missing. None before there is such a window.
        """
        shares = [
            each.found["cpu_seconds"] / each.found["seconds"]
            for each in self.records
            if (each.cell.kind, each.cell.threads, each.cell.contestant) == ("throughput", threads, "dict")
            and each.good
        ]
        return median(shares) if shares else None

    def gil_changed(self) -> list[str]:
        """Return the contestants that turned the GIL on, by what they import or do."""
        return sorted(
            {
                each.cell.contestant
                for each in self.records
                if each.found.get("gil", [None] * 2)[1] is not None
                and each.found["gil"][1] != self.environment.gil
            }
        )


def _figure(record: Record, name: str) -> float | None:
    found = record.found
    if name == "fairness":
        return jain(record.rates)
    if name == "cpu":
        done = sum(found["counts"])
        return found["cpu_seconds"] / done * 1e6 if done else None
    if name == "background":
        rest = found["rates"][found["measured"] :]
        return sum(rest) if rest else None
    if name == "collections":
        return float(sum(found["collections"]))
    value = found.get(name)
    return None if value is None else float(value)


def read_json(path: Path, wanted: str, version: int) -> dict[str, Any]:
    """Return an object read from a file, of this format and version. Raises ResultsError with one line."""
    try:
        content = path.read_bytes()
        given = json.loads(gzip.decompress(content) if path.suffix == COMPRESSED else content)
    except gzip.BadGzipFile:
        message = f"{path} is not compressed as its name says"
        raise ResultsError(message) from None
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}"
        raise ResultsError(message) from None
    except (ValueError, RecursionError, EOFError, zlib.error):
        message = f"{path} is not JSON"
        raise ResultsError(message) from None
    if not isinstance(given, dict) or given.get("format") != wanted:
        message = f"{path} is not a file of {wanted}"
        raise ResultsError(message)
    if given.get("version") != version:
        message = (
            f"{path} has version {given.get('version')!r:.20} of {wanted}; this safemap reads version {version}"
        )
        raise ResultsError(message)
    return given


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that whoever reads it finds the old text or the new. Raises OSError.

    Text for a name that ends in .gz is compressed; the same text gives the same bytes.
    """
    content = text.encode()
    if path.suffix == COMPRESSED:
        content = gzip.compress(content, mtime=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    part = Path(name)
    try:
        os.close(handle)
        part.write_bytes(content)
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@cache
def _validator() -> Any:
    import fastjsonschema  # noqa: PLC0415 - only where a file is read

    text = resources.files("safemap.bench").joinpath("results.schema.json").read_text(encoding="utf-8")
    return fastjsonschema.compile(json.loads(text))

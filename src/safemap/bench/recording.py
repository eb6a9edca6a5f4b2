"""What a `Recorder` has seen, as a workload that can be replayed, and as a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safemap.bench.deduction import deduce
from safemap.bench.results import ResultsError, read_json, write_atomically
from safemap.bench.workload import Workload, WorkloadError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from safemap.bench.ledger import Seen

FORMAT: Final = "safemap workload"
VERSION: Final = 1
MOST_THREADS: Final = 1_024


class RecordingError(ValueError):
    """A file is no recording that this version can read. The message is for the user, on one line."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A workload that a program showed, and what to know of it."""

    workload: Workload
    threads: int
    """How many threads were active at a time, the one in the background included."""
    seen: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What was counted: events by kind, seconds, sizes, threads."""
    notes: tuple[str, ...] = ()
    """What the replay does otherwise than the program did; each on one line."""

    @classmethod
    def of(cls, seen: Seen, name: str) -> Recording:
        """Return what a ledger's counts and samples amount to. Raises WorkloadError where that is nothing."""
        found = deduce(seen, name)
        return cls(found.workload, found.threads, found.facts, tuple(found.notes))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, whole or not at all. Raises OSError."""
        given = {
            "format": FORMAT,
            "version": VERSION,
            "workload": self.workload.to_json(),
            "threads": self.threads,
            "seen": dict(self.seen),
            "notes": list(self.notes),
        }
        write_atomically(Path(path), json.dumps(given, indent=2) + "\n")


def load(path: str | os.PathLike[str]) -> Recording:
    """Read a recording from a file. Raises RecordingError, with one line for the user."""
    try:
        given = read_json(Path(path), FORMAT, VERSION)
        workload = Workload.from_json(given.get("workload"))
    except (ResultsError, WorkloadError) as error:
        message = str(error) if isinstance(error, ResultsError) else f"{path}: {error}"
        raise RecordingError(message) from None
    threads, seen, notes = given.get("threads"), given.get("seen", {}), given.get("notes", [])
    if type(threads) is not int or not workload.fewest_threads <= threads <= MOST_THREADS:
        message = f"{path}: threads must be a whole number from {workload.fewest_threads} to {MOST_THREADS}"
        raise RecordingError(message)
    if not isinstance(seen, dict):
        message = f"{path}: seen must be an object"
        raise RecordingError(message)
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        message = f"{path}: notes must be an array of strings"
        raise RecordingError(message)
    return Recording(workload, threads, seen, tuple(notes))

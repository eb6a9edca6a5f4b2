"""Where results are: those of this machine, one file for each kind of interpreter, and those that ship with us.

`safemap bench` keeps a run here that is worth it (`keep`); `safemap recommend` asks for them. What ships is in
`recorded`, digested (see `measured`), because whole results are much larger.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from safemap.bench.catalogue import WORKLOADS
from safemap.bench.contestants.variants import VARIANTS
from safemap.bench.measured import Measured, digest
from safemap.bench.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safemap.bench.environment import Environment

VARIABLE: Final = "SAFEMAP_RESULTS"
"""The environment variable that names another folder for this machine's results."""
RECORDED: Final = "recorded"
ENDING: Final = ".json.gz"


def folder() -> Path:
    """Return where this machine's results are kept: $SAFEMAP_RESULTS, or the user's data folder for safemap."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    from platformdirs import user_data_path  # noqa: PLC0415 - an extra, and not needed with the variable

    return user_data_path("safemap", appauthor=False) / "results"


def own_results_path(environment: Environment) -> Path:
    """Return the file for results of such an interpreter: its version, the GIL's state, and whether compiled."""
    return folder() / f"{tag(environment)}.json"


def tag(environment: Environment) -> str:
    """Return what results have in common that can stand in for one another, as "cpython-3.13-free-compiled"."""
    name, major, minor = interpreter(environment)
    words = (
        name,
        f"{major}.{minor}",
        "gil" if environment.gil else "free",
        "compiled" if environment.compiled else "plain",
    )
    return "-".join(words)


def interpreter(environment: Environment) -> tuple[str, int, int]:
    """Return an interpreter's name in small letters, and its version as far as it matters to speed."""
    found = re.match(r"(\w+) (\d+)\.(\d+)", environment.interpreter)
    if found is None:
        return environment.interpreter.partition(" ")[0].lower(), 0, 0
    return found[1].lower(), int(found[2]), int(found[3])


def keep(results: Results) -> Path | None:
    """Save results as those of this machine, in place of older ones, and return where.

    None, and nothing is saved, if they are not a standard run or better: if they were not ended, or lack one of
    the variants or of the named workloads. Raises OSError.
    """
    if not is_whole(results):
        return None
    path = own_results_path(results.environment)
    results.save(path)
    return path


def is_whole(results: Results) -> bool:
    """Return whether a run was ended, and had all variants and all named workloads."""
    variants = {contestant.name for contestant in VARIANTS}
    return (
        results.ended is not None
        and variants <= set(results.plan.names("variant"))
        and WORKLOADS.keys() <= {workload.name for workload in results.plan.workloads}
    )


def own(environment: Environment) -> Measured | None:
    """Return what was measured on this machine with such an interpreter; None: nothing. Raises ResultsError."""
    path = own_results_path(environment)
    if not path.exists():
        return None
    return digest(Results.load(path))


def recorded() -> Iterator[Measured]:
    """Yield what ships with the package."""
    for file in resources.files("safemap.bench").joinpath(RECORDED).iterdir():
        if file.name.endswith(ENDING):
            yield Measured.from_json(json.loads(gzip.decompress(file.read_bytes())))


def closest(environment: Environment, among: list[Measured]) -> Measured:
    """Return those results whose interpreter is most like this one.

    The same state of the GIL comes first, then whether compiled, then the implementation, then the version.
    """
    name, major, minor = interpreter(environment)

    def distance(measured: Measured) -> tuple[bool, bool, bool, int, int]:
        theirs = measured.environment
        its_name, its_major, its_minor = interpreter(theirs)
        return (
            theirs.gil != environment.gil,
            theirs.compiled != environment.compiled,
            its_name != name,
            abs(its_major - major),
            abs(its_minor - minor),
        )

    return min(among, key=distance)

"""Makes what ships with the package, for those who have measured nothing yet, from full results.

    python -m benchmarks.record results.json... [--learning learning.json...]

writes `src/safemap/bench/recorded/TAG.json.gz` for each, TAG being its interpreter, the state of the GIL and
whether the maps were compiled. It refuses runs that are not whole (see `store.is_whole`), unless `--partial` is
given. Workloads of `benchmarks.learn`, measured with the same interpreter on the same machine, are added to learn
from.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from safemap.bench import store
from safemap.bench.measured import digest
from safemap.bench.results import Results, write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER: Final = Path(__file__).parent.parent / "src" / "safemap" / "bench" / store.RECORDED
LIMIT: Final = 200_000
"""Bytes that all of it may take, together."""


def record(path: Path, folder: Path = FOLDER, *, partial: bool = False, learning: Sequence[Results] = ()) -> Path:
    """Digest a file of results, and return the file that was written."""
    results = Results.load(path)
    if not (partial or store.is_whole(results)):
        message = f"{path} is not a whole run: it was interrupted, or lacks variants or named workloads"
        raise ValueError(message)
    tag = store.tag(results.environment)
    made = digest(results)
    more = [point for each in learning if store.tag(each.environment) == tag for point in digest(each).points]
    made = replace(made, points=(*made.points, *more))
    written = folder / f"{tag}{store.ENDING}"
    write_atomically(written, json.dumps(made.to_json(), separators=(",", ":")) + "\n")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.record", description=__doc__.partition("\n")[0])
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--partial", action="store_true", help="take runs that are not whole, too")
    parser.add_argument("--learning", nargs="*", type=Path, default=[], help="what benchmarks.learn wrote")
    options = parser.parse_args()
    learning = [Results.load(path) for path in options.learning]
    for path in options.results:
        written = record(path, partial=options.partial, learning=learning)
        print(f"{written.name}: {written.stat().st_size:,} bytes")  # noqa: T201
    total = sum(each.stat().st_size for each in FOLDER.glob(f"*{store.ENDING}"))
    print(f"all: {total:,} of {LIMIT:,} bytes")  # noqa: T201
    if total > LIMIT:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""Makes what ships with the package, for those who have measured nothing yet, from full results.

    python -m benchmarks.record results.json...

writes `src/safemap/bench/recorded/TAG.json` for each, TAG being its interpreter, the state of the GIL and whether
the maps were compiled. It refuses runs that are not whole (see `store.is_whole`), unless `--partial` is given.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from safemap.bench import store
from safemap.bench.measured import digest
from safemap.bench.results import Results, write_atomically

FOLDER: Final = Path(__file__).parent.parent / "src" / "safemap" / "bench" / store.RECORDED
LIMIT: Final = 200_000
"""Bytes that all of it may take, together."""


def record(path: Path, folder: Path = FOLDER, *, partial: bool = False) -> Path:
    """Digest a file of results, and return the file that was written."""
    results = Results.load(path)
    if not (partial or store.is_whole(results)):
        message = f"{path} is not a whole run: it was interrupted, or lacks variants or named workloads"
        raise ValueError(message)
    written = folder / f"{store.tag(results.environment)}.json"
    write_atomically(written, json.dumps(digest(results).to_json(), separators=(",", ":")) + "\n")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.record", description=__doc__.partition("\n")[0])
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--partial", action="store_true", help="take runs that are not whole, too")
    options = parser.parse_args()
    for path in options.results:
        written = record(path, partial=options.partial)
        print(f"{written.name}: {written.stat().st_size:,} bytes")  # noqa: T201
    total = sum(each.stat().st_size for each in FOLDER.glob("*.json"))
    print(f"all: {total:,} of {LIMIT:,} bytes")  # noqa: T201
    if total > LIMIT:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

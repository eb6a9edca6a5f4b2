"""The options of the benchmarks, and the table at the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks import environment
from benchmarks.table import Row, Table

TABLE = pytest.StashKey[Table]()
QUICK_SIZES = (1_000,)
FULL_SIZES = (1_000, 1_000_000)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.split(","))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("safemap")
    group.addoption("--sizes", type=_sizes, metavar="N,N", help="entries in the maps; 1000,1000000 by default")
    group.addoption("--quick", action="store_true", help="1,000 entries only, and fewer rounds")
    group.addoption("--shuffled", action="store_true", help="fill the maps in another order than that in memory")
    group.addoption("--check-limits", action="store_true", help="fail where a limit is missed")
    group.addoption("--json-ratios", type=Path, metavar="FILE", help="write the table as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = Table()
    config.option.benchmark_quiet = True  # its table has the maps' times alone; --benchmark-verbose shows it


def pytest_report_header() -> str:
    return f"measured: {environment.described()}"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    table = config.stash[TABLE]
    if not table.rows:
        return
    terminalreporter.section("limits")
    for line in table.lines():
        terminalreporter.write_line(line)
    path = config.getoption("json_ratios")
    if path is not None:
        table.write(path)
        terminalreporter.write_line(f"written to {path}")


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    sizes: tuple[int, ...]
    quick: bool
    shuffled: bool

    @classmethod
    def of(cls, config: pytest.Config) -> Plan:
        quick = config.getoption("quick")
        sizes = config.getoption("sizes") or (QUICK_SIZES if quick else FULL_SIZES)
        return cls(sizes, quick, config.getoption("shuffled"))

    def rounds(self, full: int) -> int:
        """Return how many rounds to make where a full run makes `full`."""
        return max(3, full // 3) if self.quick else full


@pytest.fixture(scope="session")
def plan(pytestconfig):
    return Plan.of(pytestconfig)


@pytest.fixture
def record(request, pytestconfig):
    """Put rows into the table, and the row of a benchmark into the JSON of pytest-benchmark."""

    def record(*rows: Row, **extra: Any) -> None:
        pytestconfig.stash[TABLE].rows.extend(rows)
        if "benchmark" in request.fixturenames:
            info = request.getfixturevalue("benchmark").extra_info
            for row in rows:
                info.update(asdict(row) | environment.described() | extra)
        if pytestconfig.getoption("check_limits"):
            missed = [str(row) for row in rows if row.reached is False]
            assert not missed, "; ".join(missed)

    return record

"""How much is tried: the profiles of the proofs, and the count of what was."""

from __future__ import annotations

import random
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

import safemap
from safemap.testing import fuzz, tried


@dataclass(frozen=True)
class Effort:
    """What one test may spend."""

    programs: int
    runs: int
    """Of each program, on real threads."""
    schedules: int
    """Of each scenario, with at most `interruptions`."""
    interruptions: int
    at_random: int
    """Schedules drawn beyond those."""
    seed: int | None
    """Of what is drawn: programs, and schedules at random. None: another one in each run."""

    def explore(self, explorer: Any, times: int = 1) -> None:
        """Explore, with `times` as many schedules where a fault needs two interruptions at the right places."""
        explorer.explore(
            interruptions=self.interruptions,
            schedules=self.schedules * times,
            at_random=self.at_random,
            seed=random.randrange(1 << 30) if self.seed is None else self.seed,
        )

    def fuzz(self, runner: Any, strategy: Any = None) -> None:
        fuzz(runner, strategy, examples=self.programs, runs=self.runs, seed=self.seed)


PROFILES = {
    "quick": Effort(programs=60, runs=20, schedules=250, interruptions=2, at_random=50, seed=0),
    # Some hours: nearly every schedule with two interruptions, many with three, and tens of thousands at random.
    "deep": Effort(programs=20_000, runs=50, schedules=100_000, interruptions=3, at_random=30_000, seed=None),
}


TRIED_BY = {
    "tests/proof/test_programs": {"programs", "histories"},
    "tests/proof/test_schedules": {"schedules"},
}


class Tally:
    """Prints how much was tried, and fails a run of proofs that tried nothing. A plugin of pytest."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self.expected: set[str] = set()

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" and report.passed:
            for file, what in TRIED_BY.items():
                if file in report.nodeid:
                    self.expected |= what

    def pytest_testnodedown(self, node: Any) -> None:  # of pytest-xdist, in the process that commands the others
        self.total.update(getattr(node, "workeroutput", {}).get("tried", {}))

    def pytest_sessionfinish(self, session: Any) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["tried"] = dict(tried)
            return
        self.total.update(tried)
        if not all(self.total[what] for what in self.expected):
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any, config: Any) -> None:
        if not self.expected:
            return
        speed = "compiled" if safemap.compiled else "plain Python"
        gil = "on" if getattr(sys, "_is_gil_enabled", lambda: True)() else "off"
        version = ".".join(map(str, sys.version_info[:3]))
        counts = ", ".join(f"{self.total[what]:,} {what}" for what in ("programs", "histories", "schedules"))
        terminalreporter.write_sep(
            "-", f"tried ({config.getoption('--profile')}, {speed}, Python {version}, GIL {gil}): {counts}"
        )
        for what in sorted(self.expected):
            if not self.total[what]:
                terminalreporter.write_line(f"no {what}: that proves nothing", red=True)

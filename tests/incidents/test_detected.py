"""What the detector's command finds in the incidents' faulty programs, and in the mended ones: nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import safemap
from tests.incidents import FOLDER

ARRANGED = Path(__file__).parent / "arranged.py"
RACES = 66
DICTS = {
    "scan": ["argo_sync_manager.py:_holders"],
    "watches": [
        "flyteadmin_watches.py:_projects",
        "flyteadmin_watches.py:domains",
        "flyteadmin_watches.py:_watches",
    ],
    "sweeper": ["conductor_sweeper.py:workflows", "conductor_sweeper.py:queue"],
    "offload": ["argo_offload.py:heads", "argo_offload.py:rows"],
    "manager": ["volcano_configuration.py:settings", "volcano_configuration.py:applied"],
}


def detected(*arguments, places):
    """Run a program under the detector; return the exit code, what it printed, and what the detector did."""
    words = [word for place in places for word in ("--check", place)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "safemap.detect", *words, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(safemap.__file__).parent.parent), str(FOLDER)])},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


TOLD_AND_REPORTED = [
    "iteration",
    'Listener.report: return sorted(f"{name}={value}" for name, value in self.applied.items())',
    "Listener.sync: self.applied[name] = value",
]
SCAN = "(name, workflow) for name, workflow in self._holders.items() if not exists(workflow)"
FOUND = {
    "scan: faulty": [
        [
            "iteration",
            f"FaultySyncManager.check_existence: gone = [{SCAN}]",
            "FaultySyncManager.try_acquire: return self._holders.setdefault(name, workflow) == workflow",
        ]
    ],
    "watches: faulty": [
        [
            "read-modify-write",
            "FaultyWatches.observe: domains = self._projects.get(project)",
            "FaultyWatches.observe: domains = self._projects[project] = {}",
        ],
        [
            "read-modify-write",
            "FaultyWatches.observe: domains[domain] = domains[domain].plus(delay)",
            "FaultyWatches.observe: domains[domain] = domains[domain].plus(delay)",
        ],
    ],
    "sweeper: faulty": [
        [
            "read-modify-write",
            "FaultySweeper.finish_task: self.workflows[name] = workflow",
            "FaultySweeper.sweep: self.workflows[name] = workflow",
        ]
    ],
    "offload: faulty, stopped": [
        [
            "read-modify-write",
            "FaultyOffload.persist: self.heads[uid] = Head(current.number + 1, version, current.stopped)",
            "FaultyOffload.stop: self.heads[uid] = head._replace(number=head.number + 1, stopped=True)",
        ]
    ],
    "offload: faulty, written again": [
        [
            "write",
            "FaultyOffload.save: del self.rows[owner, other]",
            "FaultyOffload.save: self.rows[uid, version] = (now, nodes)",
        ]
    ],
    "manager: faulty, report before": [TOLD_AND_REPORTED],
    "manager: faulty, report after": [TOLD_AND_REPORTED],
    "manager: mended, not stopped": [TOLD_AND_REPORTED],
}
"""By program: of each report, its kind and its two places."""


@pytest.mark.parametrize("program", FOUND)
def test_a_faulty_program_is_caught_though_its_threads_never_meet(program):
    code, printed, errors = detected(str(ARRANGED), program, places=DICTS[program.partition(":")[0]])
    assert code == RACES, errors
    runs = json.loads(printed)
    assert runs
    for found in runs:
        assert found == FOUND[program]


@pytest.mark.parametrize(
    "program",
    [
        "scan: locked",
        "scan: mended",
        "watches: locked",
        "watches: mended",
        "sweeper: mended",
        "offload: mended",
        "manager: drained",
        "manager: mended, flushed",
        "manager: mended, stopped",
        "manager: mended, stopped again",
    ],
)
def test_nothing_is_found_in_a_mended_program(program):
    assert_nothing_is_found(program)


@pytest.mark.parametrize("program", ["manager: faulty, counter", "offload: faulty, looked up"])
def test_what_is_no_race_on_a_dict_is_not_seen(program):
    assert_nothing_is_found(program)


def assert_nothing_is_found(program):
    code, printed, errors = detected(str(ARRANGED), program, places=DICTS[program.partition(":")[0]])
    assert (code, errors) == (0, "")
    runs = json.loads(printed)
    assert runs
    assert not any(runs)


def test_the_example_prints_what_stands_below_it(tmp_path):
    """That there is a race is sure; which thread comes second, and so finds it, is not."""
    text = (FOLDER / "README.md").read_text("utf-8")
    section = text[text.index("## Find it in your own program") :]
    script, command, shown = re.findall(r"```(?:python|sh|text)\n(.*?)```", section, re.DOTALL)
    path = tmp_path / "sweep.py"
    path.write_text(script, "utf-8")
    words = command.split()
    assert words == ["python", "-m", "safemap.detect", "--check", words[4], path.name]
    for _ in range(20):
        code, printed, errors = detected(str(path), places=[words[4]])
        assert (code, printed) == (RACES, "")
        plain = errors.replace(f"{tmp_path}{os.sep}", "").replace(f"{FOLDER}{os.sep}", "")
        if plain == shown:
            break
    assert plain == shown

"""The suite sees what it is for: maps with a fault fail the tests that are about it, and end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from safemap.testing.conformance import CLAIMS, CONTRACT, DICT, Conformance
from safemap.testing.conformance.suite import Suite

ROOT = Path(__file__).parent.parent.parent
FAULTY = Path(__file__).with_name("faulty.py")

FINDS = {
    "TestSound": set(),
    "TestPlainDict": {"test_iteration_under_writers", "test_writing_in_the_middle_of_an_iteration"},
    "TestSetsTwice": {"test_setdefault_has_one_winner"},
    "TestComputesTwice": {"test_compute_loses_no_update"},
    "TestLosesUpdates": {"test_compute_loses_no_update", "test_merge_loses_no_update"},
    "TestHoldsItsLock": {
        "test_writing_in_the_middle_of_an_iteration",
        "test_an_iteration_that_is_left_holds_nothing",
    },
    "TestPopsNothing": {"test_an_absent_key_is_a_key_error_of_the_key"},
    "TestUpdatesHalf": {
        "test_an_update_with_an_iterable_that_raises_changes_nothing",
        "test_an_update_that_raises_half_way_changes_nothing_of_a_step",
        "test_an_update_that_meets_a_hostile_key_in_the_map_changes_nothing_of_a_step",
    },
    "TestHangs": {"test_used_from_a_keys_eq_or_hash", "test_used_from_an_old_values_del"},
    "TestKeepsWhatItHad": {"test_values_die_when_replaced_or_removed"},
}


def run_suite(path, *arguments):
    """Run pytest on a file, in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=short", "-p", "no:cacheprovider", path, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout
    return done.stdout


def failures(output):
    """Return the names of the failed tests, without their parameters."""
    return set(re.findall(r"^FAILED \S+::\w+::(\w+)", output, re.MULTILINE))


@pytest.mark.parametrize("cls", FINDS)
def test_the_fault_is_found(cls):
    for _ in range(3):  # races may be missed
        output = run_suite(f"{FAULTY}::{cls}")
        found = failures(output)
        if found >= FINDS[cls]:
            break
    else:
        raise AssertionError(output)
    if cls == "TestSound":
        assert not found, output
    if cls == "TestHangs":
        assert "hangs: threads still run after" in output
        assert "with self.lock:" in output, "it is shown where it hangs"


def test_what_is_not_claimed_is_skipped_and_says_so():
    output = run_suite(f"{FAULTY}::TestSetsTwice", "-rs")
    assert "not claimed: compute\n" in output
    assert "not claimed: entry, locked, timeouts\n" in output


def test_an_unknown_claim_is_an_error():
    with pytest.raises(ValueError, match=r"unknown claims: 'setdefautl'; known are: .*setdefault"):

        class Typo(Conformance):
            make = dict
            claims = DICT | {"setdefautl"}


def test_who_makes_no_concurrent_mapping_must_claim_something():
    with pytest.raises(TypeError, match="does not say which parts of the contract <class 'dict'> claims"):

        class Silent(Conformance):
            make = dict


def test_a_function_can_make_the_map():
    class ByFunction(Conformance):
        def make(*args, **named):
            return dict(*args, **named)

        claims = DICT

    assert ByFunction().filled(a=1) == {"a": 1}
    assert ByFunction().cls is dict


def test_no_test_hides_another():
    names = [name for part in Conformance.__mro__ for name in vars(part) if name.startswith("test_")]
    assert len(names) == len(set(names))
    assert all(issubclass(part, Suite) for part in Conformance.__mro__[:-1])


def test_every_claim_is_asked_for():
    parts = "".join(path.read_text() for path in Path(sys.modules[Suite.__module__].__file__).parent.glob("*.py"))
    for claim in CLAIMS:
        assert parts.count(f'"{claim}"') > 1, claim
    assert DICT - {"ordered"} < CONTRACT

"""`python -m safemap.detect`: which dicts are checked, and that the program runs as it would without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import safemap

SCRIPT = """\
import sys, threading
from state import Store, other, registry

local = {"n": 0}


def work():
    for _ in range(3):
        local["n"] = local["n"] + 1


def run(function):
    threads = [threading.Thread(target=function) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


run(work)
run(lambda: registry.update(k=1))
run(lambda: other.update(k=1))
print([type(each).__name__ for each in (local, registry, other, Store().items, Store.by_name)])
"""

STATE = '''\
"""What is shared."""
from __future__ import annotations

registry = {n: n for n in range(3)}
other: dict[str, int] = dict(a=1)


class Store:
    by_name = {}

    def __init__(self):
        self.items = {
            "a": {},
        }
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "state.py").write_text(STATE)
    return tmp_path


def command(folder, *arguments, detect=("-m", "safemap.detect")):
    return subprocess.run(
        [sys.executable, *detect, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(safemap.__file__).parent.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("places", "checked", "races"),
    [
        ([], [0], 1),
        (["state:registry"], [1], 1),
        (["state.py:other"], [2], 1),
        (["state.py:4", "state:5"], [1, 2], 2),
        (["state:items", "state:by_name"], [3, 4], 0),
        (["state.py:12"], [3], 0),
        (["script.py:local", "state:registry"], [0, 1], 2),
    ],
)
def test_the_dicts_of_the_places_are_checked(folder, places, checked, races):
    done = command(folder, *[word for place in places for word in ("--check", place)], "script.py")
    assert eval(done.stdout) == ["CheckedDict" if n in checked else "dict" for n in range(5)]
    assert done.returncode == (66 if races else 0)
    assert done.stderr.count("safemap.detect: ") == races + bool(races)
    if races:
        assert done.stderr.endswith(f"safemap.detect: {races} race{'s' * (races > 1)} found\n")


def test_a_report_names_the_lines_of_the_program(folder):
    lines = command(folder, "script.py").stderr.splitlines()
    assert lines[0].startswith("safemap.detect: read-modify-write (key 'n'): ")
    assert [line for line in lines if "File" in line] == [f'  File "{folder}/script.py", line 9, in work'] * 2
    assert lines[3] == '    local["n"] = local["n"] + 1'
    assert not (folder / "__pycache__").exists()


def test_kinds_and_raising(folder):
    assert command(folder, "--kinds", "iteration,write", "--check", "state:other", "script.py").returncode == 66
    assert command(folder, "--kinds", "iteration", "--check", "state:other", "script.py").returncode == 0
    done = command(folder, "--on-race", "raise", "--check", "state:other", "script.py")
    assert done.returncode == 66
    assert "safemap.detect.findings.RaceError: write" in done.stderr


def test_a_module_is_run_as_python_runs_it(folder):
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("shared = {}\n")
    main = "import sys\nfrom package import shared\n"
    main += "print(type(shared).__name__, sys.argv[1:], __name__, __package__)\n"
    (folder / "package" / "__main__.py").write_text(main)
    done = command(folder, "--check", "package:shared", "-m", "package", "-x", "1")
    assert (done.stdout, done.stderr, done.returncode) == ("CheckedDict ['-x', '1'] __main__ package\n", "", 0)
    done = command(folder, "-m", "package")
    assert (done.returncode, done.stdout) == (2, "")


PROGRAM = """\
import sys, threading, time, __main__
assert __main__.__dict__ is globals()
print(__name__, __file__, sys.argv, sys.path[0], __spec__, __package__, __doc__, __builtins__)
sys.stdout.flush()
threading.Thread(target=lambda: (time.sleep(0.1), print("late"))).start()
{}
"""


@pytest.mark.parametrize(
    "end",
    [
        "",
        "sys.exit(3)",
        "sys.exit('gone')",
        "sys.exit()",
        "1 / 0",
        "def f():\n    raise KeyError(1)\n\nf()",
        "x =",
    ],
)
def test_the_program_runs_as_without(folder, end):
    (folder / "sub").mkdir()
    (folder / "sub" / "program.py").write_text(PROGRAM.format(end))
    arguments = ["sub/program.py", "--check", "-m", "x"]
    alone, checked = command(folder, *arguments, detect=()), command(folder, *arguments)
    assert alone.returncode == checked.returncode
    assert alone.stderr == checked.stderr
    same = alone.stdout.replace(str(folder) + "/sub", "SUB")
    assert checked.stdout.replace(str(folder) + "/sub", "SUB") == same


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a script is needed: python -m safemap.detect [options] script.py [arguments]"),
        (["nowhere.py"], "cannot read nowhere.py: No such file or directory"),
        (
            ["--check", "script.py", "script.py"],
            "a place is FILE.py:LINE, FILE.py:NAME, MODULE:LINE or MODULE:NAME",
        ),
        (
            ["--check", "state:a b", "script.py"],
            "a place is FILE.py:LINE, FILE.py:NAME, MODULE:LINE or MODULE:NAME",
        ),
        (
            ["--kinds", "speed", "script.py"],
            "unknown kind 'speed'; known are: iteration, read-modify-write, write",
        ),
        (["--on-race", "shout", "script.py"], "argument --on-race: invalid choice"),
        (["--loud", "script.py"], "unrecognized arguments: --loud"),
        (
            ["--check", "state:nothing", "script.py"],
            "no dict is made at state:nothing, or its module was not imported",
        ),
        (["--check", "nowhere:registry", "script.py"], "no dict is made at nowhere:registry"),
    ],
)
def test_bad_usage_is_one_line(folder, arguments, message):
    done = command(folder, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("safemap.detect: ")
    assert done.stderr.count("\n") == 1


def test_help_says_what_the_exit_codes_mean(folder):
    done = command(folder, "--help")
    assert done.returncode == 0
    assert "66 races found" in " ".join(done.stdout.split())


def test_other_kinds_of_dicts_stay(folder):
    (folder / "program.py").write_text(
        "from collections import OrderedDict, defaultdict\n"
        "a, b = defaultdict(dict), OrderedDict()\n"
        "c = {'x': {**{}}}\n"
        "d = e = {}\n"
        "(f := {})\n"
        "print([type(each).__name__ for each in (a, a[1], b, c, c['x'], d, f)], d is e)\n"
        "match c:\n    case {'x': found}: print(found)\n"
        "class A:\n    def __init__(self): self.__x = {}\n"
        "print(type(A()._A__x).__name__)\n"
    )
    done = command(folder, "program.py")
    kinds = ["defaultdict", "dict", "OrderedDict"] + ["CheckedDict"] * 4
    assert (done.stdout, done.stderr) == (f"{kinds} True\n{{}}\nCheckedDict\n", "")

"""What the README says of other packages, and shows, is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import run_python

README = Path(__file__).parent.parent / "README.md"
peers = pytest.importorskip("benchmarks.peers", reason="the benchmarks are not here")
if not README.exists():
    pytest.skip("the README is not here", allow_module_level=True)
TEXT = README.read_text("utf-8")


def columns():
    """Return the cells of each column of the comparison, by its heading."""
    rows = re.search(r"^## Beside others\n\n((?:\|.*\n)+)", TEXT, re.MULTILINE).group(1).splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (rows[0], *rows[2:])]
    titles, *columns = zip(*cells, strict=True)
    assert list(titles[1:]) == list(peers.ROWS)
    return {heading: list(column) for heading, *column in columns}


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: peer.title)
def test_what_it_says_of_a_package_is_so(peer):
    told = next(cells for heading, cells in columns().items() if heading.startswith(peer.title))
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    # In a fresh interpreter: a manager's process is handed locks, of which detector's tests may have left theirs.
    place = peers.PEERS.index(peer)
    cells = f"(row(peers.PEERS[{place}]) for row in peers.ROWS.values())"
    found = run_python(f"from benchmarks import peers; print(*{cells}, sep='\\n')").splitlines()
    if peer.processes or peer.package == "ft_utils":  # their operations differ with the version of Python
        told, found = told[1:], found[1:]
    assert found == told


class Lacks(dict):
    """Lacks one of dict's operations, and gets another one wrong."""

    def popitem(self):
        raise AttributeError

    def setdefault(self, key, default=None):
        return None


def test_what_a_mapping_lacks_is_seen():
    peer = peers.Peer("lacks", None, Lacks, alone=True)
    assert peers.operations(peer) == "18 of 20"
    assert peers.add_in_one_step(peer) == "no"
    assert peers.while_iterated(peer) == "`RuntimeError`"


def test_every_file_that_it_links_to_is_there():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", TEXT):
        assert (README.parent / target).exists(), target

"""The job on real input: a word index of the standard library's own source, built by several threads.

Of every word: how often it occurs, and in which files. The files are read and cut into
words before the clock runs, and every result is compared with what one thread counts with `Counter`.
"""

from __future__ import annotations

import gc
import re
import sysconfig
import textwrap
import time
import tokenize
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from safemap.bench.crew import Crew
from safemap.bench.loop import define, increment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safemap.bench.contestants import Contestant

NAME: Final = "word-index"
ABOUT: Final = "how often each word of the standard library's source occurs, and in which files"
STATEMENTS: Final = ("compute", "transform")
"""What a contestant must have for it."""
WORDS_PER_SECOND: Final = 800_000
"""Words to index, for each second of a window: so the job takes a map a few windows' time."""
WORD: Final = re.compile(r"[^\W\d]\w*")
NOWHERE: Final[frozenset[str]] = frozenset()
PATIENCE: Final = 60.0
"""Seconds until a build counts as hung: a hundred times what the slowest map takes."""

File: TypeAlias = tuple[str, tuple[str, ...], frozenset[str]]
"""A file's name, its words in order, and each word once."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The input, cut up for the threads, and the index that they have to arrive at."""

    parts: tuple[tuple[File, ...], ...]
    counts: Mapping[str, int]
    files: Mapping[str, frozenset[str]]

    @property
    def words(self) -> int:
        """How many words there are, each as often as it occurs."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Build:
    """One index built."""

    seconds: float
    words: tuple[int, ...]
    """How many words each thread counted."""
    lost: int
    """Counts that are missing. Where nothing was promised that is no fault."""
    fault: str | None
    """What was wrong with the index; None: nothing, or nothing that was promised."""


def read_corpus(limit: int, threads: int) -> Corpus | None:
    """Read the standard library's top-level modules up to about `limit` words. None if there is no source."""
    found: list[File] = []
    total = 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        try:
            with tokenize.open(path) as source:
                words = tuple(WORD.findall(source.read()))
        except (OSError, SyntaxError, UnicodeDecodeError):
            continue  # one file less
        found.append((path.name, words, frozenset(words)))
        total += len(words)
        if total >= limit:
            break
    return corpus_of(found, threads) if total else None


def corpus_of(found: Sequence[File], threads: int) -> Corpus:
    """Share the files out, the longest first to whoever has least; and make the index with one thread."""
    parts: list[list[File]] = [[] for _ in range(threads)]
    for file in sorted(found, key=lambda file: len(file[1]), reverse=True):
        min(parts, key=lambda part: sum(len(words) for _, words, _ in part)).append(file)
    counts: Counter[str] = Counter()
    files: dict[str, frozenset[str]] = {}
    for name, words, distinct in found:
        counts.update(words)
        for word in distinct:
            files[word] = files.get(word, NOWHERE) | {name}
    return Corpus(tuple(map(tuple, parts)), counts, files)


def build(contestant: Contestant, corpus: Corpus) -> Build:
    """Build the index once, with a thread for each part of the corpus, and check it."""
    counts, files = contestant.make({}), contestant.make({})
    ends: list[float] = []
    try:
        index = _indexer(contestant, counts, files)

        def job(part: tuple[File, ...]) -> None:
            index(part)
            ends.append(time.perf_counter())

        gc.collect()
        crew = Crew([partial(job, part) for part in corpus.parts])
        begun = time.perf_counter()
        crew.go()
        fault = crew.finish(PATIENCE)
        words = tuple(sum(len(each) for _, each, _ in part) for part in corpus.parts)
        if fault is not None:
            return Build(0.0, words, 0, fault)
        made, places = contestant.contents(counts), contestant.contents(files)
    finally:
        contestant.close(counts)
        contestant.close(files)
    lost = corpus.words - sum(made.values())
    if contestant.atomic and (made != corpus.counts or places != corpus.files):
        wrong = sum(made.get(word) != count for word, count in corpus.counts.items())
        astray = sum(places.get(word) != where for word, where in corpus.files.items())
        fault = f"{wrong} counts and {astray} sets of files differ from those of one thread"
    return Build(max(ends) - begun, words, lost, fault)


# The timed loops, made of a contestant's own statements as in `loop`.

_COUNT: Final = """\
def count(m, part, increment, {names}):
    for _, words, _ in part:
        for key in words:
{compute}
"""

_PLACE: Final = """\
def place(m, part, initial, {names}):
    for name, _, distinct in part:
        function = frozenset((name,)).union
        for key in distinct:
{transform}
"""


def _indexer(contestant: Contestant, counts: Any, files: Any) -> Callable[[Sequence[File]], None]:
    written = {name: textwrap.indent(contestant.statements[name], " " * 12) for name in STATEMENTS}

    def defined(name: str, source: str, m: Any) -> Callable[..., Any]:
        known = contestant.names(m)
        return define(name, source.format(names=", ".join(known), **written), known)

    count, place = defined("count", _COUNT, counts), defined("place", _PLACE, files)

    def index(part: Sequence[File]) -> None:
        count(counts, part, increment)
        place(files, part, NOWHERE)

    return index

"""The job on real input: a word index of the standard library's own source, built by several threads.

Of every word: how often it occurs (`merge`), and in which files (`compute`). The files are read and cut into
words before the clock runs, and every result is compared with what one thread counts with `Counter`.
"""

from __future__ import annotations

import gc
import operator
import re
import sysconfig
import threading
import time
import tokenize
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from safemap.bench.crew import Crew

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from safemap import ConcurrentMapping
    from safemap.bench.contestants import Contestant, Table

NAME: Final = "word-index"
THREADS: Final = 4
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
    seconds: float
    """What one thread took for the index, with `Counter` and a plain dict."""

    @property
    def words(self) -> int:
        """How many words there are, each as often as it occurs."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Build:
    """One index built."""

    block: int
    contestant: str
    seconds: float
    lost: int
    """Counts that are missing. Where nothing was promised that is no fault."""
    fault: str | None
    """What was wrong with the index; None: nothing, or nothing that was promised."""


def read_corpus(limit: int, threads: int = THREADS) -> Corpus | None:
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
    begun = time.perf_counter()
    counts: Counter[str] = Counter()
    files: dict[str, frozenset[str]] = {}
    for name, words, distinct in found:
        counts.update(words)
        for word in distinct:
            files[word] = files.get(word, NOWHERE) | {name}
    seconds = time.perf_counter() - begun
    return Corpus(tuple(map(tuple, parts)), counts, files, seconds)


def run(
    contestants: Sequence[Contestant], corpus: Corpus, *, blocks: int, chance: random.Random
) -> Iterator[Build]:
    """Build the index with every contestant, once a block, in random order; yield as it goes."""
    for block in range(blocks):
        for contestant in chance.sample(contestants, len(contestants)):
            yield build(contestant, corpus, block)


def build(contestant: Contestant, corpus: Corpus, block: int = 0) -> Build:
    """Build the index once, with a thread for each part of the corpus, and check it."""
    counts, files = contestant.make({}), contestant.make({})
    index = {"atomic": _index, "under a lock": _index_locked, "not atomic": _index_unlocked}[contestant.updates]
    ends: list[float] = []
    locks = threading.Lock(), threading.Lock()
    gc.collect()

    def job(part: tuple[File, ...]) -> None:
        index(counts, files, locks, part)
        ends.append(time.perf_counter())

    crew = Crew([partial(job, part) for part in corpus.parts])
    begun = time.perf_counter()
    crew.go()
    fault = crew.finish(PATIENCE)
    if fault is not None:
        return Build(block, contestant.name, 0.0, 0, fault)
    made, places = dict(counts.items()), dict(files.items())
    lost = sum(corpus.counts.values()) - sum(made.values())
    if contestant.updates != "not atomic" and (made != corpus.counts or places != corpus.files):
        wrong = sum(made.get(word) != count for word, count in corpus.counts.items())
        astray = sum(places.get(word) != where for word, where in corpus.files.items())
        fault = f"{wrong} counts and {astray} sets of files differ from those of one thread"
    return Build(block, contestant.name, max(ends) - begun, lost, fault)


# The timed loops, one for each way to update a value. As in `engine`, each is what a program would write.

Locks: TypeAlias = tuple[threading.Lock, threading.Lock]


def _index(counts: Table, files: Table, _locks: Locks, part: Sequence[File]) -> None:
    merge = cast("ConcurrentMapping[str, int]", counts).merge
    compute = cast("ConcurrentMapping[str, frozenset[str]]", files).compute
    add = operator.add
    for name, words, distinct in part:
        for word in words:
            merge(word, 1, add)
        with_this_one = frozenset({name}).union
        for word in distinct:
            compute(word, with_this_one, NOWHERE)


def _index_locked(counts: Table, files: Table, locks: Locks, part: Sequence[File]) -> None:
    counting, placing = locks
    for name, words, distinct in part:
        for word in words:
            with counting:
                counts[word] = counts.get(word, 0) + 1
        with_this_one = frozenset({name}).union
        for word in distinct:
            with placing:
                files[word] = with_this_one(files.get(word, NOWHERE))


def _index_unlocked(counts: Table, files: Table, _locks: Locks, part: Sequence[File]) -> None:
    for name, words, distinct in part:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        with_this_one = frozenset({name}).union
        for word in distinct:
            files[word] = with_this_one(files.get(word, NOWHERE))

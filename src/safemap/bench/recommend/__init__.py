"""Which variant to take: `safemap recommend`.

needs           what programs need, and which variants `guarantees` rules out for it
question        sizes and workloads from words
features        what a workload asks of a map, in figures
places          where a workload lies among others, in coordinates
cholesky, ridge, gaussian_process  least squares, and what is learnt from neighbours
costs           what operations cost each variant, and so what it takes on a workload
model           what each variant takes on a workload that was not measured, by its costs and its neighbours
extrapolation   in what respects a question lies outside what was measured
advice          all of it together: a pure function
words           advice for a terminal
here            the same, from the results that there are
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safemap.bench import store
from safemap.bench.environment import Environment
from safemap.bench.measured import digest
from safemap.bench.recommend.advice import Advice, advice_from
from safemap.bench.recommend.needs import NEEDS, NeedError, parse_needs
from safemap.bench.recommend.question import parse_size, workload_of
from safemap.bench.recommend.words import words
from safemap.bench.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from safemap.bench.measured import Measured
    from safemap.bench.recommend.advice import Origin
    from safemap.bench.workload import Workload

__all__ = ["NEEDS", "Advice", "NeedError", "advise", "parse_needs", "parse_size", "words", "workload_of"]


def advise(
    workload: Workload, threads: int, needs: Iterable[str] = (), results: Path | Results | None = None
) -> Advice:
    """Return which variant to take for a workload and so many threads.

    From `results`, if given, a file or what was measured just now; or else from those that this machine's
    benchmark left for such an interpreter; or else from those that ship with the package, of the interpreter that
    is closest. Takes half a second.

    Raises NeedError, ResultsError, and ValueError for a number of threads that is none; the message is one line.
    """
    environment = Environment.now()
    measured, origin = _source(environment, results)
    return advice_from(measured, workload, threads, needs, origin=origin, environment=environment)


def _source(environment: Environment, results: Path | Results | None) -> tuple[Measured, Origin]:
    if isinstance(results, Results):
        return digest(results), "now"
    if results is not None:
        return digest(Results.load(results)), "file"
    own = store.own(environment)
    if own is not None:
        return own, "own"
    return store.closest(environment, list(store.recorded())), "recorded"

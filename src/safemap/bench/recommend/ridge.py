"""Linear least squares with a prior (ridge regression), and what it is worth.

Hoerl and Kennard, Ridge Regression (Technometrics 12, 1970); the error of a fit at a row that was left out is that
of the fit with it, divided by one less the row's leverage (Allen, 1974; Golub, Heath and Wahba, 1979). The
equations are small and positive definite, so they are solved by Cholesky's method. Pure Python: 60 columns take
some 20 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Fit:
    """A coefficient for each column, and what is known of their worth."""

    columns: Mapping[str, int]
    coefficients: Sequence[float]
    inverse: Sequence[Sequence[float]]
    """Of the equations' matrix: the coefficients' covariance, where a row's error has variance 1."""

    def at(self, row: Mapping[str, float]) -> float:
        """Return the outcome at a row. Columns that no row of the fit had count as 0."""
        return math.fsum(self.coefficients[self.columns[name]] * row[name] for name in row if name in self.columns)

    def leverage(self, row: Mapping[str, float]) -> float:
        """Return the variance of the outcome at a row, where a row's error has variance 1."""
        known = [(self.columns[name], value) for name, value in row.items() if name in self.columns]
        return math.fsum(self.inverse[i][j] * x * y for i, x in known for j, y in known)


def fit(rows: Sequence[Mapping[str, float]], outcomes: Sequence[float], prior: Mapping[str, float]) -> Fit:
    """Return the fit of rows to their outcomes, both divided by the outcome's error.

    `prior`: how far from 0 each column's coefficient is thought to lie, as a standard deviation.
    """
    columns = {name: place for place, name in enumerate(sorted({name for row in rows for name in row}))}
    count = len(columns)
    matrix = [[0.0] * count for _ in range(count)]
    right = [0.0] * count
    for name, place in columns.items():
        matrix[place][place] = prior[name] ** -2
    for row, outcome in zip(rows, outcomes, strict=True):
        known = [(columns[name], value) for name, value in row.items()]
        for i, x in known:
            for j, y in known:
                matrix[i][j] += x * y
            right[i] += x * outcome
    root = _cholesky(matrix)
    unit = ([float(i == j) for j in range(count)] for i in range(count))
    return Fit(columns, _solve(root, right), [_solve(root, vector) for vector in unit])


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the lower triangle whose product with its transpose is the matrix."""
    root: list[list[float]] = []
    for i, row in enumerate(matrix):
        root.append([0.0] * len(matrix))
        for j in range(i + 1):
            rest = row[j] - math.fsum(map(float.__mul__, root[i][:j], root[j][:j]))
            root[i][j] = math.sqrt(rest) if i == j else rest / root[j][j]
    return root


def _solve(root: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Return the solution of the equations whose matrix has this root."""
    count = len(root)
    middle: list[float] = []
    for i in range(count):
        middle.append((right[i] - math.fsum(map(float.__mul__, root[i][:i], middle))) / root[i][i])
    found = [0.0] * count
    for i in reversed(range(count)):
        rest = math.fsum(root[j][i] * found[j] for j in range(i + 1, count))
        found[i] = (middle[i] - rest) / root[i][i]
    return found

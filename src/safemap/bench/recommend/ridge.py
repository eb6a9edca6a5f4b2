"""Linear least squares with a prior (ridge regression), and what it is worth.

Hoerl and Kennard, Ridge Regression (Technometrics 12, 1970); the error of a fit at a row that was left out is that
of the fit with it, divided by one less the row's leverage (Allen, 1974; Golub, Heath and Wahba, 1979).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safemap.bench.recommend.cholesky import factor, inverse, product, transposed_product

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safemap.bench.recommend.cholesky import Triangle


@dataclass(frozen=True, slots=True)
class Fit:
    """A coefficient for each column, and what is known of their worth."""

    columns: Mapping[str, int]
    coefficients: Sequence[float]
    inverse: Triangle
    """Of the root of the equations' matrix: its transpose times it is the coefficients' covariance, where a row's
    error has variance 1."""

    def at(self, row: Mapping[str, float]) -> float:
        """Return the outcome at a row. Columns that no row of the fit had count as 0."""
        return math.fsum(self.coefficients[self.columns[name]] * row[name] for name in row if name in self.columns)

    def leverage(self, row: Mapping[str, float]) -> float:
        """Return the variance of the outcome at a row, where a row's error has variance 1."""
        dense = [0.0] * len(self.columns)
        for name, value in row.items():
            if name in self.columns:
                dense[self.columns[name]] = value
        return math.fsum(each * each for each in product(self.inverse, dense))


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
    inverted = inverse(factor(matrix))
    return Fit(columns, transposed_product(inverted, product(inverted, right)), inverted)

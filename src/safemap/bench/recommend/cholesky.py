"""Cholesky's method, for small symmetric positive definite matrices; a triangle is a list of rows that grow.

Pure Python: 60 rows take some milliseconds, 200 rows a tenth of a second.
"""

from __future__ import annotations

import math
from operator import mul
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Triangle: TypeAlias = "list[list[float]]"


def factor(matrix: Sequence[Sequence[float]]) -> Triangle:
    """Return the lower triangle whose product with its transpose is the matrix. Of that the lower half is read."""
    root: Triangle = []
    for row in matrix:
        line: list[float] = []
        for above, value in zip(root, row, strict=False):
            line.append((value - sum(map(mul, line, above))) / above[-1])
        line.append(math.sqrt(row[len(line)] - sum(map(mul, line, line))))
        root.append(line)
    return root


def inverse(root: Triangle) -> Triangle:
    """Return the inverse of a lower triangle, which is one, too.

    The inverse of the matrix is the product of the transpose with it.
    """
    columns: list[list[float]] = []
    for place in range(len(root)):
        column = [1 / root[place][place]]
        for row in root[place + 1 :]:
            column.append(-sum(map(mul, column, row[place:])) / row[-1])
        columns.append(column)
    return [[columns[j][i - j] for j in range(i + 1)] for i in range(len(root))]


def solved(root: Triangle, right: Sequence[float]) -> list[float]:
    """Return the vector whose product with a lower triangle is this one."""
    found: list[float] = []
    for row, value in zip(root, right, strict=True):
        found.append((value - sum(map(mul, row, found))) / row[-1])
    return found


def product(rows: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    """Return the product of a lower triangle and a vector."""
    return [sum(map(mul, row, vector)) for row in rows]


def transposed_product(rows: Triangle, vector: Sequence[float]) -> list[float]:
    """Return the product of the transpose of a lower triangle and a vector."""
    found = [0.0] * len(rows)
    for row, factor in zip(rows, vector, strict=True):
        for place, value in enumerate(row):
            found[place] += value * factor
    return found

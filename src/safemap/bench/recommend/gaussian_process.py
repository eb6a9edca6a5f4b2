"""Gaussian process regression (kriging): what lies near one another comes out alike.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006): algorithm 2.1, and 5.4.2 for what is left
out. The covariance falls with the distance d as exp(-d^2 / 2). Takes a tenth of a second for 200 places.
"""

from __future__ import annotations

import math
from operator import mul
from statistics import fmean
from typing import TYPE_CHECKING, Final

from safemap.bench.recommend.cholesky import factor, inverse, product, transposed_product

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safemap.bench.recommend.places import Place

SIGNAL: Final = 8.0
"""How far outcomes differ from place to place, in times of what they do if one is measured again: as standard
deviations. Found with the scales of `places`."""


class GaussianProcess:
    """Fitted to outcomes at places: several kinds of them, which share the covariance."""

    def __init__(self, places: Sequence[Place], outcomes: Sequence[Sequence[float]]) -> None:
        """`outcomes`: a sequence for each kind, with one for each place."""
        self._places = places
        self._outcomes = outcomes
        self._means = [fmean(each) for each in outcomes]
        self._inverse = inverse(factor(covariances(places, SIGNAL)))
        self._weights = [
            transposed_product(self._inverse, product(self._inverse, [value - mean for value in each]))
            for each, mean in zip(outcomes, self._means, strict=True)
        ]
        self._precision = [0.0] * len(places)
        for row in self._inverse:
            for column, value in enumerate(row):
                self._precision[column] += value * value

    def at(self, place: Place) -> list[float]:
        """Return the outcomes that are to be expected at a place, of each kind."""
        near = self._near(place)
        return [
            mean + sum(map(mul, near, weights)) for mean, weights in zip(self._means, self._weights, strict=True)
        ]

    def doubt(self, place: Place) -> float:
        """Return how far outcomes at a place may be off, as a standard deviation; 1: as far as measuring them."""
        known = math.fsum(each * each for each in product(self._inverse, self._near(place)))
        return math.sqrt(1 + max(0.0, SIGNAL**2 - known))

    def left_out(self, index: int) -> tuple[list[float], float]:
        """Return what would be expected at one of the places, were nothing known of it, and the doubt there."""
        precision = self._precision[index]
        expected = [
            each[index] - weights[index] / precision
            for each, weights in zip(self._outcomes, self._weights, strict=True)
        ]
        return expected, 1 / math.sqrt(precision)

    def _near(self, place: Place) -> list[float]:
        return [_covariance(place, each, SIGNAL) for each in self._places]


def covariances(places: Sequence[Place], signal: float) -> list[list[float]]:
    """Return the lower half of the matrix of what is measured at places; measuring has variance 1."""
    matrix = [[_covariance(this, that, signal) for that in places[: row + 1]] for row, this in enumerate(places)]
    for row in matrix:
        row[-1] += 1
    return matrix


def _covariance(this: Place, that: Place, signal: float) -> float:
    return signal**2 * math.exp(-(math.dist(this, that) ** 2) / 2)

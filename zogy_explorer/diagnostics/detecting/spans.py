"""Templates that are fitted together, and what they leave for others to explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_SQUARE = 1e-6
"""Share of a template's square below which nothing of it is left beside others."""


@dataclass(frozen=True, eq=False)
class Span:
    """All sums of the templates of n places.

    Parameters
    ----------
    basis : (n, pixels, k) array
        Orthonormal, one base a place.
    """

    basis: Array

    @classmethod
    def of(cls, templates: Array) -> Self:
        """Of k templates at each of n places (n, k, pixels), of any scale."""
        columns = templates.transpose(0, 2, 1)
        norm = np.sqrt((columns**2).sum(axis=1, keepdims=True))
        return cls(np.linalg.qr(columns / np.where(norm > 0, norm, 1.0))[0])

    def first(self, k: int) -> Self:
        """Of the first k templates alone."""
        return type(self)(self.basis[:, :, :k])

    def gain(self, data: Array) -> Array:
        """By how much all templates together lower χ² of white data (n, pixels): (n,)."""
        return np.asarray((self._parts(data) ** 2).sum(axis=1))

    def rest(self, data: Array) -> Array:
        """Data (n, pixels) less what the templates explain."""
        return data - (self.basis @ self._parts(data)[:, :, None])[:, :, 0]

    def _parts(self, data: Array) -> Array:
        return (data[:, None, :] @ self.basis)[:, 0, :]


def gains(templates: Array, data: Array, span: Span | None = None) -> Array:
    """By how much a template at each place lowers χ² of white data, both (n, pixels): (n,).

    With a span, beyond it: ``data`` are then its `Span.rest`.
    """
    square = (templates**2).sum(axis=1)
    shared = 0.0 if span is None else span.gain(templates)
    return gains_of_products((templates * data).sum(axis=1), square, shared)


def gains_of_products(products: Array, square: Array, shared: Array | float) -> Array:
    """(D·T)² / (T·T) for the parts of templates outside of a span.

    Parameters
    ----------
    products
        D·T.
    square
        T·T.
    shared
        What of it lies in the span.
    """
    left = square - shared
    known = left > LEAST_SQUARE * square
    return np.asarray(np.where(known, products**2 / np.where(known, left, 1.0), 0.0))

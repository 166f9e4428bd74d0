"""Variance planes of D and S: the squared kernels convolved with the variances (eqs. 26, 27)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from zogy_explorer.engine.compact import CompactSpectrum, blocks_of
from zogy_explorer.engine.fourier import (
    Plane,
    Spectrum,
    backward,
    forward,
    weighted,
)
from zogy_explorer.engine.growth import RadialShare

if TYPE_CHECKING:
    from zogy_explorer.engine.arithmetic import Arithmetic

_ALL = slice(None)
_UNSEEN = 1e-8
"""Share of a squared kernel that its spectrum may leave out: 10⁻⁸ of a variance of 1."""


@dataclass(frozen=True, eq=False)
class SquaredKernel:
    """A squared kernel in pixel space, origin at index 0, for convolution on planes of ``shape``.

    ``pixels`` may be a smaller plane, if the kernel ends within it.
    """

    pixels: Plane
    shape: tuple[int, int]

    @cached_property
    def sum(self) -> float:
        """Sum of the pixels: what the variances of white noise are multiplied by."""
        return float(self.pixels.sum(dtype=np.float64))

    @cached_property
    def shares(self) -> RadialShare:
        """How its sum is spread over radius."""
        return RadialShare.of(self.pixels)

    @cached_property
    def compact(self) -> CompactSpectrum:
        """Half spectrum on ``shape``, block by block."""
        centred = np.fft.fftshift(self.pixels)
        if self.pixels.shape != self.shape:  # else nothing is gained: the whole is transformed
            reach = int(self.shares.radius(_UNSEEN)) + 1
            rows, columns = (
                slice(max(n // 2 - reach, 0), n // 2 + reach + 1) for n in centred.shape
            )
            centred = np.ascontiguousarray(centred[rows, columns])
        dtype = np.result_type(centred.dtype, np.complex64)
        return CompactSpectrum(centred, self.shape, dtype)

    @property
    def spectrum(self) -> Spectrum:
        """Half spectrum on ``shape``, kept."""
        return self.compact.whole


Squares = tuple[SquaredKernel, SquaredKernel]
"""Squared kernels of science and template."""


@dataclass(frozen=True, eq=False)
class VarianceSpectrum:
    """A variance plane (ny, nx) as what all pixels share, and the half spectrum of the rest.

    ``excess`` is None for a uniform plane. What all pixels share needs no transform, and the
    rest keeps more of its precision.
    """

    common: float
    excess: Spectrum | None
    dtype: np.dtype

    @classmethod
    def of(cls, plane: Plane, forward: Callable[[Plane], Spectrum] = forward) -> Self:
        """Spectrum of a plane."""
        least = float(plane.min())
        varies = plane[0, 0] > least or plane.max() > least  # mostly the first: saves a pass
        return cls(least, forward(plane - plane.dtype.type(least)) if varies else None, plane.dtype)

    def plane(
        self,
        shape: tuple[int, int],
        rows: slice = _ALL,
        backward: Callable[[Spectrum, tuple[int, int], slice], Plane] = backward,
    ) -> Plane:
        """The ``rows`` of the plane of ``shape``; the spectrum is spoilt."""
        if self.excess is None:
            n = len(range(*rows.indices(shape[0])))
            return np.full((n, shape[1]), self.common, dtype=self.dtype)
        varying = backward(self.excess, shape, rows)
        # Kernel² and V are positive: below zero is round-off.
        np.maximum(varying, 0, out=varying)
        varying += self.dtype.type(self.common)
        return varying


def propagate(
    variances: tuple[VarianceSpectrum, VarianceSpectrum], squares: Squares
) -> VarianceSpectrum:
    """c_n² ⊗ V_n + c_r² ⊗ V_r (eqs. 26, 27)."""
    (square_n, square_r), (variance_n, variance_r) = squares, variances
    excess_n, excess_r = variance_n.excess, variance_r.excess
    excess: Spectrum | None = None
    if excess_n is not None and excess_r is not None:
        excess = weighted(square_n.spectrum, excess_n, square_r.spectrum, excess_r)
    elif excess_n is not None:
        excess = square_n.spectrum * excess_n
    elif excess_r is not None:
        excess = square_r.spectrum * excess_r
    total = sum(v.common * square.sum for square, v in zip(squares, variances, strict=True))
    return VarianceSpectrum(total, excess, variance_n.dtype)


def propagate_both(
    variances: tuple[VarianceSpectrum, VarianceSpectrum],
    diff_squares: Squares,
    score_squares: Squares | None,
    arithmetic: Arithmetic,
    overwrite: bool,
) -> tuple[VarianceSpectrum, VarianceSpectrum | None]:
    """V_D and V_S, from squared kernels that are made block by block.

    Parameters
    ----------
    variances
        Of science and template; their spectra are spoilt if ``overwrite``.
    diff_squares, score_squares
        Squared kernels of D and S; None: no V_S.
    arithmetic
        What multiplies.
    overwrite
        Whether the result may go into the memory of ``variances``.
    """
    excess_n, excess_r = (variance.excess for variance in variances)
    if excess_n is None or excess_r is None or score_squares is None:
        score = None if score_squares is None else propagate(variances, score_squares)
        return propagate(variances, diff_squares), score
    diff, score_excess = excess_n, excess_r
    if not overwrite:
        diff, score_excess = np.empty_like(excess_n), np.empty_like(excess_r)
    squares = [square.compact for square in (*diff_squares, *score_squares)]
    for part, blocks in blocks_of(squares, arithmetic):
        if not overwrite:
            diff[part], score_excess[part] = excess_n[part], excess_r[part]
        arithmetic.weighted_twice(diff[part], score_excess[part], blocks)
    totals = (
        sum(v.common * square.sum for square, v in zip(pair, variances, strict=True))
        for pair in (diff_squares, score_squares)
    )
    dtype = variances[0].dtype
    diff_variance, score_variance = (
        VarianceSpectrum(total, excess, dtype)
        for total, excess in zip(totals, (diff, score_excess), strict=True)
    )
    return diff_variance, score_variance

"""Variance planes of D and S: the squared kernels convolved with the variances (eqs. 26, 27)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from zogy_explorer.engine.fourier import (
    Plane,
    Spectrum,
    backward,
    forward,
    stamp_spectrum,
    weighted,
)


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
    def spectrum(self) -> Spectrum:
        """Half spectrum on ``shape``, kept: all pieces of a cell need the same."""
        return stamp_spectrum(np.fft.fftshift(self.pixels), self.shape)


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
    def of(cls, plane: Plane) -> Self:
        """Spectrum of a plane."""
        least = float(plane.min())
        varies = plane[0, 0] > least or plane.max() > least  # mostly the first: saves a pass
        return cls(least, forward(plane - plane.dtype.type(least)) if varies else None, plane.dtype)

    def plane(self, shape: tuple[int, int], *, overwrite: bool = False) -> Plane:
        """The plane of ``shape``; the spectrum may be spoilt if ``overwrite``."""
        if self.excess is None:
            return np.full(shape, self.common, dtype=self.dtype)
        varying = backward(self.excess if overwrite else self.excess.copy(), shape)
        # Kernel² and V are positive: below zero is round-off.
        np.maximum(varying, 0, out=varying)
        varying += self.dtype.type(self.common)
        return varying


def propagate(
    variances: tuple[VarianceSpectrum, VarianceSpectrum],
    squares: Squares,
    *,
    overwrite: bool = False,
) -> VarianceSpectrum:
    """c_n² ⊗ V_n + c_r² ⊗ V_r (eqs. 26, 27); the spectra may be spoilt if ``overwrite``."""
    total = sum(v.common * square.sum for square, v in zip(squares, variances, strict=True))
    return VarianceSpectrum(total, _excess(variances, squares, overwrite), variances[0].dtype)


def _excess(
    variances: tuple[VarianceSpectrum, VarianceSpectrum], squares: Squares, overwrite: bool
) -> Spectrum | None:
    (square_n, square_r), (variance_n, variance_r) = squares, variances
    excess_n, excess_r = variance_n.excess, variance_r.excess
    if excess_n is not None and excess_r is not None:
        return weighted(
            square_n.spectrum, excess_n, square_r.spectrum, excess_r, overwrite=overwrite
        )
    if excess_n is not None:
        return square_n.spectrum * excess_n
    return None if excess_r is None else square_r.spectrum * excess_r

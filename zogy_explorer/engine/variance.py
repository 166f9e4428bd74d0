"""Variance planes of D and S: the squared kernels convolved with the variances (eqs. 26, 27)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from zogy_explorer.engine.fourier import Plane, Spectrum, backward, forward, stamp_spectrum


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
        varies = plane.max() > least
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
    total = 0.0
    spectrum: Spectrum | None = None
    for square, variance in zip(squares, variances, strict=True):
        total += variance.common * square.sum
        if variance.excess is None:
            continue
        out = variance.excess if overwrite else None
        part = np.multiply(square.spectrum, variance.excess, out=out)
        spectrum = part if spectrum is None else np.add(spectrum, part, out=spectrum)
    return VarianceSpectrum(total, spectrum, variances[0].dtype)

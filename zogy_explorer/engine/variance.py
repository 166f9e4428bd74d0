"""Variance planes of D and S: the squared kernels convolved with the variances (eqs. 26, 27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from zogy_explorer.engine.fourier import Plane, Spectrum, backward, forward, stamp_spectrum


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


class VariancePropagation:
    """c_n² ⊗ V_n + c_r² ⊗ V_r (eqs. 26, 27) for several kernels, transforming V once."""

    def __init__(self, variance_n: Plane, variance_r: Plane, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.inputs = (VarianceSpectrum.of(variance_n), VarianceSpectrum.of(variance_r))

    def of(self, square_n: Plane, square_r: Plane) -> Plane:
        """Variance plane (ny, nx) of the cell for squared kernels with origin at index 0."""
        spectrum = propagate(self.inputs, (square_n, square_r), self.shape)
        return spectrum.plane(self.shape, overwrite=True)


def propagate(
    variances: tuple[VarianceSpectrum, VarianceSpectrum],
    squares: tuple[Plane, Plane],
    shape: tuple[int, int],
) -> VarianceSpectrum:
    """Sum of both variances, each convolved with a squared kernel whose origin is at index 0."""
    total = 0.0
    spectrum: Spectrum | None = None
    for square, variance in zip(squares, variances, strict=True):
        total += variance.common * float(square.sum(dtype=np.float64))
        if variance.excess is None:
            continue
        part = stamp_spectrum(np.fft.fftshift(square), shape)
        part *= variance.excess
        if spectrum is None:
            spectrum = part
        else:
            spectrum += part
    return VarianceSpectrum(total, spectrum, variances[0].dtype)

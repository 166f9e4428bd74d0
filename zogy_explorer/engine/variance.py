"""Variance planes of D and S: the squared kernels convolved with the variances (eqs. 26, 27)."""

from __future__ import annotations

import numpy as np

from zogy_explorer.engine.fourier import Plane, backward, forward, stamp_spectrum


class VariancePropagation:
    """c_n² ⊗ V_n + c_r² ⊗ V_r (eqs. 26, 27) for several kernels, transforming V once."""

    def __init__(self, variance_n: Plane, variance_r: Plane, shape: tuple[int, int]) -> None:
        self.shape = shape
        # What all pixels share needs no transform, and the rest keeps more of its precision.
        self.common = (float(variance_n.min()), float(variance_r.min()))
        self.spectra = tuple(
            forward(plane - plane.dtype.type(least)) if plane.max() > least else None
            for plane, least in zip((variance_n, variance_r), self.common, strict=True)
        )
        self.dtype = variance_n.dtype

    def of(self, square_n: Plane, square_r: Plane) -> Plane:
        """Variance plane (ny, nx) of the cell for squared kernels with origin at index 0."""
        total = 0.0
        spectrum = None
        for square, least, transformed in zip(
            (square_n, square_r), self.common, self.spectra, strict=True
        ):
            total += least * float(square.sum(dtype=np.float64))
            if transformed is None:
                continue
            part = stamp_spectrum(np.fft.fftshift(square), self.shape)
            part *= transformed
            if spectrum is None:
                spectrum = part
            else:
                spectrum += part
        if spectrum is None:
            return np.full(self.shape, total, dtype=self.dtype)
        varying = backward(spectrum, self.shape)
        # Kernel² and V are positive: below zero is round-off.
        np.maximum(varying, 0, out=varying)
        varying += self.dtype.type(total)
        return varying

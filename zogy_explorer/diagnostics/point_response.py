"""What a point source, and the noise, look like in D and S of one cell.

Everything follows from the cell's PSFs, σ and F, so that a finished difference is enough: the
transform of the cell is not needed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from zogy_explorer.diagnostics.response import cell_kernels, kernel_side
from zogy_explorer.engine.equations import Kernels
from zogy_explorer.engine.result import CellResult

Array = NDArray[np.float64]

_KERNEL_SHARE = 1e-4  # of a squared kernel that may be left out of a sum over a window


@dataclass(frozen=True, eq=False)
class PointResponse:
    """Kernels of a cell on a small plane of ``side``² pixels.

    Parameters
    ----------
    kernels
        Half spectra.
    side
        Of the plane [px]; even.
    """

    kernels: Kernels
    side: int

    @classmethod
    def of(cls, cell: CellResult) -> Self:
        """Response of a cell that has a result."""
        side = kernel_side(cell)
        return cls(cell_kernels(cell, (side, side)), side)

    @cached_property
    def curvature(self) -> Array:
        """−∂²/∂x_i∂x_j of S at a source over S there (2, 2), x before y [px⁻²].

        The mean of ω_i ω_j over the power of P_S = |P_D|² (eq. 17).
        """
        power = self._doubled * self.kernels.score_power
        wx, wy = self._frequencies
        total = power.sum()
        xx, yy, xy = ((power * term).sum() / total for term in (wx * wx, wy * wy, wx * wy))
        return np.array([[xx, xy], [xy, yy]])

    @cached_property
    def gradient_squares(self) -> tuple[tuple[Array, Array, Array], ...]:
        """(∂_x k)², (∂_y k)², ∂_x k ∂_y k of k_n and of k_r, as centred stamps.

        Convolved with the variances of the images they give the covariance of ∇S, as the
        squared kernels give V_S (eqs. 26, 27).
        """
        wx, wy = self._frequencies
        parts = []
        for kernel in (self.kernels.score_n, self.kernels.score_r):
            along_x, along_y = (self._stamp(1j * w * kernel) for w in (wx, wy))
            parts.append((along_x, along_y))
        reach = max(_reach(gradient**2) for pair in parts for gradient in pair)
        middle = self.side // 2
        cut = slice(middle - reach, middle + reach + 1)
        return tuple((x[cut, cut] ** 2, y[cut, cut] ** 2, (x * y)[cut, cut]) for x, y in parts)

    @cached_property
    def psf_diff(self) -> Array:
        """F_D P_D: what a source of unit flux adds to D of unit noise, centred (side, side)."""
        return self._stamp(self.kernels.psf_diff * self.kernels.weights.flux_diff)

    @cached_property
    def hits(self) -> tuple[Array, Array]:
        """What one count in one pixel of science or template adds to D, centred (side, side)."""
        return (self._stamp(self.kernels.diff_n), -self._stamp(self.kernels.diff_r))

    @cached_property
    def psf_score(self) -> Array:
        """S around a source over its peak, centred (side, side)."""
        score = self._stamp(self.kernels.score_power.astype(complex))
        return score / score[self.side // 2, self.side // 2]

    @cached_property
    def lobes(self) -> Array:
        """Largest |S| at a distance of 0, 1, 2 … px from a source, over its peak.

        Within one pixel of the distance; the length is half the side.
        """
        return self._envelope(np.abs(self.psf_score))

    @cached_property
    def troughs(self) -> Array:
        """The same of −S: how deep the negative rings around a positive source are."""
        return np.maximum(self._envelope(-self.psf_score), 0.0)

    def _envelope(self, plane: Array) -> Array:
        middle = self.side // 2
        y, x = np.indices((self.side, self.side)) - middle
        distance = np.hypot(x, y)
        return np.array([plane[np.abs(distance - r) <= 1.0].max() for r in range(middle)])

    @cached_property
    def fwhm(self) -> float:
        """Full width of P_D at half of its peak [px], of a circle of the same area."""
        psf = self.psf_diff
        return float(2 * np.sqrt((psf > 0.5 * psf.max()).sum() / np.pi))

    @cached_property
    def _frequencies(self) -> tuple[Array, Array]:
        wx = 2 * np.pi * np.fft.rfftfreq(self.side)
        wy = 2 * np.pi * np.fft.fftfreq(self.side)
        # The Nyquist frequency has no sign: a real plane has no derivative there.
        wx[-1] = 0.0
        wy[self.side // 2] = 0.0
        return np.broadcast_to(wx, (self.side, wx.size)), np.repeat(wy[:, None], wx.size, axis=1)

    @cached_property
    def _doubled(self) -> Array:
        """How often each frequency of the half plane counts in the full one."""
        counts = np.full(self.side // 2 + 1, 2.0)
        counts[[0, -1]] = 1.0
        return counts

    def _stamp(self, spectrum: NDArray[np.complexfloating]) -> Array:
        """Plane of a half spectrum with its origin in the middle pixel."""
        return np.fft.fftshift(scipy.fft.irfft2(spectrum, s=(self.side, self.side)))


def _reach(square: Array) -> int:
    """Half side of the centred box that holds all but a negligible share of ``square`` [px]."""
    middle = square.shape[0] // 2
    y, x = np.indices(square.shape) - middle
    ring = np.maximum(abs(x), abs(y)).ravel()
    profile = np.cumsum(np.bincount(ring, weights=square.ravel()))
    reach = int(np.searchsorted(profile, (1 - _KERNEL_SHARE) * profile[-1]))
    return min(max(reach, 1), middle - 1)

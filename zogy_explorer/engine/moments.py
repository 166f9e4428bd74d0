"""Centroids and widths of PSF stamps.

`centroid` is the flux-weighted mean position; `adaptive_moments` the second moments under an
elliptical Gaussian weight matched to the PSF itself (Bernstein & Jarvis 2002), which is what
LSST derives its border from. Their r² ≤ 14 cut-off of the weight is reproduced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WEIGHT_CUTOFF = 14.0  # weight exp(-r²/2) is taken as 0 beyond this r², as in SDSS and LSST
_SMALLEST_SIGMA = 0.5  # [px] a narrower PSF cannot be told from a single pixel


def centroid(stamp: NDArray[np.floating], origin: str = "geometric") -> tuple[float, float]:
    """Centroid (x, y) of a stamp, measured from its centre [px].

    Weighted by the pixels as they are: absolute values would count noise in the wings as flux
    and pull an offset towards zero. Only where they sum to nothing they are taken, as LSST does.

    Parameters
    ----------
    stamp : (ny, nx) array of float
    origin
        ``"geometric"``: from (n-1)/2; ``"fft"``: from pixel n//2. They differ for even n.
    """
    ny, nx = stamp.shape
    weight = stamp if stamp.sum() != 0 else np.abs(stamp)
    total = weight.sum()
    if total == 0:
        return (0.0, 0.0)
    y0, x0 = stamp_center((ny, nx), origin)
    x = (np.arange(nx) - x0) @ weight.sum(axis=0) / total
    y = (np.arange(ny) - y0) @ weight.sum(axis=1) / total
    return (float(x), float(y))


def stamp_center(shape: tuple[int, int], origin: str) -> tuple[float, float]:
    """Centre (y, x) of a stamp of ``shape``: geometric, or the pixel that is the FFT's origin."""
    if origin == "fft":
        return (shape[0] // 2, shape[1] // 2)
    return ((shape[0] - 1) / 2, (shape[1] - 1) / 2)


@dataclass(frozen=True)
class Moments:
    """Second central moments of a PSF [px²]."""

    xx: float
    yy: float
    xy: float

    @property
    def determinant_radius(self) -> float:
        """Fourth root of the determinant: σ of a round Gaussian of the same area [px]."""
        determinant = self.xx * self.yy - self.xy**2
        return float(max(determinant, 0.0) ** 0.25)


def adaptive_moments(
    stamp: NDArray[np.floating], center: tuple[float, float] | None = None
) -> Moments:
    """Second moments under a Gaussian weight of the same shape, about a fixed centre.

    Parameters
    ----------
    stamp : (ny, nx) array of float
    center
        (y, x) of the weight; pixel n//2 by default.

    Returns
    -------
    moments
        Never narrower than half a pixel; the stamp's own size if the iteration finds nothing.
    """
    ny, nx = stamp.shape
    y0, x0 = stamp_center((ny, nx), "fft") if center is None else center
    dy = (np.arange(ny) - y0)[:, None]
    dx = (np.arange(nx) - x0)[None, :]
    weight = np.diag([2.25, 2.25])
    for _ in range(200):
        try:
            matched = _matched(stamp, dx, dy, np.linalg.inv(weight))
        except np.linalg.LinAlgError:
            return _floor(np.zeros((2, 2)))
        if not np.isfinite(matched).all() or np.linalg.det(matched) <= 0:
            return _floor(np.zeros((2, 2)))
        if np.trace(matched) > 2 * max(ny, nx) ** 2:
            return Moments(nx**2 / 12, ny**2 / 12, 0.0)
        done = np.abs(matched - weight).max() < 1e-10 * np.trace(matched)
        weight = matched
        if done:
            break
    return _floor(weight)


def _matched(
    stamp: NDArray[np.floating],
    dx: NDArray[np.floating],
    dy: NDArray[np.floating],
    inverse: NDArray[np.floating],
) -> NDArray[np.float64]:
    """One step: the covariance that would give the moments seen under weight ``inverse``⁻¹."""
    r2 = inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2
    seen = np.where(r2 <= _WEIGHT_CUTOFF, np.exp(-r2 / 2), 0.0) * stamp
    total = seen.sum()
    xx, yy, xy = (seen * dx**2).sum(), (seen * dy**2).sum(), (seen * dx * dy).sum()
    covariance = np.array([[xx, xy], [xy, yy]]) / total
    # Gaussian times Gaussian: the seen inverse covariance is the sum of PSF's and weight's.
    return np.linalg.inv(np.linalg.inv(covariance) - inverse)


def _floor(covariance: NDArray[np.floating]) -> Moments:
    smallest = _SMALLEST_SIGMA**2
    return Moments(
        max(float(covariance[0, 0]), smallest),
        max(float(covariance[1, 1]), smallest),
        float(covariance[0, 1]),
    )

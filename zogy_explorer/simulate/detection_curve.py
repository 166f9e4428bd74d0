"""The share of sources that is found, as a curve over flux: bands, and where it crosses 50 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import log_ndtr, ndtri

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_LEAST_WIDTH = 1e-3  # of a step, over its flux at half: sharper ones cannot be told apart
_MOST_WIDTH = 3.0


@dataclass(frozen=True)
class DetectionCurve:
    """Φ((flux − half)/width): what Gaussian noise of ``width`` makes of a threshold at ``half``.

    NaN if the data do not say: all, or none, of the sources were found.
    """

    half: float
    width: float

    def flux_at(self, fraction: float) -> float:
        """Flux at which this fraction is found."""
        return float(self.half + self.width * ndtri(fraction))


def fit_curve(
    flux: Array, found: Counts, tried: Counts, width: float | None = None
) -> DetectionCurve:
    """The most likely curve.

    Parameters
    ----------
    flux, found, tried : (n,) arrays
    width
        Known width; None: fitted too.
    """
    order = np.argsort(flux)
    flux, found, tried = flux[order], found[order], tried[order]
    if found.sum() == 0 or found.sum() == tried.sum():
        return DetectionCurve(float("nan"), float("nan"))

    def loss(half: float, spread: float) -> float:
        z = (flux - half) / spread
        return float(-(found * log_ndtr(z) + (tried - found) * log_ndtr(-z)).sum())

    shares = found / np.maximum(tried, 1)
    start = float(np.interp(0.5, np.maximum.accumulate(shares), flux))
    if width is not None:
        low, high = flux[0] - 5 * width, flux[-1] + 5 * width
        best = optimize.minimize_scalar(
            lambda half: loss(half, width), bounds=(low, high), method="bounded"
        )
        return DetectionCurve(float(best.x), float(width))
    scale = max(start, float(flux[0]))

    def both(values: Array) -> float:
        spread = np.clip(np.exp(values[1]), _LEAST_WIDTH, _MOST_WIDTH)
        return loss(scale * values[0], scale * float(spread))

    best = optimize.minimize(both, [start / scale, np.log(0.2)], method="Nelder-Mead")
    spread = float(np.clip(np.exp(best.x[1]), _LEAST_WIDTH, _MOST_WIDTH))
    return DetectionCurve(float(scale * best.x[0]), scale * spread)


def binomial_band(found: Counts, tried: Counts) -> tuple[Array, Array]:
    """68 % interval of the share found (Jeffreys); NaN where nothing was tried."""
    from astropy.stats import binom_conf_interval

    low, high = np.full(len(tried), np.nan), np.full(len(tried), np.nan)
    some = tried > 0
    if some.any():
        low[some], high[some] = binom_conf_interval(found[some], tried[some], interval="jeffreys")
    return low, high

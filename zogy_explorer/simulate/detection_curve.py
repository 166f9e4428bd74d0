"""The share of sources that is found, as a curve over flux: bands, and where it crosses 50 %."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import log_ndtr, ndtri

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_LEAST_WIDTH = 1e-3  # of a step, over its flux at half: sharper ones cannot be told apart
_MOST_WIDTH = 3.0
_SINGULAR = 1e-9  # determinant over the product of the diagonal: two numbers from one flux


@dataclass(frozen=True)
class DetectionCurve:
    """Φ((flux − half)/width): what Gaussian noise of ``width`` makes of a threshold at ``half``.

    NaN if the data do not say: all, or none, of the sources were found.

    Parameters
    ----------
    half, width
        In the unit of the fluxes.
    covariance
        Variances of half and width, and their covariance between them: ``(v_h, c, v_w)``; infinite
        where the shares found leave them open.
    """

    half: float
    width: float
    covariance: tuple[float, float, float] = (math.nan, math.nan, math.nan)

    def flux_at(self, fraction: float) -> float:
        """Flux at which this fraction is found; NaN if the data leave it open."""
        flux = float(self.half + self.width * ndtri(fraction))
        return flux if math.isfinite(self.error_at(fraction)) else math.nan

    def error_at(self, fraction: float) -> float:
        """Standard error of `flux_at`."""
        of_half, both, of_width = self.covariance
        z = float(ndtri(fraction))
        if z == 0:  # where the width does not matter, not even an unknown one
            return math.sqrt(of_half)
        return math.sqrt(max(of_half + 2 * z * both + z**2 * of_width, 0.0))


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
        return _with_errors(float(best.x), float(width), flux, tried, width_known=True)
    scale = max(start, float(flux[0]))

    def both(values: Array) -> float:
        spread = np.clip(np.exp(values[1]), _LEAST_WIDTH, _MOST_WIDTH)
        return loss(scale * values[0], scale * float(spread))

    best = optimize.minimize(both, [start / scale, np.log(0.2)], method="Nelder-Mead")
    spread = float(np.clip(np.exp(best.x[1]), _LEAST_WIDTH, _MOST_WIDTH))
    return _with_errors(float(scale * best.x[0]), scale * spread, flux, tried)


def _with_errors(
    half: float, width: float, flux: Array, tried: Counts, *, width_known: bool = False
) -> DetectionCurve:
    """The curve with its covariance, from the Fisher information of shares of a probit.

    A flux at which the curve is 0 or 1 says nothing; one flux alone says nothing of the width.
    """
    z = (flux - half) / width
    # φ²/(p·q) by logarithms: both factors vanish far from the curve's step.
    weight = tried * np.exp(-(z**2) - math.log(2 * math.pi) - log_ndtr(z) - log_ndtr(-z)) / width**2
    hh, hw, ww = (float((weight * z**power).sum()) for power in range(3))
    if width_known:
        return DetectionCurve(half, width, (1 / hh if hh > 0 else math.inf, 0.0, 0.0))
    determinant = hh * ww - hw**2
    if not determinant > _SINGULAR * hh * ww:
        return DetectionCurve(half, width, (math.inf, 0.0, math.inf))
    return DetectionCurve(half, width, (ww / determinant, -hw / determinant, hh / determinant))


def binomial_band(found: Counts, tried: Counts) -> tuple[Array, Array]:
    """68 % interval of the share found (Jeffreys); NaN where nothing was tried."""
    from astropy.stats import binom_conf_interval

    low, high = np.full(len(tried), np.nan), np.full(len(tried), np.nan)
    some = tried > 0
    if some.any():
        low[some], high[some] = binom_conf_interval(found[some], tried[some], interval="jeffreys")
    return low, high

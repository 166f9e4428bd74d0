"""Is D white: its power spectrum, its autocorrelation and one number for it.

D is white by construction (eq. 13), with the frequency floor too: numerator and denominator of
its kernels carry the same floored PSFs, so that |c_n|²σ_n² + |c_r|²σ_r² stays 1 at every
frequency. What departs from it is in the data: correlated input noise, wrong PSFs, residuals.

Masks and holes enter through the pairs of pixels that are left at each lag (see ``lags.py``);
pixels of sources are left out unless asked for, and so are D's own outliers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from zogy_explorer.diagnostics.field import Subject, field_of
from zogy_explorer.diagnostics.lags import (
    LagCovariance,
    fitting_lag,
    lag_covariance,
    radial_spectrum,
)
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.statistics import clipped_sigma

Plane = NDArray[np.floating]

_LEAST_PIXELS = 200
_OUTLIER = 6.0  # σ; of Gaussian pixels 2e-9 lie beyond


@dataclass(frozen=True, eq=False)
class PowerSpectrum:
    """Radial power spectrum of D in units of its predicted white level.

    Parameters
    ----------
    frequency
        Of each ring [cycles / px]; the axes end at 0.5, the corners at 0.71.
    power
        1 if D has the noise that is predicted.
    error
        Standard error of ``power`` if D is white.
    plane
        Power in two dimensions (n, n), frequency 0 at the centre n // 2.
    n_pixels
        Pixels used.
    """

    frequency: Plane
    power: Plane
    error: Plane
    plane: Plane
    n_pixels: int


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """Correlation of D's pixels by lag.

    Parameters
    ----------
    lags
        -L…L [px], along both axes of ``values``.
    values
        (2L+1, 2L+1); 1 at the centre by definition.
    error
        Standard error of each value if D is white; 0 at the centre.
    variance
        Variance of D over the predicted one.
    n_pixels
        Pixels used.
    """

    lags: NDArray[np.int_]
    values: Plane
    error: Plane
    variance: float
    n_pixels: int

    @property
    def nearest(self) -> tuple[float, float]:
        """Correlation with the neighbour along x and y."""
        if not self.values.size:
            return (float("nan"), float("nan"))
        c = len(self.lags) // 2
        return (float(self.values[c, c + 1]), float(self.values[c + 1, c]))


@dataclass(frozen=True)
class Whiteness:
    """Mean square of D's correlations over that of white noise (Box & Pierce 1970).

    Parameters
    ----------
    statistic
        Σ_l n(l) r(l)² / K over the K lags of a half-plane: 1 if D is white.
    error
        Its sampling error if D is white: √(2/K).
    p_value
        Chance of a larger statistic if D is white.
    rms_correlation
        Rms correlation beyond sampling, over all lags; 0 if there is none.
    largest, largest_lag
        The correlation farthest from 0 in its errors, and its lag (x, y) [px].
    n_lags, n_pixels
        K, and the pixels used.
    """

    statistic: float
    error: float
    p_value: float
    rms_correlation: float
    largest: float
    largest_lag: tuple[int, int]
    n_lags: int
    n_pixels: int

    @property
    def pull(self) -> float:
        """Departure from white noise in sampling errors."""
        return (self.statistic - 1) / self.error if self.n_lags else float("nan")


def power_spectrum(
    subject: Subject,
    plan: SubtractionPlan | None = None,
    *,
    sources: bool = False,
    max_lag: int = 24,
) -> PowerSpectrum:
    """Radial power spectrum of D over its predicted σ.

    Parameters
    ----------
    subject, plan, sources
        As for `scorr_statistics`.
    max_lag
        Largest lag that enters [px]: it resolves frequencies 1 / max_lag apart.
    """
    covariance = _covariance(subject, plan, sources, max_lag)
    if covariance is None:
        empty = np.empty(0)
        return PowerSpectrum(empty, empty, empty, np.empty((0, 0)), 0)
    s = radial_spectrum(covariance)
    return PowerSpectrum(s.frequency, s.power, s.error, s.plane, covariance.n_pixels)


def autocorrelation(
    subject: Subject,
    plan: SubtractionPlan | None = None,
    *,
    sources: bool = False,
    max_lag: int = 12,
) -> Autocorrelation:
    """Two-dimensional autocorrelation of D over its predicted σ; arguments as above."""
    covariance = _covariance(subject, plan, sources, max_lag)
    if covariance is None:
        empty = np.empty((0, 0))
        return Autocorrelation(np.empty(0, dtype=int), empty, empty, float("nan"), 0)
    values, error = _correlations(covariance)
    lag = covariance.max_lag
    return Autocorrelation(
        np.arange(-lag, lag + 1), values, error, covariance.variance, covariance.n_pixels
    )


def whiteness(
    subject: Subject,
    plan: SubtractionPlan | None = None,
    *,
    sources: bool = False,
    max_lag: int = 8,
) -> Whiteness:
    """Whether D is white within its sampling error; arguments as above."""
    covariance = _covariance(subject, plan, sources, max_lag)
    if covariance is None:
        nan = float("nan")
        return Whiteness(nan, nan, nan, nan, nan, (0, 0), 0, 0)
    return whiteness_of(covariance)


def whiteness_of(covariance: LagCovariance) -> Whiteness:
    """The same from an autocovariance, such as a sum over many frames."""
    values, error = _correlations(covariance)
    y, x = covariance.lags
    half = ((y > 0) | ((y == 0) & (x > 0))) & (covariance.pairs > 0)
    pulls = values[half] / error[half]
    n = int(half.sum())
    total = float((pulls**2).sum())
    worst = int(np.argmax(np.abs(pulls)))
    beyond = float((values[half] ** 2 - error[half] ** 2).mean())
    return Whiteness(
        statistic=total / n,
        error=float(np.sqrt(2 / n)),
        p_value=float(chi2.sf(total, n)),
        rms_correlation=float(np.sqrt(max(beyond, 0.0))),
        largest=float(values[half][worst]),
        largest_lag=(int(x[half][worst]), int(y[half][worst])),
        n_lags=n,
        n_pixels=covariance.n_pixels,
    )


def _correlations(covariance: LagCovariance) -> tuple[Plane, Plane]:
    """Correlations and their standard errors for white noise."""
    with np.errstate(divide="ignore"):
        error = np.where(covariance.pairs > 0, 1 / np.sqrt(covariance.pairs), np.nan)
    error[covariance.max_lag, covariance.max_lag] = 0.0
    return covariance.values / covariance.variance, error


def _covariance(
    subject: Subject, plan: SubtractionPlan | None, sources: bool, max_lag: int
) -> LagCovariance | None:
    """Autocovariance of D over its σ; None if too few pixels are left."""
    field = field_of(subject, plan, sources=sources)
    if field.n_pixels < _LEAST_PIXELS:
        return None
    use = field.use
    values = field.diff[use]
    limit = _OUTLIER * clipped_sigma(values.copy())
    use = use & (np.abs(field.diff - np.median(values)) <= limit)
    shape = (use.shape[0], use.shape[1])
    covariance = lag_covariance(field.diff, field.diff, use, use, fitting_lag(shape, max_lag))
    return covariance if covariance.variance > 0 else None

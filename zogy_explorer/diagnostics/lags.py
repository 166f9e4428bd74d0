"""Covariances of planes by lag, and their spectra, where pixels are missing.

C(l) = Σ a(x) b(x+l) / (number of pairs of pixels in use at lag l): unbiased for any pattern of
masks, and without wrapping around, so that neither holes nor edges leave anything in it. The
spectrum is its Fourier transform under a lag window (Blackman & Tukey 1958), and both have exact
sampling errors for white noise, because products at different lags are uncorrelated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Plane = NDArray[np.floating]
Flags = NDArray[np.bool_]
Spectrum = NDArray[np.complexfloating]


@dataclass(frozen=True, eq=False)
class LagCovariance:
    """Covariance of two planes by lag.

    Parameters
    ----------
    values
        (2L+1, 2L+1); lag (0, 0) at the centre, (y, x); NaN where no pair of pixels is in use.
    pairs
        How many pairs of pixels each is a mean of.
    """

    values: Plane
    pairs: Plane

    @property
    def max_lag(self) -> int:
        """L [px]."""
        return self.values.shape[0] // 2

    @property
    def variance(self) -> float:
        """At lag 0."""
        return float(self.values[self.max_lag, self.max_lag])

    @property
    def n_pixels(self) -> int:
        """Pixels in use (by both planes)."""
        return int(self.pairs[self.max_lag, self.max_lag])

    @property
    def lags(self) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Lag (y, x) of each value [px]."""
        along = np.arange(-self.max_lag, self.max_lag + 1)
        y, x = np.meshgrid(along, along, indexing="ij")
        return y, x


def lag_covariance(
    first: Plane, second: Plane, use_first: Flags, use_second: Flags, max_lag: int
) -> LagCovariance:
    """⟨first(x) second(x + l)⟩ over the pixels in use, each plane less its mean over them.

    Parameters
    ----------
    first, second : (ny, nx) arrays
        May be anything where not in use.
    use_first, use_second : (ny, nx) arrays of bool
    max_lag
        L, the largest lag along either axis [px].
    """
    shape = tuple(scipy.fft.next_fast_len(n + max_lag, real=True) for n in first.shape)
    same = second is first and use_second is use_first

    def spectra(plane: Plane, use: Flags) -> tuple[Spectrum, Spectrum]:
        values = np.where(use, plane, 0.0).astype(np.float64)
        n = np.count_nonzero(use)
        if n:
            values[use] -= values.sum() / n
        weight = use.astype(np.float64)
        return scipy.fft.rfft2(values, shape), scipy.fft.rfft2(weight, shape)

    values_1, weight_1 = spectra(first, use_first)
    values_2, weight_2 = (values_1, weight_1) if same else spectra(second, use_second)
    along = np.arange(-max_lag, max_lag + 1)

    def by_lag(one: Spectrum, other: Spectrum) -> Plane:
        full = scipy.fft.irfft2(np.conj(one) * other, shape)
        return np.asarray(full[np.ix_(along, along)])

    pairs = np.rint(by_lag(weight_1, weight_2))
    sums = by_lag(values_1, values_2)
    values = np.divide(sums, pairs, out=np.full_like(sums, np.nan), where=pairs > 0)
    return LagCovariance(values, pairs)


def fitting_lag(shape: tuple[int, int], wanted: int) -> int:
    """The largest lag that a plane of ``shape`` measures, at most ``wanted`` [px]."""
    return int(max(min(wanted, min(shape) // 3), 1))


@dataclass(frozen=True, eq=False)
class RadialSpectrum:
    """Power by frequency, mean over rings, and its sampling error if the power were 1.

    Parameters
    ----------
    frequency
        Mean frequency of each ring [cycles / px].
    power
        Mean power; the variance of a pixel is its mean over all frequencies.
    error
        Standard error of ``power`` for white noise of power 1 (not shared, in a cross-spectrum).
    plane
        Power (n, n), frequency 0 at the centre n // 2.
    """

    frequency: Plane
    power: Plane
    error: Plane
    plane: Plane


def radial_spectrum(covariance: LagCovariance, *, cross: bool = False) -> RadialSpectrum:
    """Spectrum of an autocovariance, or (``cross``) the real part of a cross-spectrum.

    The error is that of white noise of unit variance, in a cross-spectrum not shared.
    """
    lag = covariance.max_lag
    n = 2 * (2 * lag + 1)
    window = _hann(covariance) * (covariance.pairs > 0)
    weighted = np.where(window > 0, covariance.values, 0.0) * window
    plane = np.fft.fft2(_at_origin(weighted, n)).real
    f = np.fft.fftfreq(n)
    radius = np.hypot(f[:, None], f)
    ring = np.minimum((radius * 2 * lag).astype(int), int(2 * lag * np.sqrt(0.5)))
    count = np.bincount(ring.ravel())
    rings = np.nonzero(count)[0]
    variance = np.where(window > 0, window**2 / np.maximum(covariance.pairs, 1), 0.0)
    if not cross:
        variance *= 2  # C(l) and C(-l) are one number, and C(0) is a mean of squares
    error = np.empty(len(rings))
    for i, number in enumerate(rings):
        mean_wave = np.fft.ifft2((ring == number) / count[number]).real * n * n
        along = np.arange(-lag, lag + 1)
        error[i] = np.sqrt((mean_wave[np.ix_(along, along)] ** 2 * variance).sum())
    totals = np.bincount(ring.ravel(), plane.ravel())
    centres = np.bincount(ring.ravel(), radius.ravel())
    return RadialSpectrum(
        frequency=centres[rings] / count[rings],
        power=totals[rings] / count[rings],
        error=error,
        plane=np.fft.fftshift(plane),
    )


def _hann(covariance: LagCovariance) -> Plane:
    y, x = covariance.lags
    r = np.hypot(y, x) / (covariance.max_lag + 1)
    return np.asarray(np.where(r < 1, 0.5 * (1 + np.cos(np.pi * r)), 0.0))


def _at_origin(values: Plane, n: int) -> Plane:
    """Values by lag on an (n, n) plane with lag 0 at index 0."""
    lag = values.shape[0] // 2
    along = np.arange(-lag, lag + 1)
    plane = np.zeros((n, n))
    plane[np.ix_(along, along)] = values
    return plane

"""Clipped statistics of planes with bad pixels, and robust widths.

`clipped_mean` follows the documented recipe of LSST's MEANCLIP step by step, because the padding
noise of the ``lsst()`` preset is seeded from the bit pattern of such a mean: even the order of
summation matters there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating]

SAMPLE = 20_000
"""Pixels from which a σ is known to half a per cent."""
NOISE_SAMPLE = 12_000
"""Pixels for the measured σ of a cell's planes: its error is then 0.6 %, flagged are 5 %."""
MEAN_SAMPLE = 5_000
"""Pixels that are enough for a mean variance or the sky of a cell's padding."""
SKY_SAMPLE = 100_000
"""Pixels for a sky level: its error is then 0.3 % of a pixel's noise."""

_RANKED = 2_000  # values that are ranked to find where to clip

IQR_TO_SIGMA = 0.741301109252802
"""σ of a Gaussian over its interquartile range."""
MAD_TO_SIGMA = 1.482602218505602
"""σ of a Gaussian over its median absolute deviation."""


@dataclass(frozen=True)
class ClippedStatistics:
    """What is left of a plane after clipping; NaN where no pixel is usable."""

    mean: float
    variance: float
    median: float
    iqr: float
    n_used: int
    n_clipped: int


def clipped_statistics(
    values: NDArray[np.floating],
    use: NDArray[np.bool_] | None = None,
    *,
    n_sigma: float = 3.0,
    iterations: int = 3,
    sample: int | None = None,
) -> ClippedStatistics:
    """Mean and variance after iterated σ-clipping.

    The first pass clips at median ± n_sigma·0.7413·IQR, later ones at mean ± n_sigma·stdev.

    Parameters
    ----------
    values : (ny, nx) array of float
    use : (ny, nx) array of bool, optional
        Pixels to use; non-finite ones are always left out.
    n_sigma, iterations
        Clipping width and number of passes.
    sample
        Use about this many pixels of a larger plane, on a regular grid; None: all.
    """
    if sample is not None:
        thin = thinned(values.size, sample)
        thinner, chosen = values[thin], use if use is None else use[thin]
        # Too few usable pixels on the grid: the plane is mostly masked, so take all there are.
        if chosen is None or chosen.sum() > 0.05 * sample:
            values, use = thinner, chosen
    good = np.isfinite(values) if use is None else np.isfinite(values) & use
    # A sample is as good in the planes' own precision, which is faster to rank.
    data = np.asarray(values[good], dtype=np.float64 if sample is None else None)
    if data.size == 0:
        return ClippedStatistics(np.nan, np.nan, np.nan, np.nan, 0, 0)
    lower, median, upper = _quartiles(data if sample is None else _few(data))
    iqr = upper - lower
    centre, width = median, n_sigma * IQR_TO_SIGMA * iqr
    mean, variance, kept = np.nan, np.nan, data
    for _ in range(iterations):
        kept = data[np.abs(data - centre) <= width]
        mean, variance = _mean_variance(kept, centre, in_order=sample is None)
        centre, width = mean, n_sigma * np.sqrt(max(variance, 0.0))
        if not np.isfinite(width):
            break
    return ClippedStatistics(mean, variance, median, iqr, data.size, data.size - kept.size)


def thinned(n_pixels: int, sample: int) -> tuple[slice, slice]:
    """Slices that take about ``sample`` of ``n_pixels`` pixels of a plane on a regular grid."""
    step = max(int(np.sqrt(n_pixels / sample)), 1)
    return (slice(None, None, step), slice(None, None, step))


def noise_sample(shape: tuple[int, int]) -> tuple[slice, slice]:
    """The pixels of a cell's region of ``shape`` from which its noise is measured."""
    return thinned(shape[0] * shape[1], NOISE_SAMPLE)


def clipped_mean(
    values: NDArray[np.floating],
    use: NDArray[np.bool_] | None = None,
    *,
    sample: int | None = None,
) -> float:
    """Mean after three passes of 3σ clipping; NaN if no pixel is usable."""
    return clipped_statistics(values, use, sample=sample).mean


def mean_variance(
    variance: NDArray[np.floating],
    use: NDArray[np.bool_] | None = None,
    *,
    sample: int | None = None,
) -> float:
    """Clipped mean of a variance plane; NaN if it is not positive.

    Squaring the root is not idle: it reproduces LSST's σ² to the last bit, which seeds noise.
    """
    mean = clipped_mean(variance, use, sample=sample)
    return float(np.sqrt(mean) ** 2) if mean >= 0 else float("nan")


def robust_sigma(values: NDArray[np.floating]) -> float:
    """σ from the median absolute deviation of the finite values; NaN if there are fewer than 2."""
    data = values[np.isfinite(values)]
    if data.size < 2:
        return float("nan")
    data -= np.median(data)
    return float(MAD_TO_SIGMA * np.median(np.abs(data), overwrite_input=True))


def clipped_sigma(values: NDArray[np.floating], limit: float = 5.0) -> float:
    """Standard deviation of the values within ``limit`` robust σ (from quartiles) of their median.

    NaN if there are fewer than 2.
    """
    data = values[np.isfinite(values)]
    if data.size < 2:
        return float("nan")
    lower, median, upper = _quartiles(_few(data))
    width = IQR_TO_SIGMA * (upper - lower)
    if not width > 0:
        return width
    data = data - median
    return float(data[np.abs(data) <= limit * width].std(dtype=np.float64))


def _few(data: Plane) -> Plane:
    """Every so many values: enough for where to clip, which matters little."""
    return data[:: max(data.size // _RANKED, 1)]


def _quartiles(data: Plane) -> tuple[float, float, float]:
    """Quartiles by linear interpolation at f·(n-1)."""
    positions = np.array([0.25, 0.5, 0.75]) * (data.size - 1)
    low = np.floor(positions).astype(int)
    high = np.minimum(low + 1, data.size - 1)
    ranked = np.partition(data, np.unique(np.concatenate([low, high])))
    below, above = ranked[low].astype(np.float64), ranked[high].astype(np.float64)
    lower, median, upper = below + (positions - low) * (above - below)
    return float(lower), float(median), float(upper)


def _mean_variance(data: Plane, centre: float, *, in_order: bool) -> tuple[float, float]:
    """Mean, and variance with n-1, from sums of deviations, ``in_order`` of the pixels or not.

    Deviations from the clipping ``centre`` keep a uniform plane exact; a sequential sum (not
    numpy's faster pairwise one) gives the bits that seed the padding noise of the LSST preset.
    """
    n = data.size
    if n == 0:
        return float("nan"), float("nan")
    deviations = data.astype(np.float64) - centre

    def total(values: NDArray[np.float64]) -> float:
        return float(np.cumsum(values)[-1] if in_order else values.sum())

    shift = total(deviations) / n
    if n == 1:
        return shift + centre, float("nan")
    mean_square = total(deviations**2) / n
    return shift + centre, (mean_square - shift * shift) * (n / (n - 1))

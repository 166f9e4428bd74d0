"""Predicted against measured noise of one cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.flags import Flag, raise_flag
from zogy_explorer.engine.result import NoiseCheck
from zogy_explorer.engine.statistics import clipped_sigma

Plane = NDArray[np.floating]

_SAMPLE = 60_000  # [px] enough for 0.5 % on σ, few enough for a slider
_LEAST_PIXELS = 200
_TOLERANCE = 0.05  # a departure of σ(Scorr) from 1 below this is not worth a flag
_SIGNIFICANCE = 4.0  # nor one below this many sampling errors


def check_noise(
    diff: Plane,
    diff_variance: Plane,
    score: Plane | None,
    score_variance: Plane | None,
    scorr: Plane | None,
    quiet: NDArray[np.bool_],
    psf_score: Plane | None,
) -> NoiseCheck:
    """σ of D, S and Scorr over the ``quiet`` pixels, from their planes (ny, nx).

    Each plane is taken over its own predicted σ and clipped at 5 robust σ; on large cells a
    regular subsample is used.
    """
    step = max(int(np.sqrt(quiet.size / _SAMPLE)), 1)
    sample = (slice(None, None, step), slice(None, None, step))
    good = quiet[sample]
    n = int(good.sum())
    if n < _LEAST_PIXELS:
        return NoiseCheck(n_pixels=n)
    diff_predicted, diff_pull = _predicted_and_pull(diff[sample][good], diff_variance[sample][good])
    if score is None or score_variance is None or scorr is None:
        return NoiseCheck(
            diff_predicted=diff_predicted,
            diff_measured=diff_predicted * diff_pull,
            n_pixels=n,
        )
    score_predicted = float(np.sqrt(np.median(score_variance[sample][good])))
    scorr_measured = clipped_sigma(scorr[sample][good])
    return NoiseCheck(
        diff_predicted=diff_predicted,
        diff_measured=diff_predicted * diff_pull,
        score_predicted=score_predicted,
        score_measured=score_predicted * scorr_measured,
        scorr_measured=scorr_measured,
        scorr_error=_sampling_error(n, int(quiet.sum()), psf_score),
        n_pixels=n,
    )


def noise_flags(noise: NoiseCheck) -> list[Flag]:
    """The flag that a measured σ(Scorr) away from 1 deserves, if any."""
    sigma, error = noise.scorr_measured, noise.scorr_error
    if not np.isfinite(sigma):
        return []
    departure = sigma - 1.0
    if abs(departure) <= max(_TOLERANCE, _SIGNIFICANCE * error):
        return []
    name = "SCORR_SIGMA_HIGH" if departure > 0 else "SCORR_SIGMA_LOW"
    return [raise_flag(name, f"the measured σ of Scorr is {sigma:.2f} ± {error:.2f}, not 1")]


def _predicted_and_pull(values: Plane, variance: Plane) -> tuple[float, float]:
    predicted = float(np.sqrt(np.median(variance)))
    positive = variance > 0
    return predicted, clipped_sigma(values[positive] / np.sqrt(variance[positive]))


def _sampling_error(n: int, n_all: int, psf_score: Plane | None) -> float:
    """Standard error of the σ of Scorr, whose neighbours correlate like P_S."""
    area = 1.0
    if psf_score is not None:
        peak = float(psf_score.max())
        area = float((psf_score**2).sum()) / peak**2 if peak > 0 else 1.0
    independent = max(min(n, n_all / max(area, 1.0)), 1.0)
    return float(1 / np.sqrt(2 * independent))

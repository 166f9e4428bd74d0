"""Predicted against measured noise of one cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from zogy_explorer.engine.flags import Flag, raise_flag
from zogy_explorer.engine.number_words import with_error
from zogy_explorer.engine.result import CellResult, NoiseCheck
from zogy_explorer.engine.statistics import clipped_sigma, noise_sample, robust_sigma

Plane = NDArray[np.floating]

_LEAST_PIXELS = 200
_TOLERANCE = 0.05  # a departure of σ(Scorr) from 1 below this is not worth a flag
_SIGNIFICANCE = 4.0  # nor one below this many sampling errors
_RINGS = 0.1  # nor is a σ of D so much above the predicted one
_SOURCE = 5.0  # σ from which a pixel belongs to a source or a residual, and not to the noise
_REMAINDER = 0.1  # of such a pixel's value that its surroundings may keep and still be noise


def check_noise(result: CellResult, quiet: NDArray[np.bool_]) -> NoiseCheck:
    """σ of D, S and Scorr of a computed cell over the ``quiet`` pixels of its `noise_sample`.

    Each plane is taken over its own predicted σ and clipped at 5 robust σ. What changed in the
    sky is no noise: pixels within the wings of one over 5 σ do not count.
    """
    assert result.diff is not None
    assert result.diff_variance is not None
    shape = result.diff.shape
    sample = noise_sample((shape[0], shape[1]))
    if result.scorr is not None:
        quiet = _without_sources(result.scorr[sample], quiet, result.psf_score, sample[0].step)
    n = int(np.count_nonzero(quiet))
    if n < _LEAST_PIXELS:
        return NoiseCheck(n_pixels=n)
    diff_predicted, diff_pull = _predicted_and_pull(
        result.diff[sample][quiet], result.diff_variance[sample][quiet]
    )
    if result.scorr is None or result.score_variance is None:
        return NoiseCheck(
            diff_predicted=diff_predicted,
            diff_measured=diff_predicted * diff_pull,
            n_pixels=n,
        )
    score_predicted = float(np.sqrt(np.median(result.score_variance[sample][quiet])))
    scorr_measured = clipped_sigma(result.scorr[sample][quiet])
    return NoiseCheck(
        diff_predicted=diff_predicted,
        diff_measured=diff_predicted * diff_pull,
        score_predicted=score_predicted,
        score_measured=score_predicted * scorr_measured,
        scorr_measured=scorr_measured,
        scorr_error=_sampling_error(n, n * result.diff.size / quiet.size, result.psf_score),
        n_pixels=n,
    )


def noise_flags(noise: NoiseCheck) -> list[Flag]:
    """The flag that a measured σ(Scorr) away from 1 deserves, or D where Scorr is as it should be.

    What makes all noise wrong shows in both, and is said once.
    """
    sigma, error = noise.scorr_measured, noise.scorr_error
    if not np.isfinite(sigma):
        return []
    departure = sigma - 1.0
    if abs(departure) <= max(_TOLERANCE, _SIGNIFICANCE * error):
        return _ringing(noise)
    name = "SCORR_SIGMA_HIGH" if departure > 0 else "SCORR_SIGMA_LOW"
    return [raise_flag(name, f"the measured σ of Scorr is {with_error(sigma, error)}, not 1")]


def _ringing(noise: NoiseCheck) -> list[Flag]:
    ratio = noise.diff_measured / noise.diff_predicted
    # D's pixels are independent, unlike those of Scorr.
    if not ratio - 1.0 > max(_RINGS, _SIGNIFICANCE / np.sqrt(2 * noise.n_pixels)):
        return []
    cause = f"the measured σ of D is {ratio:.2f} times the predicted one"
    return [raise_flag("DIFF_SIGMA_HIGH", cause)]


def _without_sources(
    scorr: Plane, quiet: NDArray[np.bool_], psf_score: Plane | None, step: int
) -> NDArray[np.bool_]:
    """The quiet pixels of a sample that no source or residual of S has a wing in.

    All of them where too few would be left: in a field that is full of residuals, these are what
    there is to measure.
    """
    if psf_score is None or np.count_nonzero(quiet) < _LEAST_PIXELS:
        return quiet
    limit = _SOURCE * max(robust_sigma(scorr[quiet]), 1.0)
    bright = quiet & (np.abs(scorr) > limit)
    if not bright.any():
        return quiet
    # The area in which P_S has not fallen to the remainder, as a circle.
    wing = np.sqrt(np.count_nonzero(psf_score > _REMAINDER * psf_score.max()) / np.pi)
    left = quiet & (ndimage.distance_transform_edt(~bright) * step > wing)
    return left if np.count_nonzero(left) >= _LEAST_PIXELS else quiet


def _predicted_and_pull(values: Plane, variance: Plane) -> tuple[float, float]:
    # LSST's rules keep negative variances; what they predict is unknown.
    predicted = float(np.sqrt(max(float(np.median(variance)), 0.0))) or float("nan")
    positive = variance > 0
    return predicted, clipped_sigma(values[positive] / np.sqrt(variance[positive]))


def _sampling_error(n: int, n_all: float, psf_score: Plane | None) -> float:
    """Standard error of the σ of Scorr from ``n`` of ``n_all`` pixels that correlate like P_S."""
    area = 1.0
    if psf_score is not None:
        peak = float(psf_score.max())
        area = float((psf_score**2).sum()) / peak**2 if peak > 0 else 1.0
    independent = max(min(n, n_all / max(area, 1.0)), 1.0)
    return float(1 / np.sqrt(2 * independent))

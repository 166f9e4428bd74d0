"""Correlated and shared noise of the images, and the σ of Scorr that follows from it.

Eqs. 26 and 27 propagate white noise that the images do not share. With covariances C_nn, C_rr and
C_nr by lag, measured in source-free areas, the variance of S = k_n⊗N - k_r⊗R is

    Var S = Σ_l A_nn(l) C_nn(l) + A_rr(l) C_rr(l) - 2 A_nr(l) C_nr(l),
    A_ij(l) = Σ_x k_i(x) k_j(x + l),

which for white noise is what V_S says. Resampling correlates neighbours and raises it (S adds
them up); what the images have in common, such as frames stacked into both, cancels and lowers it.
Covariances are measured in units of the predicted variances, so a wrong variance plane shows too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from zogy_explorer.diagnostics.field import require_ok, usable
from zogy_explorer.diagnostics.lags import (
    LagCovariance,
    RadialSpectrum,
    fitting_lag,
    lag_covariance,
    radial_spectrum,
)
from zogy_explorer.diagnostics.response import cell_kernels, kernel_side
from zogy_explorer.engine.fourier import Spectrum
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.prepare import PreparedImage
from zogy_explorer.engine.result import CellResult
from zogy_explorer.engine.statistics import clipped_sigma

Plane = NDArray[np.floating]
Flags = NDArray[np.bool_]
Sigmas = tuple[float, float]

_LEAST_PIXELS = 400
_OUTLIER = 5.0  # robust σ of a pixel, beyond which it is no noise
_LARGEST_LAG = 48  # [px]
_NOTABLE = 0.03  # change of σ(Scorr) that deserves words
_SCALE = 12.0  # [px] σ of the Gaussian over which light is smooth
_STRUCTURE = 0.7  # σ of a pixel; smooth light that varies more would drown the noise


@dataclass(frozen=True, eq=False)
class InputNoise:
    """Noise of both images of a cell, and what it makes of Scorr; NaN if nothing is measured.

    Parameters
    ----------
    lags
        -L…L [px], along both axes of the correlations.
    science, template
        Correlation of each image's noise by lag (2L+1, 2L+1), (y, x); 1 at the centre.
    shared
        Correlation of the science image at x with the template at x + lag.
    error
        Sampling error of a correlation, if the noise is white.
    variance_science, variance_template
        Measured variance of a pixel over the predicted one.
    spectrum_science, spectrum_template
        Power spectra in units of the predicted white levels.
    coherence
        Real part of the cross-spectrum over √(predicted levels).
    sigma_variance
        σ of Scorr if only the measured variances were used, white and not shared.
    sigma_correlated
        The same with the correlation in each image.
    expected_scorr_sigma
        The same with what the images share: all that was measured.
    expected_error
        Its sampling error.
    expected_diff_ratio
        The same for D: its σ over the predicted one.
    measured_scorr_sigma, measured_error
        σ of Scorr over the same pixels, clipped at 5 robust σ, and its sampling error.
    structure
        Rms of smooth light, such as a galaxy's halo, over the pixels used [σ of a pixel]. Where
        it exceeds 0.7 it is subtracted first, and the expected σ is less certain.
    n_pixels
        Pixels used.
    """

    lags: NDArray[np.int_]
    science: Plane
    template: Plane
    shared: Plane
    error: float
    variance_science: float
    variance_template: float
    spectrum_science: RadialSpectrum | None
    spectrum_template: RadialSpectrum | None
    coherence: RadialSpectrum | None
    sigma_variance: float
    sigma_correlated: float
    expected_scorr_sigma: float
    expected_error: float
    expected_diff_ratio: float
    measured_scorr_sigma: float
    measured_error: float
    structure: float
    n_pixels: int

    @property
    def neighbour_science(self) -> float:
        """Mean correlation of a science pixel with its four neighbours."""
        return _neighbours(self.science)

    @property
    def neighbour_template(self) -> float:
        """Mean correlation of a template pixel with its four neighbours."""
        return _neighbours(self.template)

    @property
    def shared_at_zero(self) -> float:
        """Correlation of a science pixel with the same pixel of the template."""
        n = len(self.lags) // 2
        return float(self.shared[n, n]) if self.shared.size else float("nan")


def input_noise(
    plan: SubtractionPlan, result: CellResult, *, max_lag: int | None = None
) -> InputNoise:
    """Measure the noise of both images in the source-free pixels of a cell.

    Parameters
    ----------
    plan, result
        The subtraction and one of its computed cells.
    max_lag
        Largest lag [px]; by default twice the reach of the kernels of S, at most 48 and a third
        of the cell. Correlations beyond it do not enter.

    Raises
    ------
    InputError
        If the cell failed.
    """
    require_ok(result)
    inside = result.region.slices((plan.bbox.x0, plan.bbox.y0))
    use = usable(plan, result, sources=False)
    images = [_in_sigma(image, inside) for image in (plan.science, plan.template)]
    for values in images:
        use &= np.isfinite(values)
    structure = float("nan")
    if np.count_nonzero(use) >= _LEAST_PIXELS:
        smooth = [_smooth_light(values, use) for values in images]
        structure = max(float(light[use].std()) for light in smooth)
        if structure > _STRUCTURE:
            images = [values - light for values, light in zip(images, smooth, strict=True)]
        use &= np.logical_and(*(_no_outlier(values, use) for values in images))
    n = int(np.count_nonzero(use))
    if n < _LEAST_PIXELS:
        return _unknown(n)
    if max_lag is None:
        max_lag = min(max(int(np.ceil(2 * result.kernel_reach)), 4), _LARGEST_LAG)
    max_lag = fitting_lag(result.region.shape, max_lag)
    science, template = images
    auto_n = lag_covariance(science, science, use, use, max_lag)
    auto_r = lag_covariance(template, template, use, use, max_lag)
    cross = lag_covariance(science, template, use, use, max_lag)
    variances = tuple(
        float(np.median(image.variance[inside][use])) for image in (plan.science, plan.template)
    )
    of_diff, response = _responses(result, (variances[0], variances[1]), max_lag)
    measured, measured_error = _measured(result, use)
    expected = response.variance(auto_n, auto_r, cross)
    scale = np.sqrt(auto_n.variance * auto_r.variance)
    return InputNoise(
        lags=np.arange(-max_lag, max_lag + 1),
        science=auto_n.values / auto_n.variance,
        template=auto_r.values / auto_r.variance,
        shared=cross.values / scale,
        error=float(1 / np.sqrt(n)),
        variance_science=auto_n.variance,
        variance_template=auto_r.variance,
        spectrum_science=radial_spectrum(auto_n),
        spectrum_template=radial_spectrum(auto_r),
        coherence=radial_spectrum(cross, cross=True),
        sigma_variance=_root(response.variance(_white(auto_n), _white(auto_r), None)),
        sigma_correlated=_root(response.variance(auto_n, auto_r, None)),
        expected_scorr_sigma=_root(expected),
        expected_error=response.error(auto_n, auto_r) / (2 * max(_root(expected), 1e-3)),
        expected_diff_ratio=_root(of_diff.variance(auto_n, auto_r, cross)),
        measured_scorr_sigma=measured,
        measured_error=measured_error,
        structure=structure,
        n_pixels=n,
    )


def explain_sigma(noise: InputNoise) -> str:
    """What makes σ(Scorr) of a cell what it is, in words with numbers.

    Each cause is named with the factor that it brings, in the order variance planes, correlation
    within an image, noise that the images share.
    """
    expected, measured = noise.expected_scorr_sigma, noise.measured_scorr_sigma
    if not np.isfinite(expected):
        return (
            f"Only {noise.n_pixels} source-free pixels are left in this cell: too few to measure "
            "the noise of the images."
        )
    causes = []
    if abs(noise.sigma_variance - 1) > _NOTABLE:
        causes.append(
            f"the variance planes are off (pixels scatter with {noise.variance_science:.2f} and "
            f"{noise.variance_template:.2f} of the predicted variance in science and template: "
            f"×{noise.sigma_variance:.2f})"
        )
    factor = noise.sigma_correlated / noise.sigma_variance
    if abs(factor - 1) > _NOTABLE:
        causes.append(
            f"the noise of neighbouring pixels correlates ({noise.neighbour_science:+.2f} in "
            f"science, {noise.neighbour_template:+.2f} in template: ×{factor:.2f})"
        )
    factor = expected / noise.sigma_correlated
    if abs(factor - 1) > _NOTABLE:
        causes.append(
            f"the images share noise (correlation {noise.shared_at_zero:+.2f} of the same pixel: "
            f"×{factor:.2f})"
        )
    start = "The noise of the images as measured "
    if np.isfinite(measured):
        # Not the pixels of the cell's own check: these are the ones that the images have in common.
        start = (
            f"Over the {noise.n_pixels} pixels that have no source in either image, Scorr has "
            f"σ = {_with_error(measured, noise.measured_error)}; {start.lower()}there "
        )
    start += f"predicts {_with_error(expected, noise.expected_error)}"
    why = ", because " + "; and ".join(causes) if causes else ", white and not shared"
    if noise.structure > _STRUCTURE:
        return (
            f"{start}{why}. Smooth light that varies over the cell was subtracted first: the "
            "prediction is uncertain."
        )
    error = float(np.hypot(noise.expected_error, noise.measured_error))
    if measured - expected > max(_NOTABLE * expected, 3 * error):
        return (
            f"{start}{why}. The rest is not noise of the images: the subtraction leaves residuals."
        )
    return f"{start}{why}."


def _with_error(value: float, error: float) -> str:
    """Both with two digits of the error, and at least two decimals."""
    if not (np.isfinite(error) and error > 0):
        return f"{value:.2f}"
    digits = max(2, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


@dataclass(frozen=True, eq=False)
class _Response:
    """A_ij(l) of D or S in units of its variance, so that Σ A C of unit white noise is 1."""

    science: Plane
    template: Plane
    cross: Plane

    @classmethod
    def of(
        cls, kernel_n: Spectrum, kernel_r: Spectrum, side: int, sigmas: Sigmas, max_lag: int
    ) -> _Response:
        along = np.arange(-max_lag, max_lag + 1)

        def by_lag(one: Spectrum, other: Spectrum) -> Plane:
            full = np.fft.irfft2(np.conj(one) * other, (side, side))
            return np.asarray(full[np.ix_(along, along)])

        science = by_lag(kernel_n, kernel_n) * sigmas[0] ** 2
        template = by_lag(kernel_r, kernel_r) * sigmas[1] ** 2
        cross = by_lag(kernel_n, kernel_r) * sigmas[0] * sigmas[1]
        total = science[max_lag, max_lag] + template[max_lag, max_lag]
        return cls(science / total, template / total, cross / total)

    def variance(
        self, auto_n: LagCovariance, auto_r: LagCovariance, cross: LagCovariance | None
    ) -> float:
        """Variance for these covariances, over the predicted one."""
        total = np.nansum(self.science * auto_n.values) + np.nansum(self.template * auto_r.values)
        if cross is not None:
            total -= 2 * np.nansum(self.cross * cross.values)
        return float(total)

    def error(self, auto_n: LagCovariance, auto_r: LagCovariance) -> float:
        """Sampling error of `variance`.

        The mean of S² over the pixels, whose covariance by lag is 2 (its own)²: S's own
        correlation is as for white noise here, times the measured variance.
        """
        white = self._spread(self.science) * auto_n.variance**2
        white += self._spread(self.template) * auto_r.variance**2
        white += 2 * float((self.cross**2).sum()) * 2 * auto_n.variance * auto_r.variance
        return float(np.sqrt(white / max(auto_n.n_pixels, 1)))

    @staticmethod
    def _spread(weights: Plane) -> float:
        return 2 * float((weights**2).sum())


def _responses(
    result: CellResult, variances: tuple[float, float], max_lag: int
) -> tuple[_Response, _Response]:
    """Of D and of S."""
    side = kernel_side(result, 4 * max_lag)
    k = cell_kernels(result, (side, side))
    sigmas = (float(np.sqrt(variances[0])), float(np.sqrt(variances[1])))
    return (
        _Response.of(k.diff_n, k.diff_r, side, sigmas, max_lag),
        _Response.of(k.score_n, k.score_r, side, sigmas, max_lag),
    )


def _in_sigma(image: PreparedImage, inside: tuple[slice, slice]) -> Plane:
    """Pixels over their predicted σ; NaN where that is not known."""
    variance = image.variance[inside].astype(np.float64)
    return np.asarray(image.image[inside] / np.sqrt(np.where(variance > 0, variance, np.nan)))


def _no_outlier(values: Plane, use: Flags) -> Flags:
    sigma = clipped_sigma(values[use])
    return np.abs(values - np.median(values[use])) <= _OUTLIER * sigma


def _smooth_light(values: Plane, use: Flags) -> Plane:
    """Gaussian-weighted mean of the pixels in use around each pixel, less their mean."""
    level = float(values[use].mean())
    near = ndimage.gaussian_filter(np.where(use, values - level, 0.0), _SCALE, mode="constant")
    weight = ndimage.gaussian_filter(use.astype(np.float64), _SCALE, mode="constant")
    return np.asarray(near / np.maximum(weight, 1e-3))


def _measured(result: CellResult, use: Flags) -> tuple[float, float]:
    """σ of Scorr over the pixels in use, and its sampling error."""
    if result.scorr is None or result.psf_score is None:
        return float("nan"), float("nan")
    sigma = clipped_sigma(result.scorr[use].astype(np.float64))
    rho = result.psf_score / result.psf_score.max()
    independent = max(np.count_nonzero(use) / float((rho**2).sum()), 1.0)
    return sigma, float(sigma / np.sqrt(2 * independent))


def _white(covariance: LagCovariance) -> LagCovariance:
    """The same variance, without correlation."""
    values = np.zeros_like(covariance.values)
    values[covariance.max_lag, covariance.max_lag] = covariance.variance
    return LagCovariance(values, covariance.pairs)


def _neighbours(correlation: Plane) -> float:
    c = correlation.shape[0] // 2
    if c < 1:
        return float("nan")
    around = (correlation[c, c + 1], correlation[c, c - 1], correlation[c + 1, c])
    return float((sum(around) + correlation[c - 1, c]) / 4)


def _root(variance: float) -> float:
    return float(np.sqrt(max(variance, 0.0)))


def _unknown(n: int) -> InputNoise:
    nan, empty = float("nan"), np.empty((0, 0))
    return InputNoise(
        lags=np.empty(0, dtype=int),
        science=empty,
        template=empty,
        shared=empty,
        error=nan,
        variance_science=nan,
        variance_template=nan,
        spectrum_science=None,
        spectrum_template=None,
        coherence=None,
        sigma_variance=nan,
        sigma_correlated=nan,
        expected_scorr_sigma=nan,
        expected_error=nan,
        expected_diff_ratio=nan,
        measured_scorr_sigma=nan,
        measured_error=nan,
        structure=nan,
        n_pixels=n,
    )

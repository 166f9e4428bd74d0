"""D around peaks, and what a point source or errors of the pair would leave there.

D = k_n⊗N − k_r⊗R (eq. 13). Light that both images have enters both terms alike, as
M = k_n⊗N = k_r⊗R, and cancels. If the flux ratio, the registration or a PSF is off, what is left
is a Taylor series of M: M itself for the flux, its gradient for a shift, its second derivatives for
the square of the shift and for the width and shape of a PSF (that of a Gaussian changes by
σ ∂²P). So the term of one image, with its derivatives, says what such errors can do, to
extended sources too.

Each set of templates is made from one image alone. A particle hit is in one image only, and the
templates made from the other one hold nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from zogy_explorer.diagnostics.detecting.peaks import Peaks
from zogy_explorer.diagnostics.point_response import PointResponse
from zogy_explorer.engine.fourier import stamp_spectrum
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.subpixel import shifted, windows

Array = NDArray[np.float64]

ORDERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
"""Derivatives of the light by x and y: flux, shift, width and shape."""

_REACH_FWHM = 2.0  # half side of the windows, in FWHM of P_D
_LEAST_REACH = 3  # [px]
_BORDER_FWHM = 4.0  # around the windows, of pixels whose light may reach into them
_MARGIN = 6  # [px] around a stamp that is moved, so that splines do not see its end


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Windows of D around n peaks of one cell, pixels in a row; (n, pixels) unless said otherwise.

    Parameters
    ----------
    data
        D over its noise.
    sources
        A point source at each peak, of any flux.
    science_light, template_light : (n, 6, pixels) arrays
        k_n⊗N and k_r⊗R and their derivatives of `ORDERS`, of any scale.
    reach
        Half side of the windows [px].
    noise
        σ of ``data`` as measured in the cell; 1 if its noise is as predicted.
    """

    data: Array
    sources: Array
    science_light: Array
    template_light: Array
    reach: int
    noise: float

    @classmethod
    def of(cls, difference: Difference, peaks: Peaks, response: PointResponse) -> Self:
        """Around peaks of the cell of ``response``, at least one."""
        reach = max(int(np.ceil(_REACH_FWHM * response.fwhm)), _LEAST_REACH)
        reach = min(reach, response.side // 2 - _MARGIN - 1)
        data = _data(difference, peaks, reach)
        border = int(np.ceil(_BORDER_FWHM * response.fwhm))
        side = scipy.fft.next_fast_len(2 * (reach + border) + 1, real=True)
        quiet = _quiet(response, (data**2).sum(axis=1), side)
        plan, (in_science, in_template) = difference.plan, response.hits
        science, template = (
            _light(windows(image, peaks.row, peaks.column, reach + border), kernel, quiet, reach)
            for image, kernel in (
                (plan.science.image, in_science),
                (plan.template.image, -in_template),
            )
        )
        check = difference.cells[peaks.cell[0]].noise
        noise = check.diff_measured / check.diff_predicted
        return cls(
            data=data,
            sources=_sources(response, peaks, reach),
            science_light=science,
            template_light=template,
            reach=reach,
            noise=float(noise) if np.isfinite(noise) else 1.0,
        )


def _data(difference: Difference, peaks: Peaks, reach: int) -> Array:
    image, variance = difference.diff.image, difference.diff.variance
    assert variance is not None
    data = windows(image, peaks.row, peaks.column, reach)
    # The noise of the place is taken as one number: the source's own light changes it slowly.
    noise = np.sqrt(np.maximum(variance[peaks.row, peaks.column].astype(np.float64), 1e-300))
    return (data / noise[:, None, None]).reshape(len(peaks), -1)


def _sources(response: PointResponse, peaks: Peaks, reach: int) -> Array:
    middle = response.side // 2
    around = slice(middle - reach - _MARGIN, middle + reach + _MARGIN + 1)
    sources = shifted(response.psf_diff[around, around], peaks.x, peaks.y)
    return sources[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN].reshape(len(peaks), -1)


def _light(light: Array, kernel: Array, filters: Array, reach: int) -> Array:
    """Windows of an image through its kernel of D, and the derivatives, without a border."""
    n, size = light.shape[:2]
    side = filters.shape[1]
    sky = np.median(light[:, ::2, ::2], axis=(1, 2), keepdims=True)
    spectra = scipy.fft.rfft2(light - sky, s=(side, side))
    spectra *= _cut(kernel, side) * filters
    wx = 2 * np.pi * np.fft.rfftfreq(side)
    wy = 2 * np.pi * np.fft.fftfreq(side)[:, None]
    inside = slice(size // 2 - reach, size // 2 + reach + 1)
    # Along y first, for each order once: of the rows only those inside are transformed along x.
    rows = {
        j: scipy.fft.ifft(spectra * (1j * wy) ** j, axis=1)[:, inside]
        for j in {j for _, j in ORDERS}
    }
    templates = [
        scipy.fft.irfft(rows[j] * (1j * wx) ** i, n=side, axis=2)[:, :, inside].reshape(n, -1)
        for i, j in ORDERS
    ]
    return np.stack(templates, axis=1)


def _cut(kernel: Array, side: int) -> NDArray[np.complexfloating]:
    """Spectrum on a plane of ``side`` px of what of a centred kernel fits into it."""
    middle, half = kernel.shape[0] // 2, (min(kernel.shape[0], side) - 1) // 2
    inner = slice(middle - half, middle + half + 1)
    return stamp_spectrum(kernel[inner, inner], (side, side))


def _quiet(response: PointResponse, energy: Array, side: int) -> Array:
    """Wiener filter (n, side, side // 2 + 1) for point-like residuals of n sums of squares.

    Derivatives raise the noise of high frequencies, at which a residual of that brightness has
    less power than the noise: nothing needs to be explained there.
    """
    power = np.abs(_cut(response.psf_diff, side)) ** 2
    noise = (response.psf_diff**2).sum() / np.maximum(energy, 1.0)
    return np.asarray(power / (power + noise[:, None, None]))

"""The PSF of an image that came without: the effective PSF of its stars, by photutils.

One stamp for the whole frame, tapered at its rim where it is noise: D divides by the PSF's
spectrum and would amplify that noise (docs/theory/conditioning.md).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import PsfError
from zogy_explorer.prepare.stars import Stars, find_stars
from zogy_explorer.psf import KernelPsf

_REACH = 4.0  # half side of the stamp [FWHM]
_TAPER = 0.7  # share of the stamp's half side from which it fades
_ITERATIONS = 5
_CENTRINGS = 4


@dataclass(frozen=True, eq=False)
class MeasuredPsf:
    """A stamp, the stars it comes from, and their width [px]."""

    psf: KernelPsf
    stars: Stars

    @property
    def fwhm(self) -> float:
        """Median FWHM of the stars [px]."""
        return self.stars.fwhm


def measure_psf(
    image: NDArray[np.floating],
    sigma: NDArray[np.floating],
    bad: NDArray[np.bool_],
    *,
    size: int | None = None,
) -> MeasuredPsf:
    """PSF stamp from the stars of an image without its sky.

    Parameters
    ----------
    image : (ny, nx) array
        Sky subtracted.
    sigma : (ny, nx) array
        Noise of the sky.
    bad : (ny, nx) array of bool
        Unusable pixels.
    size
        Side of the stamp [px], odd; None: 8 FWHM.

    Raises
    ------
    PsfError
        If no star is suitable, or the stars do not give a PSF.
    """
    from astropy.nddata import NDData
    from astropy.table import Table
    from photutils.psf import EPSFBuilder, extract_stars

    stars = find_stars(image, sigma, bad)
    side = _side(stars.fwhm, image.shape) if size is None else _checked(size, image.shape)
    table = Table({"x": stars.x, "y": stars.y})
    clean = np.where(bad, 0, image).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stars too near the edge are left out, as they should
        cutouts = extract_stars(NDData(clean), table, size=side)
        builder = EPSFBuilder(oversampling=1, maxiters=_ITERATIONS, progress_bar=False)
        model, _ = builder(cutouts)
    stamp = np.asarray(model.data, dtype=np.float64)[:side, :side]
    window = taper(side)
    stamp = stamp - np.median(stamp[window == 0])  # what is left of the sky
    stamp = _centred(stamp, window) * window
    if not (np.isfinite(stamp).all() and stamp.sum() > 0):
        raise PsfError(
            f"the {len(stars.x)} stars do not add up to a PSF: give a PSF stamp of your own"
        )
    return MeasuredPsf(KernelPsf(stamp), stars)


def taper(side: int) -> NDArray[np.float64]:
    """Round window of a stamp: 1 inside, falling to 0 at its rim as a cosine."""
    position = np.arange(side) - side // 2
    radius = np.hypot(position[:, None], position[None, :]) / (side // 2)
    fade = np.clip((radius - _TAPER) / (1 - _TAPER), 0, 1)
    return np.asarray(0.5 * (1 + np.cos(np.pi * fade)))


def _centred(stamp: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """The stamp with its centroid in pixel n // 2: a few stars leave it somewhat off."""
    from scipy.ndimage import shift

    centre = stamp.shape[0] // 2
    position = np.arange(stamp.shape[0]) - centre
    total = np.zeros(2)
    moved = stamp
    for _ in range(_CENTRINGS):
        weight = np.clip(moved, 0, None) * window
        flux = weight.sum()
        if not flux > 0:
            return stamp
        total -= [position @ weight.sum(axis=1) / flux, position @ weight.sum(axis=0) / flux]
        if np.abs(total).max() > centre / 2:  # no single star: the caller's checks decide
            return stamp
        moved = shift(stamp, total, order=3)
    return moved


def _side(fwhm: float, shape: tuple[int, ...]) -> int:
    wanted = 2 * int(np.ceil(_REACH * fwhm)) + 1
    return min(max(wanted, 11), _largest(shape))


def _largest(shape: tuple[int, ...]) -> int:
    side = min(shape) // 2
    return side if side % 2 else side - 1


def _checked(size: int, shape: tuple[int, ...]) -> int:
    if size < 5 or size % 2 == 0 or size > _largest(shape):
        raise PsfError(
            f"a PSF stamp of {size} px was asked for: it must be odd, at least 5 and at most "
            f"{_largest(shape)}, half the image"
        )
    return size

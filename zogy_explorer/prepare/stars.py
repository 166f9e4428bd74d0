"""Stars to measure a PSF from: bright, single, unsaturated, round as the others."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.moments import adaptive_moments
from zogy_explorer.engine.star_fit import isolated
from zogy_explorer.errors import PsfError

_THRESHOLD = 5.0  # σ of the sky from which connected pixels are a source
_BRIGHT = 30.0  # σ: peak of a star that is worth having
_AREA = 2.0  # half side of the square in which its width is measured [FWHM]
_FWHM = 2.3548  # of a Gaussian of unit σ
_NARROWEST = 1.2  # [px] a narrower source is a cosmic ray or a hot pixel
_WIDTH_SPREAD = 0.12  # fraction by which a star's width may differ from the typical one
_ENOUGH = 3  # sources that must agree on a width to make it the PSF's
_MOST = 80  # stars; more do not make the PSF better
_COMPANION = 0.05  # share of a star's flux that a neighbour within its area may have


@dataclass(frozen=True, eq=False)
class Stars:
    """Positions (x, y) [array px] of the chosen stars, brightest first, and their typical width.

    ``fwhm`` [px] is the median over the stars, from moments of what is above the sky's noise: a
    first guess. ``label`` is each star's number in ``segments`` (ny, nx), which tells what pixels
    belong to which source; 0 is sky.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    fwhm: float
    label: NDArray[np.int_]
    segments: NDArray[np.int_]

    def take(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of the stars."""
        return replace(self, x=self.x[chosen], y=self.y[chosen], label=self.label[chosen])


def find_stars(
    image: NDArray[np.floating],
    sigma: NDArray[np.floating],
    bad: NDArray[np.bool_],
    *,
    reach: float = 2.5,
) -> Stars:
    """Stars of an image without its sky.

    Parameters
    ----------
    image : (ny, nx) array
        Sky subtracted.
    sigma : (ny, nx) array
        Noise of the sky.
    bad : (ny, nx) array of bool
        Unusable pixels; a star with one of them is left out.
    reach
        Half side of the area that a star must have to itself [FWHM].

    Raises
    ------
    PsfError
        If no star is left.
    """
    from photutils.segmentation import SourceCatalog, detect_sources

    clean = np.where(bad, 0, image)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are none is said below, with a remedy
        segments = detect_sources(clean, _THRESHOLD * sigma, n_pixels=5)
    if segments is None:
        raise PsfError(_none_found(0, "no source reaches 5σ of the sky"))
    catalog = SourceCatalog(clean, segments, mask=bad)
    x, y = np.asarray(catalog.x_centroid), np.asarray(catalog.y_centroid)
    flux, peak = np.asarray(catalog.segment_flux), np.asarray(catalog.max_value)
    fwhm = np.asarray(catalog.fwhm.value)
    noise = float(np.median(sigma))
    usable = np.isfinite(fwhm) & (fwhm > _NARROWEST) & (flux > 0) & (peak > _BRIGHT * noise)
    usable &= ~_touches(segments, bad, catalog.labels)
    if not usable.any():
        raise PsfError(
            _none_found(len(x), f"none has an unmasked peak above {_BRIGHT:g}σ of the sky")
        )
    fwhm[usable] = _widths(clean, x[usable], y[usable], float(np.median(fwhm[usable])))
    usable &= np.isfinite(fwhm) & (fwhm > _NARROWEST)
    if not usable.any():
        raise PsfError(_none_found(len(x), f"none is wider than {_NARROWEST:g} px"))
    typical = _typical(fwhm[usable])
    usable &= np.abs(fwhm - typical) < _WIDTH_SPREAD * typical
    half = reach * typical
    ny, nx = image.shape
    usable &= (x > half) & (y > half) & (x < nx - 1 - half) & (y < ny - 1 - half)
    usable &= isolated(x, y, flux, half, _COMPANION, square=True)
    chosen = np.flatnonzero(usable)
    if chosen.size == 0:
        raise PsfError(_none_found(len(x), "none is single, whole and as wide as the others"))
    chosen = chosen[np.argsort(-flux[chosen])][:_MOST]
    labels = np.asarray(catalog.labels)
    typical = float(np.median(fwhm[chosen]))
    return Stars(x[chosen], y[chosen], typical, labels[chosen], np.asarray(segments.data))


def _widths(
    image: NDArray[np.floating], x: NDArray[np.float64], y: NDArray[np.float64], fwhm: float
) -> NDArray[np.float64]:
    """FWHM [px] of sources by adaptive moments, which do not depend on their brightness."""
    half = max(int(np.ceil(_AREA * fwhm)), 4)
    padded = np.pad(image, half)
    widths = []
    for at_x, at_y in zip(x, y, strict=True):
        row, column = round(at_y), round(at_x)
        square = padded[row : row + 2 * half + 1, column : column + 2 * half + 1]
        centre = (half + at_y - row, half + at_x - column)
        with np.errstate(all="ignore"):  # what has no width has none; it is no star
            widths.append(_FWHM * adaptive_moments(square, centre).determinant_radius)
    return np.array(widths)


def _typical(fwhm: NDArray[np.float64]) -> float:
    """The narrowest width that many sources share: galaxies are wider, and differ.

    Many are half of the most that share any; some stray narrow ones, hit by a particle, are few.
    """
    widths = np.sort(fwhm)
    within = np.searchsorted(widths, widths * (1 + 2 * _WIDTH_SPREAD), side="right")
    agreeing = within - np.arange(widths.size)
    needed = min(max(_ENOUGH, agreeing.max() / 2), agreeing.max())
    first = int(np.argmax(agreeing >= needed))
    return float(np.median(widths[first : within[first]]))


def _touches(segments: object, bad: NDArray[np.bool_], labels: object) -> NDArray[np.bool_]:
    """Which of the sources lie on or beside an unusable pixel."""
    from scipy.ndimage import binary_dilation

    data = np.asarray(segments.data)  # type: ignore[attr-defined]
    touched = np.unique(data[binary_dilation(bad, iterations=2)])
    return np.isin(np.asarray(labels), touched)


def _none_found(sources: int, why: str) -> str:
    return (
        f"no star to measure the PSF from: of {sources} sources {why}; "
        "give a PSF stamp, or a gain and saturation level that leave some stars"
    )

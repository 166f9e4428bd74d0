"""Stars of one image: found by photutils, fitted with the PSF of the image.

A position is where the origin of the PSF stamp, pixel n // 2, comes to lie: what a position means
to the subtraction, also where a PSF's centroid is off its origin. The fit is linearised least
squares on a spline of the stamp, 20 times faster than photutils' fit by numerical derivatives,
with which a test compares it: positions are measured while a page waits.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from zogy_explorer.engine.moments import adaptive_moments
from zogy_explorer.engine.pixels import either
from zogy_explorer.engine.statistics import SKY_SAMPLE, clipped_mean
from zogy_explorer.errors import ZogyError

if TYPE_CHECKING:
    from zogy_explorer.engine.prepare import PreparedImage

Array = NDArray[np.float64]
Plane = NDArray[np.floating]

_THRESHOLD = 15.0  # σ of the sky through the PSF from which a star is measured
_NEIGHBOUR = 5.0  # and from which a source counts as a neighbour
_MOST = 150  # stars; more do not make the numbers better
_ALONE = 2.0  # [FWHM] within which a neighbour disturbs
_DISTURBING = 0.1  # share of a star's peak from which it does
_LEAST_FWHM = 1.4  # [px] of the filter that finds stars
_FWHM = 2.3548  # of a Gaussian of unit σ
_POOR_FIT = 0.2  # share of a source's own amplitude in the residuals from which it is no star
_ITERATIONS, _CONVERGED = 20, 1e-4  # [px]
_LARGEST_STEP = 0.5  # [px] of one iteration


@dataclass(frozen=True, eq=False)
class StarList:
    """Fitted stars: positions from pixel [0, 0] [px], fluxes [image unit], their errors."""

    x: Array
    y: Array
    flux: Array
    x_error: Array
    y_error: Array
    flux_error: Array

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def empty(cls) -> Self:
        """No stars."""
        return cls(*(np.zeros(0) for _ in fields(cls)))

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """Some of the stars."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


def measure_stars(image: PreparedImage) -> StarList:
    """Bright single stars of a prepared image, brightest first; none if there are none.

    Left out are stars with an unusable pixel, near the edge or a neighbour, and sources that are
    not as the PSF.
    """
    bad = _bad_pixels(image)
    usable = None if bad is None else ~bad
    sky = clipped_mean(image.image, usable, sample=SKY_SAMPLE)
    sigma = float(np.sqrt(max(image.fallback_variance, 0.0)))
    ny, nx = image.image.shape
    stamp = _stamp(image, nx / 2, ny / 2)
    if not (np.isfinite(sky) and sigma > 0) or stamp is None:
        return StarList.empty()
    data = image.image - image.image.dtype.type(sky)
    fwhm = max(_FWHM * adaptive_moments(stamp, None).determinant_radius, _LEAST_FWHM)
    # Height of a star that the PSF as a filter shows with `_NEIGHBOUR` σ.
    height = _NEIGHBOUR * sigma / float(np.sqrt((stamp**2).sum())) * float(stamp.max())
    x, y, peak = _found(data, bad, height, fwhm)
    half = _half_side(fwhm, stamp.shape)
    keep = peak > height * _THRESHOLD / _NEIGHBOUR
    keep &= (x > half + 1) & (y > half + 1) & (x < nx - 2 - half) & (y < ny - 2 - half)
    keep &= _alone(x, y, peak, _ALONE * fwhm)
    if bad is not None:
        keep &= ~_touches(bad, x, y, half)
    chosen = np.flatnonzero(keep)
    chosen = chosen[np.argsort(-peak[chosen], kind="stable")][:_MOST]
    return _fitted(image, data, x[chosen], y[chosen], half)


def fit_star(
    data: Plane, variance: Plane, spline: RectBivariateSpline, x: float, y: float, half: int
) -> tuple[Array, Array] | None:
    """Flux, x, y and sky of a star, and their errors; None if it is not as the PSF.

    Parameters
    ----------
    data, variance : (ny, nx) array
        Image and its variance.
    spline
        PSF over (row, column) from its origin, as `psf_spline` gives it.
    x, y
        Where to start [px].
    half
        Pixels to each side of the start that are fitted; on the image.
    """
    column, row = round(x), round(y)
    rows, columns = (
        np.arange(row - half, row + half + 1),
        np.arange(column - half, column + half + 1),
    )
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    values = data[cut].astype(np.float64).ravel()
    noise = variance[cut].astype(np.float64).ravel()
    if not (noise > 0).all():
        return None
    weight = 1 / np.sqrt(noise)
    at_x, at_y = x, y
    for _ in range(_ITERATIONS):
        dy, dx = rows - at_y, columns - at_x
        parts = (spline(dy, dx), -spline(dy, dx, dy=1), -spline(dy, dx, dx=1))
        design = np.column_stack([*(part.ravel() for part in parts), np.ones(values.size)])
        solution, _, rank, _ = np.linalg.lstsq(
            design * weight[:, None], values * weight, rcond=None
        )
        flux = solution[0]
        if rank < 4 or not flux > 0:
            return None
        step = np.clip(solution[1:3] / flux, -_LARGEST_STEP, _LARGEST_STEP)
        at_x, at_y = at_x + step[0], at_y + step[1]
        if max(abs(at_x - x), abs(at_y - y)) > half / 2:
            return None
        if np.abs(step).max() < _CONVERGED:
            break
    else:
        return None
    rest = values - design @ solution
    excess = float((rest**2 - noise).sum()) / float((flux * design[:, 0]) @ (flux * design[:, 0]))
    if excess > _POOR_FIT**2:
        return None
    scaled = design * weight[:, None]
    errors = np.sqrt(np.diag(np.linalg.inv(scaled.T @ scaled)))
    errors[1:3] /= flux
    return np.array([flux, at_x, at_y, solution[3]]), errors


def psf_spline(stamp: Array) -> RectBivariateSpline:
    """Cubic spline of a stamp over (row, column) from its origin, pixel n // 2."""
    h, w = stamp.shape
    degree = min(3, h - 1, w - 1)
    return RectBivariateSpline(
        np.arange(h) - h // 2, np.arange(w) - w // 2, stamp, kx=degree, ky=degree
    )


def _fitted(image: PreparedImage, data: Plane, x: Array, y: Array, half: int) -> StarList:
    splines: dict[bytes, RectBivariateSpline] = {}
    rows = []
    for at_x, at_y in zip(x, y, strict=True):
        stamp = _stamp(image, at_x, at_y)
        if stamp is None:
            continue
        key = stamp.tobytes()
        if key not in splines:
            splines[key] = psf_spline(stamp)
        fit = fit_star(data, image.variance, splines[key], at_x, at_y, half)
        if fit is not None:
            (flux, fit_x, fit_y, _), (flux_error, x_error, y_error, _) = fit
            rows.append((fit_x, fit_y, flux, x_error, y_error, flux_error))
    return StarList(*np.array(rows, dtype=np.float64).T) if rows else StarList.empty()


def _found(
    data: Plane, bad: NDArray[np.bool_] | None, height: float, fwhm: float
) -> tuple[Array, Array, Array]:
    """Positions and peaks of all that looks like a point."""
    from photutils.detection import DAOStarFinder

    finder = DAOStarFinder(height, fwhm, sharpness_range=None, roundness_range=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing was found is an answer, not a warning
        found = finder(data, mask=bad)
    if found is None:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    x, y, peak = (np.asarray(found[n], dtype=float) for n in ("x_centroid", "y_centroid", "peak"))
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known], peak[known]


def _stamp(image: PreparedImage, x: float, y: float) -> Array | None:
    """Unit-sum PSF at a position from pixel [0, 0]; None if there is none."""
    from zogy_explorer.engine.plan import evaluate_psf

    source = image.source
    assert source.psf is not None  # prepare_pair has checked
    try:
        return evaluate_psf(source.psf, x + source.xy0[0], y + source.xy0[1], "the PSF")
    except ZogyError:
        return None


def _bad_pixels(image: PreparedImage) -> NDArray[np.bool_] | None:
    everywhere = (slice(None), slice(None))
    usable = image.usable(everywhere)
    return either(None if usable is None else ~usable, image.filled(everywhere))


def _half_side(fwhm: float, shape: tuple[int, ...]) -> int:
    """Half side of the box of a fit: about the FWHM, within the stamp."""
    return int(min(np.ceil(fwhm), *((n - 1) // 2 for n in shape)))


def _alone(x: Array, y: Array, peak: Array, radius: float) -> NDArray[np.bool_]:
    """Which sources have no notable neighbour within ``radius``."""
    alone = np.ones(len(x), bool)
    if not len(x):
        return alone
    for i, j in cKDTree(np.column_stack([x, y])).query_pairs(radius):
        alone[i] &= peak[j] <= _DISTURBING * peak[i]
        alone[j] &= peak[i] <= _DISTURBING * peak[j]
    return alone


def _touches(bad: NDArray[np.bool_], x: Array, y: Array, reach: int) -> NDArray[np.bool_]:
    """Which positions have an unusable pixel within ``reach`` pixels, square."""
    near = maximum_filter(bad, size=2 * reach + 1, mode="constant")
    rows = np.clip(np.round(y).astype(int), 0, bad.shape[0] - 1)
    columns = np.clip(np.round(x).astype(int), 0, bad.shape[1] - 1)
    return np.asarray(near[rows, columns])

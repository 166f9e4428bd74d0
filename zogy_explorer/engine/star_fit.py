"""Stars of one image: found by photutils, fitted with the PSF of the image.

A position is where the origin of the PSF stamp, pixel n // 2, comes to lie: what a position means
to the subtraction, also where a PSF's centroid is off its origin. The fit is linearised least
squares on a spline of the stamp, 20 times faster than photutils' fit by numerical derivatives,
with which a test compares it: positions are measured while a page waits.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from itertools import pairwise
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
Slices = tuple[slice, slice]

_THRESHOLD = 15.0  # σ of the sky through the PSF from which a star is measured
_NEIGHBOUR = 5.0  # and from which a source counts as a neighbour
_MOST = 150  # stars; more do not make the numbers better
_ENOUGH = 3 * _MOST  # bright sources after which no further tile is searched
_TILE = 512  # [px]
_ALONE = 2.0  # [FWHM] within which a neighbour disturbs
_DISTURBING = 0.1  # share of a star's peak from which it does
_LEAST_STAMP = 5  # [px] side; a smaller one tells no position
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


def measure_stars(*images: PreparedImage) -> tuple[StarList, ...]:
    """Bright single stars of prepared images of one shape, brightest first.

    Left out are stars with an unusable pixel, near the edge or a neighbour, and sources that are
    not as the PSF. Large frames are searched tile by tile, the same in all images, until there
    are enough.
    """
    searched = [_Field(image) for image in images]
    for tile in _tiles(images[0].image.shape):
        for field in searched:
            field.search(tile)
        if all(field.bright >= _ENOUGH for field in searched):
            break
    return tuple(field.fitted() for field in searched)


class _Field:
    """One image, and what was found on it so far; nothing on an image without noise or PSF."""

    def __init__(self, image: PreparedImage) -> None:
        self._image = image
        self._found = [np.zeros((0, 3))]
        self.bright = 0
        self._bad = _bad_pixels(image)
        usable = None if self._bad is None else ~self._bad
        sky = clipped_mean(image.image, usable, sample=SKY_SAMPLE)
        sigma = float(np.sqrt(max(image.fallback_variance, 0.0)))
        ny, nx = image.image.shape
        stamp = _stamp(image, nx / 2, ny / 2)
        self._searchable = False
        if stamp is None or min(stamp.shape) < _LEAST_STAMP:
            return
        if not (np.isfinite(sky) and sigma > 0):
            return
        self._searchable = True
        self._sky = image.image.dtype.type(sky)
        self._fwhm = max(_FWHM * adaptive_moments(stamp, None).determinant_radius, _LEAST_FWHM)
        # Height of a star that the PSF as a filter shows with `_NEIGHBOUR` σ.
        self._height = _NEIGHBOUR * sigma / float(np.sqrt((stamp**2).sum())) * float(stamp.max())
        self._half = _half_side(self._fwhm, stamp.shape)

    def search(self, tile: Slices) -> None:
        """Find all that looks like a point within a tile."""
        from photutils.detection import DAOStarFinder

        if not self._searchable:
            return
        finder = DAOStarFinder(self._height, self._fwhm, sharpness_range=None, roundness_range=None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nothing was found is an answer, not a warning
            found = finder(
                self._image.image[tile] - self._sky,
                mask=None if self._bad is None else self._bad[tile],
            )
        if found is None:
            return
        points = np.column_stack([found["x_centroid"], found["y_centroid"], found["peak"]])
        points = points[np.isfinite(points).all(axis=1)] + (tile[1].start, tile[0].start, 0)
        self._found.append(points)
        self.bright += int(np.count_nonzero(points[:, 2] > self._least_peak))

    @property
    def _least_peak(self) -> float:
        return self._height * _THRESHOLD / _NEIGHBOUR

    def fitted(self) -> StarList:
        """The stars among what was found."""
        x, y, peak = np.concatenate(self._found).T
        if not len(x):
            return StarList.empty()
        half = self._half
        ny, nx = self._image.image.shape
        keep = peak > self._least_peak
        keep &= (x > half + 1) & (y > half + 1) & (x < nx - 2 - half) & (y < ny - 2 - half)
        keep &= isolated(x, y, peak, _ALONE * self._fwhm, _DISTURBING)
        if self._bad is not None:
            keep &= ~_touches(self._bad, x, y, half)
        chosen = np.flatnonzero(keep)
        chosen = chosen[np.argsort(-peak[chosen], kind="stable")][:_MOST]
        return self._fit(x[chosen], y[chosen])

    def _fit(self, x: Array, y: Array) -> StarList:
        splines: dict[bytes, RectBivariateSpline] = {}
        rows = []
        for at_x, at_y in zip(x, y, strict=True):
            stamp = _stamp(self._image, at_x, at_y)
            if stamp is None or min(stamp.shape) < _LEAST_STAMP:
                continue
            key = stamp.tobytes()
            if key not in splines:
                splines[key] = psf_spline(stamp)
            fit = fit_star(
                self._image.image, self._image.variance, splines[key], at_x, at_y, self._half
            )
            if fit is not None:
                (flux, fit_x, fit_y, _), (flux_error, x_error, y_error, _) = fit
                rows.append((fit_x, fit_y, flux, x_error, y_error, flux_error))
        return StarList(*np.array(rows, dtype=np.float64).T) if rows else StarList.empty()


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


def _tiles(shape: tuple[int, ...]) -> list[Slices]:
    """Tiles of a frame, in an order that spreads over it."""
    edges = [
        np.linspace(0, length, max(round(length / _TILE), 1) + 1).astype(int) for length in shape
    ]
    rows, columns = ([slice(*pair) for pair in pairwise(e)] for e in edges)
    tiles = [(row, column) for row in rows for column in columns]
    return [tiles[i] for i in np.random.default_rng(0).permutation(len(tiles))]


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


def isolated(
    x: Array, y: Array, brightness: Array, radius: float, share: float, *, square: bool = False
) -> NDArray[np.bool_]:
    """Which sources have no neighbour of more than a share of their own brightness.

    Parameters
    ----------
    x, y, brightness
        Of each source.
    radius
        Within which neighbours count [px].
    share
        Of a source's brightness that a neighbour may have.
    square
        Within a square of that half side instead of a circle.
    """
    alone = np.ones(len(x), bool)
    if not len(x):
        return alone
    tree = cKDTree(np.column_stack([x, y]))
    pairs = tree.query_pairs(radius, p=np.inf if square else 2, output_type="ndarray")
    for i, j in (pairs.T, pairs[:, ::-1].T):
        alone[i[brightness[j] > share * brightness[i]]] = False
    return alone


def _touches(bad: NDArray[np.bool_], x: Array, y: Array, reach: int) -> NDArray[np.bool_]:
    """Which positions have an unusable pixel within ``reach`` pixels, square."""
    near = maximum_filter(bad, size=2 * reach + 1, mode="constant")
    rows = np.clip(np.round(y).astype(int), 0, bad.shape[0] - 1)
    columns = np.clip(np.round(x).astype(int), 0, bad.shape[1] - 1)
    return np.asarray(near[rows, columns])

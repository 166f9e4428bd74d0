"""The PSF of an image that came without, from its stars: one stamp for the whole frame.

A common profile (`star_shape.py`) places the stars; what they have beyond it is collected pixel by
pixel, by least squares on the stars as they are: no star is interpolated, so that the stamp is not
wider than they are. Far out, where the pixels of the stamp are noise, the profile stands alone: D
divides by the PSF's spectrum and would amplify that noise (docs/theory/conditioning.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse.linalg import LinearOperator, cg

from zogy_explorer.errors import InputError, PsfError
from zogy_explorer.exposure import Exposure
from zogy_explorer.prepare.star_shape import Cutouts, Moffat, StarFits, fit_shape
from zogy_explorer.prepare.stars import Stars, find_stars
from zogy_explorer.prepare.variance import measure_sky
from zogy_explorer.psf import KernelPsf

Array = NDArray[np.float64]

UNUSABLE = ("BAD", "SAT", "CR", "NO_DATA", "EDGE")
"""Planes whose pixels say nothing of sky and stars."""

_REACH = 4.0  # half side of the stamp [FWHM]
_TAPER = 0.85  # share of the stamp's half side from which it fades
_LIKENESS = 0.02  # fraction to which stars are alike at best: none dominates by its brightness
_ITERATIONS = 4  # few: what shifts take from all stars would come back as noise
_ROUNDS = 2  # of fitting and of leaving out what is not as the other stars
_OUTLIER = 5.0  # σ by which a pixel differs from those of the other stars
_UNLIKE = 0.1  # share of a star's own light by which it differs from the others, to be left out
_SIGNIFICANT = 3.0  # σ by which a ring's variance must exceed its noise
_GROUPS = 5  # of stars, each left out once
_ENOUGH = 3  # stars that can outvote one


@dataclass(frozen=True, eq=False)
class MeasuredPsf:
    """A stamp, the stars it comes from, and their FWHM [px].

    ``flux_error`` is the fraction by which fluxes measured with the stamp may all be wrong: what
    its wings hold is known only so well. NaN from a single star.
    """

    psf: KernelPsf
    stars: Stars
    fwhm: float
    flux_error: float


def measure_psf(
    image: Exposure | NDArray[np.floating],
    sigma: NDArray[np.floating] | None = None,
    bad: NDArray[np.bool_] | None = None,
    *,
    size: int | None = None,
) -> MeasuredPsf:
    """PSF stamp from the stars of an image.

    Parameters
    ----------
    image
        An exposure, of which sky, noise and unusable pixels are measured or known: nothing else
        is needed. Or an array (ny, nx) without its sky.
    sigma : (ny, nx) array
        Noise of the sky; with an array only.
    bad : (ny, nx) array of bool
        Unusable pixels; with an array only. None: those that are not finite.
    size
        Side of the stamp [px], odd; None: 8 FWHM.

    Raises
    ------
    InputError
        If an array comes without its noise.
    PsfError
        If no star is suitable, or the stars do not give a PSF.
    """
    if isinstance(image, Exposure):
        image, sigma, bad = _planes(image, sigma, bad)
    elif sigma is None:
        raise InputError(
            "measure_psf was given an array without sigma: give the noise of its sky "
            "(measure_psf(image, sigma)), or an Exposure, of which it is measured"
        )
    if bad is None:
        bad = ~np.isfinite(image)
    stars = find_stars(image, sigma, bad)
    side = _side(stars.fwhm, image.shape) if size is None else _checked(size, image.shape)
    cutouts = _cut_out(image, sigma, bad, stars, side)
    centre = [np.round(place) for place in (stars.x, stars.y)]
    offset = (stars.x - centre[0], stars.y - centre[1])
    kept, cutouts, fits = _fitted(cutouts, stars.fwhm, *offset)
    stamp = _stamp(cutouts, fits)
    if not (np.isfinite(stamp).all() and stamp.sum() > 0):
        raise PsfError(
            f"the {len(stars.x)} stars do not add up to a PSF: give a PSF stamp of your own"
        )
    error = _flux_error(cutouts, fits, stamp)
    return MeasuredPsf(KernelPsf(stamp), stars.take(kept), fits.shape.fwhm, error)


def taper(side: int) -> Array:
    """Round window of a stamp: 1 inside, falling to 0 at its rim as a cosine."""
    radius = _radius(side) / (side // 2)
    fade = np.clip((radius - _TAPER) / (1 - _TAPER), 0, 1)
    return np.asarray(0.5 * (1 + np.cos(np.pi * fade)))


def _planes(
    exposure: Exposure, sigma: object, bad: object
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.bool_]]:
    """Image without its sky, its noise and its unusable pixels."""
    if sigma is not None or bad is not None:
        raise InputError(
            "measure_psf was given an Exposure and sigma or bad beside it: leave these out, they "
            "are the exposure's variance and mask; or give its image, sigma and bad as arrays"
        )
    unusable = exposure.masked(UNUSABLE) | ~np.isfinite(exposure.image)
    sky = measure_sky(exposure.image, unusable)
    noise = sky.sigma
    if exposure.variance is not None:
        with np.errstate(invalid="ignore"):
            unusable = unusable | ~(exposure.variance > 0)
        noise = np.sqrt(np.where(unusable, np.square(sky.sigma), exposure.variance))
    return exposure.image - sky.level, noise, unusable


def _cut_out(
    image: NDArray[np.floating],
    sigma: NDArray[np.floating],
    bad: NDArray[np.bool_],
    stars: Stars,
    side: int,
) -> Cutouts:
    """Squares around the stars; pixels of other sources and beyond the frame weigh nothing."""
    half = side // 2
    padded = [
        np.pad(plane, half, constant_values=outside)
        for plane, outside in ((image, 0), (sigma, 1), (bad, True), (stars.segments, 0))
    ]
    data, weight = [], []
    for x, y, label in zip(stars.x, stars.y, stars.label, strict=True):
        row, column = round(y), round(x)
        cut = (slice(row, row + side), slice(column, column + side))
        pixels, noise, unusable, segments = (plane[cut] for plane in padded)
        others = ndimage.binary_dilation((segments != 0) & (segments != label), iterations=2)
        used = ~(unusable | others)
        data.append(np.where(used, pixels, 0.0))
        weight.append(np.where(used, 1 / np.square(noise, dtype=np.float64), 0.0))
    return Cutouts(np.array(data, dtype=np.float64), np.array(weight))


def _fitted(
    cutouts: Cutouts, fwhm: float, dx: Array, dy: Array
) -> tuple[NDArray[np.bool_], Cutouts, StarFits]:
    """Which stars are alike, their cutouts without what is not of them, and their fits."""
    kept = np.ones(len(cutouts.data), bool)
    fits = fit_shape(cutouts, Moffat.round(fwhm), dx, dy)
    for _ in range(_ROUNDS):
        profiles = fits.profiles(cutouts)
        light = fits.height[:, None, None] * profiles
        rest = cutouts.data - fits.sky[:, None, None] - light
        weight = _tempered(cutouts.weight, light)
        if len(rest) >= _ENOUGH:
            # What all stars have beyond the profile is the PSF's own; it is not held against one.
            common = np.median(rest / fits.height[:, None, None], axis=0)
            rest = rest - fits.height[:, None, None] * common
            weight = np.where(rest**2 * weight > _OUTLIER**2, 0, weight)
        alike = _alike(rest, weight, light) & (fits.height > 0)
        if not alike.any():
            alike[:] = True
        kept[kept] = alike
        fits = fits.take(alike)
        cutouts = Cutouts(cutouts.data[alike], weight[alike])
        fits = fit_shape(cutouts, fits.shape, fits.dx, fits.dy)
    return kept, cutouts, fits


def _tempered(weight: Array, light: Array) -> Array:
    """Weights with the unlikeness of the stars in their variances."""
    return weight / (1 + weight * (_LIKENESS * light) ** 2)


def _alike(rest: Array, weight: Array, light: Array) -> NDArray[np.bool_]:
    """Which stars differ from the others by less than a share of their light, noise apart."""
    used = weight > 0
    with np.errstate(divide="ignore"):
        noise = np.where(used, 1 / weight, 0)
    excess = (np.where(used, rest**2, 0) - noise).sum(axis=(1, 2))
    return np.asarray(excess <= _UNLIKE**2 * np.where(used, light**2, 0).sum(axis=(1, 2)))


def _stamp(cutouts: Cutouts, fits: StarFits) -> Array:
    """The shape, and what the stars have beyond it where that is more than noise."""
    x, y = cutouts.grid
    detail, noise = _detail(cutouts, fits)
    stamp = fits.shape(x, y) + _significant(detail, noise)
    return np.asarray(stamp * taper(len(stamp)))


def _flux_error(cutouts: Cutouts, fits: StarFits, stamp: Array) -> float:
    """Fractional error of the stamp's flux scale: a jackknife, leaving out a group at a time."""
    n = len(cutouts.data)
    groups = min(n, _GROUPS)
    if groups < 2:
        return float("nan")
    whole, scales = stamp / stamp.sum(), []
    for group in range(groups):
        kept = np.arange(n) % groups != group
        some, places = cutouts.take(kept), fits.take(kept)
        part = _stamp(some, fit_shape(some, fits.shape, places.dx, places.dy))
        part /= part.sum()
        scales.append((part * whole).sum() / np.square(part).sum())
    return float(np.sqrt((groups - 1) * np.var(scales)))


def _detail(cutouts: Cutouts, fits: StarFits) -> tuple[Array, Array]:
    """What the stars have beyond the shape, at a peak of 1, and its noise; both (side, side).

    The least-squares solution of data = sky + height · (shape + detail, moved to the star), by
    conjugate gradients: the detail, not the stars, is interpolated.
    """
    height = fits.height[:, None, None]
    rest = cutouts.data - fits.sky[:, None, None] - height * fits.profiles(cutouts)
    weight = cutouts.weight * height**2
    along_y, along_x = (_shifts(rest.shape[-1], offset) for offset in (fits.dy, fits.dx))

    def back(pixels: Array) -> Array:
        """Transpose of the shift to the stars, summed over them."""
        return np.einsum("nyi,nyx,nxj->ij", along_y, pixels, along_x, optimize=True)

    def at_stars(detail: Array) -> Array:
        return along_y @ detail.reshape(rest.shape[1:]) @ along_x.transpose(0, 2, 1)

    def normal(detail: Array) -> Array:
        return back(weight * at_stars(detail)).ravel()

    total = weight.sum(axis=0)
    precision = np.where(total > 0, total, np.inf)
    size = total.size
    solution, _ = cg(
        LinearOperator((size, size), matvec=normal, dtype=np.float64),
        back(weight * (rest / height)).ravel(),
        M=LinearOperator((size, size), matvec=lambda v: v.ravel() / precision.ravel()),
        maxiter=_ITERATIONS,
    )
    left = weight * (rest / height - at_stars(solution)) ** 2
    excess = left.sum(axis=0) / np.maximum((weight > 0).sum(axis=0) - 1, 1)
    return solution.reshape(total.shape), np.sqrt(np.maximum(excess, 1) / precision)


def _shifts(side: int, offset: Array) -> Array:
    """Matrices (n, side, side) that move a line of pixels by each offset [px], by splines."""
    unit = np.eye(side)
    return np.array([ndimage.shift(unit, (step, 0.0), order=5) for step in offset])


def _significant(detail: Array, noise: Array) -> Array:
    """The detail, ring by ring as much of it as is beyond its noise (Wiener's weight).

    The mean of a ring and what departs from it have weights of their own: a mean over many
    pixels is known where none of them is.
    """
    rings = np.round(_radius(len(detail))).astype(int)
    counts = np.bincount(rings.ravel())

    def average(plane: Array) -> Array:
        return np.bincount(rings.ravel(), weights=plane.ravel()) / counts

    mean, variance = average(detail), average(np.square(noise))
    departures = detail - mean[rings]
    freedom = np.maximum(counts - 1, 1)
    spread = average(np.square(departures)) * counts / freedom
    share = _share(spread, variance, freedom)
    share_of_mean = _share(mean**2, variance / counts, np.ones_like(counts))
    return np.asarray((share_of_mean * mean)[rings] + share[rings] * departures)


def _share(measured: Array, noise: Array, freedom: NDArray[np.int_]) -> Array:
    """Share of the variances of rings, measured with so many degrees of freedom, that is signal.

    None of it where chance alone would do, or where the rings beside have none.
    """
    chance = noise * (1 + _SIGNIFICANT * np.sqrt(2 / freedom))
    signal = np.where(measured > chance, measured - noise, 0.0)
    share = np.divide(signal, measured, out=np.zeros_like(measured), where=measured > 0)
    return np.asarray(ndimage.median_filter(share, 3, mode="nearest"))


def _radius(side: int) -> Array:
    position = np.arange(side) - side // 2
    return np.hypot(position[:, None], position[None, :])


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

"""The common shape of some stars: an elliptical Moffat profile, fitted to all of them at once.

The profile is what the stars agree on before any detail is known: it places them to a fraction of
a pixel without interpolating, holds for undersampled stars too, and carries the wings to where
each star's own are noise. A Gaussian is its limit 1/β → 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import PsfError

Array = NDArray[np.float64]

_STEPS = 30
_CONVERGED = 1e-4  # of the width and of the position [px]
_LARGEST_STEP = np.array([0.2, 0.15, 0.1, 0.1])
_WIDTHS = (np.log(0.7), np.log(200.0))
_TAILS = (0.01, 0.75)
_MOST_ELLIPTICAL = 0.8
_START_TAIL = 0.3
_SKY_ERROR = 0.05  # [σ of a pixel] of the sky that was subtracted: the wings hide what is left


@dataclass(frozen=True, eq=False)
class Cutouts:
    """Squares around n stars, without their sky.

    Parameters
    ----------
    data, weight : (n, side, side) array
        Pixels, and their inverse variances; 0 where a pixel is not to be used.
    """

    data: Array
    weight: Array

    @property
    def grid(self) -> tuple[Array, Array]:
        """(x, y) of the pixels from the middle one."""
        steps = np.arange(self.data.shape[-1]) - self.data.shape[-1] // 2
        return np.meshgrid(steps.astype(float), steps.astype(float))

    def take(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of the stars."""
        return type(self)(self.data[chosen], self.weight[chosen])


@dataclass(frozen=True, eq=False)
class Moffat:
    """p = (1 + 4 (2^t - 1) q)^(-1/t),  q = ((1 + e1) x² + (1 - e1) y² + 2 e2 x y) / w²,  t = 1/β.

    Parameters
    ----------
    parameters
        ln w [ln px], t, e1, e2.
    """

    parameters: Array

    @classmethod
    def round(cls, fwhm: float) -> Self:
        """To start with: round, with the wings of good seeing."""
        return cls(np.array([np.log(fwhm), _START_TAIL, 0.0, 0.0]))

    @property
    def fwhm(self) -> float:
        """Geometric mean of the FWHM along both axes [px]."""
        width, _, e1, e2 = self.parameters
        return float(np.exp(width) * (1 - e1**2 - e2**2) ** -0.25)

    def __call__(self, x: Array, y: Array) -> Array:
        """Height at (x, y) from the centre [px]; 1 there."""
        return self.with_slopes(x, y)[0]

    def with_slopes(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Height, its slopes by (x, y) of the centre (…, 2), and by the parameters (…, 4)."""
        log_width, tail, e1, e2 = self.parameters
        inverse = np.exp(-2 * log_width)
        q = ((1 + e1) * x**2 + (1 - e1) * y**2 + 2 * e2 * x * y) * inverse
        scale = 4 * (2**tail - 1)
        base = 1 + scale * q
        height = base ** (-1 / tail)
        by_q = -(scale / tail) * height / base
        by_place = [-2 * ((1 + e1) * x + e2 * y), -2 * ((1 - e1) * y + e2 * x)]
        by_tail = height * np.log(base) / tail**2 + by_q * q * 4 * np.log(2) * 2**tail / scale
        by_shape = [by_q * -2 * q, by_tail, by_q * (x**2 - y**2) * inverse]
        by_shape.append(by_q * 2 * x * y * inverse)
        place = np.stack([by_q * slope * inverse for slope in by_place], axis=-1)
        return height, place, np.stack(by_shape, axis=-1)


@dataclass(frozen=True, eq=False)
class StarFits:
    """A shape, and of each star: height of the peak, (dx, dy) from the middle pixel, sky left."""

    shape: Moffat
    height: Array
    dx: Array
    dy: Array
    sky: Array

    def profiles(self, cutouts: Cutouts) -> Array:
        """The shape at each star's place (n, side, side); 1 at its peak."""
        x, y = cutouts.grid
        return self.shape(x - self.dx[:, None, None], y - self.dy[:, None, None])

    def take(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of the stars."""
        own = (part[chosen] for part in (self.height, self.dx, self.dy, self.sky))
        return type(self)(self.shape, *own)


def fit_shape(cutouts: Cutouts, shape: Moffat, dx: Array, dy: Array) -> StarFits:
    """The shape that fits all stars best, by least squares (Gauss-Newton).

    Parameters
    ----------
    cutouts
        Of n ≥ 1 stars.
    shape
        To start with.
    dx, dy : (n,) array
        Places to start with, from the middle pixel [px].

    Raises
    ------
    PsfError
        If the stars have no shape in common.

    Notes
    -----
    Each star has four numbers of its own and shares four with the others. Its own are eliminated
    star by star (Schur complement), so that the cost grows with their number, not with its cube.
    """
    n, side = len(cutouts.data), cutouts.data.shape[-1]
    weight = cutouts.weight.reshape(n, -1)
    x, y = (axis.ravel() for axis in cutouts.grid)
    linear = np.zeros((n, 2))
    for _ in range(_STEPS):
        height, place, by_shape = shape.with_slopes(x - dx[:, None], y - dy[:, None])
        linear = _height_and_sky(height, cutouts.data.reshape(n, -1), weight)
        rest = cutouts.data.reshape(n, -1) - linear[:, :1] * height - linear[:, 1:]
        own = np.concatenate(
            [height[..., None], np.ones((n, side**2, 1)), place * linear[:, :1, None]], axis=-1
        )
        shared = by_shape * linear[:, :1, None]
        common, single = _solve(own, shared, rest, weight, linear[:, 1])
        common = np.clip(common, -_LARGEST_STEP, _LARGEST_STEP)
        shape = Moffat(_bounded(shape.parameters + common))
        step = np.clip(single[:, 2:], -0.5, 0.5)
        dx, dy = dx + step[:, 0], dy + step[:, 1]
        if max(abs(common[0]), np.abs(step).max()) < _CONVERGED:
            break
    if not (np.isfinite(linear).all() and np.isfinite(shape.parameters).all()):
        raise PsfError(f"the {n} stars have no shape in common: give a PSF stamp of your own")
    return StarFits(shape, linear[:, 0], dx, dy, linear[:, 1])


def _bounded(parameters: Array) -> Array:
    """Parameters of a profile that falls off in all directions."""
    ellipticity = np.hypot(*parameters[2:])
    rounded = min(_MOST_ELLIPTICAL / ellipticity, 1.0) if ellipticity > 0 else 1.0
    width, tail = np.clip(parameters[0], *_WIDTHS), np.clip(parameters[1], *_TAILS)
    return np.array([width, tail, *(parameters[2:] * rounded)])


def _height_and_sky(height: Array, data: Array, weight: Array) -> Array:
    """Best height and sky (n, 2) of each star, places and shape as they are."""
    design = np.stack([height, np.ones_like(height)], axis=-1)
    weighted = (design * weight[..., None]).transpose(0, 2, 1)
    matrix = weighted @ design
    matrix[:, 1, 1] += _sky_precision(weight)
    return _solved(matrix, weighted @ data[..., None])[..., 0]


def _sky_precision(weight: Array) -> Array:
    """Inverse variance (n,) of what the measured sky has left."""
    return weight.max(axis=1) / _SKY_ERROR**2


def _solve(
    own: Array, shared: Array, rest: Array, weight: Array, sky: Array
) -> tuple[Array, Array]:
    """Steps of the shared parameters (4,), and of each star's own (n, 4)."""
    weighted = (own * weight[..., None]).transpose(0, 2, 1)
    a, c, b = weighted @ own, weighted @ shared, weighted @ rest[..., None]
    a[:, 1, 1] += _sky_precision(weight)
    b[:, 1, 0] -= _sky_precision(weight) * sky
    reduced, by_rest = _solved(a, c), _solved(a, b)
    turned = c.transpose(0, 2, 1)
    weighted = (shared * weight[..., None]).transpose(0, 2, 1)
    matrix = (weighted @ shared - turned @ reduced).sum(axis=0)
    right = (weighted @ rest[..., None] - turned @ by_rest).sum(axis=0)[:, 0]
    common = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return common, (by_rest - reduced @ common[:, None])[..., 0]


def _solved(matrix: Array, right: Array) -> Array:
    """Solutions of n small systems; those of a star without usable pixels are 0."""
    return np.linalg.pinv(matrix, hermitian=True) @ right

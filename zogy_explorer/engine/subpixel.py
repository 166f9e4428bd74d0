"""The maximum of a plane between its pixels, and the values of other planes there.

Windows are interpolated by splines of degree 7, whose error at a peak is below 10⁻³ for a score of
PSFs that are sampled at 2 px or more per FWHM; S is smoother than either PSF.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

Array = NDArray[np.float64]

REACH = 7
"""Half side of a window [px]."""

_DEGREE = 7
_STEPS = 12
_FARTHEST = 1.0  # [px] from the highest pixel; a maximum beyond it is another one
_CLOSE = 1e-6  # [px]


def windows(
    plane: NDArray[np.floating],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    reach: int = REACH,
) -> Array:
    """Squares of 2·reach + 1 px around n pixels, (n, side, side); edge pixels repeat beyond it."""
    ny, nx = plane.shape
    steps = np.arange(-reach, reach + 1)
    y = np.clip(rows[:, None] + steps, 0, ny - 1)
    x = np.clip(columns[:, None] + steps, 0, nx - 1)
    return plane[y[:, :, None], x[:, None, :]].astype(np.float64)


@dataclass(frozen=True, eq=False)
class Splines:
    """Splines through n windows.

    Parameters
    ----------
    coefficients : (n, side, side) array
    """

    coefficients: Array

    @classmethod
    def through(cls, values: Array) -> Splines:
        """Through windows (n, side, side)."""
        solve = _collocation(values.shape[-1])
        return cls(np.einsum("yi,nij,xj->nyx", solve, values, solve, optimize=True))

    def at(self, dx: Array, dy: Array, order_x: int = 0, order_y: int = 0) -> Array:
        """Values, or derivatives of the given orders, at offsets (dx, dy) from the centres [px]."""
        side = self.coefficients.shape[-1]
        along_x, along_y = _basis(dx, side, order_x), _basis(dy, side, order_y)
        return np.einsum("nyx,ny,nx->n", self.coefficients, along_y, along_x, optimize=True)


def shifted(stamp: Array, dx: Array, dy: Array) -> Array:
    """A stamp (side, side) moved by each of n offsets [px]: (n, side, side)."""
    spline = Splines.through(stamp[None]).coefficients[0]
    side = stamp.shape[0]
    nodes = np.arange(side) - side // 2
    rows, columns = (
        _basis((nodes - offset[:, None]).ravel(), side, 0).reshape(-1, side, side)
        for offset in (dy, dx)
    )
    return rows @ spline @ columns.transpose(0, 2, 1)


def maxima(splines: Splines, sign: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Offsets (dx, dy) of the extremes next to the windows' centres [px], by Newton's method.

    Parameters
    ----------
    splines
        Of n windows with an extreme near their centre.
    sign : (n,) array
        +1 for a maximum, -1 for a minimum.

    Returns
    -------
    dx, dy
        0 where no extreme was found within a pixel.
    found
        Where one was.
    """
    n = len(sign)
    dx, dy = np.zeros(n), np.zeros(n)
    found = np.zeros(n, dtype=bool)
    for _ in range(_STEPS):
        gx, gy = (sign * splines.at(dx, dy, *order) for order in ((1, 0), (0, 1)))
        xx, yy, xy = (sign * splines.at(dx, dy, *order) for order in ((2, 0), (0, 2), (1, 1)))
        determinant = xx * yy - xy**2
        curved = (xx < 0) & (determinant > 0)
        safe = np.where(curved, determinant, 1.0)
        step_x = np.where(curved, (xy * gy - yy * gx) / safe, 0.5 * np.sign(gx))
        step_y = np.where(curved, (xy * gx - xx * gy) / safe, 0.5 * np.sign(gy))
        step_x, step_y = np.clip(step_x, -0.5, 0.5), np.clip(step_y, -0.5, 0.5)
        dx, dy = dx + step_x, dy + step_y
        dx, dy = (np.clip(d, -2 * _FARTHEST, 2 * _FARTHEST) for d in (dx, dy))
        found = curved & (np.hypot(step_x, step_y) < _CLOSE)
        if found.all():
            break
    found &= np.maximum(abs(dx), abs(dy)) <= _FARTHEST
    return np.where(found, dx, 0.0), np.where(found, dy, 0.0), found


def bilinear(
    plane: NDArray[np.floating],
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    dx: Array,
    dy: Array,
) -> Array:
    """A plane at offsets (dx, dy) [px] from n pixels: for variances, which must stay positive."""
    ny, nx = plane.shape
    x, y = np.clip(column + dx, 0, nx - 1), np.clip(row + dy, 0, ny - 1)
    left, bottom = np.floor(x).astype(int), np.floor(y).astype(int)
    right, top = np.minimum(left + 1, nx - 1), np.minimum(bottom + 1, ny - 1)
    u, v = x - left, y - bottom
    lower = (1 - u) * plane[bottom, left] + u * plane[bottom, right]
    upper = (1 - u) * plane[top, left] + u * plane[top, right]
    return np.asarray((1 - v) * lower + v * upper, dtype=np.float64)


@cache
def _element(order: int) -> BSpline:
    knots = np.arange(_DEGREE + 2) - (_DEGREE + 1) / 2
    basis = BSpline.basis_element(knots, extrapolate=False)
    return basis if order == 0 else basis.derivative(order)


def _basis(offset: Array, side: int, order: int) -> Array:
    """Basis functions (n, side) of a window of ``side`` at offsets from its centre [px]."""
    nodes = np.arange(side) - side // 2
    return np.nan_to_num(_element(order)(offset[:, None] - nodes))


@cache
def _collocation(side: int) -> Array:
    """Matrix from the values of a row of ``side`` pixels to its spline's coefficients.

    Beyond its ends the row is mirrored, as `scipy.ndimage` does.
    """
    reach = _DEGREE // 2
    matrix = np.zeros((side, side))
    at_nodes = _basis(np.zeros(1), 2 * reach + 1, 0)[0]
    for row in range(side):
        for k in range(-reach, reach + 1):
            column = abs(row + k)
            column = column if column < side else 2 * (side - 1) - column
            matrix[row, column] += at_nodes[k + reach]
    inverse: Array = np.linalg.inv(matrix).astype(np.float64)
    inverse.flags.writeable = False
    return inverse

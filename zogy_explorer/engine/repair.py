"""Local interpolation over missing pixels, so that they do not ring in Fourier space.

A hole is filled by a Gaussian-weighted mean of the good pixels around it; what a narrow Gaussian
does not reach is filled by wider ones. Only the surroundings of the holes are touched.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_WIDTHS = (1.0, 2.0, 4.0, 8.0)  # [px] σ of the Gaussians, narrow ones first
_LEAST_WEIGHT = 0.02  # a mean over less than this share of the Gaussian is left to a wider one


def fill_holes(
    plane: NDArray[np.floating], bad: NDArray[np.bool_], fallback: float
) -> NDArray[np.floating]:
    """Copy of ``plane`` with the ``bad`` pixels interpolated from their surroundings.

    Parameters
    ----------
    plane : (ny, nx) array of float
        May be anything, also NaN, where ``bad``; finite elsewhere.
    bad : (ny, nx) array of bool
    fallback
        Value for pixels with no good pixel within reach.
    """
    filled = plane.copy()
    if not bad.any():
        return filled
    filled[bad] = fallback
    reach = int(4 * _WIDTHS[-1])
    # Holes closer to each other than one narrow Gaussian are filled together.
    labels, _ = ndimage.label(ndimage.binary_dilation(bad, iterations=2))
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        window = (_widen(rows, reach, plane.shape[0]), _widen(columns, reach, plane.shape[1]))
        hole = bad[window] & (labels[window] == number)
        _fill_hole(filled[window], plane[window], bad[window], hole)
    return filled


def _fill_hole(
    out: NDArray[np.floating],
    plane: NDArray[np.floating],
    bad: NDArray[np.bool_],
    hole: NDArray[np.bool_],
) -> None:
    """Fill the pixels of one ``hole`` in ``out`` from the pixels that are not ``bad``."""
    good = (~bad).astype(np.float64)
    values = np.where(bad, 0.0, plane).astype(np.float64)
    todo = hole
    for width in _WIDTHS:
        weight = ndimage.gaussian_filter(good, width, mode="constant", truncate=4.0)
        reached = todo & (weight > _LEAST_WEIGHT)
        if reached.any():
            mean = ndimage.gaussian_filter(values, width, mode="constant", truncate=4.0)
            out[reached] = (mean[reached] / weight[reached]).astype(out.dtype)
            todo = todo & ~reached
        if not todo.any():
            return


def _widen(span: slice, reach: int, length: int) -> slice:
    return slice(max(span.start - reach, 0), min(span.stop + reach, length))

"""Local maxima of a plane above a threshold.

`photutils.detection.find_peaks` does the same with a maximum filter over the whole plane, which
takes thirty times as long where few pixels are above the threshold, as in Scorr.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))


def local_maxima(
    plane: NDArray[np.floating], threshold: float, sign: int = 1
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pixels of ``sign`` · plane above ``threshold`` and not below any of their neighbours.

    Of neighbours of equal height the first counts, row by row. Pixels at the edge have no
    neighbours beyond it.

    Parameters
    ----------
    plane : (ny, nx) array of float
        Non-finite pixels are never maxima, nor do they hide any.
    threshold
        In the plane's unit; positive.
    sign
        +1 for maxima, -1 for minima.

    Returns
    -------
    rows, columns : (n,) arrays of int
    """
    above = plane > threshold if sign > 0 else plane < -threshold
    rows, columns = np.nonzero(above & np.isfinite(plane) if above.any() else above)
    height = sign * plane[rows, columns]
    highest = np.ones(rows.size, dtype=bool)
    ny, nx = plane.shape
    for dy, dx in _NEIGHBOURS:
        y, x = rows + dy, columns + dx
        inside = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
        other = np.full(rows.size, -np.inf)
        other[inside] = sign * plane[y[inside], x[inside]]
        earlier = (dy, dx) < (0, 0)
        highest &= ~(other >= height) if earlier else ~(other > height)
    return rows[highest], columns[highest]

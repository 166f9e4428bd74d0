"""How far the kernels carry a bad pixel, and masks grown by that much."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def kernel_radius(squares: Iterable[NDArray[np.floating]], outside: float) -> float:
    """Radius [px] beyond which each squared kernel holds less than ``outside`` of its sum.

    Parameters
    ----------
    squares : arrays (ny, nx)
        Squared kernels with their origin at index 0.
    outside
        Share of the sum, 0…1.
    """
    radius = 0.0
    rings: dict[tuple[int, ...], NDArray[np.int_]] = {}
    for square in squares:
        ring = rings.get(square.shape)
        if ring is None:
            ring = rings[square.shape] = _rings(*square.shape)
        profile = np.bincount(ring, weights=square.ravel())
        total = profile.sum()
        if not total > 0:
            continue
        # Summed from outside in: 1 - (sum inside) would end in round-off, not in zero.
        beyond = np.append(np.cumsum(profile[:0:-1])[::-1], 0.0) / total
        radius = max(radius, float(np.argmax(beyond < outside)))
    return radius


def _rings(ny: int, nx: int) -> NDArray[np.int_]:
    """Distance of each pixel from index 0, rounded up; flat."""
    y, x = np.fft.fftfreq(ny, 1 / ny), np.fft.fftfreq(nx, 1 / nx)
    return np.ceil(np.sqrt(y[:, None] ** 2 + x**2)).astype(int).ravel()


def grow_bits(mask: NDArray[np.int32], bits: np.int32, radius: float) -> NDArray[np.int32]:
    """Mask with each of ``bits`` spread to all pixels within ``radius`` [px] of one that has it."""
    if radius < 1 or not (mask & bits).any():
        return mask
    grown = mask.copy()
    reach = int(np.ceil(radius))
    for bit in range(32):
        value = np.array(1 << bit, dtype=np.uint32).astype(np.int32)[()]
        if not bits & value:
            continue
        bad = (mask & value) != 0
        rows, columns = np.any(bad, axis=1), np.any(bad, axis=0)
        if not rows.any():
            continue
        window = (_around(rows, reach), _around(columns, reach))
        near = ndimage.distance_transform_edt(~bad[window]) <= radius
        grown[window][near] |= value
    return grown


def _around(line: NDArray[np.bool_], reach: int) -> slice:
    (where,) = np.nonzero(line)
    return slice(max(int(where[0]) - reach, 0), int(where[-1]) + reach + 1)

"""How far the kernels carry a bad pixel, and masks grown by that much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_KEPT = 1 << 16  # pixels of a plane small enough to keep what depends on its shape alone


@dataclass(frozen=True, eq=False)
class RadialShare:
    """How much of a positive plane lies beyond each radius.

    ``beyond[r]`` is the share of the sum beyond ``r`` px from index 0; empty if there is no sum.
    """

    beyond: NDArray[np.float64]

    @classmethod
    def of(cls, square: NDArray[np.floating]) -> Self:
        """Of a plane (ny, nx) with its origin at index 0."""
        ny, nx = square.shape
        rings = _kept_rings(ny, nx) if square.size <= _KEPT else _rings(ny, nx)
        profile = np.bincount(rings, weights=square.ravel())
        total = profile.sum()
        if not total > 0:
            return cls(np.empty(0))
        # Summed from outside in: 1 - (sum inside) would end in round-off, not in zero.
        return cls(np.append(np.cumsum(profile[:0:-1])[::-1], 0.0) / total)

    def radius(self, outside: float) -> float:
        """Radius [px] beyond which less than ``outside`` of the sum lies."""
        return float(np.argmax(self.beyond < outside)) if self.beyond.size else 0.0


def kernel_radius(squares: Iterable[NDArray[np.floating]], outside: float) -> float:
    """Radius [px] beyond which each squared kernel holds less than ``outside`` of its sum.

    Parameters
    ----------
    squares : arrays (ny, nx)
        Squared kernels with their origin at index 0.
    outside
        Share of the sum, 0…1.
    """
    return max((RadialShare.of(square).radius(outside) for square in squares), default=0.0)


def _rings(ny: int, nx: int) -> NDArray[np.int_]:
    """Distance of each pixel from index 0, rounded up; flat."""
    y, x = np.fft.fftfreq(ny, 1 / ny), np.fft.fftfreq(nx, 1 / nx)
    return np.ceil(np.sqrt(y[:, None] ** 2 + x**2)).astype(int).ravel()


@lru_cache(maxsize=4)
def _kept_rings(ny: int, nx: int) -> NDArray[np.int_]:
    """The same, read-only, made once for the small planes that all cells share."""
    rings = _rings(ny, nx)
    rings.flags.writeable = False
    return rings


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

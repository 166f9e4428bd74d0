"""Local interpolation over missing pixels, so that they do not ring in Fourier space.

A hole is filled by a Gaussian-weighted mean of the good pixels around it; what a narrow Gaussian
does not reach is filled by wider ones. Only the surroundings of the holes are touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_WIDTHS = (1.0, 2.0, 4.0, 8.0)  # [px] σ of the Gaussians, narrow ones first
_TRUNCATE = 4.0  # [σ] where they end
_LEAST_WEIGHT = 0.02  # a mean over less than this share of the Gaussian is left to a wider one
_BLOCK = 8  # [px] as bits in a byte; holes whose blocks touch are filled together

Window = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Hole:
    """Missing pixels that are filled together.

    Parameters
    ----------
    core
        Rows and columns of their surrounding box.
    window
        The same, as wide as the widest Gaussian reaches.
    pixels : array of bool
        Which pixels of ``core`` they are.
    """

    core: Window
    window: Window
    pixels: NDArray[np.bool_]


class Holes:
    """Missing pixels of a frame, found once for all its planes.

    Parameters
    ----------
    bad : (ny, nx) array of bool
    """

    def __init__(self, bad: NDArray[np.bool_]) -> None:
        self._bad = bad
        self._holes = tuple(_found(bad))

    def fill(
        self, plane: NDArray[np.floating], fallback: Callable[[], float]
    ) -> NDArray[np.floating]:
        """Copy of a plane with the missing pixels interpolated from their surroundings.

        Parameters
        ----------
        plane : (ny, nx) array of float
            May be anything, also NaN, where pixels are missing; finite elsewhere.
        fallback
            Gives the value of pixels with no good pixel within reach; asked only if there are any.
        """
        filled = plane.copy()
        for hole in self._holes:
            left = _fill(filled[hole.core], plane[hole.window], self._bad[hole.window], hole)
            if left.any():
                filled[hole.core][left] = fallback()
        return filled


def fill_holes(
    plane: NDArray[np.floating], bad: NDArray[np.bool_], fallback: float
) -> NDArray[np.floating]:
    """`Holes.fill` for a single plane."""
    return Holes(bad).fill(plane, lambda: fallback)


def _found(bad: NDArray[np.bool_]) -> Iterator[Hole]:
    """Holes by connected blocks of pixels: far fewer to look at than pixels."""
    if not bad.any():
        return
    columns = np.packbits(bad, axis=1) != 0  # blocks of eight: a byte each
    blocks = np.logical_or.reduceat(columns, np.arange(0, bad.shape[0], _BLOCK), axis=0)
    labels, _ = ndimage.label(blocks, structure=np.ones((3, 3)))
    reach = int(_TRUNCATE * _WIDTHS[-1])
    for number, spans in enumerate(ndimage.find_objects(labels), start=1):
        core, window = [], []
        for span, length in zip(spans, bad.shape, strict=True):
            start, stop = span.start * _BLOCK, min(span.stop * _BLOCK, length)
            core.append(slice(start, stop))
            window.append(slice(max(start - reach, 0), min(stop + reach, length)))
        pixels = bad[core[0], core[1]]
        own = (labels[spans] == number).repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)
        own = own[: pixels.shape[0], : pixels.shape[1]]
        yield Hole((core[0], core[1]), (window[0], window[1]), pixels & own)


def _fill(
    out: NDArray[np.floating],
    plane: NDArray[np.floating],
    bad: NDArray[np.bool_],
    hole: Hole,
) -> NDArray[np.bool_]:
    """Fill a hole's pixels in its core ``out``; those that nothing good is near to are returned."""
    good = (~bad).astype(np.float64)
    values = np.where(bad, 0.0, plane).astype(np.float64)
    inner = tuple(
        slice(core.start - window.start, core.stop - window.start)
        for core, window in zip(hole.core, hole.window, strict=True)
    )
    todo = hole.pixels
    for width in _WIDTHS:
        weight = _smooth(good, width)[inner]
        reached = todo & (weight > _LEAST_WEIGHT)
        if reached.any():
            mean = _smooth(values, width)[inner]
            out[reached] = (mean[reached] / weight[reached]).astype(out.dtype)
            todo = todo & ~reached
        if not todo.any():
            break
    return todo


def _smooth(plane: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(
        plane, width, mode="constant", truncate=_TRUNCATE
    )
    return smooth

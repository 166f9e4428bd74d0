"""Which source pixels go into each pixel of a screen, along one axis.

Every screen pixel takes the *same number* of source pixels: were it now two, now three, the noise
of an image would show a moiré pattern that is not in the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FUZZ = 1e-6  # edges this close to a pixel edge [source px] lie on it


@dataclass(frozen=True, eq=False)
class Taps:
    """Source pixels of each of n screen pixels.

    Parameters
    ----------
    extent
        Range of source pixels that are used at all.
    indices : tuple of (n,) int arrays
        k-th source pixel of each screen pixel, counted from ``extent.start``.
    weights : tuple of (n,) float32 arrays
        What it counts; sums to 1 over the taps.
    inside : (n,) array of bool
        Screen pixels that overlap the image.
    """

    extent: slice
    indices: tuple[NDArray[np.intp], ...]
    weights: tuple[NDArray[np.float32], ...]
    inside: NDArray[np.bool_]


def span_taps(start: float, step: float, n: int, size: float) -> Taps | None:
    """Whole source pixels covering each screen pixel; the nearest one if they are larger.

    Parameters
    ----------
    start, step
        Left edge of the first screen pixel and width of each [source px].
    n
        Number of screen pixels.
    size
        Extent of the image [source px]; the last source pixel may be partly beyond it.

    Returns
    -------
    Taps, or None if the screen shows nothing of the image
    """
    edges, inside = _edges(start, step, n, size)
    if not inside.any():
        return None
    if step <= 1 + _FUZZ:
        first, count = np.floor(edges + step / 2), 1
    else:
        # Pixels whose centre is in the screen pixel, made up to a fixed number.
        first, count = np.ceil(edges - 0.5 - _FUZZ), int(np.ceil(step - _FUZZ))
    weights = (np.full(n, 1 / count, np.float32),) * count
    return _taps(first, weights, inside, int(np.ceil(size)))


def area_taps(start: float, step: float, n: int, size: float) -> Taps | None:
    """Source pixels weighted by their common area with each screen pixel; see `span_taps`."""
    if step <= 1 + _FUZZ:
        return span_taps(start, step, n, size)
    edges, inside = _edges(start, step, n, size)
    if not inside.any():
        return None
    nearest = np.round(edges)
    edges = np.where(np.abs(edges - nearest) < _FUZZ, nearest, edges)
    first = np.floor(edges)
    left, right = np.maximum(edges, 0), np.minimum(edges + step, size)
    overlaps = []
    for k in range(int(step) + 2):
        overlap = np.minimum(right, first + k + 1) - np.maximum(left, first + k)
        overlaps.append(np.where(overlap > _FUZZ, overlap, 0.0))
    while not overlaps[-1].any():
        overlaps.pop()
    total = np.maximum(np.sum(overlaps, axis=0), _FUZZ)
    weights = tuple((overlap / total).astype(np.float32) for overlap in overlaps)
    return _taps(first, weights, inside, int(np.ceil(size)))


def _edges(
    start: float, step: float, n: int, size: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    edges = start + step * np.arange(n, dtype=np.float64)
    return edges, (edges + step > _FUZZ) & (edges < size - _FUZZ)


def _taps(
    first: NDArray[np.float64],
    weights: tuple[NDArray[np.float32], ...],
    inside: NDArray[np.bool_],
    size: int,
) -> Taps:
    indices = [np.clip(first + k, 0, size - 1).astype(np.intp) for k in range(len(weights))]
    low, high = int(indices[0].min()), int(indices[-1].max())
    return Taps(
        extent=slice(low, high + 1),
        indices=tuple(index - low for index in indices),
        weights=weights,
        inside=inside,
    )

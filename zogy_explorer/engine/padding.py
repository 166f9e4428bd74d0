"""From the planes of the whole image to the padded planes of one cell.

Inside the image the real pixels are taken, also those beyond the inner box; only what lies off
the image is filled. White noise is the default filling because it continues the statistics of
the image: D, S and their variances stay right up to the edge.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.grid import split_border
from zogy_explorer.geometry import Box

NoiseSource = Callable[[Box], NDArray[np.floating]]
"""Gives unit-variance noise for a box; asked once per border box that needs it."""


def variance_seed(variance: float) -> int:
    """LSST's seed of the padding noise: the bit pattern of the float64 variance."""
    return int(np.float64(variance).view(np.uint64))


def lsst_noise(variance: float) -> NoiseSource:
    """Noise stream seeded by the variance, the same for every image and cell that shares it."""
    generator = np.random.Generator(np.random.PCG64(variance_seed(variance)))
    return lambda box: generator.normal(size=box.shape)


def seeded_noise(seed: int, image_number: int, cell_index: int) -> NoiseSource:
    """Noise stream of its own for each image and cell, from one ``seed``."""
    sequence = np.random.SeedSequence([seed, image_number, cell_index])
    generator = np.random.Generator(np.random.PCG64(sequence))
    return lambda box: generator.standard_normal(size=box.shape, dtype=np.float32)


def cut_with_noise(
    plane: NDArray[np.floating],
    plane_box: Box,
    inner: Box,
    outer: Box,
    *,
    sigma: float,
    noise: NoiseSource | None,
    sky: float = 0.0,
) -> NDArray[np.floating]:
    """Pixels of ``outer``, those off the image filled with white noise around ``sky``.

    Parameters
    ----------
    plane : (ny, nx) array
        Whole image, covering ``plane_box``.
    inner, outer
        Boxes of the cell; noise is drawn for each of the eight border boxes between them that
        is not wholly on the image, in LSST's order.
    sigma
        Standard deviation of the noise [image unit].
    noise
        Where it comes from; None fills with ``sky`` alone.
    """
    shape = outer.shape
    if plane_box.contains(outer):
        return plane[outer.slices((plane_box.x0, plane_box.y0))]
    cut = np.full(shape, sky, dtype=plane.dtype)
    if noise is not None and sigma > 0:
        for border in _border_boxes(inner, outer):
            if not plane_box.contains(border):
                part = cut[border.slices((outer.x0, outer.y0))]
                # In double: σ may lie beyond single precision's range though the draws are single.
                part += np.float64(sigma) * noise(border)
    _paste_real(cut, plane, plane_box, outer)
    return cut


def cut_with_constant(
    plane: NDArray[np.floating], plane_box: Box, outer: Box, fill: float
) -> NDArray[np.floating]:
    """Pixels of ``outer``, those off the image set to ``fill``."""
    if plane_box.contains(outer):
        return plane[outer.slices((plane_box.x0, plane_box.y0))]
    cut = np.full(outer.shape, fill, dtype=plane.dtype)
    _paste_real(cut, plane, plane_box, outer)
    return cut


def cut_with_mirror(
    plane: NDArray[np.floating], plane_box: Box, outer: Box
) -> NDArray[np.floating]:
    """Pixels of ``outer``, those off the image mirrored at its edge (the edge row once)."""
    rows = _mirror(np.arange(outer.y0, outer.end_y) - plane_box.y0, plane_box.height)
    columns = _mirror(np.arange(outer.x0, outer.end_x) - plane_box.x0, plane_box.width)
    return plane[np.ix_(rows, columns)]


def _border_boxes(inner: Box, outer: Box) -> tuple[Box, ...]:
    margins = (
        inner.x0 - outer.x0,
        outer.end_x - inner.end_x,
        inner.y0 - outer.y0,
        outer.end_y - inner.end_y,
    )
    # A border without width on some side has no eight boxes; the outer box then serves as one.
    return split_border(inner, outer) if min(margins) > 0 else (outer,)


def _paste_real(
    cut: NDArray[np.floating], plane: NDArray[np.floating], plane_box: Box, outer: Box
) -> None:
    common = plane_box.intersection(outer)
    if common is not None:
        cut[common.slices((outer.x0, outer.y0))] = plane[
            common.slices((plane_box.x0, plane_box.y0))
        ]


def _mirror(index: NDArray[np.int_], length: int) -> NDArray[np.int_]:
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    folded = np.mod(index, period)
    return np.where(folded < length, folded, period - folded)

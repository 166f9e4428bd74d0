"""Weights with which cells are blended into the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.geometry import Box

Plane = NDArray[np.floating]


def taper(region: Box, inner: Box) -> Plane:
    """Weights over ``region``: 1 inside, falling linearly across its seams with other cells.

    Where the region ends with the inner box, at the frame's edge or without a border to blend
    over, there is no seam.
    """

    def ramp(start: int, length: int, low: int, high: int) -> Plane:
        position = np.arange(start, start + length) + 0.5
        weight = np.ones(length)
        before, after = low - start, start + length - high
        if before > 0:  # half weight at the seam
            weight = np.minimum(weight, np.clip((position - low) / (2 * before) + 0.5, 0, 1))
        if after > 0:
            weight = np.minimum(weight, np.clip((high - position) / (2 * after) + 0.5, 0, 1))
        return weight

    x = ramp(region.x0, region.width, inner.x0, inner.end_x)
    y = ramp(region.y0, region.height, inner.y0, inner.end_y)
    return y[:, None] * x[None, :]

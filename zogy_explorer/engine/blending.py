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
    x = region.x0 + np.arange(region.width)
    y = region.y0 + np.arange(region.height)
    return _weights(region, inner, x, y)


def weight_at(region: Box, inner: Box, x: float, y: float) -> float:
    """The weight at a point; 0 outside of ``region``."""
    left, bottom, right, top = region.edges
    if not (left <= x <= right and bottom <= y <= top):
        return 0.0
    return float(_weights(region, inner, np.array([x]), np.array([y]))[0, 0])


def _weights(region: Box, inner: Box, x: NDArray, y: NDArray) -> Plane:
    def ramp(position: NDArray, start: int, end: int, low: int, high: int) -> Plane:
        position = position + 0.5  # pixels are centred on integers
        weight = np.ones(len(position))
        before, after = low - start, end - high
        if before > 0:  # half weight at the seam
            weight = np.minimum(weight, np.clip((position - low) / (2 * before) + 0.5, 0, 1))
        if after > 0:
            weight = np.minimum(weight, np.clip((high - position) / (2 * after) + 0.5, 0, 1))
        return weight

    across = ramp(x, region.x0, region.end_x, inner.x0, inner.end_x)
    up = ramp(y, region.y0, region.end_y, inner.y0, inner.end_y)
    return up[:, None] * across[None, :]

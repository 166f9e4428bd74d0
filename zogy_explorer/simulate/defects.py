"""What real detectors add: saturation, cosmic rays, a bad column, missing data, an edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from zogy_explorer.masks import MASK_PLANES

EDGE_WIDTH = 2


@dataclass(frozen=True)
class Defects:
    """Where the defects of one image lie.

    Parameters
    ----------
    cosmic_rays
        Number of tracks.
    bad_column
        Column, or None.
    nan_patch
        (x0, y0, width, height), or None.
    edge
        Whether the outermost pixels carry EDGE.
    saturation
        Level at which pixels clip [image unit], or None.
    bleeding
        Pixel (x, y) of the star whose charge bleeds along its column, or None.
    """

    cosmic_rays: int = 0
    bad_column: int | None = None
    nan_patch: tuple[int, int, int, int] | None = None
    edge: bool = False
    saturation: float | None = None
    bleeding: tuple[int, int] | None = None

    def away(self, shape: tuple[int, int], distance: int) -> NDArray[np.bool_]:
        """Pixels (ny, nx) at least ``distance`` from column, patch, bleeding star and border."""
        near = np.zeros(shape, dtype=bool)
        near[:1], near[-1:], near[:, :1], near[:, -1:] = True, True, True, True
        if self.bad_column is not None:
            near[:, self.bad_column] = True
        if self.nan_patch is not None:
            near[_patch(self.nan_patch)] = True
        if self.bleeding is not None:
            near[self.bleeding[1], self.bleeding[0]] = True
        box = np.ones((2 * distance + 1, 1), dtype=bool)
        return ~binary_dilation(binary_dilation(near, box), box.T)


def apply_defects(
    image: NDArray[np.float64],
    variance: NDArray[np.float64],
    defects: Defects,
    sigma: float,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Damage ``image`` and ``variance`` (ny, nx) in place; return the mask that tells of it."""
    mask = np.zeros(image.shape, dtype=np.int32)

    def mark(plane: str, where: Any) -> None:
        mask[where] |= np.int32(1 << MASK_PLANES[plane])

    for _ in range(defects.cosmic_rays):
        rows, columns, charge = _track(rng, image.shape, sigma)
        image[rows, columns] += charge
        mark("CR", (rows, columns))
    if defects.saturation is not None:
        full = image >= defects.saturation
        if defects.bleeding is not None:
            full |= _bleed(full, defects.bleeding)
        image[full] = defects.saturation
        mark("SAT", full)
    if defects.bad_column is not None:
        column = (slice(None), defects.bad_column)
        image[column] += 20 * sigma + rng.normal(0, 10 * sigma, len(image))
        mark("BAD", column)
    if defects.nan_patch is not None:
        patch = _patch(defects.nan_patch)
        image[patch] = variance[patch] = np.nan
        mark("NO_DATA", patch)
    if defects.edge:
        inner = (slice(EDGE_WIDTH, -EDGE_WIDTH), slice(EDGE_WIDTH, -EDGE_WIDTH))
        rim = np.ones(image.shape, dtype=bool)
        rim[inner] = False
        mark("EDGE", rim)
    return mask


def _patch(box: tuple[int, int, int, int]) -> tuple[slice, slice]:
    x0, y0, width, height = box
    return (slice(y0, y0 + height), slice(x0, x0 + width))


def _track(
    rng: np.random.Generator, shape: tuple[int, ...], sigma: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Pixels of a straight track and the charge in each."""
    length = float(np.clip(rng.exponential(5.0), 0.5, 25.0))
    angle = rng.uniform(0, 2 * np.pi)
    steps = np.arange(0, length, 0.4)
    columns = np.rint(rng.uniform(0, shape[1] - 1) + steps * np.cos(angle)).astype(np.intp)
    rows = np.rint(rng.uniform(0, shape[0] - 1) + steps * np.sin(angle)).astype(np.intp)
    inside = (columns >= 0) & (columns < shape[1]) & (rows >= 0) & (rows < shape[0])
    pairs = np.unique(np.column_stack([rows[inside], columns[inside]]), axis=0)
    charge = sigma * rng.uniform(30, 300) * rng.uniform(0.6, 1.4, len(pairs))
    return pairs[:, 0], pairs[:, 1], charge


def _bleed(full: NDArray[np.bool_], star: tuple[int, int]) -> NDArray[np.bool_]:
    """A trail along the star's column, three times as long as the saturated core is high."""
    trail = np.zeros_like(full)
    rows = np.nonzero(full[:, star[0]])[0]
    near = rows[np.abs(rows - star[1]) < 20]
    if len(near):
        reach = len(near)
        start = max(int(near.min()) - reach, 0)
        trail[start : int(near.max()) + reach + 1, star[0]] = True
    return trail

"""Where sources may be injected: apart from each other, from real sources and from bad pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.prepare import PreparedImage
from zogy_explorer.engine.result import Difference
from zogy_explorer.errors import InputError
from zogy_explorer.masks import bit_mask

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_FWHM = 2.3548  # per σ of a Gaussian
_SOURCE_REACH = 2.0  # [FWHM] from a pixel of a real source
_BAD_REACH = 1.5  # [FWHM] from a bad pixel, and from the edge of the frame
_CHANGED = 4.5  # [σ] of Scorr from which a place holds a change already
_LEAST_SHARE = 0.02  # of the frame that must be free, else sites may come nearer to sources
_FILL = 0.2  # of the room that injected sources with their stamps may take in one frame
_NOT_BAD = ("DETECTED", "DETECTED_NEGATIVE")


def fwhm_of(plan: SubtractionPlan) -> float:
    """FWHM of the wider PSF [px]."""
    return max(_FWHM * max(plan.psf_sigma), 1.0)


def free_pixels(difference: Difference) -> Flags:
    """Pixels (ny, nx) on which a source may be injected.

    Parameters
    ----------
    difference
        Of the pair as it is.

    Raises
    ------
    InputError
        If there are none.
    """
    plan = difference.plan
    fwhm = fwhm_of(plan)
    bad = np.zeros(plan.shape, dtype=bool)
    for image in (plan.science, plan.template):
        bad |= _bad(image, plan.mask_planes)
    for cell in difference.failed:
        bad[cell.cell.inner.slices((plan.bbox.x0, plan.bbox.y0))] = True
    usable = ~_grown(bad, _BAD_REACH * fwhm)
    margin = min(round(_BAD_REACH * fwhm), *((side - 1) // 2 for side in plan.shape))
    inside = np.zeros(plan.shape, dtype=bool)
    inside[margin : plan.shape[0] - margin, margin : plan.shape[1] - margin] = True
    usable &= inside
    if not usable.any():
        raise InputError(
            "no pixel of the pair is free of masks, missing data and failed cells: sources can "
            "be injected nowhere; check the masks"
        )
    sources = (plan.science.image > plan.science.bright) | (
        plan.template.image > plan.template.bright
    )
    if difference.scorr is not None:
        sources |= np.abs(difference.scorr) > _CHANGED
    reach = _SOURCE_REACH * fwhm
    while reach >= 1:
        free = usable & ~_grown(sources, reach)
        if free.mean() > _LEAST_SHARE:
            return free
        reach /= 2
    free = usable & ~sources
    return free if free.any() else usable


def draw_sites(
    rng: np.random.Generator, free: Flags, n: int, apart: float
) -> list[tuple[Array, Array]]:
    """Array positions (x, y) of ``n`` sources in all, as many in one frame as have room.

    Parameters
    ----------
    rng
        Of the positions, which lie anywhere on the free pixels.
    free : (ny, nx) array of bool
    n
        Number of sources.
    apart
        Least distance between sources of one frame [px].

    Returns
    -------
    frames
        One pair of arrays a frame, together of length ``n``.
    """
    rows, columns = np.nonzero(free)
    capacity = max(int(_FILL * rows.size / apart**2), 1)
    frames = []
    left = n
    while left > 0:
        chosen = rng.integers(rows.size, size=4 * min(capacity, left))
        shift = rng.uniform(-0.5, 0.5, size=(2, chosen.size))
        x, y = columns[chosen] + shift[0], rows[chosen] + shift[1]
        kept = _apart(x, y, apart)[: min(capacity, left)]
        frames.append((x[kept], y[kept]))
        left -= len(kept)
    return frames


def _apart(x: Array, y: Array, distance: float) -> NDArray[np.intp]:
    """Indices of places that keep their distance from all kept before them."""
    neighbours = cKDTree(np.column_stack([x, y])).query_ball_point(
        np.column_stack([x, y]), distance
    )
    open_ = np.ones(len(x), dtype=bool)
    kept = []
    for i, near in enumerate(neighbours):
        if open_[i]:
            kept.append(i)
            open_[near] = False
    return np.array(kept, dtype=np.intp)


def _bad(image: PreparedImage, planes: dict[str, int]) -> Flags:
    bits = bit_mask(planes, [name for name in planes if name not in _NOT_BAD])
    return np.asarray((image.mask & bits) != 0) | image.missing


def _grown(flags: Flags, reach: float) -> Flags:
    """Pixels within a square of ``reach`` [px] of one that is set."""
    if not flags.any():
        return flags
    return np.asarray(
        ndimage.maximum_filter(flags.view(np.uint8), size=2 * int(np.ceil(reach)) + 1)
    ).astype(bool)

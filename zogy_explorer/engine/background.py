"""Sky levels: what `ZogyConfig.background` subtracts before the subtraction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.statistics import SAMPLE, clipped_mean, robust_sigma, thinned
from zogy_explorer.errors import InputError

AUTO_THRESHOLD = 0.05
"""'auto' subtracts a constant if a clipped mean exceeds this share of a pixel's noise."""

_MESH = 64  # [px] side of a mesh box
_PASSES = 5  # of clipping when a surface is fitted
_LEAST_PIXELS = 100  # from which a surface is fitted


def sky_level(
    image: NDArray[np.floating],
    use: NDArray[np.bool_] | None,
    label: str,
    sample: int | None = None,
) -> float:
    """Clipped mean of the usable pixels (None: all), or of a regular ``sample`` of about so many.

    Raises
    ------
    InputError
        If no pixel is usable.
    """
    level = clipped_mean(image, use, sample=sample)
    if not np.isfinite(level):
        raise InputError(
            f"the sky of {label} is not a number: no unmasked finite pixel is left to measure it; "
            'check the mask and ignoreMaskPlanes, or set background = "none"'
        )
    return level


def sky_mesh(image: NDArray[np.floating], use: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Smooth sky map (ny, nx): a quadratic surface, and a mesh of clipped medians of the rest.

    The mesh alone would level off towards the edges, because its median filter and its
    interpolation end there: a sky that rises by 15σ over a frame left 3σ in the outer pixels.
    """
    from photutils.background import Background2D, MedianBackground

    side = tuple(min(_MESH, n) for n in image.shape)
    use = use & np.isfinite(image)
    surface = _quadratic_surface(image, use)
    mesh = Background2D(
        image - surface,
        side,
        mask=~use,
        filter_size=3,
        exclude_percentile=80,
        bkg_estimator=MedianBackground(),
    )
    return np.asarray(surface + mesh.background, dtype=image.dtype)


def _quadratic_surface(image: NDArray[np.floating], use: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Least-squares surface of second order through the usable pixels, sources clipped."""
    ny, nx = image.shape
    y, x = np.linspace(-1, 1, ny)[:, None], np.linspace(-1, 1, nx)[None, :]
    terms = [np.broadcast_to(t, image.shape) for t in (1.0, x, y, x * x, x * y, y * y)]
    thin = thinned(image.size, SAMPLE)
    chosen = use[thin]
    if chosen.sum() < _LEAST_PIXELS:
        return np.zeros(image.shape)
    design = np.stack([term[thin][chosen] for term in terms], axis=1)
    values = image[thin][chosen].astype(np.float64)
    keep = np.ones(values.size, dtype=bool)
    solution = np.zeros(len(terms))
    for _ in range(_PASSES):
        solution, *_ = np.linalg.lstsq(design[keep], values[keep], rcond=None)
        rest = values - design @ solution
        centre = np.median(rest)
        keep = np.abs(rest - centre) <= 3 * robust_sigma(rest)
    return np.asarray(sum(a * term for a, term in zip(solution, terms, strict=True)))

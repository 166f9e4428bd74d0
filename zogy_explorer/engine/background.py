"""Sky levels: what `ZogyConfig.background` subtracts before the subtraction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.statistics import clipped_mean
from zogy_explorer.errors import InputError, MissingExtraError

AUTO_THRESHOLD = 0.05
"""'auto' subtracts a constant if a clipped mean exceeds this share of a pixel's noise."""

_MESH = 64  # [px] side of a mesh box


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
    """Smooth sky map (ny, nx) from clipped medians on a mesh.

    Raises
    ------
    MissingExtraError
        If photutils is not installed.
    """
    try:
        from photutils.background import Background2D, MedianBackground
    except ImportError:
        raise MissingExtraError('background = "mesh"', "photometry") from None
    side = tuple(min(_MESH, n) for n in image.shape)
    mesh = Background2D(
        image,
        side,
        mask=~(use & np.isfinite(image)),
        filter_size=3,
        exclude_percentile=80,
        bkg_estimator=MedianBackground(),
    )
    return np.asarray(mesh.background, dtype=image.dtype)

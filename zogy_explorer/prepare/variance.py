"""A variance plane for an image that came without: sky noise as measured, plus source noise.

V = σ_sky² + max(image − sky, 0) / gain. The noise of the sky is measured from the pixels, so
that read noise, dark current and whatever else is in them count without being known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError

Plane = NDArray[np.floating]

_MESH = 64  # [px] side of a box in which sky and noise are measured


@dataclass(frozen=True, eq=False)
class Sky:
    """Level and noise of the sky, both (ny, nx), in the image unit."""

    level: Plane
    sigma: Plane


def measure_sky(image: Plane, bad: NDArray[np.bool_]) -> Sky:
    """Sky level and its noise, from a mesh of clipped boxes.

    Parameters
    ----------
    image : (ny, nx) array
        In any unit.
    bad : (ny, nx) array of bool
        Pixels to leave out.

    Raises
    ------
    InputError
        If no usable pixel is left, or the sky has no noise at all.
    """
    if bad.all():
        raise InputError(
            f"none of the {image.size} pixels is usable: no sky can be measured; check mask and NaN"
        )
    from photutils.background import Background2D, MADStdBackgroundRMS, MedianBackground

    mesh = Background2D(
        np.where(bad, 0, image).astype(np.float64),
        tuple(min(_MESH, n) for n in image.shape),
        mask=bad,
        filter_size=3,
        exclude_percentile=90,
        bkg_estimator=MedianBackground(),
        bkg_rms_estimator=MADStdBackgroundRMS(),
    )
    level, sigma = (np.asarray(p, image.dtype) for p in (mesh.background, mesh.background_rms))
    if not (sigma > 0).any():
        raise InputError(
            "the sky has no noise: more than half of its pixels are equal; give a variance plane"
        )
    floor = float(np.median(sigma[sigma > 0]))
    return Sky(level, np.where(sigma > 0, sigma, image.dtype.type(floor)))


def sky_and_source_variance(image: Plane, sky: Sky, gain: float | None) -> Any:
    """Variance plane (ny, nx) [image unit²]; without a gain, the noise of the sky alone.

    Parameters
    ----------
    image : (ny, nx) array
        With its sky.
    sky
        Of the same image.
    gain
        Electrons per count; None: unknown.
    """
    variance = np.square(sky.sigma)
    if gain is not None:
        above = np.where(np.isfinite(image), image - sky.level, 0)
        variance = variance + np.maximum(above, 0) / image.dtype.type(gain)
    return variance

"""One pixel grid for both images, by their WCS.

Resampling correlates the noise of neighbouring pixels: σ(Scorr) then comes out above 1, and the
page says so. The template is the one to resample, since the science image has the news.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError, MissingDataError, MissingExtraError
from zogy_explorer.exposure import Exposure
from zogy_explorer.masks import bit_mask

_LEAST_OVERLAP = 0.05  # share of the frame below which a subtraction makes no sense


def align_to(template: Exposure, science: Exposure) -> Exposure:
    """The template on the pixel grid of the science image.

    Image and variance are interpolated (bicubic and bilinear), mask bits taken from the nearest
    pixel; pixels outside of the template become NaN and NO_DATA. The PSF stays as it is: measure
    it after aligning if the scales or orientations differ.

    Parameters
    ----------
    template, science
        Both with a WCS.

    Raises
    ------
    MissingDataError
        If one has no WCS.
    InputError
        If they do not overlap.
    MissingExtraError
        If reproject is not installed.
    """
    for exposure, role in ((science, "science"), (template, "template")):
        if exposure.wcs is None:
            raise MissingDataError(
                f"{role} ({exposure.name or 'unnamed'}) has no WCS: aligning needs one in both "
                "images; give a WCS, or align the template by its stars beforehand"
            )
    try:
        from reproject import reproject_interp
    except ImportError:
        raise MissingExtraError("aligning two images", "photometry") from None
    project = _projector(reproject_interp, template, science)
    image, covered = project(template.image, "bicubic")
    share = float(np.mean(covered))
    if share < _LEAST_OVERLAP:
        raise InputError(
            f"template covers {share:.1%} of science by their WCS, at least "
            f"{_LEAST_OVERLAP:.0%} is needed: check that both show the same field and that "
            "neither WCS was left over from another frame"
        )
    image[~covered] = np.nan
    variance = None
    if template.variance is not None:
        variance, _ = project(template.variance, "bilinear")
        variance[~covered] = np.nan
    mask = _project_mask(project, template)
    mask[~np.isfinite(image)] |= bit_mask(template.mask_planes, ["NO_DATA"])
    return template.replace(
        image=image, variance=variance, mask=mask, wcs=science.wcs, xy0=science.xy0
    )


Project = Callable[[NDArray[Any], str], tuple[NDArray[Any], NDArray[np.bool_]]]


def _projector(reproject: Callable[..., Any], template: Exposure, science: Exposure) -> Project:
    def project(plane: NDArray[Any], order: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        out, footprint = reproject(
            (plane, template.wcs), science.wcs, shape_out=science.shape, order=order
        )
        covered = np.asarray(footprint) > 0
        return np.asarray(out, dtype=plane.dtype), covered

    return project


def _project_mask(project: Project, template: Exposure) -> NDArray[np.int32]:
    """Each bit from the nearest pixel, so that no plane bleeds into another."""
    mask, covered = project(template.mask.astype(np.float64), "nearest-neighbor")
    return np.where(covered, np.nan_to_num(mask), 0).astype(np.int64).astype(np.int32)

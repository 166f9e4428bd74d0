"""Positions out of a DS9 region file, by astropy's ``regions``: somebody's list to look at."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zogy_explorer.errors import InputError

if TYPE_CHECKING:
    from astropy.wcs import WCS


@dataclass(frozen=True)
class RegionPoint:
    """Where a region lies: (x, y) on the pixel grid of the frame, and its text."""

    x: float
    y: float
    label: str = ""


def read_region_points(
    text: str, name: str, *, wcs: WCS | None = None, xy0: tuple[int, int] = (0, 0)
) -> tuple[RegionPoint, ...]:
    """Centres of the regions of a DS9 file; of a polygon or a line, the mean of its points.

    Parameters
    ----------
    text
        What the file holds.
    name
        What to call it in messages.
    wcs
        Of the image, for regions in sky coordinates.
    xy0
        Position of array pixel [0, 0] on the pixel grid.

    Raises
    ------
    InputError
        If the text is no region file, or has sky positions and there is no WCS.
    """
    from regions import Regions

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shapes that DS9 knows and we do not need
            found = Regions.parse(text, format="ds9")
    except Exception as error:  # the parser's errors are of many kinds
        raise InputError(
            f"{name} cannot be read as DS9 regions ({error}): save it from DS9 as a region file"
        ) from error
    if not len(found) and text.strip() and "region" not in text.lower():
        raise InputError(f"{name} holds no DS9 regions: save it from DS9 as a region file")
    return tuple(_point(region, name, wcs, xy0) for region in found)


def _point(region: Any, name: str, wcs: WCS | None, xy0: tuple[int, int]) -> RegionPoint:
    if hasattr(region, "to_pixel"):
        if wcs is None:
            raise InputError(
                f"{name} has sky positions but the science image has no WCS: save the regions in "
                "image coordinates"
            )
        region = region.to_pixel(wcs)
    x, y = _centre(region)
    return RegionPoint(x + xy0[0], y + xy0[1], str(region.meta.get("text", "")))


def _centre(region: Any) -> tuple[float, float]:
    if hasattr(region, "center"):
        return float(region.center.x), float(region.center.y)
    if hasattr(region, "vertices"):
        return float(np.mean(region.vertices.x)), float(np.mean(region.vertices.y))
    return (
        float(region.start.x + region.end.x) / 2,
        float(region.start.y + region.end.y) / 2,
    )

"""Regions out of a DS9 file, by astropy's ``regions``: somebody's list to look at."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError

if TYPE_CHECKING:
    from astropy.wcs import WCS

_TURNS = np.linspace(0, 2 * np.pi, 49)
_CIRCLE = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1)
_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], float)


@dataclass(frozen=True)
class RegionPoint:
    """A region on the pixel grid of the frame.

    Parameters
    ----------
    x, y
        Its centre.
    label
        Its text.
    color
        As the file has it; empty: it has none.
    outlines
        (x values, y values) of its lines; none for a point or a text.
    dashed
        Whether its lines are.
    sky
        Whether the file has it on the sky, not on the pixels of one image.
    """

    x: float
    y: float
    label: str = ""
    color: str = ""
    outlines: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()
    dashed: bool = False
    sky: bool = False


def read_region_points(
    text: str, name: str, *, wcs: WCS | None = None, xy0: tuple[int, int] = (0, 0)
) -> tuple[RegionPoint, ...]:
    """The regions of a DS9 file; the centre of a polygon or a line is the mean of its points.

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
    sky = hasattr(region, "to_pixel")
    if sky:
        if wcs is None:
            raise InputError(
                f"{name} has sky positions but the science image has no WCS: save the regions in "
                "image coordinates"
            )
        region = region.to_pixel(wcs)
    x, y = _centre(region)
    visual = region.visual
    return RegionPoint(
        x + xy0[0],
        y + xy0[1],
        str(region.meta.get("text") or getattr(region, "text", "") or ""),
        str(visual.get("edgecolor") or visual.get("color") or ""),
        tuple(
            (tuple((line[:, 0] + xy0[0]).tolist()), tuple((line[:, 1] + xy0[1]).tolist()))
            for line in _outlines(region)
        ),
        visual.get("linestyle") == "dashed",
        sky,
    )


def _outlines(region: Any) -> list[NDArray[np.float64]]:
    """Lines of a region in pixels: arrays of points (x, y)."""
    if hasattr(region, "vertices"):
        corners = np.stack([region.vertices.x, region.vertices.y], axis=1)
        return [np.concatenate([corners, corners[:1]])]
    if hasattr(region, "start"):
        return [np.array([[end.x, end.y] for end in (region.start, region.end)], float)]
    angle = getattr(region, "angle", None)
    turn = 0.0 if angle is None else float(angle.to_value("rad"))
    unit = _CORNERS if "Rectangle" in type(region).__name__ else _CIRCLE
    return [
        np.array(_centre(region)) + _turned(unit * [width / 2, height / 2], turn)
        for width, height in _sizes(region)
    ]


def _sizes(region: Any) -> list[tuple[float, float]]:
    """Width and height of a region around a centre; two of each for a ring."""
    for prefix in ("", "inner_", "outer_"):
        if hasattr(region, f"{prefix}radius"):
            prefixes = ("",) if prefix == "" else ("inner_", "outer_")
            return [(2 * float(getattr(region, f"{p}radius")),) * 2 for p in prefixes]
        if hasattr(region, f"{prefix}width"):
            prefixes = ("",) if prefix == "" else ("inner_", "outer_")
            return [
                (float(getattr(region, f"{p}width")), float(getattr(region, f"{p}height")))
                for p in prefixes
            ]
    return []


def _turned(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Points turned about the origin, counter-clockwise [rad]."""
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


def _centre(region: Any) -> tuple[float, float]:
    if hasattr(region, "center"):
        return float(region.center.x), float(region.center.y)
    if hasattr(region, "vertices"):
        return float(np.mean(region.vertices.x)), float(np.mean(region.vertices.y))
    return (
        float(region.start.x + region.end.x) / 2,
        float(region.start.y + region.end.y) / 2,
    )

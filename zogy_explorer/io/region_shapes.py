"""What a DS9 file draws, by astropy's ``regions``: points and lines on the sky or in pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import offset_by
from numpy.typing import NDArray

from zogy_explorer.errors import InputError

Points = NDArray[np.float64]
"""(n, 2): pixels x and y, or longitude and latitude [rad]."""

_TURNS = np.linspace(0, 2 * np.pi, 49)
_CIRCLE = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1)
_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], float)


@dataclass(frozen=True, eq=False)
class RegionShape:
    """A region of a file, before it is put on an image.

    Parameters
    ----------
    anchors
        Points whose mean is its centre.
    lines
        Its outlines; none for a point or a text.
    frame
        Celestial frame of the points without data; None: they are pixels of one image.
    label
        Its text.
    color
        As the file has it; empty: it has none.
    dashed
        Whether its lines are.
    """

    anchors: Points
    lines: tuple[Points, ...]
    frame: Any = None
    label: str = ""
    color: str = ""
    dashed: bool = False


def read_region_shapes(text: str, name: str) -> tuple[RegionShape, ...]:
    """The regions of a DS9 file.

    Nothing here depends on an image: what lies on the sky can be put on any.

    Parameters
    ----------
    text
        What the file holds.
    name
        What to call it in messages.

    Raises
    ------
    InputError
        If the text is no region file.
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
    return tuple(_shape(region) for region in found)


def _shape(region: Any) -> RegionShape:
    sky = hasattr(region, "to_pixel")
    visual = region.visual
    anchors, lines, frame = _sky_geometry(region) if sky else (*_pixel_geometry(region), None)
    return RegionShape(
        anchors,
        tuple(lines),
        frame,
        str(region.meta.get("text") or getattr(region, "text", "") or ""),
        str(visual.get("edgecolor") or visual.get("color") or ""),
        visual.get("linestyle") == "dashed",
    )


def _pixel_geometry(region: Any) -> tuple[Points, list[Points]]:
    if hasattr(region, "vertices"):
        corners = np.stack([region.vertices.x, region.vertices.y], axis=1).astype(float)
        return corners, [_closed(corners)]
    if hasattr(region, "start"):
        ends = np.array([[end.x, end.y] for end in (region.start, region.end)], float)
        return ends, [ends]
    centre = np.array([[region.center.x, region.center.y]], float)
    return centre, [centre + offsets for offsets in _around_centre(region, "")]


def _sky_geometry(region: Any) -> tuple[Points, list[Points], Any]:
    if hasattr(region, "vertices"):
        corners, frame = _directions(region.vertices)
        return corners, [_closed(corners)], frame
    if hasattr(region, "start"):
        ends = [_directions(end) for end in (region.start, region.end)]
        line = np.concatenate([points for points, _ in ends])
        return line, [line], ends[0][1]
    centre, frame = _directions(region.center)
    # Angles of the file are counted from west over north.
    offsets = [np.array([-1, 1]) * line for line in _around_centre(region, "rad")]
    return centre, [_moved(centre[0], line) for line in offsets], frame


def _directions(position: Any) -> tuple[Points, Any]:
    """Longitude and latitude of a `SkyCoord`, and its frame."""
    sphere = position.spherical
    lon, lat = (np.atleast_1d(angle.to_value("rad")) for angle in (sphere.lon, sphere.lat))
    return np.stack([lon, lat], axis=1), position.frame.replicate_without_data()


def _closed(corners: Points) -> Points:
    return np.concatenate([corners, corners[:1]])


def _around_centre(region: Any, unit: str) -> list[Points]:
    """Lines of a region relative to its centre, in pixels or, for the sky, in ``unit``."""
    angle = getattr(region, "angle", None)
    turn = 0.0 if angle is None else float(angle.to_value("rad"))
    shape = _CORNERS if "Rectangle" in type(region).__name__ else _CIRCLE

    def size(name: str) -> float:
        value = getattr(region, name)
        return float(value.to_value(unit) if unit else value)

    return [
        _turned(shape * [width / 2, height / 2], turn) for width, height in _sizes(region, size)
    ]


def _sizes(region: Any, size: Any) -> list[tuple[float, float]]:
    """Width and height of a region around a centre; two of each for a ring."""
    for prefixes in (("",), ("inner_", "outer_")):
        if hasattr(region, f"{prefixes[0]}radius"):
            return [(2 * size(f"{p}radius"),) * 2 for p in prefixes]
        if hasattr(region, f"{prefixes[0]}width"):
            return [(size(f"{p}width"), size(f"{p}height")) for p in prefixes]
    return []


def _turned(points: Points, angle: float) -> Points:
    """Points turned about the origin, counter-clockwise [rad]."""
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def _moved(centre: Points, offsets: Points) -> Points:
    """Directions at offsets (east, north) along great circles from a direction; all [rad]."""
    distances, bearings = np.hypot(*offsets.T), np.arctan2(*offsets.T)
    there = offset_by(*(centre * u.rad), bearings * u.rad, distances * u.rad)
    return np.stack([angle.to_value("rad") for angle in there], axis=1)

"""Regions of a DS9 file on the pixel grid of a frame: somebody's list to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord

from zogy_explorer.errors import InputError
from zogy_explorer.io.region_shapes import Points, RegionShape, read_region_shapes

if TYPE_CHECKING:
    from astropy.wcs import WCS


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
    """The regions of a DS9 file, as `read_region_shapes` reads and `region_points` places them."""
    return region_points(read_region_shapes(text, name), name, wcs=wcs, xy0=xy0)


def region_points(
    shapes: Sequence[RegionShape],
    name: str,
    *,
    wcs: WCS | None = None,
    xy0: tuple[int, int] = (0, 0),
) -> tuple[RegionPoint, ...]:
    """Regions on an image; the centre of a polygon or a line is the mean of its points.

    Parameters
    ----------
    shapes
        The regions.
    name
        What to call their file in messages.
    wcs
        Of the image, for regions in sky coordinates.
    xy0
        Position of array pixel [0, 0] on the pixel grid.

    Raises
    ------
    InputError
        If there are sky positions and no celestial WCS.
    """
    if any(shape.frame is not None for shape in shapes) and (wcs is None or not wcs.has_celestial):
        raise InputError(
            f"{name} has sky positions but the science image has no WCS: save the regions in "
            "image coordinates"
        )
    placed = [
        _point(shape, lines, xy0)
        for shape, lines in zip(shapes, _on_image(shapes, wcs), strict=True)
    ]
    return tuple(placed)


def _point(shape: RegionShape, lines: list[Points], xy0: tuple[int, int]) -> RegionPoint:
    """A region whose anchors and lines are in pixels of the array."""
    anchors, *outlines = (line + xy0 for line in lines)
    x, y = anchors.mean(axis=0).tolist()
    return RegionPoint(
        x,
        y,
        shape.label,
        shape.color,
        tuple((tuple(line[:, 0].tolist()), tuple(line[:, 1].tolist())) for line in outlines),
        shape.dashed,
        shape.frame is not None,
    )


def _on_image(shapes: Sequence[RegionShape], wcs: Any) -> list[list[Points]]:
    """Anchors and lines of each shape in pixels.

    All of one celestial frame go through the WCS together: one by one, 2000 circles take seconds.
    """
    placed = [[shape.anchors, *shape.lines] for shape in shapes]
    frames: list[tuple[object, list[int]]] = []
    for index, shape in enumerate(shapes):
        if shape.frame is None:
            continue
        for frame, members in frames:
            if shape.frame.is_equivalent_frame(frame):
                members.append(index)
                break
        else:
            frames.append((shape.frame, [index]))
    for frame, members in frames:
        lines = [line for index in members for line in placed[index]]
        lon, lat = np.concatenate(lines).T
        pixels = np.stack(wcs.world_to_pixel(SkyCoord(lon, lat, unit="rad", frame=frame)), axis=1)
        ends = np.cumsum([len(line) for line in lines])[:-1]
        split = iter(np.split(pixels, ends))
        for index in members:
            placed[index] = [next(split) for _ in placed[index]]
    return placed

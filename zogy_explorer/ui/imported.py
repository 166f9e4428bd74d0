"""Regions dropped on the page, marked on the images of the pair they were dropped on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from zogy_explorer.errors import InputError
from zogy_explorer.io.region_points import RegionPoint, region_points
from zogy_explorer.io.region_shapes import RegionShape, read_region_shapes
from zogy_explorer.ui.state import Pair
from zogy_explorer.ui.wall.points import PointMark

# What DS9 calls green is not what a browser does.
_BRIGHT: Mapping[str, str] = MappingProxyType({"green": "#00ff00"})


@dataclass(frozen=True, eq=False)
class ImportedRegions:
    """Regions of a file, for one pair.

    Parameters
    ----------
    name
        Of the file.
    points
        Its regions, on the pixel grid of the pair.
    pair
        The one that they are marked on.
    shapes
        What the file draws, wherever that lies.
    """

    name: str
    points: tuple[RegionPoint, ...]
    pair: Pair
    shapes: tuple[RegionShape, ...] = ()

    def marks(self, pair: Pair | None) -> list[PointMark]:
        """Marks on the images; none on another pair's."""
        if not self.fits(pair):
            return []
        return [
            PointMark(
                p.x, p.y, "square", 12.0, color=_BRIGHT.get(p.color.lower(), p.color),
                outlines=p.outlines, text=p.label, dashed=p.dashed,
            )
            for p in self.points
        ]  # fmt: skip

    def on(self, pair: Pair | None) -> ImportedRegions | None:
        """The regions on another pair's images: those on the sky; None if none lie there.

        A region in pixels says nothing of another image.
        """
        if self.fits(pair):
            return self
        wcs = None if pair is None else pair.science.wcs
        if pair is None or wcs is None or not wcs.has_celestial:
            return None
        shapes = tuple(shape for shape in self.shapes if shape.frame is not None)
        if not shapes:
            return None
        science = pair.science
        kept = tuple(
            p
            for p in region_points(shapes, self.name, wcs=wcs, xy0=science.xy0)
            if math.isfinite(p.x + p.y) and science.bbox.contains_point(p.x, p.y)
        )
        return ImportedRegions(self.name, kept, pair, shapes) if kept else None

    def fits(self, pair: Pair | None) -> bool:
        """Whether this is the pair, perhaps with a template that was moved."""
        return pair is not None and pair.science is self.pair.science

    @property
    def summary(self) -> str:
        """What the log says."""
        count = len(self.points)
        bbox = self.pair.science.bbox
        inside = sum(bbox.contains_point(p.x, p.y) for p in self.points)
        outside = f", {count - inside} of them off the frame" if inside < count else ""
        return f"{count} region{'s' if count != 1 else ''} of {self.name} marked{outside}"


def import_regions(content: bytes, name: str, pair: Pair | None) -> ImportedRegions:
    """The regions of a dropped file, for the pair on screen.

    Raises
    ------
    InputError
        If there is no pair, or the file cannot be used.
    """
    if pair is None:
        raise InputError(f"{name} was dropped before a pair was open: open a pair first")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not text: save the regions from DS9 as a .reg file") from error
    science = pair.science
    shapes = read_region_shapes(text, name)
    points = region_points(shapes, name, wcs=science.wcs, xy0=science.xy0)
    return ImportedRegions(name, points, pair, shapes)

"""Regions dropped on the page, marked on the images of the pair they were dropped on."""

from __future__ import annotations

from dataclasses import dataclass

from zogy_explorer.errors import InputError
from zogy_explorer.io.region_points import RegionPoint, read_region_points
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import Pair
from zogy_explorer.ui.wall.points import PointMark


@dataclass(frozen=True, eq=False)
class ImportedRegions:
    """Positions of a region file, for one pair."""

    name: str
    points: tuple[RegionPoint, ...]
    pair: Pair

    def marks(self, pair: Pair | None) -> list[PointMark]:
        """Marks on the images; none on another pair's."""
        if pair is not self.pair:
            return []
        return [PointMark(p.x, p.y, "square", 16.0, "ok") for p in self.points]

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
    return ImportedRegions(
        name, read_region_points(text, name, wcs=science.wcs, xy0=science.xy0), pair
    )


def mark_regions(session: Session, content: bytes, name: str) -> None:
    """Mark the regions of a dropped file; a fault is one sentence on the page."""
    try:
        imported = import_regions(content, name, session.pair)
    except InputError as error:
        session.report(error)
    else:
        session.imported = imported
        session.say("info", imported.summary)

"""Cells of a grid as DS9 regions."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING

from zogy_explorer.engine.result import CellResult

if TYPE_CHECKING:
    from regions import Regions

_COLORS = MappingProxyType({"ok": "green", "info": "cyan", "warning": "yellow", "failed": "red"})


def cell_regions(cells: Iterable[CellResult], xy0: tuple[int, int]) -> Regions:
    """A box around the inner pixels of each cell, in pixels of the image file.

    Parameters
    ----------
    cells
        Results.
    xy0
        Position (x, y) of the first pixel of the file.

    Returns
    -------
    regions : regions.Regions
        0-based array positions, as that package has them; 1-based in a DS9 file. The colour is
        the gravest flag, the text the name, the tags are the flags.
    """
    from regions import PixCoord, RectanglePixelRegion, RegionMeta, Regions, RegionVisual

    boxes = []
    for result in cells:
        inner = result.cell.inner
        x, y = inner.center
        meta = {"text": result.cell.name}
        flags = [flag.name for flag in result.flags]
        if flags:
            meta["tag"] = flags  # type: ignore[assignment]
        boxes.append(
            RectanglePixelRegion(
                PixCoord(x - xy0[0], y - xy0[1]),
                inner.width,
                inner.height,
                meta=RegionMeta(meta),
                visual=RegionVisual(color=_COLORS[result.worst]),
            )
        )
    return Regions(boxes)

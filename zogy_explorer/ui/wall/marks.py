"""What is drawn over the images: cells, their flags, and the selected cell, in every panel.

One source serves all panels, so that a thousand cells cost one message.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from bokeh import events
from bokeh.models import ColumnDataSource, CustomJS, LinearInterpolator, Quad, Segment
from bokeh.plotting import figure
from bokeh.transform import transform
from numpy.typing import NDArray

from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.drawing import Drawing
from zogy_explorer.ui.wall.palettes import SEVERITIES, Theme
from zogy_explorer.ui.wall.scripts import OUTLINE

_MANY = 5000  # cells beyond which only flagged ones are drawn: the rest would be a grey veil
_STYLES = (
    (40.0, (1.0, 1.5, 2.0, 2.0), (0.55, 0.9, 0.95, 1.0)),
    (20.0, (0.75, 1.0, 1.0, 1.5), (0.4, 0.55, 0.6, 0.9)),
    (0.0, (0.5, 0.6, 0.6, 1.0), (0.25, 0.3, 0.35, 0.7)),
)
"""(least side of a cell on the screen [px], line widths [px], alphas), each by severity.

Full lines around small cells would hide the images. Neighbours share their edges, which are drawn
twice: a flag's colour shows through a low alpha.
"""
_CROSS = 0.16  # half size of the cross in a failed cell, as a fraction of the cell
_CORNER = 0.16  # size of the cut corner of a cell with a warning
SIDES = ("left", "bottom", "right", "top")
"""Columns of a box's edges, in the order of `Box.edges`."""
_OUTLINES = (
    ("outer", 3.2, "solid"),
    ("outer", 1.2, "6 4"),
    ("inner", 3.8, "solid"),
    ("inner", 1.8, "solid"),
)
"""(box, line width [px], dash) of a selected cell: a halo, then its line."""
_NOWHERE = (math.nan,) * 4  # the same object each time: equal to itself


class CellLike(Protocol):
    """What the wall needs to know of a cell."""

    @property
    def inner(self) -> Box: ...  # noqa: D102

    @property
    def outer(self) -> Box: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def index(self) -> int: ...  # noqa: D102


class GridMarks:
    """Cells as segments coloured by their worst flag; failed ones crossed, warnings cornered."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._renderers: list[Any] = []
        self._worst: tuple[str, ...] = ()
        self._shown: Any = None
        self._edges: NDArray[np.float64] = np.empty((0, 4))
        self.source = ColumnDataSource(name="grid", data=self._segments())
        self._drawing = Drawing(self.source)
        # By severity and not by segment: a change of them is a few numbers to the browser.
        ranks = list(range(len(SEVERITIES)))
        self._style = _STYLES[0]
        self._widths = LinearInterpolator(x=ranks, y=self._style[1])
        self._alphas = LinearInterpolator(x=ranks, y=self._style[2])
        self._glyph = Segment(
            x0="x0", y0="y0", x1="x1", y1="y1", line_color="color",
            line_width=transform("rank", self._widths),
            line_alpha=transform("rank", self._alphas), line_cap="square",
        )  # fmt: skip
        # What is looked up under the cursor and when a panel is tapped; not drawn.
        self.cells = ColumnDataSource(name="cells", data=_lookup((), (), ()))

    def add_to(self, plot: figure) -> None:
        """Draw the cells in a panel."""
        self._renderers.append(self._drawing.add_to(plot, self._glyph, name="grid-lines"))

    def set_cells(
        self, cells: Sequence[CellLike], worst: Sequence[str], flag_text: Sequence[str]
    ) -> None:
        """Show these cells, with the severity and the text of their flags."""
        shown = [(cell.name, cell.inner, cell.outer) for cell in cells], [*worst], [*flag_text]
        if shown == self._shown:
            return
        self._shown = shown
        self._edges = np.array([cell.inner.edges for cell in cells], float).reshape(-1, 4)
        self._worst = tuple(worst)
        self.cells.data = _lookup(cells, self._worst, flag_text)
        self.source.data = self._segments()

    def follow(self, step: float) -> None:
        """Thinner and fainter lines where cells are small, at ``step`` image pixels a screen pixel.

        Only a step across a threshold is sent.
        """
        if not len(self._edges):
            return
        left, bottom, right, top = self._edges.T
        side = float(np.median(np.minimum(right - left, top - bottom))) / step
        style = next((style for style in _STYLES if side >= style[0]), _STYLES[0])
        if style is not self._style:
            self._style = style
            self._widths.y, self._alphas.y = style[1], style[2]

    def set_theme(self, theme: Theme, *, visible: bool) -> None:
        """Take the colours of a theme, and show or hide the cells."""
        for renderer in self._renderers:
            renderer.visible = visible
        if theme is not self.theme:
            self.theme = theme
            self.source.data = self._segments()

    def _segments(self) -> dict[str, Any]:
        pieces: list[NDArray[np.float64]] = []
        kinds: list[str] = []
        for kind in SEVERITIES:  # worse ones later: drawn on top of the edges they share
            chosen = np.array([w == kind for w in self._worst], bool)
            if not chosen.any() or (kind == "ok" and len(self._worst) > _MANY):
                continue
            segments = _outline(self._edges[chosen], kind)
            pieces.append(segments)
            kinds.extend([kind] * len(segments))
        all_segments = np.concatenate(pieces) if pieces else np.empty((0, 4))
        return {
            "x0": all_segments[:, 0],
            "y0": all_segments[:, 1],
            "x1": all_segments[:, 2],
            "y1": all_segments[:, 3],
            "color": [self.theme.severities[kind] for kind in kinds],
            "rank": np.array([SEVERITIES.index(kind) for kind in kinds], np.uint8),
        }


def _lookup(
    cells: Sequence[CellLike], worst: Sequence[str], flags: Sequence[str]
) -> dict[str, Any]:
    boxes = {
        f"{kind}_{side}": edges[:, place]
        for kind in ("inner", "outer")
        for edges in [np.array([getattr(c, kind).edges for c in cells], float).reshape(-1, 4)]
        for place, side in enumerate(SIDES)
    }
    return boxes | {
        "name": [cell.name for cell in cells],
        "worst": list(worst),
        "flags": list(flags),
    }


def _outline(edges: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Segments (x0, y0, x1, y1) of boxes, with the mark of their severity."""
    left, bottom, right, top = edges.T
    parts = [
        (left, bottom, right, bottom),
        (right, bottom, right, top),
        (right, top, left, top),
        (left, top, left, bottom),
    ]
    side = np.minimum(right - left, top - bottom)
    if kind == "failed":
        x, y, reach = (left + right) / 2, (bottom + top) / 2, _CROSS * side
        parts.append((x - reach, y - reach, x + reach, y + reach))
        parts.append((x - reach, y + reach, x + reach, y - reach))
    elif kind == "warning":
        parts.append((right - _CORNER * side, top, right, top - _CORNER * side))
    return np.concatenate([np.stack(part, axis=1) for part in parts])


class SelectionMarks:
    """The selected cell: inner box solid, outer box dashed, readable on any image.

    One source of four boxes, each line over its halo. A tap writes it in the browser: the outline
    is there before the server has heard of the tap.

    Parameters
    ----------
    theme
        Colours.
    cells
        `GridMarks.cells`, in which the browser looks a tap up.
    """

    def __init__(self, theme: Theme, cells: ColumnDataSource) -> None:
        self.theme = theme
        self._cell: CellLike | None = None
        self._tapped = False
        self.source = ColumnDataSource(name="selection", data=self._boxes())
        self._drawing = Drawing(self.source)
        self._glyph = Quad(
            left="left", bottom="bottom", right="right", top="top", fill_color=None,
            line_join="miter", line_color="color", line_width="width", line_dash="dash",
        )  # fmt: skip
        self._script = CustomJS(args={"cells": cells, "selection": self.source}, code=OUTLINE)

    def add_to(self, plot: figure) -> None:
        """Draw the selection in a panel."""
        self._drawing.add_to(plot, self._glyph, name="selection-boxes", level="overlay")
        for event in (events.Tap, events.DoubleTap):
            plot.js_on_event(event, self._script)

    def set_cell(self, cell: CellLike | None) -> None:
        """Outline a cell, or none."""
        before, self._cell = self._boxes(), cell
        if self._tapped or self._boxes() != before:
            self._tapped = False
            self.source.data = self._boxes()

    def tapped(self) -> None:
        """A browser may have outlined another cell than the last one that was set."""
        self._tapped = True

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        if theme is not self.theme:
            self.theme = theme
            self.source.data = self._boxes()

    def _boxes(self) -> dict[str, list[Any]]:
        kinds = [kind for kind, _, _ in _OUTLINES]
        edges = [_NOWHERE if self._cell is None else getattr(self._cell, k).edges for k in kinds]
        sides = zip(*edges, strict=True)
        return dict(zip(SIDES, map(list, sides), strict=True)) | {
            "kind": kinds,
            "width": [width for _, width, _ in _OUTLINES],
            "dash": [dash for _, _, dash in _OUTLINES],
            "color": [self.theme.selection_halo, self.theme.selection] * 2,
        }

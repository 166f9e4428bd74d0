"""What is drawn over the images: cells, their flags, and the selected cell, in every panel.

One source serves all panels, so that a thousand cells cost one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
from numpy.typing import NDArray

from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.palettes import SEVERITIES, Theme

_MANY = 5000  # cells beyond which only flagged ones are drawn: the rest would be a grey veil
_WIDTHS = {"ok": 1.0, "info": 1.5, "warning": 2.0, "failed": 2.0}
_ALPHAS = {"ok": 0.55, "info": 0.9, "warning": 0.95, "failed": 1.0}
_CROSS = 0.16  # half size of the cross in a failed cell, as a fraction of the cell
_CORNER = 0.16  # size of the cut corner of a cell with a warning


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
        self._edges: NDArray[np.float64] = np.empty((0, 4))
        self.source = ColumnDataSource(name="grid", data=self._segments())
        # What the readout looks up under the cursor; not drawn.
        self.cells = ColumnDataSource(name="cells", data=_lookup(np.empty((0, 4)), (), (), ()))

    def add_to(self, plot: figure) -> None:
        """Draw the cells in a panel."""
        renderer = plot.segment(
            "x0", "y0", "x1", "y1",
            source=self.source, line_color="color", line_width="width", line_alpha="alpha",
            line_cap="square", name="grid-lines",
        )  # fmt: skip
        self._renderers.append(renderer)

    def set_cells(
        self, cells: Sequence[CellLike], worst: Sequence[str], flag_text: Sequence[str]
    ) -> None:
        """Show these cells, with the severity and the text of their flags."""
        self._edges = np.array([cell.inner.edges for cell in cells], float).reshape(-1, 4)
        self._worst = tuple(worst)
        names = tuple(cell.name for cell in cells)
        self.cells.data = _lookup(self._edges, names, self._worst, tuple(flag_text))
        self.source.data = self._segments()

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
            "width": [_WIDTHS[kind] for kind in kinds],
            "alpha": [_ALPHAS[kind] for kind in kinds],
        }


def _lookup(
    edges: NDArray[np.float64],
    names: Sequence[str],
    worst: Sequence[str],
    flags: Sequence[str],
) -> dict[str, Any]:
    return {
        "left": edges[:, 0],
        "bottom": edges[:, 1],
        "right": edges[:, 2],
        "top": edges[:, 3],
        "name": list(names),
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
    """The selected cell: inner box solid, outer box dashed, readable on any image."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.source = ColumnDataSource(name="selection", data=_boxes(None))
        self._lines: list[Any] = []
        self._halos: list[Any] = []

    def add_to(self, plot: figure) -> None:
        """Draw the selection in a panel."""
        for prefix, dash, width in (("outer", "6 4", 1.2), ("inner", "solid", 1.8)):
            for halo in (True, False):
                renderer = plot.quad(
                    left=f"{prefix}_left", bottom=f"{prefix}_bottom",
                    right=f"{prefix}_right", top=f"{prefix}_top",
                    source=self.source, fill_color=None, line_join="miter",
                    line_width=width + 2 if halo else width,
                    line_dash="solid" if halo else dash,
                    line_color=self._color(halo), name=f"selection-{prefix}",
                )  # fmt: skip
                (self._halos if halo else self._lines).append(renderer)

    def set_cell(self, cell: CellLike | None) -> None:
        """Outline a cell, or none."""
        self.source.data = _boxes(cell)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.theme = theme
        for renderers, halo in ((self._lines, False), (self._halos, True)):
            for renderer in renderers:
                renderer.glyph.line_color = self._color(halo)

    def _color(self, halo: bool) -> str:
        return self.theme.selection_halo if halo else self.theme.selection


def _boxes(cell: CellLike | None) -> dict[str, list[float]]:
    data: dict[str, list[float]] = {}
    for prefix in ("inner", "outer"):
        edges = getattr(cell, prefix).edges if cell is not None else None
        for place, side in enumerate(("left", "bottom", "right", "top")):
            data[f"{prefix}_{side}"] = [] if edges is None else [edges[place]]
    return data

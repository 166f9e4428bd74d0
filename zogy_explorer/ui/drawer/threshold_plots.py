"""Histogram and map of the PSF-centroid distances of all cells, with a line that can be dragged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bokeh import events
from bokeh.models import (
    BoxAnnotation,
    ColumnDataSource,
    CustomJS,
    DataRange1d,
    HoverTool,
    Label,
    Range1d,
    Span,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.style import Palette, theme_figure

BINS = 40
_GRIP = 0.03  # of the axis, on each side: as wide as the line can be taken hold of
_REACH = 0.42  # of a cell's side: the longest arrow

# Bokeh keeps the gesture to itself while a line is dragged, so the release is caught here.
_DRAG = """
line.location = (grip.left + grip.right) / 2
if (!document.zxDragging) {
  document.zxDragging = true
  document.addEventListener("pointerup", () => {
    document.zxDragging = false
    released.data = {n: [released.data.n[0] + 1]}
  }, {once: true})
}
"""

__all__ = ["BINS", "DistancePlots", "distances"]


def distances(cells: Sequence[CellResult]) -> NDArray[np.float64]:
    """PSF-centroid distance of each cell [px]; NaN where it could not be measured."""
    return np.array([cell.centroid_distance for cell in cells], dtype=float)


class DistancePlots:
    """Both figures and their sources.

    Parameters
    ----------
    on_move
        Called with the limit [px] while the line is dragged.
    on_release
        Called when it is let go.
    on_tap
        Called with a position on the pixel grid when the map is tapped.
    """

    def __init__(
        self,
        on_move: Callable[[float], None],
        on_release: Callable[[], None],
        on_tap: Callable[[float, float], None],
    ) -> None:
        self._on_move = on_move
        self._writing = False
        self._distances: NDArray[np.float64] = np.empty(0)
        self._bins = ColumnDataSource(
            name="source-distances", data={"left": [], "right": [], "top": [], "color": []}
        )
        self.histogram = figure(
            name="distance-histogram", sizing_mode="stretch_both", min_height=120,
            toolbar_location=None, tools="", min_border=4, y_axis_label="cells",
            x_axis_label="PSF-centroid distance [px]", x_range=Range1d(0, 0.4),
            y_range=Range1d(0, 1),
        )  # fmt: skip
        self._bars = self.histogram.quad(
            left="left", right="right", bottom=0, top="top", source=self._bins,
            fill_color="color", line_color=None, fill_alpha=0.75,
        )  # fmt: skip
        self.grip = BoxAnnotation(
            name="threshold", left=0.19, right=0.21, editable=True, movable="x",
            resizable="none", fill_alpha=0.14, line_color=None, hover_fill_alpha=0.32,
            hover_line_color=None,
        )  # fmt: skip
        self._line = Span(name="threshold-line", dimension="height", location=0.2, line_width=2)
        self._released = ColumnDataSource(name="threshold-released", data={"n": [0]})
        args = {"released": self._released, "grip": self.grip, "line": self._line}
        self.grip.js_on_change("right", CustomJS(args=args, code=_DRAG))
        self._line.on_change("location", self._moved)
        self._released.on_change("data", lambda attr, old, new: on_release())
        self.histogram.add_layout(self._line)
        self.histogram.add_layout(self.grip)
        self._arrows = ColumnDataSource(
            name="source-centroid-map",
            data={k: [] for k in ("x0", "y0", "x1", "y1", "color", "name", "distance")},
        )
        self.map = figure(
            name="centroid-map", sizing_mode="stretch_both", min_height=120, min_width=150,
            toolbar_location=None, match_aspect=True, tools="", min_border=4,
            x_range=DataRange1d(range_padding=0.02), y_range=DataRange1d(range_padding=0.02),
        )  # fmt: skip
        self.map.axis.visible = False
        self.map.grid.visible = False
        self._cells = ColumnDataSource(data={k: [] for k in ("left", "right", "bottom", "top")})
        self._boxes = self.map.quad(
            left="left", right="right", bottom="bottom", top="top", source=self._cells,
            fill_color=None, line_width=1,
        )  # fmt: skip
        self.map.x_range.renderers = self.map.y_range.renderers = [self._boxes]
        self.map.segment(
            "x0", "y0", "x1", "y1", source=self._arrows, line_color="color", line_width=2
        )
        heads = self.map.scatter(
            "x1", "y1", source=self._arrows, size=6, fill_color="color", line_color=None
        )
        self._scale = Label(x=6, y=2, x_units="screen", y_units="screen", text_font_size="10px")
        self.map.add_layout(self._scale)
        hover = HoverTool(renderers=[heads], tooltips=[("@name", "@distance{0.000} px")])
        hover.visible = False
        self.map.add_tools(hover)
        for event in (events.Tap, events.DoubleTap):
            self.map.on_event(event, lambda e: on_tap(float(e.x), float(e.y)))
        for plot in (self.histogram, self.map):
            plot.axis.axis_label_text_font_size = "11px"
            plot.axis.axis_label_text_font_style = "normal"
            plot.axis.major_label_text_font_size = "10px"
        self.histogram.xaxis.axis_label_standoff = 2
        self.histogram.yaxis.ticker.desired_num_ticks = 3
        self.histogram.yaxis.minor_tick_line_color = None

    def show(self, cells: Sequence[CellResult], limit: float, colors: Palette) -> None:
        """The cells of a frame against a limit [px]."""
        self._distances = values = distances(cells)
        known = values[np.isfinite(values)]
        largest = max(float(known.max(initial=0.0)), 0.01)
        top = 1.15 * max(largest, min(limit, 30 * largest))  # the line is in sight, to be dragged
        end = max(top, 1.2 * limit) if limit < 4 * top else top
        self.histogram.x_range.end = end
        counts, edges = np.histogram(known, BINS, (0, end))
        self.histogram.y_range.end = 1.12 * max(int(counts.max(initial=0)), 1)
        self._counts, self._edges = counts, edges
        inner = np.array([cell.cell.inner.edges for cell in cells]).reshape(-1, 4)
        self._cells.data = {
            k: inner[:, i] for i, k in enumerate(("left", "bottom", "right", "top"))
        }
        offsets = np.array(
            [np.subtract(c.centroid_science, c.centroid_template) for c in cells]
        ).reshape(-1, 2)
        longest = float(known.max(initial=0.0)) or 1.0
        side = float(np.min(inner[:, 2:] - inner[:, :2], initial=np.inf)) if len(inner) else 1.0
        stretch = _REACH * side / longest
        x, y = (inner[:, 0] + inner[:, 2]) / 2, (inner[:, 1] + inner[:, 3]) / 2
        self._arrows.data = {
            "x0": x,
            "y0": y,
            "x1": x + stretch * offsets[:, 0],
            "y1": y + stretch * offsets[:, 1],
            "color": [colors.info] * len(cells),
            "name": [cell.cell.name for cell in cells],
            "distance": values,
        }
        self._scale.text = f"longest {longest:.3f} px" if known.size else ""
        self.show_limit(limit, colors)

    def show_limit(self, limit: float, colors: Palette) -> None:
        """Move the line and colour what would fail."""
        self._writing = True
        try:
            if abs((self._line.location or 0) - limit) > 6e-4:
                half = _GRIP * self.histogram.x_range.end
                self._line.location = limit
                self.grip.update(left=limit - half, right=limit + half)
        finally:
            self._writing = False
        fail, good = colors.failed, colors.info
        centres = (self._edges[:-1] + self._edges[1:]) / 2
        self._bins.data = {
            "left": self._edges[:-1],
            "right": self._edges[1:],
            "top": self._counts,
            "color": [fail if c > limit else good for c in centres],
        }
        self._arrows.data = dict(self._arrows.data) | {
            "color": [fail if d > limit else good for d in self._distances]
        }

    def failing(self, limit: float) -> int:
        """How many of the shown cells lie beyond a limit [px]."""
        return int(np.count_nonzero(self._distances > limit))

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        for plot in (self.histogram, self.map):
            theme_figure(plot, colors)
        self.map.background_fill_color = colors.surface
        self.grip.fill_color = self.grip.hover_fill_color = colors.text
        self._line.line_color = colors.text
        self._boxes.glyph.line_color = colors.border
        self._scale.text_color = colors.muted

    def _moved(self, attr: str, old: Any, new: Any) -> None:
        if not self._writing and new is not None:
            self._on_move(float(new))

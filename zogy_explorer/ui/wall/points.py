"""Small marks at positions on the images, the same in every panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models import ColumnDataSource, Scatter
from bokeh.plotting import figure

from zogy_explorer.ui.wall.drawing import Drawing
from zogy_explorer.ui.wall.palettes import Theme

_HALO_WIDTH, _WIDTH = 3.5, 1.8


@dataclass(frozen=True)
class PointMark:
    """One mark.

    Parameters
    ----------
    x, y
        On the pixel grid.
    marker
        Name of a Bokeh marker.
    size
        On the screen [px].
    severity
        Gives its colour; ``"selected"`` has the selection's.
    """

    x: float
    y: float
    marker: str = "circle"
    size: float = 14.0
    severity: str = "info"


class PointMarks:
    """Marks of several kinds, each replaced as a whole; one source serves all panels."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._kinds: dict[str, tuple[PointMark, ...]] = {}
        self.source = ColumnDataSource(name="source-points", data=self._columns())
        self._drawing = Drawing(self.source)
        self._glyph = Scatter(
            x="x", y="y", marker="marker", size="size",
            fill_color=None, line_color="color", line_width="width",
        )  # fmt: skip

    def add_to(self, plot: figure) -> None:
        """Draw the marks in a panel."""
        self._drawing.add_to(plot, self._glyph, name="point-marks")

    @property
    def marks(self) -> tuple[PointMark, ...]:
        """Those of all kinds."""
        return tuple(mark for kind in self._kinds.values() for mark in kind)

    def show(self, kind: str, marks: Sequence[PointMark]) -> None:
        """Replace the marks of one kind."""
        if self._kinds.get(kind, ()) != tuple(marks):
            self._kinds[kind] = tuple(marks)
            self.source.data = self._columns()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        if theme is not self.theme:
            self.theme = theme
            self.source.data = self._columns()

    def _columns(self) -> dict[str, list[Any]]:
        """All marks twice: first halos, which keep them readable on any image."""
        marks = self.marks
        colors = {**self.theme.severities, "selected": self.theme.selection}
        return {
            "x": [mark.x for mark in marks] * 2,
            "y": [mark.y for mark in marks] * 2,
            "marker": [mark.marker for mark in marks] * 2,
            "size": [mark.size for mark in marks] * 2,
            "width": [_HALO_WIDTH] * len(marks) + [_WIDTH] * len(marks),
            "color": [self.theme.selection_halo] * len(marks)
            + [colors[mark.severity] for mark in marks],
        }

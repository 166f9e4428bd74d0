"""Small marks at positions on the images, the same in every panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from zogy_explorer.ui.wall.palettes import Theme

_COLUMNS = ("x", "y", "marker", "size", "color")


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
        self.source = ColumnDataSource(name="source-points", data={k: [] for k in _COLUMNS})
        self._kinds: dict[str, tuple[PointMark, ...]] = {}
        self._halos: list[Any] = []

    def add_to(self, plot: figure) -> None:
        """Draw the marks in a panel, each over a halo that keeps it readable on any image."""
        for halo in (True, False):
            renderer = plot.scatter(
                "x", "y", marker="marker", size="size", source=self.source, fill_color=None,
                line_color=self.theme.selection_halo if halo else "color",
                line_width=3.5 if halo else 1.8, name="point-halos" if halo else "point-marks",
            )  # fmt: skip
            if halo:
                self._halos.append(renderer)

    def show(self, kind: str, marks: Sequence[PointMark]) -> None:
        """Replace the marks of one kind."""
        if self._kinds.get(kind, ()) != tuple(marks):
            self._kinds[kind] = tuple(marks)
            self._write()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        if theme is not self.theme:
            self.theme = theme
            for halo in self._halos:
                halo.glyph.line_color = theme.selection_halo
            self._write()

    def _write(self) -> None:
        marks = [mark for kind in self._kinds.values() for mark in kind]
        colors = {**self.theme.severities, "selected": self.theme.selection}
        self.source.data = {
            "x": [mark.x for mark in marks],
            "y": [mark.y for mark in marks],
            "marker": [mark.marker for mark in marks],
            "size": [mark.size for mark in marks],
            "color": [colors[mark.severity] for mark in marks],
        }

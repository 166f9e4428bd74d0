"""Small marks at positions on the images, the same in every panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bokeh.models import ColumnDataSource, Scatter
from bokeh.plotting import figure

from zogy_explorer.ui.wall.drawing import Drawing
from zogy_explorer.ui.wall.outlines import Outline, Outlines, Shape
from zogy_explorer.ui.wall.palettes import Theme, halo_of

_HALO_WIDTH, _WIDTH = 3.5, 1.8
_LEAST = 8.0  # of an outline on the screen [px]: a smaller one could not be found


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
    color
        A colour of its own, with which `halo_of` can do something.
    outlines
        Its true shape, drawn instead of the marker unless it is too small on the screen.
    text
        Written above it.
    dashed
        Whether its outlines are.
    """

    x: float
    y: float
    marker: str = "circle"
    size: float = 14.0
    severity: str = "info"
    color: str = ""
    outlines: tuple[Outline, ...] = ()
    text: str = ""
    dashed: bool = False

    @cached_property
    def extent(self) -> float:
        """Longer side of its outlines on the pixel grid; 0 without any."""
        sides = [max(values) - min(values) for line in self.outlines for values in line]
        return max(sides, default=0.0)


class PointMarks:
    """Marks of several kinds, each replaced as a whole; one source serves all panels."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._kinds: dict[str, tuple[PointMark, ...]] = {}
        self._step = 1.0
        self._pointed: list[PointMark] = []  # those that are drawn with their markers
        self.source = ColumnDataSource(name="source-points", data=self._columns())
        self.outlines = Outlines()
        self._drawing = Drawing(self.source)
        self._glyph = Scatter(
            x="x", y="y", marker="marker", size="size",
            fill_color=None, line_color="color", line_width="width",
        )  # fmt: skip

    def add_to(self, plot: figure) -> None:
        """Draw the marks in a panel."""
        self._drawing.add_later(plot, self._glyph, name="point-marks")
        self.outlines.add_to(plot)

    @property
    def marks(self) -> tuple[PointMark, ...]:
        """Those of all kinds."""
        return tuple(mark for kind in self._kinds.values() for mark in kind)

    def show(self, kind: str, marks: Sequence[PointMark]) -> None:
        """Replace the marks of one kind."""
        if self._kinds.get(kind, ()) != tuple(marks):
            self._kinds[kind] = tuple(marks)
            self._drawing.appear()
            self._draw()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        if theme is not self.theme:
            self.theme = theme
            self._draw()

    def follow(self, step: float) -> None:
        """Markers for outlines that are small at ``step`` image pixels a screen pixel."""
        self._step = step
        if self._with_markers() != self._pointed:
            self.source.data = self._columns()

    def _draw(self) -> None:
        self.source.data = self._columns()
        self.outlines.show([self._shape(m) for m in self.marks if m.outlines or m.text])

    def _with_markers(self) -> list[PointMark]:
        return [m for m in self.marks if not m.outlines or m.extent < _LEAST * self._step]

    def _colors(self, mark: PointMark) -> tuple[str, str]:
        """Of a mark and of its halo."""
        halo = halo_of(mark.color) if mark.color else None
        if halo is not None:
            return mark.color, halo
        colors = {**self.theme.severities, "selected": self.theme.selection}
        return colors[mark.severity], self.theme.selection_halo

    def _shape(self, mark: PointMark) -> Shape:
        top = max((max(y) for _, y in mark.outlines), default=mark.y)
        lift = 3.0 if mark.outlines else mark.size / 2 + 3
        color, halo = self._colors(mark)
        return Shape(mark.outlines, mark.text, mark.x, top, lift, color, halo, mark.dashed)

    def _columns(self) -> dict[str, list[Any]]:
        """All markers twice: first halos, which keep them readable on any image."""
        marks = self._pointed = self._with_markers()
        colors = [self._colors(mark) for mark in marks]
        return {
            "x": [mark.x for mark in marks] * 2,
            "y": [mark.y for mark in marks] * 2,
            "marker": [mark.marker for mark in marks] * 2,
            "size": [mark.size for mark in marks] * 2,
            "width": [_HALO_WIDTH] * len(marks) + [_WIDTH] * len(marks),
            "color": [halo for _, halo in colors] + [color for color, _ in colors],
        }

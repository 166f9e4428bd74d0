"""Outlines and texts of marks that have a true size on the images, such as regions of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models import ColumnDataSource, MultiLine, Text
from bokeh.plotting import figure

from zogy_explorer.ui.wall.drawing import Drawing

Outline = tuple[tuple[float, ...], tuple[float, ...]]
"""x and y of the points of a line, on the pixel grid."""

_MOST_TEXTS = 40  # more would hide the images
_HALO_WIDTH, _WIDTH = 3.5, 1.6


@dataclass(frozen=True)
class Shape:
    """What is drawn of one mark.

    Parameters
    ----------
    outlines
        Its lines; none: only its text.
    text, x, y
        What stands above it, and where.
    lift
        Further up [screen px].
    color, halo
        Of lines and text, and of what is below them.
    dashed
        Whether its lines are.
    """

    outlines: tuple[Outline, ...]
    text: str
    x: float
    y: float
    lift: float
    color: str
    halo: str
    dashed: bool


class Outlines:
    """Lines and texts over all panels; put there when first needed."""

    def __init__(self) -> None:
        self.lines = ColumnDataSource(name="mark-outlines", data=_lines(()))
        self.texts = ColumnDataSource(name="mark-texts", data=_texts(()))
        self._drawings = Drawing(self.lines), Drawing(self.texts)
        line = MultiLine(
            xs="xs", ys="ys", line_color="color", line_width="width", line_dash="dash",
        )  # fmt: skip
        text = Text(
            x="x", y="y", text="text", y_offset="lift", text_color="color",
            text_font_size="10px", text_align="center", text_baseline="bottom",
            # Not an outline: Bokeh draws that over thin letters.
            background_fill_color="halo", padding=1, border_radius=2,
        )  # fmt: skip
        self._glyphs = line, text

    def add_to(self, plot: figure) -> None:
        """Draw in a panel, too."""
        for drawing, glyph in zip(self._drawings, self._glyphs, strict=True):
            drawing.add_later(plot, glyph, name=str(drawing.source.name))

    def show(self, shapes: Sequence[Shape]) -> None:
        """Replace all of them."""
        if shapes:
            for drawing in self._drawings:
                drawing.appear()
        lines, texts = _lines(shapes), _texts(shapes)
        if lines != self.lines.data or texts != self.texts.data:
            self.lines.data, self.texts.data = lines, texts


def _lines(shapes: Sequence[Shape]) -> dict[str, list[Any]]:
    """All lines twice: first halos, which keep them readable on any image."""
    lines = [(shape, outline) for shape in shapes for outline in shape.outlines]
    return {
        "xs": [list(x) for _, (x, _) in lines] * 2,
        "ys": [list(y) for _, (_, y) in lines] * 2,
        "color": [s.halo for s, _ in lines] + [s.color for s, _ in lines],
        "width": [_HALO_WIDTH] * len(lines) + [_WIDTH] * len(lines),
        "dash": ["solid"] * len(lines) + ["6 4" if s.dashed else "solid" for s, _ in lines],
    }


def _texts(shapes: Sequence[Shape]) -> dict[str, list[Any]]:
    written = [shape for shape in shapes if shape.text]
    if len(written) > _MOST_TEXTS:
        written = []
    return {
        "x": [shape.x for shape in written],
        "y": [shape.y for shape in written],
        "text": [shape.text for shape in written],
        "lift": [-shape.lift for shape in written],
        "color": [shape.color for shape in written],
        "halo": [shape.halo for shape in written],
    }

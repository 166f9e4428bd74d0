"""Contours of the science image over D, S and Scorr: where the light was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, MultiLine
from bokeh.plotting import figure
from contourpy import contour_generator
from numpy.typing import NDArray

from zogy_explorer.ui.wall.drawing import Drawing
from zogy_explorer.ui.wall.palettes import Theme
from zogy_explorer.ui.wall.viewport import Window

LEVELS = (5.0, 20.0, 80.0, 320.0)
"""[σ] above the median of the image."""
_MAD_TO_SIGMA = 1.4826022


class Contours:
    """Lines from one source in several panels.

    Parameters
    ----------
    plots
        The panels.
    """

    def __init__(self, plots: Sequence[figure]) -> None:
        self.source = ColumnDataSource(name="contours", data={"xs": [], "ys": []})
        self._glyph = MultiLine(xs="xs", ys="ys", line_width=1, line_alpha=0.85)
        self._drawing = Drawing(self.source)
        for plot in plots:
            self._drawing.add_later(plot, self._glyph, name="contour-lines")

    def show(self, pixels: NDArray[Any], window: Window, sample: NDArray[Any]) -> None:
        """Contours of the science image as the screen shows it, σ from a sample of all of it."""
        self._drawing.appear()
        xs, ys = contour_lines(pixels, window, contour_levels(sample))
        self.source.data = {"xs": xs, "ys": ys}

    def clear(self) -> None:
        """None."""
        if self.source.data["xs"]:
            self.source.data = {"xs": [], "ys": []}

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._glyph.line_color = theme.contour


def contour_levels(sample: NDArray[Any]) -> list[float]:
    """Values of the contours; none if the sample has no spread."""
    values = sample[np.isfinite(sample)]
    if values.size == 0:
        return []
    middle = float(np.median(values))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(values - middle)))
    return [middle + k * sigma for k in LEVELS] if sigma > 0 else []


def contour_lines(
    pixels: NDArray[Any], window: Window, levels: Sequence[float]
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Coordinates on the pixel grid of the contours of an image in a window."""
    rows, columns = pixels.shape
    if min(rows, columns) < 2:
        return [], []
    left, bottom, right, top = window.region
    step_x, step_y = (right - left) / columns, (top - bottom) / rows
    generator = contour_generator(z=np.ma.masked_invalid(pixels))
    xs, ys = [], []
    for level in levels:
        for line in generator.lines(level):
            points = np.asarray(line)
            xs.append(left + step_x * (points[:, 0] + 0.5))
            ys.append(bottom + step_y * (points[:, 1] + 0.5))
    return xs, ys

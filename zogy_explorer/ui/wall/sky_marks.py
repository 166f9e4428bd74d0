"""Compass and scale bar of the first panel, where the image has a WCS.

They may lie on sky, on stars, or beside the image on a light or a dark ground, under the lines of
cells: white on a dark plate of their own, in both themes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import Arrow, BoxAnnotation, Label, NormalHead
from bokeh.plotting import figure

_INK, _PLATE = "#ffffff", "rgba(16, 20, 28, 0.72)"
_MARGIN = 5.0  # between the plates and the panel's edges [screen px]
_LENGTH, _BEYOND = 20.0, 10.0  # of the compass's arrows, and from their ends to the letters
_ROOM = 8.0  # around the letters and the root of the arrows, up to the plate's edges
_PAD, _LINE, _LETTER = 6.0, 13.0, 6.5  # of the scale bar's plate; its text's height and width
_FOOT = _MARGIN + 6.0  # of the scale bar, from the lower edge
_SHARE = 0.3  # of the panel's width that the bar takes at most
_ARCSEC = 180 / np.pi * 3600
_UNITS = ((3600.0, "°"), (60.0, "′"), (1.0, "″"), (1e-3, " mas"))


class SkyMarks:
    """North and east, and a length in seconds or minutes of arc.

    Parameters
    ----------
    plot
        The panel that carries them.
    """

    def __init__(self, plot: figure) -> None:
        self._plate = _plate("compass-plate")
        self._arrows = [_arrow(f"compass-{name}", 1.5, 6) for name in "NE"]
        self._labels = [_label(f"compass-{name}-label", name) for name in "NE"]
        self._bar_plate = _plate("scale-bar-plate")
        self._bar = _arrow("scale-bar", 2)
        self._bar.update(y_start=_FOOT, y_end=_FOOT)
        self._length = _label("scale-bar-length", "")
        self._length.y = _FOOT + _LINE / 2 + 2
        self._bar_plate.update(bottom=_MARGIN, top=_FOOT + _LINE + 4)
        self._marks = [
            self._plate, *self._arrows, *self._labels, self._bar_plate, self._bar, self._length,
        ]  # fmt: skip
        self._scale = np.nan
        for mark in self._marks:
            plot.add_layout(mark)

    def set_plane(self, plane: Sequence[float]) -> None:
        """Take the eight numbers of `sky.tangent_plane`; none: there is no WCS."""
        known = len(plane) == 8
        for mark in self._marks:
            mark.visible = known
        if not known:
            self._scale = np.nan
            return
        matrix = np.reshape(plane[4:], (2, 2))
        towards = np.array(directions(matrix))
        # The root, where the arrows begin, is as near to the corner as both letters allow.
        letters = (_LENGTH + _BEYOND) * towards
        low = np.minimum(letters.min(axis=0), 0.0) - _ROOM
        high = np.maximum(letters.max(axis=0), 0.0) + _ROOM
        root = _MARGIN - low
        right, top = root + high
        self._plate.update(left=_MARGIN, bottom=_MARGIN, right=float(right), top=float(top))
        for arrow, label, direction in zip(self._arrows, self._labels, towards, strict=True):
            x, y = map(float, root)
            end_x, end_y = map(float, root + _LENGTH * direction)
            arrow.update(x_start=x, y_start=y, x_end=end_x, y_end=end_y)
            place_x, place_y = map(float, root + (_LENGTH + _BEYOND) * direction)
            label.update(x=place_x, y=place_y)
        self._scale = pixel_scale(matrix)

    def follow(self, step: float, width: int) -> None:
        """Length of the bar for ``step`` image pixels a screen pixel, in a panel so wide."""
        if not np.isfinite(self._scale):
            return
        per_pixel = self._scale * step
        length, text = bar_length(_SHARE * width * per_pixel)
        size = length / per_pixel
        right = width - _MARGIN
        left = right - max(size, _LETTER * len(text)) - 2 * _PAD
        middle = (left + right) / 2
        start, end = middle - size / 2, middle + size / 2
        if (self._bar.x_start, self._bar.x_end) != (start, end):
            self._bar_plate.update(left=left, right=right)
            self._bar.update(x_start=start, x_end=end)
            self._length.update(x=middle, text=text)


def _plate(name: str) -> BoxAnnotation:
    """A dark ground, over the outline of the selected cell."""
    return BoxAnnotation(
        name=name, left_units="screen", right_units="screen", bottom_units="screen",
        top_units="screen", left=0, right=0, bottom=0, top=0, fill_color=_PLATE, fill_alpha=1.0,
        line_color=None, border_radius=4, visible=False, level="overlay",
    )  # fmt: skip


def _arrow(name: str, width: float, head: float = 0) -> Arrow:
    """A line on the screen, with a head if that has a size."""
    end = NormalHead(size=head, line_color=_INK, fill_color=_INK) if head else None
    return Arrow(
        name=name, end=end, line_width=width, line_color=_INK, visible=False, level="overlay",
        start_units="screen", end_units="screen", x_start=0, y_start=0, x_end=0, y_end=0,
    )  # fmt: skip


def _label(name: str, text: str) -> Label:
    return Label(
        name=name, text=text, x=0, y=0, x_units="screen", y_units="screen", visible=False,
        text_font_size="10px", text_align="center", text_baseline="middle", text_color=_INK,
        level="overlay",
    )  # fmt: skip


def directions(matrix: np.ndarray) -> list[np.ndarray]:
    """Unit vectors (x, y) towards north and east, from d(ξ, η)/d(x, y)."""
    inverse = np.linalg.inv(matrix)
    north, east = inverse @ (0.0, 1.0), inverse @ (1.0, 0.0)
    return [north / np.hypot(*north), east / np.hypot(*east)]


def pixel_scale(matrix: np.ndarray) -> float:
    """Side of a pixel [arcsec], from d(ξ, η)/d(x, y) [rad/px]."""
    return float(np.sqrt(abs(np.linalg.det(matrix))) * _ARCSEC)


def bar_length(most: float) -> tuple[float, str]:
    """A round length [arcsec] of at most ``most``, and how it is written."""
    unit, symbol = next((u, t) for u, t in _UNITS if most >= u or u == _UNITS[-1][0])
    power = 10.0 ** np.floor(np.log10(most / unit))
    leading = next(k for k in (5, 2, 1) if k * power <= most / unit * (1 + 1e-9))
    value = leading * power
    return value * unit, f"{value:g}{symbol}"

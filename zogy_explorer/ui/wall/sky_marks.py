"""Compass and scale bar of the first panel, where the image has a WCS.

They lie on the sky, which is as dark in the light theme as in the dark one, and on stars: white,
with a dark rim, in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import Arrow, Label, NormalHead
from bokeh.plotting import figure

_INK, _RIM = "#ffffff", "rgba(0, 0, 0, 0.65)"
_CENTRE, _LENGTH = 36.0, 19.0  # of the compass, from the lower left corner [screen px]
_ARCSEC = 180 / np.pi * 3600
_FOOT = 12.0  # of the scale bar, from the lower edge [screen px]
_SHARE = 0.3  # of the panel's width that the bar takes at most
_UNITS = ((3600.0, "°"), (60.0, "′"), (1.0, "″"), (1e-3, " mas"))


class SkyMarks:
    """North and east, and a length in seconds or minutes of arc.

    Parameters
    ----------
    plot
        The panel that carries them.
    """

    def __init__(self, plot: figure) -> None:
        self._arrows = [(_arrow(f"compass-{name}-rim", 4.5), _arrow(f"compass-{name}", 1.5, 6))
                        for name in "NE"]  # fmt: skip
        self._labels = [_label(f"compass-{name}-label", name) for name in "NE"]
        for label in self._labels:
            label.text_baseline = "middle"
        self._bar = (_arrow("scale-bar-rim", 5), _arrow("scale-bar", 2))
        for line in self._bar:
            line.update(y_start=_FOOT, y_end=_FOOT)
        self._length = _label("scale-bar-length", "")
        self._length.y = _FOOT + 5
        self._marks = [*sum(self._arrows, ()), *self._labels, *self._bar, self._length]
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
        for arrows, label, direction in zip(
            self._arrows, self._labels, directions(matrix), strict=True
        ):
            end = _CENTRE + _LENGTH * direction
            for arrow in arrows:
                arrow.update(x_end=float(end[0]), y_end=float(end[1]))
            place = _CENTRE + (_LENGTH + 8) * direction
            label.update(x=float(place[0]), y=float(place[1]))
        self._scale = pixel_scale(matrix)

    def follow(self, step: float, width: int) -> None:
        """Length of the bar for ``step`` image pixels a screen pixel, in a panel so wide."""
        if not np.isfinite(self._scale):
            return
        per_pixel = self._scale * step
        length, text = bar_length(_SHARE * width * per_pixel)
        end = width - 10.0
        start = end - length / per_pixel
        rim, bar = self._bar
        if (bar.x_start, bar.x_end) != (start, end):
            bar.update(x_start=start, x_end=end)
            rim.update(x_start=start - 1.5, x_end=end + 1.5)
            self._length.update(x=(start + end) / 2, text=text)


def _arrow(name: str, width: float, head: float = 0) -> Arrow:
    """A line on the screen, from the compass's centre; a rim is drawn wider below it."""
    color = _RIM if name.endswith("rim") else _INK
    end = NormalHead(size=head, line_color=color, fill_color=color) if head else None
    return Arrow(
        name=name, end=end, line_width=width, line_color=color, visible=False,
        start_units="screen", end_units="screen", x_start=_CENTRE, y_start=_CENTRE,
        x_end=_CENTRE, y_end=_CENTRE,
    )  # fmt: skip


def _label(name: str, text: str) -> Label:
    return Label(
        name=name, text=text, x=0, y=0, x_units="screen", y_units="screen", visible=False,
        text_font_size="10px", text_align="center", text_color=_INK,
        background_fill_color=_RIM, padding=1, border_radius=2,
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

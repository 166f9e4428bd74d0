"""Compass and scale bar of the first panel, where the image has a WCS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import Arrow, Label, NormalHead
from bokeh.plotting import figure

from zogy_explorer.ui.wall.palettes import Theme

_CENTRE, _LENGTH = 30.0, 19.0  # of the compass, from the lower left corner [screen px]
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
        self._heads = [NormalHead(size=6), NormalHead(size=6)]
        self._arrows = [
            Arrow(
                name=f"compass-{name}", end=head, line_width=1.5, visible=False,
                start_units="screen", end_units="screen", x_start=_CENTRE, y_start=_CENTRE,
                x_end=_CENTRE, y_end=_CENTRE,
            )
            for name, head in zip("NE", self._heads, strict=True)
        ]  # fmt: skip
        self._labels = [
            Label(
                text=name, x=0, y=0, x_units="screen", y_units="screen", visible=False,
                text_font_size="10px", text_align="center", text_baseline="middle",
            )
            for name in "NE"
        ]  # fmt: skip
        self._bar = Arrow(
            name="scale-bar", end=None, line_width=2, visible=False, start_units="screen",
            end_units="screen", x_start=0, y_start=_FOOT, x_end=0, y_end=_FOOT,
        )  # fmt: skip
        self._length = Label(
            name="scale-bar-length", text="", x=0, y=_FOOT + 3, x_units="screen",
            y_units="screen", visible=False, text_font_size="10px", text_align="center",
        )  # fmt: skip
        self._scale = np.nan
        for mark in (*self._arrows, *self._labels, self._bar, self._length):
            plot.add_layout(mark)

    def set_plane(self, plane: Sequence[float]) -> None:
        """Take the eight numbers of `sky.tangent_plane`; none: there is no WCS."""
        known = len(plane) == 8
        for mark in (*self._arrows, *self._labels, self._bar, self._length):
            mark.visible = known
        if not known:
            self._scale = np.nan
            return
        matrix = np.reshape(plane[4:], (2, 2))
        for arrow, label, direction in zip(
            self._arrows, self._labels, directions(matrix), strict=True
        ):
            end = _CENTRE + _LENGTH * direction
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
        if (self._bar.x_start, self._bar.x_end) != (start, end):
            self._bar.update(x_start=start, x_end=end)
            self._length.update(x=(start + end) / 2, text=text)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme: those of the selection stand out on any sky."""
        for arrow, head in zip(self._arrows, self._heads, strict=True):
            arrow.line_color = theme.selection
            head.update(line_color=theme.selection, fill_color=theme.selection)
        for label in (*self._labels, self._length):
            label.text_color = theme.selection
        self._bar.line_color = theme.selection


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

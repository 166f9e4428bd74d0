"""The divider between A and B: one line over all panels that can be dragged in any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bokeh.models import BoxAnnotation, CustomJS, Span
from bokeh.plotting import figure

from zogy_explorer.ui.wall.palettes import Theme
from zogy_explorer.ui.wall.pyramid import View

_GRIP = 0.03  # of the view, on each side: as wide as the line can be taken hold of


class Divider:
    """Models of the divider, put on the panels when it is first shown: few pages ever need them.

    Parameters
    ----------
    plots
        The panels.
    on_move
        Called with the new position while it is dragged.
    """

    def __init__(self, plots: Sequence[figure], on_move: Callable[[float], None]) -> None:
        self._plots = tuple(plots)
        self._on_move = on_move
        self._color: Any = None
        self._writing = False
        self._grips: list[BoxAnnotation] = []
        self.line = Span(
            name="divider", dimension="height", location=0.0, line_width=2, visible=False
        )
        self.line.on_change("location", self._moved)

    def _attach(self) -> None:
        for plot in self._plots:
            grip = BoxAnnotation(
                name="divider-grip", left=0, right=1, editable=True, movable="x",
                resizable="none", fill_color=self._color, fill_alpha=0.0, line_color=None,
                hover_fill_color=self._color, hover_fill_alpha=0.25, hover_line_color=None,
                visible=False,
            )  # fmt: skip
            grip.js_on_change(
                "right",
                CustomJS(
                    args={"grip": grip, "line": self.line},
                    code="line.location = (grip.left + grip.right) / 2",
                ),
            )
            plot.add_layout(self.line)
            plot.add_layout(grip)
            self._grips.append(grip)

    @property
    def visible(self) -> bool:
        """Whether it is on the wall."""
        return bool(self.line.visible)

    def show(self, visible: bool, view: View) -> float:
        """Show or hide it; moves it into view if it is off. Returns where it is."""
        left, _, right, _ = view
        where = float(self.line.location)
        if not left < where < right or (visible and not self.visible):
            where = (left + right) / 2
        if visible and not self._grips:
            self._attach()
        self._place(where, view)
        self.line.visible = visible
        for grip in self._grips:
            grip.visible = visible
        return where

    def follow(self, view: View) -> None:
        """Keep the grip as wide on the screen as it was."""
        if self.visible:
            self._place(float(self.line.location), view)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.line.line_color = self._color = theme.selection
        for grip in self._grips:
            grip.fill_color = grip.hover_fill_color = theme.selection

    def _place(self, where: float, view: View) -> None:
        half = _GRIP * (view[2] - view[0])
        self._writing = True
        try:
            if self.line.location != where:
                self.line.location = where
            for grip in self._grips:
                if abs(grip.left - (where - half)) > 1e-6 or abs(grip.right - where - half) > 1e-6:
                    grip.update(left=where - half, right=where + half)
        finally:
            self._writing = False

    def _moved(self, attr: str, old: Any, new: Any) -> None:
        if not self._writing and new is not None:
            self._on_move(float(new))

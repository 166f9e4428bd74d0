"""Mask planes by name: which are drawn, and in what colour."""

from __future__ import annotations

from dataclasses import replace

import panel as pn

from zogy_explorer.ui.controls import help_icon
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.wall.palettes import plane_color

_HELP = (
    "The planes of the pair's masks. Uncheck a plane to hide it in the mask panel and wherever "
    "the mask is drawn over an image; click its colour to change it. Results do not change."
)


class PlaneControls:
    """A check box and a colour for each mask plane of the pair.

    Parameters
    ----------
    session
        Whose display they set.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names: tuple[str, ...] = ()
        self.shown: dict[str, pn.widgets.Checkbox] = {}
        self.colors: dict[str, pn.widgets.ColorPicker] = {}
        self._rows = pn.Column(sizing_mode="stretch_width", margin=0)
        self.view = pn.Column(
            pn.Row(text_pane("<p>Mask planes</p>", sizing_mode=None), help_icon(_HELP), margin=0),
            self._rows,
            sizing_mode="stretch_width",
            margin=(4, 0),
        )  # fmt: skip
        session.param.watch(lambda event: self._follow(), ["frame", "display"])
        self._follow()

    def _follow(self) -> None:
        """Rows for the planes of the pair on screen, as the display has them."""
        frame, display = self._session.frame, self._session.display
        if frame is None:
            return
        names = tuple(frame.plan.mask_planes)
        own = dict(display.plane_colors)
        if names != self._names:
            self._names = names
            self._make(names)
        for name in names:
            self.shown[name].value = name not in display.hidden_planes
            self.colors[name].value = own.get(name) or plane_color(name)

    def _make(self, names: tuple[str, ...]) -> None:
        self.shown = {
            n: pn.widgets.Checkbox(label=n, value=True, sizing_mode="stretch_width", margin=(4, 0))
            for n in names
        }
        self.colors = {
            n: pn.widgets.ColorPicker(
                value=plane_color(n), width=34, height=22, margin=0, description=f"Colour of {n}"
            )
            for n in names
        }
        for name in names:
            self.shown[name].param.watch(lambda event: self._changed(), "value")
            self.colors[name].param.watch(lambda event: self._changed(), "value")
        self._rows[:] = [
            pn.Row(self.colors[n], self.shown[n], sizing_mode="stretch_width", margin=(0, 0, 2, 0))
            for n in names
        ]

    def _changed(self) -> None:
        """The display with what the widgets say; planes of other pairs keep their place."""
        display = self._session.display
        hidden = {n for n in display.hidden_planes if n not in self.shown}
        hidden |= {name for name, box in self.shown.items() if not box.value}
        own = {n: c for n, c in display.plane_colors if n not in self.colors}
        own |= {n: w.value for n, w in self.colors.items() if w.value != plane_color(n)}
        self._session.display = replace(
            display, hidden_planes=frozenset(hidden), plane_colors=tuple(own.items())
        )

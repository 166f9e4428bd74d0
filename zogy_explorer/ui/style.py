"""Colours and style sheets of the page, in dark and light.

Everything is inherited from variables that one class on the root sets, so a theme change is one
small message and nothing is built again. Colours of severities are Okabe & Ito's, which
colour-blind eyes tell apart, and always come with a symbol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from panel.layout import Column
from panel.pane import Bokeh
from panel.viewable import Viewable

from zogy_explorer.ui.design import ExplorerDesign


@dataclass(frozen=True)
class Palette:
    """Colours of one theme, as CSS."""

    name: str
    background: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    ok: str
    info: str
    warning: str
    failed: str

    def severity(self, severity: str) -> str:
        """Colour of a severity."""
        return str(getattr(self, severity))


DARK = Palette(
    name="dark",
    background="#15181d",
    surface="#1b1f26",
    raised="#262c35",
    border="#323945",
    text="#e4e7ec",
    muted="#98a1b0",
    accent="#4ea1d3",
    on_accent="#0b1016",
    ok="#8fa3b8",
    info="#56b4e9",
    warning="#f0e442",
    failed="#ff6f3c",
)
LIGHT = Palette(
    name="light",
    background="#ffffff",
    surface="#f5f6f8",
    raised="#e9ecf1",
    border="#cdd3dc",
    text="#1c2230",
    muted="#5b6575",
    accent="#0b6aa8",
    on_accent="#ffffff",
    ok="#4d6275",
    info="#0072b2",
    warning="#8a6100",
    failed="#c43c00",
)


def palette(dark: bool) -> Palette:
    """The theme's colours."""
    return DARK if dark else LIGHT


def theme_classes(dark: bool) -> list[str]:
    """Classes of the page's root."""
    return ["zx-root", f"zx-{palette(dark).name}"]


def _variables(colors: Palette) -> str:
    names = ("background", "surface", "raised", "border", "text", "muted", "accent")
    own = "".join(f"--zx-{n}: {getattr(colors, n)}; " for n in names)
    own += "".join(f"--zx-{n}: {colors.severity(n)}; " for n in ("ok", "info", "warning", "failed"))
    return (
        f":host(.zx-{colors.name}) {{ {own}"
        f"--zx-on-accent: {colors.on_accent}; color-scheme: {colors.name}; "
        f"--design-background-color: {colors.background}; "
        f"--design-background-text-color: {colors.text}; "
        f"--design-surface-color: {colors.surface}; "
        f"--design-surface-text-color: {colors.text}; }}\n"
    )


ROOT_CSS = (
    _variables(DARK)
    + _variables(LIGHT)
    + """
:host(.zx-root) {
  background: var(--zx-background); color: var(--zx-text);
  font: 13px/1.4 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
  overflow: hidden;
}
"""
)
"""Style sheet of the root."""

SHRINKING_CSS = ":host { min-width: 0 !important; }"
"""Of layouts that keep what Panel takes for their least width when a part of them is put away."""


def styled(view: Viewable) -> Viewable:
    """The view itself, it and all its parts in the page's design.

    Panel gives each part the design that is configured for the process when it is made; ours
    must not leak into a notebook's other output.
    """
    for part in view.select():
        if not isinstance(part, Bokeh):  # figures have colours of their own, see `theme_figure`
            part.design = ExplorerDesign
    return view


class Lazy:
    """A place on the page whose content is made when it is first looked at.

    Parameters
    ----------
    make
        Makes the content.
    """

    def __init__(self, make: Callable[[], Viewable]) -> None:
        self._make: Callable[[], Viewable] | None = make
        self.view = Column(sizing_mode="stretch_both", margin=0)

    def fill(self) -> None:
        """Make the content, if that was not done yet."""
        if self._make is not None:
            make, self._make = self._make, None
            self.view.append(styled(make()))


def theme_figure(figure: Any, colors: Palette) -> None:
    """Give a Bokeh figure the theme's colours, in place."""
    figure.background_fill_color = colors.background
    figure.border_fill_alpha = 0.0  # paint would stay at the canvas's edge after a change of theme
    figure.outline_line_color = colors.border
    if figure.title is not None:
        figure.title.text_color = colors.text
    for axis in figure.axis:
        axis.axis_label_text_color = colors.muted
        axis.major_label_text_color = colors.muted
        axis.axis_line_color = colors.border
        axis.major_tick_line_color = colors.border
        axis.minor_tick_line_color = None
    for grid in figure.grid:
        grid.grid_line_color = colors.border
        grid.grid_line_alpha = 0.4
    for legend in figure.legend:
        legend.background_fill_alpha = 0.0
        legend.border_line_color = None
        legend.label_text_color = colors.text

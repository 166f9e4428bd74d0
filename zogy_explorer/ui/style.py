"""Colours and style sheets of the page, in dark and light.

Everything is inherited from variables that one class on the root sets, so a theme change is one
small message and nothing is built again. Colours of severities are Okabe & Ito's, which
colour-blind eyes tell apart, and always come with a symbol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from panel.layout import Column
from panel.pane import Bokeh
from panel.theme.base import Inherit
from panel.theme.native import Native
from panel.viewable import Viewable


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

# On every component: Panel's own variables follow ours, in whichever shadow tree they are used.
_EVERYWHERE = """
:host {
  --panel-primary-color: var(--zx-accent); --panel-on-primary-color: var(--zx-on-accent);
  --panel-background-color: var(--zx-background); --panel-on-background-color: var(--zx-text);
  --panel-surface-color: var(--zx-surface); --panel-on-surface-color: var(--zx-text);
  --panel-border-color: var(--zx-border);
  --color: var(--zx-text); --text-color: var(--zx-text); --border-color: var(--zx-border);
  --hover-color: var(--zx-raised); --divider-color: var(--zx-border);
  --icon-color: var(--zx-muted); --placeholder-color: var(--zx-muted);
  --highlight-color: var(--zx-accent); --outline-color: var(--zx-accent);
  --input-focus-border-color: var(--zx-accent); --input-focus-halo-color: transparent;
  --disabled-background-color: transparent; --disabled-color: var(--zx-muted);
  --surface-background-color: var(--zx-raised); --inverted-color: var(--zx-background);
  --padding-vertical: 3px; --padding-horizontal: 8px;
  --base-font: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
  color: var(--zx-text);
}
.bk-input.bk-input { background-color: var(--zx-background); color: var(--zx-text);
  border-color: var(--zx-border); }
.bk-input.bk-input:focus { border-color: var(--zx-accent); }
.bk-input.bk-input[disabled] { opacity: 0.5; }
select.bk-input.bk-input { background-image: none; appearance: auto; -webkit-appearance: auto;
  padding-right: 4px; color-scheme: inherit; }
.bk-spin-btn::before { border-color: transparent; }
.bk-spin-btn-up::before { border-bottom-color: var(--zx-muted) !important; }
.bk-spin-btn-down::before { border-top-color: var(--zx-muted) !important; }
.bk-btn.bk-btn.bk-btn { background-color: var(--zx-raised); color: var(--zx-text);
  border: 1px solid var(--zx-border); box-shadow: none; line-height: 18px; }
.bk-btn.bk-btn.bk-btn:hover { border-color: var(--zx-accent); }
.bk-btn.bk-btn.bk-btn:focus-visible { outline: 2px solid var(--zx-accent); outline-offset: 1px; }
.bk-btn.bk-btn.bk-btn[disabled] { opacity: 0.4; border-color: var(--zx-border); }
.bk-btn.bk-btn.bk-btn-primary { background-color: var(--zx-accent); color: var(--zx-on-accent);
  border-color: var(--zx-accent); }
.bk-btn.bk-btn.bk-btn-warning { background-color: var(--zx-warning);
  color: var(--zx-background); border-color: var(--zx-warning); }
.bk-tab.bk-tab { border-color: transparent; color: var(--zx-muted); padding: 4px 10px; }
.bk-tab.bk-tab.bk-active { background: transparent; color: var(--zx-text);
  border-color: transparent; border-bottom: 2px solid var(--zx-accent); }
.bk-header { border-bottom: 1px solid var(--zx-border); }
.noUi-target.noUi-target { background: var(--zx-raised); border-color: var(--zx-border);
  box-shadow: none; }
.noUi-target .noUi-connect { background: var(--zx-accent); }
.noUi-target .noUi-handle { background: var(--zx-text); border-color: var(--zx-background);
  box-shadow: none; }
.noUi-target .noUi-handle:focus-visible { outline: 2px solid var(--zx-accent); }
.noUi-target[disabled] { opacity: 0.45; }
.choices .choices__inner { background: var(--zx-background); border-color: var(--zx-border);
  color: var(--zx-text); min-height: 28px; padding: 2px; font-size: 12px; }
.choices .choices__input { background: transparent; color: var(--zx-text); font-size: 12px;
  margin: 1px; padding: 2px; }
.choices .choices__list--multiple .choices__item { background: var(--zx-raised);
  border-color: var(--zx-border); color: var(--zx-text); font-size: 11px; padding: 1px 6px;
  margin: 1px; border-radius: 3px; }
.choices .choices__list--multiple .choices__item .choices__button { border-left: none;
  filter: invert(0.5); margin: 0 -4px 0 2px; padding-left: 14px; }
.choices .choices__list--dropdown, .choices .choices__list--dropdown .choices__item {
  background: var(--zx-surface); color: var(--zx-text); border-color: var(--zx-border);
  font-size: 12px; }
.choices .choices__list--dropdown .choices__item.is-highlighted { background: var(--zx-raised); }
.filepond--root { font-size: 12px !important; font-family: inherit !important;
  margin-bottom: 0 !important; border-radius: 4px; background: var(--zx-background);
  border: 1px dashed var(--zx-border) !important; }
.filepond--panel-root, .filepond--panel-root > * { background-color: transparent !important; }
.filepond--drop-label, .filepond--drop-label label { color: var(--zx-muted) !important;
  font-size: 12px !important; }
:host(.card) { box-shadow: none; border: none; background: transparent; outline: none; }
:host(.card) .card-header { background: transparent; border: none;
  border-top: 1px solid var(--zx-border); border-radius: 0; padding: 6px 0; color: var(--zx-text); }
:host(.card-title) * { font-size: 13px !important; font-weight: 600; }
"""


class ExplorerDesign(Native):
    """Panel's plain design with the page's colours."""

    modifiers: ClassVar[dict[type[Viewable], dict[str, Any]]] = {
        Viewable: {"stylesheets": [Inherit, _EVERYWHERE]}
    }


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

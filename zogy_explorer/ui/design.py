"""Panel's plain design in the page's colours: which part gets which style sheet.

Every component carries its style sheets with it, so each gets only those that concern it: with one
for all, a side bar was 600 kB.
"""

from __future__ import annotations

from typing import Any, ClassVar

from panel.layout import Card, Tabs
from panel.theme.base import Inherit
from panel.theme.native import Native
from panel.viewable import Viewable
from panel.widgets import FileDropper, FloatSlider, IntSlider, MultiChoice, Widget

# Panel's own variables follow ours, in whichever shadow tree they are used.
_VARIABLES = """
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
"""
_INPUTS = """
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
"""
_TABS = """
.bk-tab.bk-tab { border-color: transparent; color: var(--zx-muted); padding: 4px 10px; }
.bk-tab.bk-tab.bk-active { background: transparent; color: var(--zx-text);
  border-color: transparent; border-bottom: 2px solid var(--zx-accent); }
.bk-header { border-bottom: 1px solid var(--zx-border); }
"""
_SLIDERS = """
.noUi-target.noUi-target { background: var(--zx-raised); border-color: var(--zx-border);
  box-shadow: none; }
.noUi-target .noUi-connect { background: var(--zx-accent); }
.noUi-target .noUi-handle { background: var(--zx-text); border-color: var(--zx-background);
  box-shadow: none; }
.noUi-target .noUi-handle:focus-visible { outline: 2px solid var(--zx-accent); }
.noUi-target[disabled] { opacity: 0.45; }
"""
_CHOICES = """
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
"""
_DROPPER = """
.filepond--root { font-size: 12px !important; font-family: inherit !important;
  margin-bottom: 0 !important; border-radius: 4px; background: var(--zx-background);
  border: 1px dashed var(--zx-border) !important; }
.filepond--panel-root, .filepond--panel-root > * { background-color: transparent !important; }
.filepond--drop-label, .filepond--drop-label label { color: var(--zx-muted) !important;
  font-size: 12px !important; }
"""
_CARDS = """
:host(.card) { box-shadow: none; border: none; background: transparent; outline: none; }
:host(.card) .card-header:focus-visible { outline: 2px solid var(--zx-accent);
  outline-offset: -2px; }
:host(.card) .card-header { background: transparent; border: none;
  border-top: 1px solid var(--zx-border); border-radius: 0; padding: 6px 0; color: var(--zx-text); }
:host(.card-title) * { font-size: 13px !important; font-weight: 600; }
"""


def _sheet(css: str) -> dict[str, Any]:
    return {"stylesheets": [Inherit, css]}


class ExplorerDesign(Native):
    """Panel's plain design with the page's colours."""

    modifiers: ClassVar[dict[type[Viewable], dict[str, Any]]] = {
        Viewable: _sheet(_VARIABLES),
        Widget: _sheet(_INPUTS),
        Tabs: _sheet(_TABS),
        FloatSlider: _sheet(_SLIDERS),
        IntSlider: _sheet(_SLIDERS),
        MultiChoice: _sheet(_CHOICES),
        FileDropper: _sheet(_DROPPER),
        Card: _sheet(_CARDS),
    }

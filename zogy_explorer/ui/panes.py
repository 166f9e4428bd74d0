"""Panes and tabs: what every part of the page uses."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import panel as pn
from bokeh.models import Tooltip

from zogy_explorer.ui.words import TEXT_CSS


def text_pane(html: str = "", **kwargs: Any) -> pn.pane.HTML:
    """A pane of text in the page's style."""
    options = {"sizing_mode": "stretch_width", "margin": (2, 0)} | kwargs
    return pn.pane.HTML(html, stylesheets=[TEXT_CSS], **options)


class EdgeButton(pn.widgets.Button):
    """A button near the right edge of the page: its help opens to the left."""

    def _process_param_change(self, params: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = super()._process_param_change(params)
        for value in changed.values():
            if isinstance(value, Tooltip):
                value.position = "left"
        return changed


@runtime_checkable
class FrontAware(Protocol):
    """A tab that wants to know when it comes to the front and when it leaves it."""

    def in_front(self, shown: bool) -> None:
        """It is in front now, or no longer."""

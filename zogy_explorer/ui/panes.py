"""Panes and tabs: what every part of the page uses."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import panel as pn

from zogy_explorer.ui.words import TEXT_CSS


def text_pane(html: str = "", **kwargs: Any) -> pn.pane.HTML:
    """A pane of text in the page's style."""
    options = {"sizing_mode": "stretch_width", "margin": (2, 0)} | kwargs
    return pn.pane.HTML(html, stylesheets=[TEXT_CSS], **options)


@runtime_checkable
class FrontAware(Protocol):
    """A tab that wants to know when it comes to the front and when it leaves it."""

    def in_front(self, shown: bool) -> None:
        """It is in front now, or no longer."""

"""What the drawer expects of a tab."""

from __future__ import annotations

from typing import Protocol

import panel as pn

from zogy_explorer.ui.style import Palette


class DrawerTab(Protocol):
    """One tab of the drawer; its class is called with a `PageContext`."""

    title: str
    view: pn.viewable.Viewable

    def show(self) -> None:
        """The tab came to the front, or the frame, cell or selection changed while it is there.

        Called where Bokeh models may be written.
        """

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""

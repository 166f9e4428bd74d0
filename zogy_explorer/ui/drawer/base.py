"""What the drawer expects of a tab."""

from __future__ import annotations

from typing import Protocol

from zogy_explorer.ui.late_tabs import LateTab


class DrawerTab(LateTab, Protocol):
    """One tab of the drawer; its class is called with a `PageContext`."""

    def show(self) -> None:
        """The tab came to the front, or the frame, cell or selection changed while it is there.

        Called where Bokeh models may be written.
        """

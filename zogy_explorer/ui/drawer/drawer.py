"""The drawer below the images: tabs about the whole frame."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn

from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.base import DrawerTab
from zogy_explorer.ui.drawer.cells import CellsTab
from zogy_explorer.ui.drawer.code import CodeTab
from zogy_explorer.ui.drawer.log import LogTab
from zogy_explorer.ui.style import Lazy, Palette

TABS: tuple[Callable[[PageContext], DrawerTab], ...] = (CellsTab, LogTab, CodeTab)
"""The tabs, in their order."""


class Drawer:
    """Tabs that follow a session; only the one in front is brought up to date.

    Parameters
    ----------
    context
        Of the page.
    colors
        Of the page at the start.
    """

    def __init__(self, context: PageContext, colors: Palette) -> None:
        self.tabs = [make(context) for make in TABS]
        self._places = [Lazy(lambda tab=tab: tab.view) for tab in self.tabs]  # type: ignore[misc]
        self._places[0].fill()
        self.view = pn.Tabs(
            *((t.title, p.view) for t, p in zip(self.tabs, self._places, strict=True)),
            sizing_mode="stretch_both",
            margin=(0, 4),
        )
        self.theme(colors)
        ask = context.painter.ask
        self.view.param.watch(lambda event: self._places[event.new].fill(), "active")
        self.view.param.watch(lambda event: ask(self._show), "active")
        context.session.param.watch(
            lambda *events: ask(self._show), ["frame", "live_cell", "anchor"]
        )

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        for tab in self.tabs:
            tab.theme(colors)

    def _show(self) -> None:
        self.tabs[self.view.active].show()

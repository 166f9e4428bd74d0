"""The drawer below the images: tabs about the whole frame."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
import param

from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.base import DrawerTab
from zogy_explorer.ui.drawer.cells import CellsTab
from zogy_explorer.ui.drawer.changes import ChangesTab
from zogy_explorer.ui.drawer.code import CodeTab
from zogy_explorer.ui.drawer.cut import CutTab
from zogy_explorer.ui.drawer.detections import DetectionsTab
from zogy_explorer.ui.drawer.log import LogTab
from zogy_explorer.ui.drawer.radial import RadialTab
from zogy_explorer.ui.drawer.runs import RunsTab
from zogy_explorer.ui.drawer.threshold import ThresholdTab
from zogy_explorer.ui.panes import FrontAware
from zogy_explorer.ui.style import Lazy, Palette

TABS: tuple[Callable[[PageContext], DrawerTab], ...] = (
    CellsTab,
    DetectionsTab,
    ThresholdTab,
    ChangesTab,
    RunsTab,
    CutTab,
    RadialTab,
    LogTab,
    CodeTab,
)
"""The tabs, in their order."""

HEIGHT = 236
"""[px] Room for a plot; the images above are as wide as they can be at 1280×800 all the same."""


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
        self._tabs = pn.Tabs(
            *((t.title, p.view) for t, p in zip(self.tabs, self._places, strict=True)),
            sizing_mode="stretch_both",
            margin=(0, 4),
        )
        self.view = pn.Column(
            self._tabs,
            sizing_mode="stretch_width",
            height=HEIGHT,
            margin=0,
            styles={"border-top": "1px solid var(--zx-border)"},
        )
        self.theme(colors)
        self._tabs.param.watch(self._switched, "active")
        self._tabs.param.watch(lambda event: context.painter.ask(self.refresh), "active")

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        for tab in self.tabs:
            tab.theme(colors)

    def front(self, title: str) -> None:
        """Bring the tab of this title to the front."""
        self._tabs.active = [tab.title for tab in self.tabs].index(title)

    def refresh(self) -> None:
        """Bring the tab in front up to date; the images must be so already."""
        place = self._tabs.active
        self._places[place].fill()
        self.tabs[place].show()

    def _switched(self, event: param.parameterized.Event) -> None:
        for place in (event.old, event.new):
            tab = self.tabs[place]
            if isinstance(tab, FrontAware):
                tab.in_front(place == event.new)

"""The drawer below the images: tabs about the whole frame."""

from __future__ import annotations

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
from zogy_explorer.ui.late_tabs import LateTabs
from zogy_explorer.ui.style import Palette

TABS: tuple[type[DrawerTab], ...] = (
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

DRAWER_HEIGHT = 236
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
        self._tabs = LateTabs(TABS, context, colors, sizing_mode="stretch_both", margin=(0, 4))
        self.view = self._tabs.view
        self._tabs.front()
        self._tabs.view.param.watch(lambda event: context.painter.ask(self.refresh), "active")

    @property
    def tabs(self) -> list[DrawerTab]:
        """All tabs."""
        return self._tabs.all

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        self._tabs.theme(colors)

    def front(self, title: str) -> None:
        """Bring the tab of this title to the front."""
        self._tabs.open(title)

    def refresh(self) -> None:
        """Bring the tab in front up to date; the images must be so already."""
        self._tabs.front().show()

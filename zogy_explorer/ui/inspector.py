"""The inspector: everything about the selected cell, in tabs that can be added to."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
import param

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui import words
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import FrontAware, text_pane
from zogy_explorer.ui.style import Lazy, Palette
from zogy_explorer.ui.tabs.base import InspectorTab
from zogy_explorer.ui.tabs.explain import ExplainTab
from zogy_explorer.ui.tabs.fourier import FourierTab
from zogy_explorer.ui.tabs.inject import InjectTab
from zogy_explorer.ui.tabs.numbers import NumbersTab
from zogy_explorer.ui.tabs.padding import PaddingTab
from zogy_explorer.ui.tabs.psfs import PsfTab
from zogy_explorer.ui.tabs.trust import TrustTab

TABS: tuple[Callable[[PageContext], InspectorTab], ...] = (
    PsfTab,
    NumbersTab,
    TrustTab,
    ExplainTab,
    InjectTab,
    PaddingTab,
    FourierTab,
)
"""The tabs, in their order."""

_TABS_CSS = """
.bk-header.bk-header { flex-wrap: wrap !important; overflow: visible !important; height: auto; }
.bk-header .bk-tab.bk-tab { padding: 4px 8px; }
"""


class Inspector:
    """Heading and flags of the selected cell, and the tabs below.

    Parameters
    ----------
    context
        Of the page.
    colors
        Of the page at the start.
    """

    def __init__(self, context: PageContext, colors: Palette) -> None:
        self._colors = colors
        self._shown: tuple[SubtractionPlan, CellResult] | None = None
        self._current: dict[str, CellResult] = {}
        self._heading = text_pane(
            '<p class="muted">Tap a cell on an image to inspect it.</p>', name="cell-heading"
        )
        self._flags = text_pane(name="cell-flags")
        self.tabs: list[InspectorTab] = []
        self._places: list[Lazy] = []
        self._tabs = pn.Tabs(
            dynamic=False, sizing_mode="stretch_width", margin=(4, 0), stylesheets=[_TABS_CSS]
        )
        self.view = pn.Column(
            self._heading,
            self._flags,
            self._tabs,
            sizing_mode="stretch_width",
            margin=(8, 12),
        )
        for make in TABS:
            self.add(make(context))
        self._tabs.param.watch(self._switched, "active")
        self._tabs.param.watch(lambda event: context.painter.ask(self._refresh), "active")

    def front(self, title: str) -> None:
        """Bring the tab of this title to the front."""
        self._tabs.active = [tab.title for tab in self.tabs].index(title)

    def add(self, tab: InspectorTab) -> None:
        """One more tab at the end."""
        tab.theme(self._colors)
        self.tabs.append(tab)
        place = Lazy(lambda: tab.view)
        place.view.sizing_mode = "stretch_width"
        self._places.append(place)
        self._tabs.append((tab.title, place.view))

    def show(self, plan: SubtractionPlan | None, result: CellResult | None) -> None:
        """The selected cell, or the hint how to select one."""
        if plan is None or result is None:
            self._shown = None
            self._heading.object = '<p class="muted">Tap a cell on an image to inspect it.</p>'
            self._flags.object = ""
            self._tabs.visible = False
            return
        self._shown = (plan, result)
        self._tabs.visible = True
        self._heading.object = words.cell_heading(result)
        self._flags.object = words.flag_list(result.flags)
        self._refresh()

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self._colors = colors
        for tab in self.tabs:
            tab.theme(colors)
        self._current.clear()
        self._refresh()

    def _switched(self, event: param.parameterized.Event) -> None:
        for place in (event.old, event.new):
            tab = self.tabs[place]
            if isinstance(tab, FrontAware):
                tab.in_front(place == event.new)

    def _refresh(self) -> None:
        """Bring the tab in front up to date, if it shows something else."""
        if self._shown is None:
            return
        plan, result = self._shown
        tab = self.tabs[self._tabs.active]
        self._places[self._tabs.active].fill()
        if self._current.get(tab.title) is not result:
            tab.show(plan, result, self._colors)
            self._current[tab.title] = result

"""The inspector: everything about the selected cell, in tabs that can be added to."""

from __future__ import annotations

import panel as pn

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui import words
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.late_tabs import LateTabs
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.style import Palette
from zogy_explorer.ui.tabs.base import InspectorTab
from zogy_explorer.ui.tabs.explain import ExplainTab
from zogy_explorer.ui.tabs.fourier import FourierTab
from zogy_explorer.ui.tabs.inject import InjectTab
from zogy_explorer.ui.tabs.numbers import NumbersTab
from zogy_explorer.ui.tabs.padding import PaddingTab
from zogy_explorer.ui.tabs.psfs import PsfTab
from zogy_explorer.ui.tabs.trust import TrustTab
from zogy_explorer.ui.tabs.what_if import WhatIfTab

TABS: tuple[type[InspectorTab], ...] = (
    PsfTab,
    NumbersTab,
    TrustTab,
    ExplainTab,
    WhatIfTab,
    InjectTab,
    PaddingTab,
    FourierTab,
)
"""The tabs, in their order."""

_TABS_CSS = """
:host { grid-template-columns: minmax(0, 100%) !important; }
.bk-header.bk-header { overflow: visible !important; height: auto; }
.bk-header .bk-headers-wrapper.bk-headers-wrapper { flex-wrap: wrap !important;
  overflow: visible !important; }
.bk-header .bk-tab.bk-tab { padding: 4px 7px; }
"""
"""All titles stay in sight: they take a second row where the inspector is narrow."""


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
        self._tabs = LateTabs(
            TABS,
            context,
            colors,
            sizing_mode="stretch_both",
            margin=(4, 0),
            stylesheets=[_TABS_CSS],
        )
        self.view = pn.Column(
            self._heading,
            self._flags,
            self._tabs.view,
            sizing_mode="stretch_both",
            margin=(8, 12),
        )
        self._tabs.view.param.watch(lambda event: context.painter.ask(self._refresh), "active")

    @property
    def tabs(self) -> list[InspectorTab]:
        """All tabs."""
        return self._tabs.all

    @property
    def showing(self) -> str:
        """Title of the tab in front."""
        return self._tabs.titles[self._tabs.view.active]

    def front(self, title: str) -> None:
        """Bring the tab of this title to the front."""
        self._tabs.open(title)

    def show(self, plan: SubtractionPlan | None, result: CellResult | None) -> None:
        """The selected cell, or the hint how to select one."""
        if plan is None or result is None:
            self._shown = None
            self._heading.object = '<p class="muted">Tap a cell on an image to inspect it.</p>'
            self._flags.object = ""
            self._tabs.view.visible = False
            return
        self._shown = (plan, result)
        self._tabs.view.visible = True
        self._heading.object = words.cell_heading(result)
        self._flags.object = words.flag_list(result.flags)
        self._refresh()

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self._colors = colors
        self._tabs.theme(colors)
        self._current.clear()
        self._refresh()

    def _refresh(self) -> None:
        """Bring the tab in front up to date, if it shows something else."""
        if self._shown is None:
            return
        plan, result = self._shown
        tab = self._tabs.front()
        if self._current.get(tab.title) is not result:
            tab.show(plan, result, self._colors)
            self._current[tab.title] = result

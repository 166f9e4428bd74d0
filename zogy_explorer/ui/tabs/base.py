"""What the inspector expects of a tab."""

from __future__ import annotations

from typing import Protocol

import panel as pn

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.style import Palette


class InspectorTab(Protocol):
    """One tab of the inspector; its class is called with a `PageContext`.

    Only the tab in front is brought up to date while a slider moves; the others follow when they
    come to the front.
    """

    title: str
    view: pn.viewable.Viewable

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """Bring the tab up to date."""

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""

"""What the inspector expects of a tab."""

from __future__ import annotations

from typing import Protocol

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.late_tabs import LateTab
from zogy_explorer.ui.style import Palette


class InspectorTab(LateTab, Protocol):
    """One tab of the inspector; its class is called with a `PageContext`.

    Only the tab in front is brought up to date while a slider moves; the others follow when they
    come to the front.
    """

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """Bring the tab up to date."""

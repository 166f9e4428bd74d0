"""The Numbers tab: fluxes, border, sizes and times."""

from __future__ import annotations

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui import words
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.style import Palette


class NumbersTab:
    """Fluxes, border, sizes and times."""

    title = "Numbers"

    def __init__(self, context: PageContext) -> None:
        self.view = text_pane(name="numbers-table")

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """The table of one cell."""
        self.view.object = words.sigma_table(result) + words.numbers_table(result, plan)

    def theme(self, colors: Palette) -> None:
        """Text follows the page by itself."""

"""The Runs tab: what was tried on this pair; a click goes back to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.tables import drawer_table
from zogy_explorer.ui.runs import Run
from zogy_explorer.ui.style import Palette

_COLUMNS = {
    "run": "Run",
    "time": "Time",
    "changes": "What changed",
    "sigma": "σ(Scorr)",
    "warn": "Warn",
    "fail": "Fail",
    "seconds": "Seconds",
}
_WIDTHS = {"run": 52, "time": 76, "sigma": 80, "warn": 60, "fail": 56, "seconds": 76}
_FORMATS = {"sigma": "0.000", "seconds": "0.00"}


class RunsTab:
    """Table of the runs, newest first; the row of the run on screen is marked.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Runs"

    def __init__(self, context: PageContext) -> None:
        session = self._session = context.session
        self._writing = False
        # All the room there is goes to what changed; what still does not fit is a tooltip.
        self.view = drawer_table(
            run_table(()), _COLUMNS, _WIDTHS, _FORMATS, layout="fit_columns",
            configuration={"columnDefaults": {"tooltip": True}},
        )  # fmt: skip
        self.view.param.watch(self._row_selected, "selection")
        session.param.watch(lambda *events: self._show_runs(), ["runs", "frame"])
        self._show_runs()

    def show(self) -> None:
        """Nothing to do: the table follows the session at once."""

    def theme(self, colors: Palette) -> None:
        """The table follows the page by itself."""

    def _show_runs(self) -> None:
        session = self._session
        runs = session.runs[::-1]
        on_screen = session.frame.number if session.frame is not None else None
        self._writing = True
        try:
            table = run_table(runs)
            if not table.equals(self.view.value):
                self.view.value = table
            wanted = [i for i, run in enumerate(runs) if run.number == on_screen]
            if self.view.selection != wanted:
                self.view.selection = wanted
        finally:
            self._writing = False

    def _row_selected(self, event: Any) -> None:
        if not self._writing and event.new:
            self._session.return_to(self._session.runs[::-1][int(event.new[0])].number)


def run_table(runs: tuple[Run, ...]) -> pd.DataFrame:
    """One row a run."""
    rows = [
        {
            "run": run.number,
            "time": f"{run.time:%H:%M:%S}",
            "changes": run.changes,
            "sigma": round(run.sigma, 3) if np.isfinite(run.sigma) else np.nan,
            "warn": run.counts["warning"],
            "fail": run.counts["failed"],
            "seconds": round(run.seconds, 2),
        }
        for run in runs
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))

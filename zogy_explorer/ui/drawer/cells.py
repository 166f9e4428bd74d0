"""The Cells tab: one row a cell, linked to the selection."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.tables import drawer_table
from zogy_explorer.ui.state import SYMBOLS, WORDS
from zogy_explorer.ui.style import Palette

_COLUMNS = {
    "cell": "Cell",
    "status": "Status",
    "distance": "PSF Δ [px]",
    "ratio_d": "σ(D) ratio",
    "scorr": "σ(Scorr)",
    "flux": "F_D",
    "time": "Time [ms]",
    "flags": "Flags",
}

_WIDTHS = {
    "cell": 64,
    "status": 72,
    "distance": 88,
    "ratio_d": 94,
    "scorr": 78,
    "flux": 80,
    "time": 84,
}

_FORMATS = {
    "distance": "0.000",
    "ratio_d": "0.000",
    "scorr": "0.000",
    "flux": "0.[0000]",
    "time": "0.0",
}


class CellsTab:
    """Table of all cells; the selected row is the selected cell.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Cells"

    def __init__(self, context: PageContext) -> None:
        session = self._session = context.session
        self._writing = False
        self.view = drawer_table(cell_table(()), _COLUMNS, _WIDTHS, _FORMATS)
        self.view.param.watch(self._row_selected, "selection")
        session.param.watch(lambda *events: self._show_cells(), "frame")
        session.param.watch(lambda *events: self._show_selection(), ["frame", "anchor"])
        self._show_cells()
        self._show_selection()

    def show(self) -> None:
        """Nothing to do: the table follows the session at once."""

    def theme(self, colors: Palette) -> None:
        """The table follows the page by itself."""

    def _show_cells(self) -> None:
        frame = self._session.frame
        self._writing = True
        try:
            cells = frame.cells if frame is not None else ()
            own = frame.plan.overrides if frame is not None else ()
            self.view.value = cell_table(cells, own)
        finally:
            self._writing = False

    def _show_selection(self) -> None:
        cell = self._session.cell
        frame = self._session.frame
        wanted = [cell.cell.index] if cell is not None and frame is not None else []
        if self.view.selection != wanted:
            self._writing = True
            try:
                self.view.selection = wanted
            finally:
                self._writing = False

    def _row_selected(self, event: Any) -> None:
        if not self._writing and event.new:
            self._session.select(int(event.new[0]))


def cell_table(cells: tuple[CellResult, ...], own: Collection[str] = ()) -> pd.DataFrame:
    """One row a cell, in order of the index; those named in ``own`` have settings of their own."""
    rows = [
        {
            "cell": result.cell.name + (" ◆" if result.cell.name in own else ""),
            "status": f"{SYMBOLS[result.worst]} {WORDS[result.worst]}",
            "distance": _rounded(result.centroid_distance, 3),
            "ratio_d": _rounded(_ratio(result.noise.diff_measured, result.noise.diff_predicted), 3),
            "scorr": _rounded(result.noise.scorr_measured, 3),
            "flux": _significant(result.flux_diff),
            "time": _rounded(1e3 * result.timings.get("total", np.nan), 1),
            "flags": ", ".join(flag.name for flag in result.flags),
        }
        for result in cells
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _ratio(measured: float, predicted: float) -> float:
    return measured / predicted if predicted > 0 else float("nan")


def _rounded(value: float, digits: int) -> float:
    return round(float(value), digits) if np.isfinite(value) else np.nan


def _significant(value: float) -> float:
    return float(f"{value:.4g}") if np.isfinite(value) else np.nan

"""The drawer below the images: table of cells, log, and the script that gives the same."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import panel as pn
from bokeh.models.widgets.tables import NumberFormatter

from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui import words
from zogy_explorer.ui.inspector import text_pane
from zogy_explorer.ui.script import script
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import SYMBOLS, WORDS
from zogy_explorer.ui.style import Lazy

_TABLE_CSS = """
.tabulator { background: var(--zx-background); color: var(--zx-text); border: none;
  font-size: 12px; }
.tabulator .tabulator-header, .tabulator .tabulator-header .tabulator-col {
  background: var(--zx-background) !important; color: var(--zx-muted); font-size: 12px;
  border-color: var(--zx-border) !important; }
.tabulator .tabulator-header .tabulator-col { border-right: none !important; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-content { padding: 3px 8px; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-title { font-weight: 400;
  padding-right: 12px !important; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-sorter { right: 2px; }
.tabulator .tabulator-header .tabulator-col .tabulator-arrow { border-left-width: 4px !important;
  border-right-width: 4px !important; }
.tabulator .tabulator-tableholder, .tabulator .tabulator-tableholder .tabulator-table {
  background: var(--zx-background); color: var(--zx-text); }
.tabulator .tabulator-row, .tabulator .tabulator-row.tabulator-row-even {
  background: var(--zx-background); color: var(--zx-text); border-color: var(--zx-border);
  font-size: 12px; min-height: 22px; cursor: pointer; }
.tabulator .tabulator-row .tabulator-cell { border: none; padding: 3px 8px; height: 22px; }
.tabulator .tabulator-row:hover { background: var(--zx-raised) !important; }
.tabulator .tabulator-row.tabulator-selected, .tabulator .tabulator-row.tabulator-selected:hover {
  background: var(--zx-raised) !important; color: var(--zx-text);
  box-shadow: inset 3px 0 0 var(--zx-accent); }
"""

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


class Drawer:
    """Three tabs that follow a session.

    Parameters
    ----------
    session
        Whose cells, log and settings they show.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._writing = False
        self.table = pn.widgets.Tabulator(
            cell_table(()),
            titles=_COLUMNS,
            show_index=False,
            disabled=True,
            selectable=1,
            theme="simple",
            layout="fit_data_stretch",
            widths=_WIDTHS,
            stylesheets=[_TABLE_CSS],
            sizing_mode="stretch_both",
            header_align=dict.fromkeys(_COLUMNS, "left"),
            text_align=dict.fromkeys(_COLUMNS, "left"),
            formatters={
                column: NumberFormatter(format=form, nan_format="–")
                for column, form in _FORMATS.items()
            },
            margin=0,
        )
        self._log = text_pane(name="log", margin=(4, 8))
        self._code = text_pane(name="code", margin=(4, 8))
        self._copy = pn.widgets.Button(label="Copy", margin=(4, 8))
        self._copy.js_on_click(
            args={"pane": self._code},
            code="""
            const text = new DOMParser().parseFromString(pane.text, "text/html");
            const plain = new DOMParser().parseFromString(text.body.textContent, "text/html");
            navigator.clipboard.writeText((plain.querySelector("pre") ?? text.body).textContent);
            """,
        )
        scroll = {"scroll": "y-auto", "sizing_mode": "stretch_both", "margin": 0}
        self._places = [
            Lazy(lambda: self.table),
            Lazy(lambda: pn.Column(self._log, **scroll)),
            Lazy(lambda: pn.Column(self._copy, self._code, **scroll)),
        ]
        self._places[0].fill()
        self.view = pn.Tabs(
            *zip(("Cells", "Log", "Code"), (p.view for p in self._places), strict=True),
            sizing_mode="stretch_both",
            margin=(0, 4),
        )
        self.view.param.watch(lambda event: self._places[event.new].fill(), "active")
        self.table.param.watch(self._row_selected, "selection")
        session.param.watch(lambda *events: self._show_cells(), "frame")
        session.param.watch(lambda *events: self._show_selection(), ["frame", "anchor"])
        session.param.watch(lambda *events: self._show_log(), "notices")
        session.param.watch(lambda *events: self._show_code(), "frame")
        self._show_cells()
        self._show_selection()
        self._show_log()
        self._show_code()

    def _show_cells(self) -> None:
        frame = self._session.frame
        self._writing = True
        try:
            self.table.value = cell_table(frame.cells if frame is not None else ())
        finally:
            self._writing = False

    def _show_selection(self) -> None:
        cell = self._session.cell
        frame = self._session.frame
        wanted = [cell.cell.index] if cell is not None and frame is not None else []
        if self.table.selection != wanted:
            self._writing = True
            try:
                self.table.selection = wanted
            finally:
                self._writing = False

    def _row_selected(self, event: Any) -> None:
        if not self._writing and event.new:
            self._session.select(int(event.new[0]))

    def _show_log(self) -> None:
        self._log.object = words.log_lines(self._session.notices)

    def _show_code(self) -> None:
        frame = self._session.frame
        if frame is None:
            self._code.object = '<p class="muted">Open a pair to see the script.</p>'
            return
        text = script(frame.pair, self._session.config)
        self._code.object = f"<pre>{escape(text)}</pre>"


def cell_table(cells: tuple[CellResult, ...]) -> pd.DataFrame:
    """One row a cell, in order of the index."""
    rows = [
        {
            "cell": result.cell.name,
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


def plain_text(html: str) -> str:
    """Text of a pane without its tags, for tests and screen readers."""
    return re.sub(r"<[^>]+>", "", html)

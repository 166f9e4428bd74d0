"""How tables of the drawer look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import panel as pn
from bokeh.models.widgets.tables import NumberFormatter, StringFormatter

_CSS = """
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
.tabulator-tooltip.tabulator-tooltip { background: var(--zx-raised); color: var(--zx-text);
  border-color: var(--zx-border); font-size: 12px; max-width: 480px; white-space: normal; }
"""
"""Style sheet of a Tabulator in the page's colours."""


def drawer_table(
    rows: pd.DataFrame,
    titles: Mapping[str, str],
    widths: Mapping[str, int],
    formats: Mapping[str, str],
    *,
    layout: str = "fit_data_stretch",
    **options: Any,
) -> pn.widgets.Tabulator:
    """A table to read, of which one row can be selected.

    Parameters
    ----------
    rows
        What it shows first.
    titles, widths, formats
        By column: heading, width [px] and numeral.js format; a missing number is a dash.
    layout
        "fit_data_stretch" widens the last column to the edge, "fit_columns" those without width.
    **options
        Of `panel.widgets.Tabulator`.
    """
    # Said of texts too: else they are taken for what an empty table looks like, for numbers.
    plain = {column: StringFormatter() for column in titles if column not in formats}
    return pn.widgets.Tabulator(
        rows,
        titles=dict(titles),
        widths=dict(widths),
        formatters=plain
        | {
            column: NumberFormatter(format=form, nan_format="–") for column, form in formats.items()
        },
        header_align=dict.fromkeys(titles, "left"),
        text_align=dict.fromkeys(titles, "left"),
        show_index=False,
        disabled=True,
        selectable=1,
        theme="simple",
        layout=layout,
        stylesheets=[_CSS],
        sizing_mode="stretch_both",
        margin=0,
        **options,
    )

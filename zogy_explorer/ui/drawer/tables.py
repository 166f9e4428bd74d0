"""How tables of the drawer look."""

from __future__ import annotations

TABLE_CSS = """
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
"""Style sheet of a Tabulator in the page's colours."""

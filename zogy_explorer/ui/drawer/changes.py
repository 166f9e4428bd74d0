"""The Compare tab: the numbers in which the pinned result and the present one differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from types import MappingProxyType

import panel as pn

from zogy_explorer.diagnostics.compare import Row, compare_results
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.errors import InputError
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.layers import describe_value
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.style import Palette

_HINT = (
    '<p class="muted">Pin the present result as A (button above, or <kbd>p</kbd>), then change '
    "a setting: the numbers that differ are listed here, and A can be blinked (hold "
    "<kbd>b</kbd>), swiped or subtracted on the images.</p>"
)

_COUNTABLE = 1e7
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "sigma_science": "σ_n",
        "sigma_template": "σ_r",
        "flux_science": "F_n",
        "flux_template": "F_r",
        "flux_diff": "F_D",
        "flux_score": "F_S",
        "centroid_distance": "PSF centroids apart",
        "diff_predicted": "σ(D) predicted",
        "diff_measured": "σ(D) measured",
        "scorr_measured": "σ(Scorr)",
        "diff_rms": "rms of D, all pixels",
        "scorr_max": "largest |Scorr|",
        "over_5": "Scorr > 5 σ",
        "below_-5": "Scorr < −5 σ",
    }
)
"""Rows that have another name on the page than in `compare_results`."""


class ChangesTab:
    """Tables of what changed in the selected cell and in the frame.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Compare"

    def __init__(self, context: PageContext) -> None:
        self._session = context.session
        self._lane = context.lane()
        self._context = context
        self._frames: tuple[Frame, Frame] | None = None
        self._cell = text_pane(_HINT, name="compare-cell", margin=(4, 8))
        self._whole = text_pane(name="compare-frame", margin=(4, 8))
        self.view = pn.Row(
            self._cell, self._whole, scroll="y-auto", sizing_mode="stretch_both", margin=0
        )
        context.session.param.watch(lambda event: context.painter.ask(self.show), "pinned")

    def show(self) -> None:
        """Both tables, the frame's by a worker."""
        session = self._session
        pinned, frame = session.pinned, session.frame
        if pinned is None or frame is None:
            self._cell.object, self._whole.object, self._frames = _HINT, "", None
            return
        cell = session.cell
        before = next((c for c in pinned.cells if cell and c.cell.inner == cell.cell.inner), None)
        if cell is None or before is None:
            self._cell.object = '<p class="muted">A has no cell of the same place.</p>'
        else:
            self._cell.object = changes_table(before, cell, f"Cell {cell.cell.name}")
        if self._frames != (pinned, frame):
            self._frames = (pinned, frame)
            self._context.submit(
                self._lane,
                lambda token, progress: changes_table(
                    pinned.difference, frame.difference, "Whole frame"
                ),
                self._land,
            )

    def theme(self, colors: Palette) -> None:
        """Text follows the page by itself."""

    def _land(self, table: str) -> None:
        if self._session.pinned is not None:
            self._whole.object = table


def changes_table(a: CellResult | Difference, b: CellResult | Difference, title: str) -> str:
    """What changed from a to b, as HTML."""
    try:
        rows = compare_results(a, b).changed
    except InputError as error:
        return f'<h3>{escape(title)}</h3><p class="muted">{escape(str(error))}</p>'
    # What differs by rounding errors only would read "5.995 → 5.995".
    rows = tuple(row for row in rows if row.name != "config" and _text(row.a) != _text(row.b))
    if not rows:
        return (
            f'<h3>{escape(title)}</h3><p class="muted">No number differs in the digits shown.</p>'
        )
    return f"<h3>{escape(title)}</h3>{_table(rows)}"


def changed_settings(a: SubtractionPlan, b: SubtractionPlan) -> list[tuple[str, str, str]]:
    """Name and both values of each setting that differs."""
    return [(k, str(v), str(b.config[k])) for k, v in a.config.items() if v != b.config[k]]


def _table(rows: Iterable[Row]) -> str:
    body = "".join(
        f'<tr><th style="white-space:normal" title="{escape(row.unit)}">'
        f"{escape(_name(row))}</th>"
        f'<td class="n">{_text(row.a)}</td><td class="n">{_text(row.b)}</td>'
        f'<td class="n">{_minus(row)}</td></tr>'
        for row in rows
    )
    head = '<tr><th></th><th class="n">A</th><th class="n">B</th><th class="n">A − B</th></tr>'
    return f"<table>{head}{body}</table>"


def _minus(row: Row) -> str:
    """A − B, as on the images."""
    return _text(0.0 - row.change, 2)


def _name(row: Row) -> str:
    name = _NAMES.get(row.name, row.name.replace("_", " "))
    return f"{name} [{row.unit}]" if row.unit in ("px", "σ") and row.unit not in name else name


def _text(value: float | str, digits: int = 4) -> str:
    if isinstance(value, str):
        text = escape(value.replace("; ", ", ").replace("_", " ").lower())
        style = "white-space:normal;display:inline-block;max-width:120px"
        return f'<span style="{style}">{text or "–"}</span>'
    if value.is_integer() and abs(value) < _COUNTABLE:  # a number of cells or of pixels
        return f"{value:.0f}".replace("-", "−")
    return describe_value(value, digits).replace("-", "−")

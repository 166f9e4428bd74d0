"""The Detections tab: what changed, as a table that is linked to marks on the images."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd  # type: ignore[import-untyped]
import panel as pn

from zogy_explorer.diagnostics import DETECTION_FLAGS
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.controls import NumberControl, help_icon
from zogy_explorer.ui.drawer.tables import drawer_table
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.state import SYMBOLS, failures
from zogy_explorer.ui.style import Palette
from zogy_explorer.ui.wall.points import PointMark

if TYPE_CHECKING:
    from astropy.table import QTable

    from zogy_explorer.engine import Difference

MOST_ROWS = 500
"""Most significant detections that the table shows."""
MOST_MARKS = 3000
"""Most significant detections that are marked."""

_COLUMNS = {
    "id": "#",
    "x": "x [px]",
    "y": "y [px]",
    "scorr": "Scorr",
    "normalised": "Scorr/σ",
    "flux": "Flux",
    "error": "± error",
    "sign": "Sign",
    "cell": "Cell",
    "flags": "Flags",
    "ra": "RA [°]",
    "dec": "Dec [°]",
    "reasons": "Reasons",
}
_WIDTHS = {
    "id": 48, "x": 70, "y": 70, "scorr": 70, "normalised": 76, "flux": 82, "error": 76,
    "sign": 56, "cell": 64, "flags": 200, "ra": 96, "dec": 96,
}  # fmt: skip
_FORMATS = {
    "id": "0",
    "x": "0.00", "y": "0.00", "scorr": "0.0", "normalised": "0.0", "flux": "0.[0000]",
    "error": "0.[0000]", "ra": "0.000000", "dec": "0.000000",
}  # fmt: skip
_MARKERS = {1: "circle", -1: "square"}


class DetectionsTab:
    """Threshold, marks, and the table of `diagnostics.detect`.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Detections"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._studies = context.session.studies
        study = self._study = self._studies.detections
        self._writing = False
        self._shown: Any = None
        p = study.param
        self.threshold = NumberControl(
            "Threshold [σ]", study.threshold, start=3.0, end=20.0, step=0.1, least=3.0,
            help_text=str(p.threshold.doc),
        )  # fmt: skip
        self._wanted_threshold = study.threshold
        self.threshold.connect(self._moved, self._released)
        self.markers = pn.widgets.Checkbox(
            label="Mark on the images",
            value=study.markers,
            margin=(2, 0),
            css_classes=["zx-detection-marks"],
        )
        self.markers.param.watch(lambda event: setattr(study, "markers", event.new), "value")
        self._words = text_pane(name="detections-words")
        self.table = drawer_table(
            detection_rows(None), _COLUMNS, _WIDTHS, _FORMATS, hidden_columns=["ra", "dec"]
        )
        self.table.param.watch(self._row_selected, "selection")
        self.view = pn.Row(
            pn.Column(
                self.threshold.view,
                pn.Row(self.markers, help_icon(str(p.markers.doc)), margin=0),
                self._words,
                width=252,
                sizing_mode="stretch_height",
                scroll="y-auto",
                margin=(2, 8, 0, 8),
            ),
            self.table,
            sizing_mode="stretch_both",
            margin=0,
        )
        ask = context.painter.ask
        study.param.watch(lambda *events: ask(self._show_all), ["table", "markers", "chosen"])
        study.param.watch(lambda *events: ask(self._say), ["busy", "message"])
        study.param.watch(lambda event: self.threshold.show(event.new), "threshold")
        study.param.watch(lambda event: self.markers.param.update(value=event.new), "markers")
        self._say()

    def show(self) -> None:
        """Nothing to do: the table follows its study."""

    def in_front(self, shown: bool) -> None:
        """Search only while somebody looks."""
        self._study.wanted = shown

    def theme(self, colors: Palette) -> None:
        """The table follows the page by itself."""

    def _moved(self, value: float) -> None:
        self._wanted_threshold = value

    def _released(self) -> None:
        self._study.threshold = self._wanted_threshold

    def _show_all(self) -> None:
        study = self._study
        if study.table is not self._shown:
            self._shown = study.table
            rows = detection_rows(study.table)
            self._writing = True
            try:
                known = study.table is not None and "ra" in study.table.colnames
                self.table.hidden_columns = [] if known else ["ra", "dec"]
                self.table.value = rows
                self.table.selection = []
            finally:
                self._writing = False
        wanted = [] if study.chosen is None or study.chosen >= MOST_ROWS else [study.chosen]
        if self.table.selection != wanted:
            self._writing = True
            try:
                self.table.selection = wanted
            finally:
                self._writing = False
        shown = study.table if study.markers else None
        self._context.wall.mark("detections", detection_marks(shown, study.chosen))
        self._say()

    def _say(self) -> None:
        study = self._study
        if study.message:
            self._words.object = (
                f'<p class="failed">{SYMBOLS["failed"]} {escape(study.message)}</p>'
            )
        elif study.busy:
            self._words.object = '<p class="muted">searching…</p>'
        elif study.table is None:
            self._words.object = ""
        elif study.chosen is not None:
            self._words.object = chosen_words(study.table, study.chosen)
        else:
            frame = self._context.session.frame
            self._words.object = summary_words(study.table, frame and frame.difference)

    def _row_selected(self, event: Any) -> None:
        if self._writing or not event.new:
            return
        self._studies.choose_detection(int(event.new[0]))
        self._context.painter.ask(self._zoom)

    def _zoom(self) -> None:
        box = self._study.close_up()
        if box is not None:
            self._context.wall.zoom_to(box, 0.0)


def detection_rows(table: QTable | None) -> pd.DataFrame:
    """The table as the page shows it: the most significant detections."""
    if table is None:
        return pd.DataFrame({name: [] for name in _COLUMNS})
    top = table[:MOST_ROWS]
    sky = "ra" in table.colnames
    columns = {
        "id": top["id"],
        "x": top["x"].value,
        "y": top["y"].value,
        "scorr": top["scorr"],
        "normalised": top["scorr_normalised"],
        "flux": [_significant(v) for v in top["flux"]],
        "error": [_significant(v) for v in top["flux_error"]],
        "sign": ["+" if sign > 0 else "−" for sign in top["sign"]],
        "cell": top["cell"],
        "flags": [flags.replace(" ", ", ") or f"{SYMBOLS['ok']} none" for flags in top["flags"]],
        "ra": top["ra"].value if sky else [None] * len(top),
        "dec": top["dec"].value if sky else [None] * len(top),
        "reasons": top["reasons"],
    }
    return pd.DataFrame({name: list(values) for name, values in columns.items()})


def detection_marks(table: QTable | None, chosen: int | None) -> list[PointMark]:
    """Where the detections are: the shape says the sign, the colour whether there are flags."""
    if table is None:
        return []
    top = table[:MOST_MARKS]
    marks = [
        PointMark(float(x), float(y), _MARKERS[int(sign)], severity="warning" if flags else "info")
        for x, y, sign, flags in zip(
            top["x"].value, top["y"].value, top["sign"], top["flags"], strict=True
        )
    ]
    if chosen is not None and chosen < len(marks):
        mark = marks[chosen]
        marks.append(PointMark(mark.x, mark.y, mark.marker, 22.0, "selected"))
    return marks


def summary_words(table: QTable, searched: Difference | None = None) -> str:
    """How many there are, and how much of the frame could not be searched."""
    meta = table.meta
    unsearched = failed_words(searched) if searched is not None else ""
    if searched is not None and len(searched.failed) == len(searched.cells):
        return unsearched
    if not len(table):
        return f"<p>Nothing beyond {meta['threshold']:g} σ.</p>{unsearched}"
    cut = f" The {MOST_ROWS} most significant are listed." if len(table) > MOST_ROWS else ""
    return (
        f"<p><b>{len(table)}</b> beyond {meta['threshold']:g} σ: {meta['n_positive']} positive, "
        f"{meta['n_negative']} negative; <b>{meta['n_unflagged']}</b> without flags.{cut}</p>"
        f"{unsearched}"
        '<p class="muted">Tap a row to see it on the images (<b>e</b> explains it), or a mark to '
        "find its row.</p>"
    )


def failed_words(difference: Difference) -> str:
    """Which cells could not be searched, and why; empty if all could."""
    failed, count = len(difference.failed), len(difference.cells)
    if not failed:
        return ""
    if failed == count:
        heading = "The only cell failed" if count == 1 else f"All {count} cells failed"
        heading = f"<b>{heading}</b>: there is nothing to search."
    else:
        heading = f"{failed} of {count} cells failed and could not be searched."
    causes = "".join(
        f'<p class="muted">{escape(notice.text)}. {escape(notice.advice)}</p>'
        for notice in failures(difference)
    )
    return f'<p><span class="failed">{SYMBOLS["failed"]}</span> {heading}</p>{causes}'


def chosen_words(table: QTable, row: int) -> str:
    """What speaks against one detection, with advice."""
    r = table[row]
    flags = str(r["flags"]).split()
    heading = (
        f"<p><b>#{r['id']}</b> Scorr {float(r['scorr']):.1f} σ, {float(r['scorr_normalised']):.1f} "
        "over the measured σ.</p>"
    )
    if not flags:
        return heading + "<p>Nothing speaks against a point source that changed.</p>"
    parts = []
    for name in flags:
        kind = DETECTION_FLAGS[name]
        parts.append(
            f'<div class="flag {kind.severity}">{SYMBOLS[kind.severity]} {escape(name)}<br>'
            f"<span>{escape(kind.meaning)}</span> "
            f'<span class="advice">{escape(kind.advice)}</span></div>'
        )
    return heading + "".join(parts) + f'<p class="muted">{escape(str(r["reasons"]))}</p>'


def _significant(value: float) -> float:
    return float(f"{float(value):.4g}")

"""The line of values under the cursor, for every layer at once.

Moving costs no message: the browser looks values up in what it already shows (approximate, for
they went through 256 levels). When the cursor rests or taps, it asks through a small source, and
the exact values come back the same way, numbered so that a late answer is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bokeh import events
from bokeh.models import ColumnDataSource, CustomJS, InlineStyleSheet, Span
from bokeh.plotting import figure
from panel.models.markup import HTML

from zogy_explorer.ui.wall.layers import LayerSpec
from zogy_explorer.ui.wall.palettes import Theme
from zogy_explorer.ui.wall.scripts import READOUT

REST_MS = 150
"""How long the cursor must rest before the exact values are fetched."""

Exact = Callable[[float, float], tuple[str, list[str]]]
"""Position → sky position and the value of every layer, as texts."""


class Readout:
    """Crosshair and readout of a wall.

    Parameters
    ----------
    layers
        The panels, in order.
    cells
        Source of the cells' edges, names and flags.
    exact
        Called when the cursor rests.
    """

    def __init__(self, layers: Sequence[LayerSpec], cells: ColumnDataSource, exact: Exact) -> None:
        self._layers = tuple(layers)
        self._cells = cells
        self._exact = exact
        self._spans: list[Span] = []
        self._style = InlineStyleSheet(css="")
        # Not Bokeh's Div: a change of its text lays the whole page out again.
        self.model = HTML(
            name="readout", text="", height=40, sizing_mode="stretch_width", margin=0,
            run_scripts=False, stylesheets=[self._style],
        )  # fmt: skip
        self.meta = ColumnDataSource(name="readout-meta", data={"wcs": [[]]})
        self.probe = ColumnDataSource(name="probe", data={"x": [], "y": [], "n": []})
        self.answer = ColumnDataSource(name="exact", data={"n": [], "sky": [], "values": []})
        self.probe.on_change("data", self._on_probe)

    def attach(self, plots: Sequence[figure], sources: Sequence[ColumnDataSource]) -> None:
        """Follow the cursor over these panels, reading these sources."""
        for plot in plots:
            for dimension in ("width", "height"):
                span = Span(
                    dimension=dimension, location=0, visible=False, line_width=1,
                    level="overlay",  # on a canvas of its own: the image is not painted again
                )  # fmt: skip
                plot.add_layout(span)
                self._spans.append(span)
        script = CustomJS(
            args={
                "readout": self.model, "probe": self.probe, "exact": self.answer,
                "meta": self.meta, "cells": self._cells, "sources": list(sources),
                "spans": self._spans, "rest_ms": REST_MS,
                "kinds": [layer.kind for layer in self._layers],
                "labels": [layer.label or layer.title for layer in self._layers],
            },
            code=READOUT,
        )  # fmt: skip
        for plot in plots:
            for event in (events.MouseMove, events.MouseLeave, events.Tap, events.DoubleTap):
                plot.js_on_event(event, script)
        # Under a cursor that rests, too, the line says what is on screen now.
        for source in (self.answer, self._cells):
            source.js_on_change("data", script)

    def set_wcs(self, plane: list[float]) -> None:
        """Give the browser the eight numbers of `sky.tangent_plane`."""
        self.meta.data = {"wcs": [plane]}

    @property
    def rested(self) -> tuple[float, float] | None:
        """Where the cursor rested last, on the pixel grid; None if it never did."""
        data = self.probe.data
        return (float(data["x"][0]), float(data["y"][0])) if len(data["n"]) else None

    def refresh(self) -> None:
        """Answer once more where the cursor rested: other pixels may be there now."""
        self._answer(self.probe.data)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._style.css = _css(theme)
        for span in self._spans:
            span.line_color = theme.crosshair

    def _on_probe(self, attr: str, old: Any, new: dict[str, Any]) -> None:
        self._answer(new)

    def _answer(self, asked: dict[str, Any]) -> None:
        if not len(asked["n"]):
            return
        sky, values = self._exact(float(asked["x"][0]), float(asked["y"][0]))
        answer = {"n": [int(asked["n"][0])], "sky": [sky], "values": [values]}
        if answer != self.answer.data:
            self.answer.data = answer


def _css(theme: Theme) -> str:
    severities = "".join(
        f".cell .{n}{{color:{c}}}" for n, c in theme.severities.items() if n != "ok"
    )
    return f"""
:host {{ overflow: hidden; contain: strict; }}
.row {{ display: flex; gap: 10px; white-space: nowrap; overflow: hidden; height: 20px;
  line-height: 20px; font: 12px/20px system-ui, sans-serif; color: {theme.text};
  font-variant-numeric: tabular-nums; }}
.row i {{ font-style: normal; color: {theme.muted}; }}
.pos {{ flex: 0 0 96px; }} .sky {{ flex: 0 0 186px; }}
.cell {{ flex: 1 1 auto; overflow: hidden; text-overflow: ellipsis; }}
.cell b {{ font-weight: 600; color: {theme.muted}; }}
.value {{ flex: 0 0 auto; min-width: 104px; }}
.planes {{ flex: 1 1 auto; overflow: hidden; text-overflow: ellipsis; font-weight: 600; }}
{severities}
"""

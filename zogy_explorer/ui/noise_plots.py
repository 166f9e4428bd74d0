"""Histogram and quantiles of Scorr in a cell against the unit Gaussian, updated in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray
from scipy.special import ndtri

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.masks import bit_mask
from zogy_explorer.ui.style import Palette, theme_figure

EDGES = np.arange(-8.0, 8.01, 0.25)
_PROBABILITIES = np.concatenate(
    ([1e-4, 3e-4, 1e-3, 3e-3], np.linspace(0.01, 0.99, 33), [0.997, 0.999, 0.9997, 0.9999])
)


class NoisePlots:
    """Two figures: density of Scorr (logarithmic), and its quantiles against a Gaussian's."""

    def __init__(self) -> None:
        centres = (EDGES[:-1] + EDGES[1:]) / 2
        self._counts = ColumnDataSource(
            data={"left": EDGES[:-1], "right": EDGES[1:], "top": np.full(centres.size, np.nan)},
            name="source-noise-histogram",
        )
        self.histogram = figure(
            name="noise-histogram",
            height=190,
            sizing_mode="stretch_width",
            toolbar_location=None,
            tools="",
            x_axis_label="Scorr [σ]",
            y_axis_label="density",
            y_axis_type="log",
            x_range=Range1d(-8, 8),
            y_range=Range1d(1e-5, 1),
            min_border=4,
        )
        self._bars = self.histogram.quad(
            left="left",
            right="right",
            top="top",
            bottom=1e-6,
            source=self._counts,
            fill_alpha=0.55,
            line_alpha=0.0,
            legend_label="this cell",
        )
        x = np.linspace(-8, 8, 161)
        self._gauss = self.histogram.line(
            x,
            np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
            line_width=1.5,
            legend_label="unit Gaussian",
        )
        self._quantiles = ColumnDataSource(data={"x": [], "y": []}, name="source-noise-quantiles")
        self.quantiles = figure(
            name="noise-quantiles",
            height=190,
            sizing_mode="stretch_width",
            toolbar_location=None,
            tools="",
            x_axis_label="quantile of the unit Gaussian",
            y_axis_label="quantile of Scorr",
            x_range=Range1d(-4, 4),
            y_range=Range1d(-8, 8),
            min_border=4,
        )
        self._diagonal = self.quantiles.line([-8, 8], [-8, 8], line_width=1.5)
        self._points = self.quantiles.scatter("x", "y", source=self._quantiles, size=5)
        for plot in (self.histogram, self.quantiles):
            plot.axis.axis_label_text_font_size = "11px"
            plot.axis.axis_label_text_font_style = "normal"
            plot.axis.major_label_text_font_size = "10px"
        self.histogram.legend.label_text_font_size = "10px"
        self.histogram.legend.padding = 2
        self.histogram.legend.location = "top_left"

    def show(self, plan: SubtractionPlan, result: CellResult) -> int:
        """Both plots for one cell; returns the number of pixels used."""
        values = unmasked_scorr(plan, result)
        counts, _ = np.histogram(values, EDGES)
        density = counts / max(values.size, 1) / np.diff(EDGES)
        top: Any = np.where(counts > 0, density, np.nan)
        self._counts.data = {"left": EDGES[:-1], "right": EDGES[1:], "top": top}
        if values.size:
            # Quantiles beyond what so many pixels can tell would only show the extremes again.
            known = np.minimum(_PROBABILITIES, 1 - _PROBABILITIES) * values.size >= 1
            p = _PROBABILITIES[known]
            self._quantiles.data = {"x": ndtri(p), "y": np.quantile(values, p)}
        else:
            self._quantiles.data = {"x": [], "y": []}
        return int(values.size)

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        for plot in (self.histogram, self.quantiles):
            theme_figure(plot, colors)
        self._bars.glyph.fill_color = colors.info
        self._gauss.glyph.line_color = colors.text
        self._diagonal.glyph.line_color = colors.muted
        self._points.glyph.update(fill_color=colors.info, line_color=colors.info)


def unmasked_scorr(plan: SubtractionPlan, result: CellResult) -> NDArray[np.floating]:
    """Values of Scorr at the pixels that no plane of `ignoreMaskPlanes` but DETECTED marks.

    Sources belong in the picture (they are its tails), so DETECTED does not hide them.
    """
    if result.scorr is None:
        return np.empty(0)
    names = [n for n in plan.config.ignoreMaskPlanes if not n.startswith("DETECTED")]
    good = np.isfinite(result.scorr)
    if result.mask is not None:
        good &= (result.mask & bit_mask(plan.mask_planes, names)) == 0
    return result.scorr[good]

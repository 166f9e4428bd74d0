"""What the plots of the drawer have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import panel as pn
from bokeh.models import DataRange1d
from bokeh.plotting import figure

HEIGHT = 192
"""[px] What the drawer leaves for a plot."""


def small_plot(name: str, x_label: str, y_label: str, **options: Any) -> figure:
    """A plot without tools that fills its place, ranges following the data."""
    plot = figure(
        name=name, sizing_mode="stretch_width", height=HEIGHT, toolbar_location=None, tools="",
        min_border=4, x_axis_label=x_label, y_axis_label=y_label,
        x_range=DataRange1d(range_padding=0.0), **options,
    )  # fmt: skip
    plot.axis.axis_label_text_font_size = "11px"
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.major_label_text_font_size = "10px"
    plot.axis.axis_label_standoff = 2
    plot.yaxis.ticker.desired_num_ticks = 4
    plot.xaxis.ticker.desired_num_ticks = 4
    plot.yaxis.minor_tick_line_color = None
    return plot


def stage(plots: Iterable[figure]) -> pn.Row:
    """Plots side by side, out of sight until there is something to show in them."""
    panes = (pn.pane.Bokeh(plot, sizing_mode="stretch_width", margin=0) for plot in plots)
    return pn.Row(*panes, sizing_mode="stretch_both", margin=0, visible=False)


def small_legend(plot: figure, location: str = "top_right") -> None:
    """A legend that takes little room."""
    legend = plot.legend
    legend.label_text_font_size = "10px"
    legend.padding, legend.spacing, legend.margin = 2, 0, 2
    legend.glyph_width = 14
    legend.location = location

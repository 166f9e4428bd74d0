"""Panels in a grid whose images are all of one size, with one toolbar for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.layouts import gridplot
from bokeh.models import InlineStyleSheet

from zogy_explorer.ui.wall.panel import Panel

_GAP = 6  # between panels [px]


def arrange(
    panels: Sequence[Panel],
    columns: int,
    borders: tuple[int, int],
    toolbar_style: InlineStyleSheet,
) -> Any:
    """Bokeh layout of panels, row by row; stretches to the space it is given.

    Parameters
    ----------
    borders : (left, bottom)
        Room for tick labels in the first column and the last row [px].
    toolbar_style
        Kept up to date by the caller.
    """
    models = [panel.model for panel in panels]
    rows = [models[k : k + columns] for k in range(0, len(models), columns)]
    layout = gridplot(
        rows,
        sizing_mode="stretch_both",
        toolbar_location="right",
        toolbar_options={"logo": None},
    )
    layout.name, layout.spacing = "wall", _GAP
    layout.toolbar.stylesheets = [toolbar_style]
    # All images are of one size: the outer panels get the room of their tick labels on top.
    layout.cols = _tracks(columns, borders[0])
    layout.rows = _tracks(len(rows), borders[1])[::-1]
    return layout


def _tracks(count: int, extra: int) -> list[str]:
    """CSS sizes of equal tracks, the first with ``extra`` px more."""
    share = f"(100% - {extra + _GAP * (count - 1)}px) / {count}"
    return [f"calc({share} + {extra}px)"] + [f"calc({share})"] * (count - 1)

"""Panels in a grid whose images are all of one size, with one toolbar for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.models import GridBox, InlineStyleSheet, Row, Toolbar, ToolProxy

from zogy_explorer.ui.wall.panel import Panel

LEFT, BOTTOM = 34, 18
"""[px] Room for the tick labels at the wall's outer edge."""

_GAP = 6  # between panels [px]
_ALONE = """
.zx-panel:not(.zx-panel-%d) { display: none !important; }
.zx-panel { grid-area: 1 / 1 / -1 / -1 !important; }
"""


def arrange(
    panels: Sequence[Panel],
    columns: int,
    toolbar_style: InlineStyleSheet,
) -> Any:
    """Bokeh layout of panels, row by row; stretches to the space it is given.

    Parameters
    ----------
    toolbar_style
        Kept up to date by the caller.
    """
    # Not Bokeh's GridPlot, which is no part of its layout's tree: beside other figures on a page
    # its own would no longer follow a change of size. Grid and toolbar in a row are.
    children = [(panel.model, *divmod(place, columns)) for place, panel in enumerate(panels)]
    for place, panel in enumerate(panels):
        panel.model.css_classes = ["zx-panel", f"zx-panel-{place}"]
    rows = -(-len(panels) // columns)
    grid = GridBox(
        children=children, spacing=_GAP, sizing_mode="stretch_both",
        # All images are of one size: the outer panels get the room of their tick labels on top.
        cols=_tracks(columns, LEFT), rows=_tracks(rows, BOTTOM)[::-1],
        stylesheets=[InlineStyleSheet(css="")],
    )  # fmt: skip
    proxies = [ToolProxy(tools=list(same)) for same in zip(*(p.tools for p in panels), strict=True)]
    toolbar = Toolbar(tools=proxies, logo=None, stylesheets=[toolbar_style])
    layout = Row(name="wall", children=[grid, toolbar], sizing_mode="stretch_both")
    place_panels(layout, panels, columns, None)
    return layout


def place_panels(layout: Any, panels: Sequence[Panel], columns: int, alone: str | None) -> None:
    """All panels in their grid, or one ``alone`` in all the room.

    The others are hidden by a style alone: each change of a model that has a place in the layout
    would lay out the whole page again, one after the other and seen.
    """
    rows = -(-len(panels) // columns)
    names = [panel.layer.name for panel in panels]
    layout.children[0].stylesheets[0].css = "" if alone is None else _ALONE % names.index(alone)
    for place, panel in enumerate(panels):
        row, column = divmod(place, columns)
        single = panel.layer.name == alone
        panel.set_borders(
            LEFT if column == 0 or single else 0, BOTTOM if row == rows - 1 or single else 0
        )


def _tracks(count: int, extra: int) -> list[str]:
    """CSS sizes of equal tracks, the first with ``extra`` px more."""
    share = f"(100% - {extra + _GAP * (count - 1)}px) / {count}"
    return [f"calc({share} + {extra}px)"] + [f"calc({share})"] * (count - 1)

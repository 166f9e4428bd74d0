"""Glyphs of one source in many panels, with as few models as Bokeh can do with.

A page is as slow to open as it has models: `bokeh.plotting` makes six for each glyph that it adds
(copies for selected, muted and other states, a view, its filter), and none of them is used here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from bokeh.core.enums import RenderLevelType
from bokeh.models import AllIndices, CDSView, ColumnDataSource, Glyph, GlyphRenderer
from bokeh.plotting import figure


class Drawing:
    """One source that is drawn in several panels.

    Parameters
    ----------
    source
        What is drawn.
    """

    def __init__(self, source: ColumnDataSource) -> None:
        self.source = source
        self._view = CDSView(filter=AllIndices())
        self._waiting: list[Callable[[], object]] = []

    def add_to(
        self,
        plot: figure,
        glyph: Glyph,
        *,
        name: str,
        level: RenderLevelType = "glyph",
    ) -> GlyphRenderer:
        """Draw the source in a panel; a glyph may be drawn in many.

        The level "overlay" is a canvas of its own: what is under it is not painted again.
        """
        renderer = GlyphRenderer(
            data_source=self.source, view=self._view, glyph=glyph, selection_glyph=glyph,
            nonselection_glyph=glyph, muted_glyph=glyph, name=name, level=level,
        )  # fmt: skip
        plot.renderers.append(renderer)
        return renderer

    def add_later(self, plot: figure, glyph: Glyph, **options: Any) -> None:
        """Draw the source in a panel from when it first `appear`s: few pages ever need it.

        Takes what `add_to` takes.
        """
        self._waiting.append(functools.partial(self.add_to, plot, glyph, **options))

    def appear(self) -> None:
        """Be drawn where that was to be later."""
        while self._waiting:
            self._waiting.pop(0)()

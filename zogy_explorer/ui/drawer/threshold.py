"""The Threshold tab: choose `maxPsfCentroidDist` by looking at all cells."""

from __future__ import annotations

import numpy as np
import panel as pn

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.threshold_plots import DistancePlots, distances
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.style import DARK, Palette

FIELD = "maxPsfCentroidDist"
STEP = 1e-3
"""[px] The line moves in these steps."""


class ThresholdTab:
    """Distances of the PSF centroids of all cells, and a line to drag.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Threshold"

    def __init__(self, context: PageContext) -> None:
        session = self._session = context.session
        self._colors = DARK
        self._shown: Frame | None = None
        self._words = text_pane(name="threshold-words", width=178, sizing_mode=None, margin=(4, 8))
        self.plots = DistancePlots(self._drag, session.commit, session.select_at)
        self.view = pn.Row(
            self._words,
            pn.pane.Bokeh(self.plots.histogram, sizing_mode="stretch_both", margin=0),
            pn.pane.Bokeh(self.plots.map, sizing_mode="stretch_height", width=190, margin=0),
            sizing_mode="stretch_both",
            margin=0,
        )
        session.config.param.watch(lambda event: context.painter.ask(self._follow), FIELD)

    def show(self) -> None:
        """The frame on screen."""
        frame = self._session.frame
        if frame is None or frame is self._shown:
            return
        self._shown = frame
        self.plots.show(frame.cells, self._limit, self._colors)
        self._say()

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        self._colors = colors
        self.plots.theme(colors)
        if self._shown is not None:
            self.plots.show_limit(self._limit, colors)

    @property
    def _limit(self) -> float:
        return float(getattr(self._session.config, FIELD))

    def _drag(self, limit: float) -> None:
        least, _ = ZogyConfig.param[FIELD].bounds
        wanted = max(round(limit / STEP) * STEP, least or 0.0, STEP)
        self._session.drag(**{FIELD: round(wanted, 6)})

    def _follow(self) -> None:
        """The limit changed, here or on the slider."""
        if self._shown is not None:
            self.plots.show_limit(self._limit, self._colors)
            self._say()

    def _say(self) -> None:
        assert self._shown is not None
        self._words.object = threshold_words(self._shown, self._limit)


def threshold_words(frame: Frame, limit: float) -> str:
    """How many cells would fail under a limit [px], and where the distances lie."""
    values = distances(frame.cells)
    known = values[np.isfinite(values)]
    count = int(np.count_nonzero(known > limit))
    severity = "failed" if count else "ok"
    spread = (
        f"<p class='muted'>median {np.median(known):.3f} px<br>"
        f"{known.min():.3f} … {known.max():.3f} px</p>"
        if known.size
        else ""
    )
    lost = values.size - known.size
    unknown = f"<p class='muted'>{lost} without a measured distance</p>" if lost else ""
    return (
        f"<h3><span class='{severity}'>{count} of {values.size} cells would fail</span></h3>"
        f"<p>at {FIELD} = {limit:.3f} px</p>{spread}{unknown}"
        "<p class='muted'>Drag the line. Arrows: science less template centroid; tap one to "
        "select its cell.</p>"
    )

"""The Noise tab: Scorr of the cell against the unit Gaussian."""

from __future__ import annotations

import numpy as np
import panel as pn

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.noise_plots import NoisePlots
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.style import Palette


class NoiseTab:
    """Distribution of Scorr in the cell against the unit Gaussian."""

    title = "Noise"

    def __init__(self, context: PageContext) -> None:
        self.plots = NoisePlots()
        self._words = text_pane(name="noise-words")
        self.view = pn.Column(
            self._words,
            pn.pane.Bokeh(self.plots.histogram, sizing_mode="stretch_width", margin=0),
            pn.pane.Bokeh(self.plots.quantiles, sizing_mode="stretch_width", margin=0),
            sizing_mode="stretch_width",
            margin=(6, 0),
        )

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """Plots of one cell."""
        used = self.plots.show(plan, result)
        sigma, error = result.noise.scorr_measured, result.noise.scorr_error
        if np.isfinite(sigma):
            text = f"σ(Scorr) = {sigma:.3f} ± {error:.3f} where there are no sources"
        else:
            text = "σ(Scorr) could not be measured in this cell"
        self._words.object = f"<p>{text}; {used} unmasked pixels below.</p>"

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self.plots.theme(colors)

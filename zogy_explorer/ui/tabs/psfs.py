"""The PSFs tab: stamps, centroids, and σ predicted and measured."""

from __future__ import annotations

import panel as pn

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui import words
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.stamps import CentroidTarget, Stamp
from zogy_explorer.ui.style import Palette

LARGEST_FIELD = 14
"""[px] Half side of the field of the stamps at most: wings beyond are too faint to see."""


class PsfTab:
    """P_n, P_r, P_D, P_S, the centroids, and σ predicted and measured."""

    title = "PSFs"

    def __init__(self, context: PageContext) -> None:
        self.stamps = {
            "psf_science": Stamp("stamp-psf_science", "P_n"),
            "psf_template": Stamp("stamp-psf_template", "P_r"),
            "psf_diff": Stamp("stamp-psf_diff", "P_D"),
            "psf_score": Stamp("stamp-psf_score", "P_S"),
        }
        self.target = CentroidTarget()
        self._meter = text_pane(name="centroid-meter", margin=(24, 0, 0, 8))
        self._sigmas = text_pane(name="sigma-table")
        bokeh = {name: pn.pane.Bokeh(s.figure, margin=0) for name, s in self.stamps.items()}
        self.view = pn.Column(
            pn.Row(bokeh["psf_science"], bokeh["psf_template"], margin=0),
            pn.Row(bokeh["psf_diff"], bokeh["psf_score"], margin=0),
            pn.Row(
                pn.pane.Bokeh(self.target.figure, margin=0),
                self._meter,
                sizing_mode="stretch_width",
                margin=0,
            ),
            self._sigmas,
            sizing_mode="stretch_width",
            margin=(6, 0),
        )

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """All of it for one cell."""
        shown = {name: getattr(result, name) for name in self.stamps}
        sides = [max(s.shape) for s in shown.values() if s is not None]
        half = min(max(sides, default=21) / 2, LARGEST_FIELD)
        centroids = {
            "psf_science": result.centroid_science,
            "psf_template": result.centroid_template,
        }
        missing = "" if result.ok else "the cell failed"
        for name, stamp in self.stamps.items():
            stamp.show(shown[name], half, centroids.get(name), missing)
        allowed = float(plan.config.maxPsfCentroidDist)
        self.target.show(result, allowed, colors)
        self._meter.object = words.centroid_meter(result, allowed)
        self._sigmas.object = words.sigma_table(result)

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        for stamp in self.stamps.values():
            stamp.theme(colors)
        self.target.theme(colors)

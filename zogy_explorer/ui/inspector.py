"""The inspector: everything about the selected cell, in tabs that can be added to.

A tab is any object with ``title``, ``view``, ``show`` and ``theme``. Only the tab in front is
brought up to date while a slider moves; the others follow when they come to the front.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import panel as pn

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui import words
from zogy_explorer.ui.live import Painter
from zogy_explorer.ui.noise_plots import NoisePlots
from zogy_explorer.ui.stamps import CentroidTarget, Stamp
from zogy_explorer.ui.style import Lazy, Palette

LARGEST_FIELD = 14
"""[px] Half side of the field of the stamps at most: wings beyond are too faint to see."""


class InspectorTab(Protocol):
    """One tab of the inspector."""

    title: str
    view: pn.viewable.Viewable

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """Bring the tab up to date."""

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""


def text_pane(html: str = "", **kwargs: Any) -> pn.pane.HTML:
    """A pane of text in the page's style."""
    options = {"sizing_mode": "stretch_width", "margin": (2, 0)} | kwargs
    return pn.pane.HTML(html, stylesheets=[words.TEXT_CSS], **options)


class PsfTab:
    """P_n, P_r, P_D, P_S, the centroids, and σ predicted and measured."""

    title = "PSFs"

    def __init__(self) -> None:
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
        for name, stamp in self.stamps.items():
            stamp.show(shown[name], half, centroids.get(name))
        allowed = float(plan.config.maxPsfCentroidDist)
        self.target.show(result, allowed, colors)
        self._meter.object = words.centroid_meter(result, allowed)
        self._sigmas.object = words.sigma_table(result)

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        for stamp in self.stamps.values():
            stamp.theme(colors)
        self.target.theme(colors)


class NumbersTab:
    """Fluxes, border, sizes and times."""

    title = "Numbers"

    def __init__(self) -> None:
        self.view = text_pane(name="numbers-table")

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """The table of one cell."""
        self.view.object = words.sigma_table(result) + words.numbers_table(result, plan)

    def theme(self, colors: Palette) -> None:
        """Text follows the page by itself."""


class NoiseTab:
    """Distribution of Scorr in the cell against the unit Gaussian."""

    title = "Noise"

    def __init__(self) -> None:
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


class Inspector:
    """Heading and flags of the selected cell, and the tabs below.

    Parameters
    ----------
    colors
        Of the page at the start.
    painter
        Of the page.
    """

    def __init__(self, colors: Palette, painter: Painter) -> None:
        self._colors = colors
        self._shown: tuple[SubtractionPlan, CellResult] | None = None
        self._current: dict[str, CellResult] = {}
        self._heading = text_pane(
            '<p class="muted">Tap a cell on an image to inspect it.</p>', name="cell-heading"
        )
        self._flags = text_pane(name="cell-flags")
        self.tabs: list[InspectorTab] = []
        self._places: list[Lazy] = []
        self._tabs = pn.Tabs(dynamic=False, sizing_mode="stretch_width", margin=(4, 0))
        self.view = pn.Column(
            self._heading,
            self._flags,
            self._tabs,
            sizing_mode="stretch_width",
            margin=(8, 12),
        )
        for tab in (PsfTab(), NumbersTab(), NoiseTab()):
            self.add(tab)
        self._tabs.param.watch(lambda event: painter.ask(self._refresh), "active")

    def add(self, tab: InspectorTab) -> None:
        """One more tab at the end."""
        tab.theme(self._colors)
        self.tabs.append(tab)
        place = Lazy(lambda: tab.view)
        place.view.sizing_mode = "stretch_width"
        self._places.append(place)
        self._tabs.append((tab.title, place.view))

    def show(self, plan: SubtractionPlan | None, result: CellResult | None) -> None:
        """The selected cell, or the hint how to select one."""
        if plan is None or result is None:
            self._shown = None
            self._heading.object = '<p class="muted">Tap a cell on an image to inspect it.</p>'
            self._flags.object = ""
            self._tabs.visible = False
            return
        self._shown = (plan, result)
        self._tabs.visible = True
        self._heading.object = words.cell_heading(result)
        self._flags.object = words.flag_list(result.flags)
        self._refresh()

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self._colors = colors
        for tab in self.tabs:
            tab.theme(colors)
        self._current.clear()
        self._refresh()

    def _refresh(self) -> None:
        """Bring the tab in front up to date, if it shows something else."""
        if self._shown is None:
            return
        plan, result = self._shown
        tab = self.tabs[self._tabs.active]
        self._places[self._tabs.active].fill()
        if self._current.get(tab.title) is not result:
            tab.show(plan, result, self._colors)
            self._current[tab.title] = result

"""The Fourier tab: spectra of the selected cell, their profiles, and the frequency floor."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, LinearColorMapper, Range1d, Span
from bokeh.palettes import cividis
from bokeh.plotting import figure

from zogy_explorer.diagnostics.spectra import SPECTRA, CellSpectra, cell_spectra
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.geometry import Box
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.layers import describe_value
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.style import DARK, Palette, theme_figure
from zogy_explorer.ui.wall.pyramid import Pyramid

SIDE = 103
"""[px] Of one spectrum on the screen; three stand side by side."""
DECADES = 4.0
"""Shown below the largest value of a spectrum."""

_PROFILES = (
    ("psf_science", "solid"),
    ("psf_template", "dashed"),
    ("difference", "solid"),
    ("score_n", "dotted"),
)
_PLAIN = {
    "science": "N̂", "template": "R̂", "difference": "D̂", "psf_science": "P̂ n",
    "psf_template": "P̂ r", "score_n": "kernel k_n", "score_r": "kernel k_r",
    "diff_n": "D-kernel N", "diff_r": "D-kernel R",
}  # fmt: skip


class FourierTab:
    """Nine spectra as images and their radial profiles.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Fourier"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._lane = context.lane(cancel_running=True)
        self._colors = DARK
        self._words = text_pane(name="fourier-words")
        self.images = {name: SpectrumImage(name) for name in SPECTRA}
        self.profiles = Profiles()
        panes = [pn.pane.Bokeh(image.figure, margin=0) for image in self.images.values()]
        self.view = pn.Column(
            *(pn.Row(*panes[k : k + 3], margin=0) for k in (0, 3, 6)),
            pn.pane.Bokeh(self.profiles.figure, sizing_mode="stretch_width", margin=(4, 0)),
            self._words,
            sizing_mode="stretch_width",
            margin=(6, 0),
        )

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """Have the spectra of a cell computed, and show them when they are there."""
        if not result.ok:
            self._lane.cancel()
            self._clear("This cell failed, so its kernels are not known.")
            return
        self._context.submit(
            self._lane,
            lambda token, progress: cell_spectra(plan, result, checkpoint=token.check),
            self._land,
            on_error=lambda error: self._clear(str(error)),
        )

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        self._colors = colors
        for image in self.images.values():
            image.theme(colors)
        self.profiles.theme(colors)

    def _land(self, spectra: CellSpectra) -> None:
        for name, image in self.images.items():
            image.show(spectra.moduli[name], spectra.where_floored)
        self.profiles.show(spectra)
        self._words.object = fourier_words(spectra)

    def _clear(self, why: str) -> None:
        for image in self.images.values():
            image.clear()
        self.profiles.clear()
        self._words.object = f'<p class="muted">{why}</p>'


def fourier_words(spectra: CellSpectra) -> str:
    """What the floor does, and what is shown."""
    ny, nx = spectra.box.shape
    floor = f"ε = {describe_value(spectra.floor, 2)}"
    if spectra.floor == 0:
        floored = "There is no frequency floor."
    elif np.isfinite(spectra.where_floored):
        floored = (
            f"Frequency floor {floor}: beyond {spectra.where_floored:.2f} cycles/px (circle) both "
            "PSFs lie under it and the D-kernels are smooth."
        )
    else:
        floored = f"Frequency floor {floor}: both PSFs never lie under it together."
    return (
        f"<p>{floored}</p><p class='muted'>log of the modulus over {DECADES:g} decades, "
        f"frequency 0 in the middle, {nx}×{ny} px transformed. N̂ and R̂ in units of their white "
        "noise; D̂ is flat at 1 where the theory holds.</p>"
    )


class SpectrumImage:
    """One modulus on a logarithmic scale."""

    def __init__(self, name: str) -> None:
        self.figure = figure(
            name=f"spectrum-{name}", width=SIDE, height=SIDE + 18, toolbar_location=None, tools="",
            title=_PLAIN[name], min_border=1, x_range=Range1d(-0.5, 0.5),
            y_range=Range1d(-0.5, 0.5),
        )  # fmt: skip
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        self.figure.title.text_font_size = "11px"
        self.figure.title.text_font_style = "normal"
        self.figure.title.text_font = "system-ui, sans-serif"
        self.figure.title.standoff = 1
        self._source = ColumnDataSource(name=f"source-spectrum-{name}", data={"image": []})
        self.figure.image(
            "image", x=-0.5, y=-0.5, dw=1, dh=1, source=self._source,
            color_mapper=LinearColorMapper(palette=list(cividis(256)), low=0, high=255),
        )  # fmt: skip
        self._circle = ColumnDataSource(data={"r": []})
        self._ring = self.figure.circle(
            x=0, y=0, radius="r", source=self._circle, fill_color=None, line_width=1.5,
            line_dash="dashed",
        )  # fmt: skip

    def show(self, modulus: np.ndarray, where_floored: float) -> None:
        """New spectrum; a circle where the floor begins."""
        ny, nx = modulus.shape
        pyramid = Pyramid(modulus.astype(np.float32), "mean", Box(0, 0, nx, ny))
        small = pyramid.cut((-0.5, -0.5, nx - 0.5, ny - 0.5), (SIDE, SIDE))
        peak = float(np.nanmax(small)) or 1.0
        with np.errstate(divide="ignore"):
            decades = np.log10(small / peak)
        levels = 255 * (1 + np.clip(decades, -DECADES, 0) / DECADES)
        self._source.data = {"image": [levels.astype(np.uint8)]}
        self._circle.data = {"r": [where_floored] if where_floored < 0.5 else []}

    def clear(self) -> None:
        """Nothing to show."""
        self._source.data = {"image": []}
        self._circle.data = {"r": []}

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        self.figure.background_fill_color = colors.surface
        self._ring.glyph.line_color = colors.failed


class Profiles:
    """Radial profiles of the PSFs, D̂ and the kernel of N in S."""

    def __init__(self) -> None:
        self.figure = figure(
            name="spectrum-profiles", height=200, sizing_mode="stretch_width", tools="",
            toolbar_location=None, y_axis_type="log", x_axis_label="frequency [cycles/px]",
            y_axis_label="modulus", x_range=Range1d(0, 0.71), y_range=Range1d(1e-6, 10),
            min_border=4,
        )  # fmt: skip
        self._source = ColumnDataSource(
            name="source-spectrum-profiles",
            data={"f": [], **{name: [] for name, _ in _PROFILES}},
        )
        self._lines: list[Any] = [
            self.figure.line(
                "f", name, source=self._source, line_width=1.6, line_dash=dash,
                legend_label=_PLAIN[name],
            )
            for name, dash in _PROFILES
        ]  # fmt: skip
        self._floor = Span(name="floor", dimension="width", location=1e-9, line_dash="dashed")
        self.figure.add_layout(self._floor)
        self.figure.axis.axis_label_text_font_size = "11px"
        self.figure.axis.axis_label_text_font_style = "normal"
        self.figure.axis.major_label_text_font_size = "10px"
        self.figure.legend.label_text_font_size = "10px"
        self.figure.legend.padding = 2
        self.figure.legend.spacing = 0
        self.figure.legend.orientation = "horizontal"
        self.figure.legend.location = "bottom_left"

    def show(self, spectra: CellSpectra) -> None:
        """New profiles; kernels are brought to a peak of 1."""
        data = {"f": spectra.frequency}
        for name, _ in _PROFILES:
            values = spectra.profiles[name]
            if name == "score_n":
                values = values / np.nanmax(values)
            data[name] = np.maximum(values, 1e-12)
        self._source.data = data
        self._floor.location = max(spectra.floor, 1e-9)

    def clear(self) -> None:
        """Nothing to show."""
        self._source.data = {"f": [], **{name: [] for name, _ in _PROFILES}}

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        shades = (colors.info, colors.warning, colors.text, colors.muted)
        for line, color in zip(self._lines, shades, strict=True):
            line.glyph.line_color = color
        self._floor.line_color = colors.failed

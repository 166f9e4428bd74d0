"""The Radial tab: profiles around the tapped position, with the PSFs over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource

from zogy_explorer.diagnostics.profiles import (
    RadialProfile,
    peak_near,
    psf_amplitude,
    radial_profile,
)
from zogy_explorer.engine.result import CellResult, Plane
from zogy_explorer.geometry import Box
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.small_plots import small_legend, small_plot, stage
from zogy_explorer.ui.layers import describe_value
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.style import Palette, theme_figure

RADIUS = 14
"""[px] Of the outermost ring."""
REACH = 4
"""[px] The brightest spot so near to the tap is taken for the centre."""

_HINT = '<p class="muted">Tap a source: its radial profile is drawn here, with the PSF over it.</p>'
_LAYERS = {"science": "psf_science", "template": "psf_template", "difference": "psf_diff"}


class RadialTab:
    """Profiles of science, template and D, each with its PSF.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Radial"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._words = text_pane(
            _HINT, name="radial-words", width=170, sizing_mode=None, margin=(4, 8)
        )
        self.sources: dict[str, ColumnDataSource] = {}
        self.plots: dict[str, Any] = {}
        self._glyphs: dict[str, list[Any]] = {}
        for name in _LAYERS:
            source = ColumnDataSource(name=f"source-radial-{name}", data=_nothing())
            label = "D" if name == "difference" else name
            plot = small_plot(f"radial-{name}", "radius [px]", label)
            band = plot.varea("radius", "low", "high", source=source, fill_alpha=0.22)
            dots = plot.scatter(
                "radius", "profile", source=source, size=5, legend_label="mean in ring"
            )
            line = plot.line("radius", "psf", source=source, line_width=1.6, legend_label="PSF")
            small_legend(plot)
            self.sources[name], self.plots[name] = source, plot
            self._glyphs[name] = [band, dots, line]
        self._stage = stage(self.plots.values())
        self.view = pn.Row(self._words, self._stage, sizing_mode="stretch_both", margin=0)
        context.wall.on_tap(lambda x, y: context.painter.ask(self.show))

    def show(self) -> None:
        """The profiles again, of the frame and cell of now."""
        session = self._context.session
        frame = session.frame
        tapped = self._context.wall.tapped
        if frame is None or tapped is None:  # or no longer: it went with its pair
            self._clear()
            return
        bbox = frame.plan.bbox
        x, y = tapped
        if not bbox.contains_point(round(x), round(y)):
            return
        reach = RADIUS + REACH + 1
        wide = Box(round(x) - reach, round(y) - reach, 2 * reach + 1, 2 * reach + 1)
        box = wide.intersection(bbox)
        assert box is not None
        planes = self._context.wall.pixels(box)
        origin = (box.x0, box.y0)
        if "science" in planes:
            x, y = peak_near(planes["science"], x, y, REACH, origin=origin)
        part = box.slices((bbox.x0, bbox.y0))
        variances = {
            "science": frame.plan.science.variance[part],
            "template": frame.plan.template.variance[part],
            "difference": frame.difference.diff.variance,
        }
        if variances["difference"] is not None:
            variances["difference"] = variances["difference"][part]
        fluxes = {}
        self._stage.visible = True
        for name in _LAYERS:
            if name not in planes:
                self.sources[name].data = _nothing()
                continue
            profile = radial_profile(
                planes[name], x, y, RADIUS, origin=origin, variance=variances[name]
            )
            psf = _psf_profile(session.cell, _LAYERS[name])
            fluxes[name] = psf_amplitude(profile, psf) if psf is not None else np.nan
            self.sources[name].data = profile_columns(profile, psf, fluxes[name])
        self._words.object = radial_words(x, y, fluxes)

    def _clear(self) -> None:
        self._words.object = _HINT
        self._stage.visible = False
        for source in self.sources.values():
            source.data = _nothing()

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        for name, plot in self.plots.items():
            theme_figure(plot, colors)
            band, dots, line = self._glyphs[name]
            band.glyph.fill_color = colors.info
            dots.glyph.update(fill_color=colors.info, line_color=colors.info)
            line.glyph.line_color = colors.warning


def profile_columns(
    profile: RadialProfile, psf: RadialProfile | None, flux: float
) -> dict[str, Any]:
    """Columns of a plot's source."""
    model = np.full(profile.radius.shape, np.nan)
    if psf is not None and np.isfinite(flux):
        n = min(model.size, psf.profile.size)
        model[:n] = flux * psf.profile[:n]
    return {
        "radius": profile.radius,
        "profile": profile.profile,
        "low": profile.profile - profile.error,
        "high": profile.profile + profile.error,
        "psf": model,
    }


def radial_words(x: float, y: float, fluxes: dict[str, float]) -> str:
    """Centre, and the flux of the PSF that fits each profile."""
    labels = {"science": "science", "template": "template", "difference": "D"}
    rows = "".join(
        f'<tr><th>{labels[name]}</th><td class="n">{describe_value(flux, 4)}</td></tr>'
        for name, flux in fluxes.items()
    ).replace("-", "−")
    return (
        f"<h3>({x:.1f}, {y:.1f})</h3><p class='muted'>brightest spot of science near the tap</p>"
        f"<table><tr><th>PSF flux</th><th></th></tr>{rows}</table>"
    )


def _psf_profile(cell: CellResult | None, name: str) -> RadialProfile | None:
    stamp: Plane | None = getattr(cell, name) if cell is not None else None
    if stamp is None:
        return None
    ny, nx = stamp.shape
    return radial_profile(stamp, nx // 2, ny // 2, max(min(RADIUS, min(stamp.shape) // 2), 1))


def _nothing() -> dict[str, Any]:
    return {name: [] for name in ("radius", "profile", "low", "high", "psf")}

"""Figures of the Trust tab, updated in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Range1d, Span
from bokeh.plotting import figure

from zogy_explorer.diagnostics import FourierSupport, PowerSpectrum, PsfMatch, ScorrStatistics
from zogy_explorer.ui.style import Palette, theme_figure

HEIGHT = 178


class Chart:
    """A figure whose lines, bands and points have names and are filled by `put`.

    Parameters
    ----------
    name
        Of the figure.
    title, x_label, y_label
        Texts.
    log_y
        Whether the y axis is logarithmic.
    """

    def __init__(
        self, name: str, title: str, x_label: str, y_label: str, *, log_y: bool = False
    ) -> None:
        self.figure = figure(
            name=name, height=HEIGHT, sizing_mode="stretch_width", toolbar_location=None, tools="",
            title=title, x_axis_label=x_label, y_axis_label=y_label, min_border=4,
            y_axis_type="log" if log_y else "linear", x_range=Range1d(0, 1),
            y_range=Range1d(0.1, 1) if log_y else Range1d(0, 1),
        )  # fmt: skip
        plot = self.figure
        plot.title.text_font_size, plot.title.text_font_style = "12px", "normal"
        plot.title.text_font = "system-ui, sans-serif"
        plot.axis.axis_label_text_font_size = "11px"
        plot.axis.axis_label_text_font_style = "normal"
        plot.axis.axis_label_standoff = 3
        plot.axis.major_label_text_font_size = "10px"
        plot.yaxis.ticker.desired_num_ticks = 5
        self._sources: dict[str, ColumnDataSource] = {}
        self._glyphs: list[tuple[Any, str]] = []
        self._spans: list[tuple[Span, str]] = []

    def line(self, name: str, color: str, *, dash: str = "solid", legend: str = "") -> None:
        """A line; ``color`` is a field of the palette."""
        extra = {"legend_label": legend} if legend else {}
        source = self._source(name, ("x", "y"))
        made = self.figure.line("x", "y", source=source, line_width=1.7, line_dash=dash, **extra)
        self._glyphs.append((made, color))

    def points(self, name: str, color: str, *, legend: str = "") -> None:
        """Points with error bars, as vertical segments."""
        extra = {"legend_label": legend} if legend else {}
        source = self._source(name, ("x", "y", "low", "high"))
        bars = self.figure.segment("x", "low", "x", "high", source=source, line_width=1.2)
        dots = self.figure.scatter("x", "y", source=source, size=4.5, line_width=0, **extra)
        self._glyphs += [(bars, color), (dots, color)]

    def band(self, name: str, color: str, *, legend: str = "") -> None:
        """The space between two curves."""
        extra = {"legend_label": legend} if legend else {}
        source = self._source(name, ("x", "low", "high"))
        made = self.figure.varea("x", "low", "high", source=source, fill_alpha=0.25, **extra)
        self._glyphs.append((made, color))

    def span(self, color: str, dimension: str, location: float, dash: str = "dashed") -> Span:
        """A line across the figure."""
        made = Span(dimension=dimension, location=location, line_dash=dash, line_width=1.2)
        self.figure.add_layout(made)
        self._spans.append((made, color))
        return made

    def put(self, name: str, **columns: Any) -> None:
        """New data of one of them."""
        self._sources[name].data = {k: np.asarray(v, dtype=float) for k, v in columns.items()}

    def clear(self) -> None:
        """Nothing to show."""
        for source in self._sources.values():
            source.data = {name: [] for name in source.data}

    def ranges(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """What the axes show."""
        self.figure.x_range.update(start=x[0], end=x[1])
        self.figure.y_range.update(start=y[0], end=y[1])

    def finish(self, location: str = "top_left") -> Chart:
        """Dress the legend, once everything is there."""
        for legend in self.figure.legend:
            legend.location, legend.padding, legend.spacing = location, 2, 0
            legend.label_text_font_size, legend.glyph_height = "10px", 12
        return self

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        for made, name in self._glyphs:
            color, glyph = getattr(colors, name), made.glyph
            for prop in ("line_color", "fill_color"):
                if prop in glyph.properties():
                    setattr(glyph, prop, color)
        for span, name in self._spans:
            span.line_color = getattr(colors, name)

    def _source(self, name: str, columns: tuple[str, ...]) -> ColumnDataSource:
        made = ColumnDataSource(
            name=f"source-{self.figure.name}-{name}", data={k: [] for k in columns}
        )
        self._sources[name] = made
        return made


def quantile_chart() -> Chart:
    """Quantiles of Scorr less those of a unit Gaussian."""
    made = Chart("trust-qq", "Quantiles of Scorr", "unit Gaussian [σ]", "Scorr [σ]")
    made.band("band", "muted", legend="unit Gaussian, 3σ band")
    made.line("diagonal", "muted")
    made.line("expected", "warning", dash="dashed", legend="noise of the images as measured")
    made.points("measured", "info", legend="this cell")
    return made.finish()


def show_quantiles(chart: Chart, statistics: ScorrStatistics, expected: float) -> None:
    """Quantiles, the line of a unit Gaussian and that of σ as the images' noise predicts."""
    z, measured, error = (
        statistics.qq.theoretical,
        statistics.qq.measured,
        statistics.qq.error,
    )
    if not z.size:
        chart.clear()
        return
    chart.put("band", x=z, low=z - 3 * error, high=z + 3 * error)
    chart.put("diagonal", x=z[[0, -1]], y=z[[0, -1]])
    chart.put("expected", x=z[[0, -1]], y=expected * z[[0, -1]])
    some = slice(None, None, 2)
    chart.put("measured", x=z[some], y=measured[some], low=measured[some], high=measured[some])
    reach = 1.08 * max(np.abs(z).max(), np.abs(measured).max())
    chart.ranges((1.05 * z[0], 1.05 * z[-1]), (-reach, reach))


def spectrum_chart() -> Chart:
    """Radial power spectrum of D."""
    made = Chart("trust-spectrum", "Power spectrum of D", "frequency [cycles/px]", "power / white")
    made.band("band", "muted", legend="white noise, 3σ band")
    made.span("muted", "width", 1.0)
    made.points("power", "info", legend="this cell")
    return made.finish()


def show_spectrum(chart: Chart, spectrum: PowerSpectrum) -> None:
    """Power against flat; 1 if D has the noise that is predicted."""
    f, power, error = spectrum.frequency, spectrum.power, spectrum.error
    if not f.size:
        chart.clear()
        return
    chart.put("band", x=f, low=1 - 3 * error, high=1 + 3 * error)
    chart.put("power", x=f, y=power, low=power - error, high=power + error)
    top = max(1.6, 1.15 * float(np.nanmax(power)))
    chart.ranges((0, 0.72), (0, top))


def match_chart() -> Chart:
    """What D makes of a star that did not change."""
    made = Chart("trust-match", "PSF match: a constant star in D", "radius [px]", "of the peak [%]")
    made.span("muted", "width", 0.0, "solid")
    made.line("rms", "warning", dash="dashed", legend="rms in the ring")
    made.line("mean", "info", legend="mean residual")
    return made.finish("top_right")


def show_match(chart: Chart, match: PsfMatch) -> None:
    """Residual of a star at the corner of the cell, as a share of its own peak in D."""
    peak = float(np.max(match.science_side)) or 1.0
    mean, rms = 100 * match.profile / peak, 100 * match.rms_profile / peak
    chart.put("mean", x=match.radii, y=mean)
    chart.put("rms", x=match.radii, y=rms)
    reach = max(1.2 * float(np.nanmax(np.abs(np.concatenate([mean, rms])))), 1e-3)
    seen = match.radii[rms > 0.01 * reach]  # none where one PSF serves all of the cell
    far = float(seen[-1]) if seen.size else 10.0
    chart.ranges((0, max(far, 5.0)), (-reach, reach))


def support_chart() -> Chart:
    """Up to which frequency the PSFs have power."""
    made = Chart(
        "trust-support", "Fourier support of the PSFs", "frequency [cycles/px]", "|P̂|", log_y=True
    )
    made.line("science", "info", legend="science")
    made.line("template", "warning", dash="dashed", legend="template")
    made.line("noise", "muted", dash="dotted", legend="noise of the stamps")
    return made.finish("bottom_left")


def show_support(chart: Chart, support: FourierSupport) -> None:
    """Both spectra, and the noise that they sink into."""
    f = support.frequency
    chart.put("science", x=f, y=support.power_science)
    chart.put("template", x=f, y=support.power_template)
    chart.put("noise", x=[0.0, 0.71], y=[support.noise_floor] * 2)
    lowest = min(support.noise_floor, float(np.min(support.power_science)), 1e-2)
    chart.ranges((0, 0.72), (max(lowest / 3, 1e-16), 2.0))

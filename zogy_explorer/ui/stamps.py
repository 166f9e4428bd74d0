"""Small Bokeh figures of PSF stamps and of their centroids, updated in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Label, LogColorMapper, Range1d, Span
from bokeh.palettes import cividis
from bokeh.plotting import figure

from zogy_explorer.engine.result import CellResult, Plane
from zogy_explorer.ui.style import Palette, theme_figure

FAINTEST = 1e-4
"""Colour scale of a stamp: from this fraction of its peak, logarithmic, up to the peak."""

_FAINT = cividis(256)[0]
_EMPTY: dict[str, list[Any]] = {"image": [], "x": [], "y": [], "dw": [], "dh": []}


class Stamp:
    """One PSF: image on its own logarithmic scale, with the centroid if it has one.

    Parameters
    ----------
    name
        Of the figure, for tests and styles.
    title
        Above the stamp.
    size
        Side of the figure [screen px].
    """

    def __init__(self, name: str, title: str, size: int = 150) -> None:
        self._title = title
        self._blank = "white"
        self._range = Range1d(-10, 10)
        self.figure = figure(
            name=name,
            width=size,
            height=size + 20,
            x_range=self._range,
            y_range=self._range,
            toolbar_location=None,
            tools="",
            title=title,
            min_border=2,
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        _style_title(self.figure)
        self._mapper = LogColorMapper(palette=list(cividis(256)), low=FAINTEST, high=1.0)
        self._source = ColumnDataSource(data=dict(_EMPTY), name=f"source-{name}")
        self.figure.image(
            image="image",
            x="x",
            y="y",
            dw="dw",
            dh="dh",
            source=self._source,
            color_mapper=self._mapper,
        )
        self._centre = ColumnDataSource(data={"x": [], "y": []})
        self.figure.scatter(
            "x",
            "y",
            source=self._centre,
            marker="cross",
            size=9,
            line_color="#ff6f3c",
            line_width=1.5,
        )

    def show(
        self,
        stamp: Plane | None,
        half: float,
        centroid: tuple[float, float] | None = None,
        missing: str = "",
    ) -> None:
        """New pixels; ``half`` is half the side of the field shown [px].

        ``missing`` says why there are none, if there are none.
        """
        if stamp is None:
            self._source.data = dict(_EMPTY)
            self._centre.data = {"x": [], "y": []}
            self.figure.title.text = f"{self._title} – {missing}".rstrip()
            self.figure.background_fill_color = self._blank
            return
        ny, nx = stamp.shape
        peak = float(stamp.max())
        self._mapper.update(low=peak * FAINTEST, high=peak)
        self._range.update(start=-half, end=half)
        self.figure.background_fill_color = _FAINT
        self._source.data = {
            # A log mapper has no colour for zero and less: they get the faintest.
            "image": [np.maximum(stamp, peak * FAINTEST).astype(np.float32)],
            "x": [-(nx // 2) - 0.5],
            "y": [-(ny // 2) - 0.5],
            "dw": [nx],
            "dh": [ny],
        }
        has = centroid is not None and np.isfinite(centroid).all()
        self._centre.data = (
            {"x": [centroid[0]], "y": [centroid[1]]} if has and centroid else {"x": [], "y": []}
        )
        self.figure.title.text = f"{self._title}  peak {peak:.3g}"

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        self._blank = colors.surface


class CentroidTarget:
    """Both PSF centroids at pixel scale, and the circle that `maxPsfCentroidDist` allows."""

    def __init__(self, name: str = "centroid-target", size: int = 150) -> None:
        self._range = Range1d(-0.3, 0.3)
        self.figure = figure(
            name=name,
            width=size,
            height=size + 20,
            x_range=self._range,
            y_range=self._range,
            toolbar_location=None,
            tools="",
            title="PSF centroids",
            min_border=2,
        )
        self.figure.axis.visible = False
        _style_title(self.figure)
        self._circle = ColumnDataSource(data={"x": [], "y": [], "r": []})
        self._ring = self.figure.circle(
            "x", "y", radius="r", source=self._circle, fill_alpha=0.12, line_width=1.5
        )
        self._points = ColumnDataSource(data={"x": [], "y": [], "marker": []})
        self._dots = self.figure.scatter(
            "x", "y", marker="marker", source=self._points, size=9, line_width=1.5, fill_alpha=0.9
        )
        self._line = self.figure.line("x", "y", source=self._points, line_width=1.5)
        self._scale = Label(x=4, y=2, x_units="screen", y_units="screen", text_font_size="10px")
        self._key = Label(
            x=4,
            y=size - 22,
            x_units="screen",
            y_units="screen",
            text_font_size="10px",
            text="● science  ■ template",
        )
        self.figure.add_layout(self._scale)
        self.figure.add_layout(self._key)
        self._axes = [Span(location=0, dimension=d, line_width=1) for d in ("width", "height")]
        self.figure.renderers.extend(self._axes)

    def show(self, result: CellResult, allowed: float, colors: Palette) -> None:
        """Centroids of a cell against the distance ``allowed`` [px]."""
        science, template = result.centroid_science, result.centroid_template
        if not np.isfinite([*science, *template]).all():
            self._points.data = {"x": [], "y": [], "marker": []}
            self._circle.data = {"x": [], "y": [], "r": []}
            return
        reach = max(allowed, result.centroid_distance, 0.02)
        centre = max(abs(v) for v in (*template, *science))
        half = 1.45 * (reach + min(centre, reach))
        self._range.update(start=-half, end=half)
        self._circle.data = {"x": [template[0]], "y": [template[1]], "r": [allowed]}
        self._points.data = {
            "x": [template[0], science[0]],
            "y": [template[1], science[1]],
            "marker": ["square", "circle"],
        }
        color = colors.failed if result.centroid_distance > allowed else colors.info
        self._dots.glyph.update(fill_color=color, line_color=color)
        self._line.glyph.line_color = color
        self._ring.glyph.update(fill_color=color, line_color=color)
        self._scale.text = f"±{half:.2f} px"

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        self.figure.background_fill_color = colors.surface
        for label in (self._scale, self._key):
            label.text_color = colors.muted
        for axis in self._axes:
            axis.line_color = colors.border


def _style_title(plot: Any) -> None:
    plot.title.text_font_size = "11px"
    plot.title.text_font_style = "normal"
    plot.title.text_font = "system-ui, sans-serif"
    plot.title.standoff = 2

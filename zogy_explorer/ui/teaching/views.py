"""Bokeh figures for the pictures of a chapter: built once a chapter, then only fed."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    LabelSet,
    LinearColorMapper,
    Range1d,
    Whisker,
)
from bokeh.plotting import figure

from zogy_explorer.ui.style import Palette, theme_figure
from zogy_explorer.ui.teaching.pictures import ImagePicture, Picture, PlotPicture
from zogy_explorer.ui.teaching.words import plain
from zogy_explorer.ui.wall.palettes import DARK, LIGHT, diverging_palette, sky_palette

_COLORS = {"dark": ("#56b4e9", "#e69f00", "#2fc59a"), "light": ("#0072b2", "#b85c00", "#00775a")}
_DASHES = ("solid", "dashed", "dotdash")
_MARKERS = ("circle", "square", "triangle")
_RING = {"dark": "#ffffff", "light": "#101010"}
_HALO = {"dark": "#15181d", "light": "#ffffff"}
"""Behind rings and words, which lie on all the colours of the map."""
_RING_ON_SKY = "#ff9d5c"
IMAGE_SIZE = (258, 318)
"""[px] Width and height of an image with title and scale; so the image itself is square."""


def view_of(picture: Picture, name: str) -> ImageView | PlotView:
    """The view of a picture."""
    return (ImageView if isinstance(picture, ImagePicture) else PlotView)(picture, name)  # type: ignore[arg-type]


def _figure(name: str, title: str, **options: Any) -> Any:
    made = figure(
        name=name, title=title, toolbar_location=None, tools="", min_border=2,
        **options,
    )  # fmt: skip
    made.title.text_font_size = "13px"
    made.title.text_font_style = "normal"
    made.axis.axis_label_text_font_size = "12px"
    made.axis.axis_label_text_font_style = "normal"
    made.axis.major_label_text_font_size = "11px"
    return made


class ImageView:
    """An image with rings, lines and a scale of colours."""

    def __init__(self, picture: ImagePicture, name: str) -> None:
        self._picture = picture
        self._image = ColumnDataSource(name=f"{name}-pixels", data={"image": [], "w": [], "h": []})
        self._marks = ColumnDataSource(data={"x": [], "y": [], "r": [], "top": [], "word": []})
        self._lines = ColumnDataSource(data={"x0": [], "y0": [], "x1": [], "y1": []})
        self._mapper = LinearColorMapper(nan_color="#00000000")
        self.figure = _figure(
            name, plain(picture.title), x_range=Range1d(0, 1), y_range=Range1d(0, 1),
            sizing_mode="fixed", width=IMAGE_SIZE[0], height=IMAGE_SIZE[1],
        )  # fmt: skip
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        self.figure.match_aspect = True
        self.figure.image(
            "image", x=-0.5, y=-0.5, dw="w", dh="h", source=self._image, color_mapper=self._mapper
        )
        self._segments = self.figure.segment(
            "x0", "y0", "x1", "y1", source=self._lines, line_alpha=0.7
        )
        self._halos, self._rings = (
            self.figure.circle(
                "x", "y", radius="r", source=self._marks, fill_color=None, line_width=width
            )
            for width in (5, 2)
        )
        self._words = LabelSet(
            x="x", y="top", text="word", source=self._marks, text_align="center",
            text_font_size="13px", background_fill_alpha=0.75,
        )  # fmt: skip
        self.figure.add_layout(self._words)
        self._bar = ColorBar(
            color_mapper=self._mapper, height=8, padding=4, background_fill_alpha=0,
            major_label_text_font_size="11px", bar_line_color=None, major_tick_line_color=None,
        )  # fmt: skip
        self.figure.add_layout(self._bar, "below")
        self.show(picture)

    def show(self, picture: ImagePicture) -> None:
        """New pixels."""
        self._picture = picture
        ny, nx = picture.plane.shape
        self.figure.title.text = plain(picture.title)
        self._mapper.update(low=picture.low, high=picture.high)
        self.figure.x_range.update(start=-0.5, end=nx - 0.5)
        self.figure.y_range.update(start=-0.5, end=ny - 0.5)
        self._image.data = {"image": [picture.plane.astype(np.float32)], "w": [nx], "h": [ny]}
        self._marks.data = {
            "x": [m.x for m in picture.marks],
            "y": [m.y for m in picture.marks],
            "r": [m.radius for m in picture.marks],
            "top": [m.y + m.radius + 0.5 for m in picture.marks],
            "word": [m.word for m in picture.marks],
        }
        columns = np.array(picture.lines).reshape(-1, 4).T
        self._lines.data = dict(zip(("x0", "y0", "x1", "y1"), columns, strict=True))

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        wall = DARK if colors.name == "dark" else LIGHT
        theme_figure(self.figure, colors)
        diverging = self._picture.diverging
        palette = diverging_palette(wall.diverging) if diverging else sky_palette("cividis")
        self._mapper.palette = palette[1:]  # the first stands for "no data"
        ring = _RING[colors.name] if diverging else _RING_ON_SKY
        halo = _HALO[colors.name if diverging else "dark"]
        self._halos.glyph.line_color = halo
        self._halos.glyph.line_alpha = 0.6
        self._words.background_fill_color = halo
        self._rings.glyph.line_color = ring
        self._segments.glyph.line_color = ring
        self._words.text_color = ring
        self._bar.major_label_text_color = colors.muted


class PlotView:
    """A plot of up to three curves, which differ by dash and mark as well as by colour."""

    def __init__(self, picture: PlotPicture, name: str) -> None:
        self.figure = _figure(
            name,
            plain(picture.title),
            sizing_mode="stretch_both",
            x_axis_label=plain(picture.x_label),
            y_axis_label=plain(picture.y_label),
            x_range=Range1d(*picture.x_range),
            y_range=Range1d(*picture.y_range),
        )
        self._sources: list[ColumnDataSource] = []
        self._drawn: list[tuple[int, Any]] = []
        for i, curve in enumerate(picture.curves):
            source = ColumnDataSource(
                name=f"{name}-curve-{i}", data={"x": [], "y": [], "low": [], "high": []}
            )
            self._sources.append(source)
            if curve.points:
                glyph: Any = self.figure.scatter(
                    "x", "y", source=source, size=7, marker=_MARKERS[curve.style],
                    legend_label=plain(curve.name),
                )  # fmt: skip
                bars = Whisker(base="x", lower="low", upper="high", source=source, level="overlay")
                bars.upper_head.size = bars.lower_head.size = 4
                self.figure.add_layout(bars)
                self._drawn.append((curve.style, bars))
            else:
                glyph = self.figure.line(
                    "x", "y", source=source, line_width=2.5, line_dash=_DASHES[curve.style],
                    legend_label=plain(curve.name),
                )  # fmt: skip
            self._drawn.append((curve.style, glyph.glyph))
        self.figure.legend.label_text_font_size = "12px"
        self.figure.legend.location = picture.legend
        self.figure.legend.padding = 4
        self.figure.legend.spacing = 0
        self.show(picture)

    def show(self, picture: PlotPicture) -> None:
        """New values."""
        for source, curve in zip(self._sources, picture.curves, strict=True):
            x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
            error = np.zeros_like(y) if curve.error is None else np.asarray(curve.error, float)
            source.data = {"x": x, "y": y, "low": y - error, "high": y + error}

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        for style, glyph in self._drawn:
            color = _COLORS[colors.name][style]
            glyph.line_color = color
            if hasattr(glyph, "fill_color"):
                glyph.fill_color = color
            if isinstance(glyph, Whisker):
                glyph.upper_head.line_color = glyph.lower_head.line_color = color

"""Figures of the Padding tab: padded cut-outs, changes by padding, and the curve."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper, Range1d, Span
from bokeh.plotting import figure

from zogy_explorer.diagnostics.padding import PaddingCurve, PaddingTrial
from zogy_explorer.geometry import Box
from zogy_explorer.ui.style import Palette, theme_figure
from zogy_explorer.ui.wall.palettes import DARK, LIGHT, diverging_palette, sky_palette
from zogy_explorer.ui.wall.pyramid import Pyramid, Reduction
from zogy_explorer.ui.wall.stretch import Stretch, sky_limits

_NOTHING: dict[str, list[object]] = {k: [] for k in ("image", "x", "y", "dw", "dh")}


class Picture:
    """A small image with boxes over it.

    Parameters
    ----------
    name
        Of the figure.
    title
        Above it.
    size
        Side [screen px].
    """

    def __init__(self, name: str, title: str, size: int) -> None:
        self._size = size
        self._x, self._y = Range1d(0, 1), Range1d(0, 1)
        self.figure = figure(
            name=name, width=size, height=size + 18, x_range=self._x, y_range=self._y,
            toolbar_location=None, tools="", title=title, min_border=1,
        )  # fmt: skip
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        title_model = self.figure.title
        title_model.text_font_size, title_model.text_font_style = "11px", "normal"
        title_model.text_font, title_model.standoff = "system-ui, sans-serif", 1
        self._source = ColumnDataSource(name=f"source-{name}", data=dict(_NOTHING))
        self._mapper = LinearColorMapper(palette=["#00000000"] * 256, low=-0.5, high=255.5)
        self.figure.image(
            "image", "x", "y", "dw", "dh", source=self._source, color_mapper=self._mapper
        )
        self._boxes = ColumnDataSource(
            data={k: [] for k in ("left", "right", "bottom", "top", "color", "dash")}
        )
        self.figure.quad(
            left="left", right="right", bottom="bottom", top="top", source=self._boxes,
            fill_color=None, line_color="color", line_dash="dash", line_width=1.5,
        )  # fmt: skip

    def show(
        self,
        pixels: np.ndarray,
        box: Box,
        kind: Reduction,
        stretch: Stretch,
        palette: list[str],
        boxes: list[tuple[Box, str, str]],
        title: str,
    ) -> None:
        """New pixels of ``box``, and (box, colour, dash) to draw over them."""
        left, bottom, right, top = box.edges
        side = max(right - left, top - bottom)
        x, y = (left + right) / 2, (bottom + top) / 2
        self._x.update(start=x - side / 2, end=x + side / 2)
        self._y.update(start=y - side / 2, end=y + side / 2)
        shape = tuple(max(1, min(n, round(self._size * n / side))) for n in box.shape)
        small = Pyramid(pixels, kind, box).cut(box.edges, (shape[0], shape[1]))
        self._mapper.palette = palette
        self._source.data = {
            "image": [stretch.levels(small)],
            "x": [left],
            "y": [bottom],
            "dw": [right - left],
            "dh": [top - bottom],
        }
        edges = [b.edges for b, _, _ in boxes]
        self._boxes.data = {
            "left": [e[0] for e in edges],
            "bottom": [e[1] for e in edges],
            "right": [e[2] for e in edges],
            "top": [e[3] for e in edges],
            "color": [color for _, color, _ in boxes],
            "dash": [dash for _, _, dash in boxes],
        }
        self.figure.title.text = title

    def clear(self, title: str) -> None:
        """Nothing but a title."""
        self._source.data = dict(_NOTHING)
        self._boxes.data = {k: [] for k in self._boxes.data}
        self.figure.title.text = title

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        self.figure.background_fill_color = colors.surface


def show_cutout(
    picture: Picture,
    pixels: np.ndarray,
    inner: Box,
    outer: Box,
    frame: Box,
    title: str,
    colors: Palette,
) -> None:
    """A padded cut-out with the inner box, and the edge of the image where there is padding."""
    sample = pixels.ravel()[:: max(1, pixels.size // 20_000)]
    limits = sky_limits(sample, "zscale") or (0.0, 1.0)
    boxes = [(inner, colors.accent, "solid")]
    real = frame.intersection(outer)
    if real is not None and real != outer:
        boxes.append((real, colors.failed, "dashed"))
    stretch = Stretch(*limits)
    picture.show(pixels, outer, "mean", stretch, sky_palette("cividis"), boxes, title)


def change_limit(curve: PaddingCurve) -> float:
    """Range [±σ] in which the changes of all paddings are shown, so that they can be compared."""
    worst = [t.diff_edge for t in curve.trials if np.isfinite(t.diff_edge)]
    return float(f"{max(3 * max(worst, default=1.0), 1e-4):.1g}")


def show_change(
    picture: Picture, trial: PaddingTrial, inner: Box, limit: float, colors: Palette
) -> None:
    """Change of D by one padding, from −``limit`` to ``limit`` σ."""
    title = f"{trial.border} px"
    if trial.change is None:
        picture.clear(f"{title}: fails")
        return
    theme = DARK if colors.name == "dark" else LIGHT
    picture.show(
        trial.change,
        inner,
        "extreme",
        Stretch(-limit, limit),
        diverging_palette(theme.diverging),
        [],
        title,
    )


class CurvePlot:
    """Edge residual of D and Scorr against the border."""

    def __init__(self) -> None:
        self.figure = figure(
            name="padding-curve", height=190, sizing_mode="stretch_width", tools="",
            toolbar_location=None, y_axis_type="log", x_axis_label="border [px]",
            y_axis_label="edge residual [σ]", x_range=Range1d(0, 50),
            y_range=Range1d(1e-5, 1), min_border=4,
        )  # fmt: skip
        self._source = ColumnDataSource(
            name="source-padding-curve", data={"border": [], "diff": [], "scorr": []}
        )
        self._lines = []
        for column, label in (("diff", "D"), ("scorr", "Scorr")):
            for draw in (self.figure.line, self.figure.scatter):
                size = {"size": 6} if draw == self.figure.scatter else {"line_width": 1.6}
                self._lines.append(
                    draw("border", column, source=self._source, legend_label=label, **size)
                )
        self._planned = Span(dimension="height", location=0, line_dash="dashed")
        self.figure.add_layout(self._planned)
        axis = self.figure.axis
        axis.axis_label_text_font_size, axis.axis_label_text_font_style = "11px", "normal"
        axis.major_label_text_font_size = "10px"
        self.figure.legend.label_text_font_size = "10px"
        self.figure.legend.padding = 2
        self.figure.visible = False

    def show(self, curve: PaddingCurve) -> None:
        """A new curve."""
        # Zero has no place on a logarithmic axis.
        diff = [max(t.diff_edge, 1e-9) for t in curve.trials]
        scorr = [max(t.scorr_edge, 1e-9) for t in curve.trials]
        border = [t.border for t in curve.trials]
        self._source.data = {"border": border, "diff": diff, "scorr": scorr}
        known = [v for v in (*diff, *scorr) if np.isfinite(v)]
        if known:
            self.figure.y_range.update(start=max(min(known) / 2, 1e-7), end=2 * max(known))
        self.figure.x_range.end = 1.08 * border[-1]
        self._planned.location = curve.planned
        self.figure.visible = True

    def clear(self) -> None:
        """Nothing to show."""
        self.figure.visible = False

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        theme_figure(self.figure, colors)
        for line, color in zip(
            self._lines, (colors.info, colors.info, colors.warning, colors.warning), strict=True
        ):
            line.glyph.line_color = color
            if hasattr(line.glyph, "fill_color"):
                line.glyph.fill_color = color
        self._planned.line_color = colors.text

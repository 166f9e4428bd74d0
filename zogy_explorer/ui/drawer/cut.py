"""The Cut tab: all layers along a line that was drawn over the images."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource

from zogy_explorer.diagnostics.profiles import LineCut, line_box, line_cut
from zogy_explorer.errors import InputError
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.small_plots import small_legend, small_plot, stage
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.style import Palette, theme_figure

_HINT = (
    '<p class="muted">Hold <kbd>Shift</kbd> and drag a line over an image: its values in every '
    "layer are drawn here, with a band of ±1 σ.</p>"
)
_COLUMNS = ("science", "template", "difference", "score", "scorr")


class CutTab:
    """Plots of science and template, D, S, and Scorr along the line.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Cut"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._words = text_pane(_HINT, name="cut-words", width=150, sizing_mode=None, margin=(4, 8))
        self.source = ColumnDataSource(name="source-cut", data=_nothing())
        self.plots = {
            "sky": small_plot("cut-sky", "along the cut [px]", "science, template"),
            "difference": small_plot("cut-difference", "along the cut [px]", "D"),
            "score": small_plot("cut-score", "along the cut [px]", "S"),
            "scorr": small_plot("cut-scorr", "along the cut [px]", "Scorr [σ]"),
        }
        self._lines: dict[str, Any] = {}
        self._bands: dict[str, Any] = {}
        for name, where in (
            ("science", "sky"), ("template", "sky"), ("difference", "difference"),
            ("score", "score"), ("scorr", "scorr"),
        ):  # fmt: skip
            plot = self.plots[where]
            label = {"legend_label": name} if where == "sky" else {}
            self._bands[name] = plot.varea(
                "distance", f"{name}_low", f"{name}_high", source=self.source, fill_alpha=0.22
            )
            self._lines[name] = plot.line(
                "distance", name, source=self.source, line_width=1.5, **label
            )
        small_legend(self.plots["sky"])
        self._stage = stage(self.plots.values())
        self.view = pn.Row(self._words, self._stage, sizing_mode="stretch_both", margin=0)
        context.wall.on_cut(lambda line: context.painter.ask(self.show))

    def show(self) -> None:
        """The line again, over the frame and cell of now."""
        frame = self._context.session.frame
        line = self._context.wall.line
        if frame is None or line is None:  # or no longer: it went with its pair
            self._clear(_HINT)
            return
        x0, y0, x1, y1 = line
        try:
            cut = self._cut(frame, (x0, y0), (x1, y1))
        except InputError as error:
            self._clear(f'<p class="muted">{error}</p>')
            return
        if cut is None:
            self._clear('<p class="muted">The line misses the image.</p>')
            return
        self._stage.visible = True
        self.source.data = cut_columns(cut)
        self._words.object = cut_words(cut)

    def _clear(self, words: str) -> None:
        self._words.object = words
        self._stage.visible = False
        self.source.data = _nothing()

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        for plot in self.plots.values():
            theme_figure(plot, colors)
        shades = {"science": colors.info, "template": colors.warning}
        for name, line in self._lines.items():
            color = shades.get(name, colors.info)
            line.glyph.line_color = self._bands[name].glyph.fill_color = color

    def _cut(
        self, frame: Frame, start: tuple[float, float], end: tuple[float, float]
    ) -> LineCut | None:
        box = line_box(frame.plan.bbox, start, end)
        if box is None:
            return None
        planes = {n: p for n, p in self._context.wall.pixels(box).items() if n in _COLUMNS}
        part = box.slices((frame.plan.bbox.x0, frame.plan.bbox.y0))
        with np.errstate(invalid="ignore"):
            planes |= {
                "science σ": np.sqrt(frame.plan.science.variance[part]),
                "template σ": np.sqrt(frame.plan.template.variance[part]),
            }
            for name, result in (
                ("difference", frame.difference.diff), ("score", frame.difference.score),
            ):  # fmt: skip
                if result is not None and result.variance is not None:
                    planes[f"{name} σ"] = np.sqrt(result.variance[part])
        return line_cut(planes, box, start, end)


def cut_columns(cut: LineCut) -> dict[str, Any]:
    """Columns of the plots' source: values, and the edges of the bands of ±1 σ.

    The band follows the value for an image and stands about zero for D, S and Scorr, which are
    noise where the pair agrees.
    """
    data: dict[str, Any] = {"distance": cut.distance}
    missing = np.full(cut.distance.shape, np.nan)
    for name in _COLUMNS:
        data[name] = cut.values.get(name, missing)
    for name in _COLUMNS:
        sigma = np.ones_like(missing) if name == "scorr" else cut.values.get(f"{name} σ", missing)
        middle = data[name] if name in ("science", "template") else 0.0
        data[f"{name}_low"], data[f"{name}_high"] = middle - sigma, middle + sigma
    return data


def cut_words(cut: LineCut) -> str:
    """Ends and length of a cut, and the extremes of Scorr on it."""
    ends = f"({cut.x[0]:.1f}, {cut.y[0]:.1f}) → ({cut.x[-1]:.1f}, {cut.y[-1]:.1f})"
    scorr = cut.values.get("scorr")
    said = ""
    if scorr is not None and np.isfinite(scorr).any():
        said = f"<p>Scorr {np.nanmin(scorr):.1f} … {np.nanmax(scorr):.1f} σ</p>"
    return (
        f"<h3>{cut.distance[-1]:.1f} px</h3><p>{ends}</p>{said}"
        "<p class='muted'>Bands: ±1 σ of the variance planes. Drag with Shift for another.</p>"
    ).replace("-", "−")


def _nothing() -> dict[str, Any]:
    bands = [f"{name}_{end}" for name in _COLUMNS for end in ("low", "high")]
    return {name: [] for name in ("distance", *_COLUMNS, *bands)}

"""The Padding tab: the padded cut-outs of the cell, and how much padding it needs."""

from __future__ import annotations

import numpy as np
import panel as pn

from zogy_explorer.diagnostics.padding import SHARES, PaddingCurve, padding_curve
from zogy_explorer.engine import cut_cell
from zogy_explorer.engine.cutout import CellInput
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui import words
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.layers import describe_value
from zogy_explorer.ui.live import Progress
from zogy_explorer.ui.panes import EdgeButton, text_pane
from zogy_explorer.ui.style import DARK, Palette
from zogy_explorer.ui.tabs.padding_plots import (
    CurvePlot,
    Picture,
    change_limit,
    show_change,
    show_cutout,
)

ENOUGH = 0.01
"""[σ] Change at the edge that nobody could see."""

_FILLS = {
    "noise": "white noise of the cell's σ",
    "zero": "the sky level, without noise",
    "mirror": "the image mirrored at its edge",
}


class PaddingTab:
    """What the transform sees of the cell, and the residual at its edge for several borders.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Padding"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._cuts, self._trials = context.lane(), context.lane(cancel_running=True)
        self._colors = DARK
        self._shown: tuple[SubtractionPlan, CellResult] | None = None
        self._curve: PaddingCurve | None = None
        self.pictures = {
            "science": Picture("padded-science", "Science, padded", 156),
            "template": Picture("padded-template", "Template, padded", 156),
        }
        self.changes = [Picture(f"padding-{k}", "", 103) for k in range(len(SHARES))]
        self.curve = CurvePlot()
        self._words = text_pane(name="padding-words")
        self._range = text_pane(name="padding-range")
        self._verdict = text_pane(name="padding-verdict")
        self._bar = text_pane(name="padding-progress", height=14)
        self.start = EdgeButton(
            label="Try several paddings", margin=(4, 4, 4, 0), sizing_mode="stretch_width",
            description="Subtract this cell with borders from an eighth to twice the present one.",
        )  # fmt: skip
        self.cancel = pn.widgets.Button(label="Cancel", margin=(4, 0), width=80, disabled=True)
        self.start.on_click(lambda event: self.run())
        self.cancel.on_click(lambda event: self._trials.cancel())
        changes = [pn.pane.Bokeh(p.figure, margin=0) for p in self.changes]
        self._multiples = pn.Column(
            self._range,
            pn.Row(*changes[:3], margin=0),
            pn.Row(*changes[3:], margin=0),
            pn.pane.Bokeh(self.curve.figure, sizing_mode="stretch_width", margin=(4, 0)),
            self._verdict,
            sizing_mode="stretch_width",
            margin=0,
            visible=False,
        )
        self.view = pn.Column(
            pn.Row(*(pn.pane.Bokeh(p.figure, margin=0) for p in self.pictures.values()), margin=0),
            self._words,
            pn.Row(self.start, self.cancel, sizing_mode="stretch_width", margin=0),
            self._bar,
            self._multiples,
            sizing_mode="stretch_width",
            margin=(6, 0),
        )

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """The padded cut-outs of a cell; an older curve goes."""
        self._shown, self._colors = (plan, result), colors
        self._trials.cancel()
        self._multiples.visible = False
        self._curve = None
        self._context.submit(
            self._cuts, lambda token, progress: (plan, cut_cell(plan, result.cell)), self._land_cut
        )

    def run(self) -> None:
        """Try several paddings of the cell that is shown."""
        if self._shown is None:
            return
        plan, result = self._shown
        self.start.disabled, self.cancel.disabled = True, False
        self._context.submit(
            self._trials,
            lambda token, progress: padding_curve(
                plan, result.cell, progress=progress, cancel=token
            ),
            self._land_curve,
            on_cancel=self._rest,
            on_error=self._failed,
            on_poll=self._poll,
        )

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""
        self._colors = colors
        for picture in (*self.pictures.values(), *self.changes):
            picture.theme(colors)
        self.curve.theme(colors)

    def _land_cut(self, made: tuple[SubtractionPlan, CellInput]) -> None:
        plan, inputs = made
        cell = inputs.cell
        for name, image in (("science", inputs.science), ("template", inputs.template)):
            picture = self.pictures[name]
            if image is None:
                picture.clear(f"{name.capitalize()} –")
            else:
                show_cutout(
                    picture, image.image, cell.inner, cell.outer, plan.bbox,
                    f"{name.capitalize()}, padded", self._colors,
                )  # fmt: skip
        self._words.object = padding_words(plan, inputs)

    def _land_curve(self, curve: PaddingCurve) -> None:
        self._rest()
        if self._shown is None or self._shown[1].cell.name != curve.cell:
            return
        self._curve = curve
        inner, limit = self._shown[1].cell.inner, change_limit(curve)
        self._range.object = (
            f'<p class="muted">D less D with twice the border, ±{limit:g} σ, for borders of</p>'
        )
        for k, picture in enumerate(self.changes):
            if k < len(curve.trials):
                show_change(picture, curve.trials[k], inner, limit, self._colors)
            else:
                picture.clear("")
        self.curve.show(curve)
        self._verdict.object = verdict(curve)
        self._multiples.visible = True

    def _poll(self, progress: Progress) -> None:
        self._bar.object = words.progress_bar(progress.fraction, True)

    def _failed(self, error: Exception) -> None:
        self._rest()
        self._verdict.object = f'<p class="warning">{error}</p>'
        self._context.session.report(error)

    def _rest(self) -> None:
        self.start.disabled, self.cancel.disabled = False, True
        self._bar.object = words.progress_bar(0, False)


def padding_words(plan: SubtractionPlan, inputs: CellInput) -> str:
    """Sizes, border and what fills it."""
    cell = inputs.cell
    rule = (
        f"rule {plan.border_measured:.1f} px" if plan.config.borderSize is None else "set by hand"
    )
    real = plan.bbox.intersection(cell.outer)
    lacking = 1 - (real.area if real is not None else 0) / cell.outer.area
    rows = [
        ("Border", f"{plan.border} px ({rule})"),
        ("Padded to", f"{cell.outer.width} × {cell.outer.height} px"),
    ]
    if lacking > 0:
        rows.append(("Off the image", f"{100 * lacking:.0f} % of the padded cell"))
        rows.append(("Filled with", _FILLS[plan.config.padFill]))
        if plan.config.padFill == "noise" and inputs.science and inputs.template:
            pair = (inputs.science, inputs.template)
            sigmas = " and ".join(
                describe_value(float(np.sqrt(i.background_variance)), 3) for i in pair
            )
            rows.append(("σ of the fill", sigmas))
    else:
        rows.append(("Filled with", "real pixels all round"))
    body = "".join(f'<tr><th>{n}</th><td class="n">{v}</td></tr>' for n, v in rows)
    return f"<table>{body}</table>"


def verdict(curve: PaddingCurve) -> str:
    """The smallest border that is good enough, in words."""
    enough = next((t for t in curve.trials if max(t.diff_edge, t.scorr_edge) < ENOUGH), None)
    said = (
        f"A border of <b>{enough.border} px</b> keeps the change at the edge under {ENOUGH:g} "
        "σ in D and Scorr."
        if enough is not None
        else f"No border that was tried keeps the change at the edge under {ENOUGH:g} σ."
    )
    return (
        f"<p>{said}</p><p class='muted'>Rms in a rim of {curve.rim} px inside the cell, against a "
        f"border of {curve.reference} px; the dashed line is the present {curve.planned} px. Off "
        "the image another border draws other noise, which shows here too.</p>"
    )

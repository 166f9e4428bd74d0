"""The What-if tab: the selected cell, were the pair a little different."""

from __future__ import annotations

from html import escape

import numpy as np
import panel as pn

from zogy_explorer.diagnostics import WhatIf
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.controls import NumberControl
from zogy_explorer.ui.panes import EdgeButton, text_pane
from zogy_explorer.ui.state import SYMBOLS
from zogy_explorer.ui.studies.asking import KNOBS, WhatIfStudy
from zogy_explorer.ui.style import DARK, Palette
from zogy_explorer.ui.tabs.padding_plots import Picture
from zogy_explorer.ui.tabs.signed_picture import common_limit, show_signed

_LABELS = {
    "dx": "Move template, x [px]",
    "dy": "Move template, y [px]",
    "width": "Science PSF width [%]",
    "ratio": "Flux ratio [%]",
    "background": "Sky off science",
}
_REACH = {"dx": 1.0, "dy": 1.0, "width": 20.0, "ratio": 20.0, "background": 10.0}
_STEPS = {"dx": 0.005, "dy": 0.005, "width": 0.1, "ratio": 0.1, "background": 0.05}
_SIGMAS = 3.0
"""Reach of the sky slider in σ of a science pixel."""
_TITLES = {"before": "before", "after": "after", "change": "change"}


class WhatIfTab:
    """Five sliders, three pictures, and what the numbers become.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "What-if"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        study = self._study = context.session.studies.asking
        self._colors = DARK
        self.knobs = {
            name: NumberControl(
                _LABELS[name], 0.0, start=-_REACH[name], end=_REACH[name], step=_STEPS[name],
                least=None if study.param[name].bounds is None else study.param[name].bounds[0],
                most=None if study.param[name].bounds is None else study.param[name].bounds[1],
                help_text=str(study.param[name].doc),
            )
            for name in KNOBS
        }  # fmt: skip
        for name, knob in self.knobs.items():
            knob.connect(lambda value, name=name: self._turn(name, value), lambda: None)  # type: ignore[misc]
        self.best = EdgeButton(
            label="Find the best shift here", margin=(4, 6, 2, 0),
            description="The move of the template that leaves least around the tapped position, "
            "or around the strongest residual of the cell",
        )  # fmt: skip
        self.reset = pn.widgets.Button(label="Reset", margin=(4, 0, 2, 0))
        self.register = EdgeButton(
            label="Register the pair by this shift", margin=(2, 6, 2, 0),
            description="Move the whole template by dx, dy (resampled once) and subtract again, "
            "as a new pair with a list of runs of its own; log and Code tab say so, and Undo takes "
            "it back",
        )  # fmt: skip
        self.unregister = EdgeButton(
            label="Take it back", margin=(2, 0), visible=False,
            description="Subtract again with the template as it came",
        )  # fmt: skip
        self.best.on_click(lambda event: study.find_shift())
        self.reset.on_click(lambda event: study.reset())
        self.register.on_click(lambda event: study.register())
        self.unregister.on_click(lambda event: study.unregister())
        self.plane = pn.widgets.RadioButtonGroup(
            options=["Scorr", "D"], value="Scorr", width=120, margin=(6, 0, 0, 0)
        )
        self.plane.param.watch(lambda event: context.painter.ask(self._show_answer), "value")
        self.pictures = {name: Picture(f"what-if-{name}", t, 103) for name, t in _TITLES.items()}
        self._words = text_pane(name="what-if-words")
        self.view = pn.Column(
            *(knob.view for knob in self.knobs.values()),
            pn.Row(self.best, self.reset, margin=0),
            pn.Row(self.register, self.unregister, margin=0),
            self.plane,
            pn.Row(*(pn.pane.Bokeh(p.figure, margin=0) for p in self.pictures.values()), margin=0),
            self._words,
            sizing_mode="stretch_width",
            margin=(6, 0),
        )
        ask = context.painter.ask
        study.param.watch(
            lambda *events: ask(self._show_answer), ["answer", "answered", "message", "best"]
        )
        study.param.watch(lambda *events: self._show_knobs(), list(KNOBS))
        context.session.param.watch(lambda event: ask(self._show_registered), "frame")
        self._show_registered()

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """The study follows the selected cell; the sky slider follows its noise."""
        self._colors = colors
        if np.isfinite(result.sigma_science):
            reach = float(f"{_SIGMAS * result.sigma_science:.2g}")
            slider = self.knobs["background"].slider
            held = float(slider.value)
            slider.param.update(
                start=min(-reach, held), end=max(reach, held), step=float(f"{reach / 100:.2g}")
            )
        self._show_answer()

    def in_front(self, shown: bool) -> None:
        """Answer only while somebody looks."""
        self._study.wanted = shown

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self._colors = colors
        for picture in self.pictures.values():
            picture.theme(colors)

    def _turn(self, name: str, value: float) -> None:
        try:
            setattr(self._study, name, value)
        except ValueError as error:  # param says which bound is broken
            self._study.message = str(error)

    def _show_knobs(self) -> None:
        for name, knob in self.knobs.items():
            knob.show(getattr(self._study, name))

    def _show_registered(self) -> None:
        pair = self._context.session.pair
        self.unregister.visible = pair is not None and pair.registered is not None

    def _show_answer(self) -> None:
        study = self._study
        answer: WhatIf | None = study.answer
        cell: CellResult | None = study.answered
        if study.message:
            self._words.object = (
                f'<p class="failed">{SYMBOLS["failed"]} {escape(study.message)}</p>'
            )
        shown = self._context.session.cell
        if answer is None or cell is None or shown is None or shown is not cell:
            for name, picture in self.pictures.items():
                picture.clear(_TITLES[name])
            return
        before, after, change = self._planes(answer, cell)
        part = cell.cell.inner.slices((cell.region.x0, cell.region.y0))
        limit = common_limit([before[part]])
        for name, plane in (("before", before), ("after", after), ("change", change)):
            title = f"{_TITLES[name]}  ±{limit:.3g}" if name == "before" else _TITLES[name]
            show_signed(
                self.pictures[name], plane[part], cell.cell.inner, limit, title, self._colors
            )
        if not study.message:
            self._words.object = answer_words(answer, cell, study)

    def _planes(
        self, answer: WhatIf, cell: CellResult
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self.plane.value == "Scorr" and answer.scorr is not None and cell.scorr is not None:
            assert answer.scorr_change is not None
            return answer.scorr - answer.scorr_change, answer.scorr, answer.scorr_change
        return answer.diff - answer.diff_change, answer.diff, answer.diff_change


def answer_words(answer: WhatIf, cell: CellResult, study: WhatIfStudy) -> str:
    """Numbers of the inner box before and after."""
    part = cell.cell.inner.slices((cell.region.x0, cell.region.y0))
    rows = [("mean (D/σ)²", f"{answer.chi2_before:.4g}", f"{answer.chi2:.4g}")]
    if answer.scorr is not None and answer.scorr_change is not None:
        after = np.abs(answer.scorr[part])
        before = np.abs((answer.scorr - answer.scorr_change)[part])
        rows += [
            ("largest |Scorr|", f"{np.nanmax(before):.2f}", f"{np.nanmax(after):.2f}"),
            (
                "pixels over 5",
                str(int(np.count_nonzero(before > 5))),
                str(int(np.count_nonzero(after > 5))),
            ),
        ]
    body = "".join(
        f'<tr><th>{name}</th><td class="n">{a}</td><td class="n">{b}</td></tr>'
        for name, a, b in rows
    )
    table = (
        f'<table><tr><th>{escape(cell.cell.name)}</th><th class="n">before</th>'
        f'<th class="n">after</th></tr>{body}</table>'
    )
    best = study.best
    if best is None:
        return table
    return (
        f"<p>Best shift: ({best.dx:+.3f} ± {best.dx_error:.3f}, {best.dy:+.3f} ± "
        f"{best.dy_error:.3f}) px; χ² in its window {best.chi2_before:.0f} → {best.chi2:.0f} on "
        f"{best.n_pixels} pixels.</p>{table}"
    )

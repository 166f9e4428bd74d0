"""The Explain tab: why a residual is where it is."""

from __future__ import annotations

from html import escape

import panel as pn

from zogy_explorer.diagnostics import Explanation
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import EdgeButton, text_pane
from zogy_explorer.ui.state import SYMBOLS
from zogy_explorer.ui.studies.cures import Cure
from zogy_explorer.ui.style import DARK, Palette, styled
from zogy_explorer.ui.tabs import explain_words as words
from zogy_explorer.ui.tabs.padding_plots import Picture
from zogy_explorer.ui.tabs.signed_picture import common_limit, show_signed
from zogy_explorer.ui.wall.points import PointMark

_TITLES = {"data": "D", "model": "model", "left": "remainder"}
_HINT = (
    "<p>Tap a residual on any image, or point at it and press <kbd>e</kbd>: the causes that could "
    "have made it are fitted to D and ranked.</p>"
)


class ExplainTab:
    """Ranked causes of one residual, with pictures, advice and cures.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Explain"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        study = self._study = context.session.studies.explaining
        self._colors = DARK
        self._shown: Explanation | None = None
        self.strongest = EdgeButton(
            label="Strongest in this cell", margin=(2, 6, 2, 0),
            description="Explain the pixel of the selected cell with the largest |Scorr|",
        )  # fmt: skip
        self.strongest.on_click(lambda event: study.ask_strongest())
        self.again = EdgeButton(
            label="Last tapped (e)", margin=(2, 0),
            description="Explain the position that was tapped last",
        )  # fmt: skip
        self.again.on_click(lambda event: context.session.studies.explain_last())
        self._status = text_pane(_HINT, name="explain-status")
        self._causes = text_pane(name="explain-causes")
        self._bars = text_pane(name="explain-bars")
        self._verdict = text_pane(name="explain-verdict")
        self._cures = pn.FlexBox(margin=(4, 0), sizing_mode="stretch_width")
        self.pictures = {
            name: Picture(f"explain-{name}", title, 103) for name, title in _TITLES.items()
        }
        self._trio = pn.Row(
            *(pn.pane.Bokeh(p.figure, margin=0) for p in self.pictures.values()),
            margin=(4, 0),
            visible=False,
        )
        self.view = pn.Column(
            pn.Row(self.strongest, self.again, margin=0),
            self._status,
            self._causes,
            self._cures,
            self._trio,
            self._bars,
            self._verdict,
            sizing_mode="stretch_width",
            margin=(6, 0),
        )
        ask = context.painter.ask
        study.param.watch(
            lambda *events: ask(self._show_answer),
            ["place", "explanation", "verdict", "busy", "message"],
        )
        study.param.watch(lambda event: ask(self._mark), "place")

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """The answer belongs to a place, not to the selected cell."""
        self._show_answer()
        self._mark()

    def in_front(self, shown: bool) -> None:
        """Follow the frame only while somebody looks."""
        self._study.wanted = shown

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self._colors = colors
        for picture in self.pictures.values():
            picture.theme(colors)
        self._shown = None

    def _show_answer(self) -> None:
        study = self._study
        explanation = study.explanation
        self._status.object = self._status_words(explanation)
        if explanation is self._shown and explanation is not None:
            self._verdict.object = words.mover(study.verdict)
            return
        self._shown = explanation
        self._trio.visible = explanation is not None and explanation.n_pixels > 0
        if explanation is None:
            for pane in (self._causes, self._bars, self._verdict):
                pane.object = ""
            self._cures.clear()
            return
        self._causes.object = words.verdicts(explanation)
        self._bars.object = words.bars(explanation) + words.evidence(explanation)
        self._verdict.object = words.mover(study.verdict)
        self._show_cures(study.cures)
        if self._trio.visible:
            self._show_pictures(explanation)

    def _status_words(self, explanation: Explanation | None) -> str:
        study = self._study
        if study.message:
            return f'<p class="failed">{SYMBOLS["failed"]} {escape(study.message)}</p>'
        if explanation is not None:
            return words.heading(explanation)
        if study.busy and study.place is not None:
            x, y = study.place
            return f'<p class="muted">explaining ({x:.0f}, {y:.0f})…</p>'
        return _HINT

    def _show_pictures(self, explanation: Explanation) -> None:
        planes = {
            "data": explanation.diff,
            "model": explanation.model,
            "left": explanation.diff - explanation.model,
        }
        limit = common_limit([explanation.diff])
        for name, picture in self.pictures.items():
            title = f"{_TITLES[name]}  ±{limit:.3g}" if name == "data" else _TITLES[name]
            show_signed(picture, planes[name], explanation.window, limit, title, self._colors)

    def _show_cures(self, cures: tuple[Cure, ...]) -> None:
        self._cures[:] = [styled(self._button(cure)) for cure in cures]

    def _button(self, cure: Cure) -> pn.widgets.Button:
        button = EdgeButton(label=cure.label, description=cure.help_text, margin=(2, 6, 2, 0))
        button.on_click(lambda event: self._study.apply(cure))
        return button

    def _mark(self) -> None:
        place = self._study.place
        marks = (
            [] if place is None else [PointMark(place[0], place[1], "diamond", 20.0, "selected")]
        )
        self._context.wall.mark("explained", marks)

"""The Inject tab: put a source into the science image and see what comes back."""

from __future__ import annotations

import math
from html import escape

import numpy as np
import panel as pn
from scipy.special import ndtr

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.simulate import Completeness
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.controls import NumberControl, help_icon
from zogy_explorer.ui.layers import cell_layers
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.state import SYMBOLS, Frame
from zogy_explorer.ui.studies.injecting import Injection, InjectStudy, Recovered
from zogy_explorer.ui.style import Palette
from zogy_explorer.ui.tabs.trust_plots import Chart
from zogy_explorer.ui.wall.points import PointMark
from zogy_explorer.ui.words import progress_bar

_FLUX_HELP = (
    "Flux of the next source, the sum over its pixels [calibrated unit]. The slider is "
    "logarithmic; the hint below says how significant it would be in the selected cell."
)


class InjectTab:
    """Injection by tapping, recovered fluxes, and completeness curves.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Inject"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        study = self._study = context.session.studies.injecting
        p = study.param
        self._writing = False
        self._patched: dict[int, Frame] = {}
        self.armed = pn.widgets.Checkbox(label="A tap injects a source", value=study.armed)
        self.armed.param.watch(lambda event: setattr(study, "armed", event.new), "value")
        self.flux = pn.widgets.FloatInput(
            label="Flux [calibrated unit]", value=100.0, description=_FLUX_HELP,
            sizing_mode="stretch_width", margin=(4, 0, 0, 0),
        )  # fmt: skip
        self.slider = pn.widgets.FloatSlider(
            label="log10 of the flux", value=2.0, start=0.0, end=4.0, step=0.02, show_value=False,
            tooltips=False, sizing_mode="stretch_width", margin=(0, 6, 2, 6),
            stylesheets=[".bk-slider-title { display: none; }"],
        )  # fmt: skip
        self.flux.param.watch(lambda event: self._choose(event.new), "value")
        self.slider.param.watch(lambda event: self._choose(10**event.new), "value")
        self._hint = text_pane(name="inject-hint")
        self.undo = pn.widgets.Button(label="Undo last", margin=(2, 6, 2, 0), disabled=True)
        self.clear = pn.widgets.Button(label="Clear all", margin=(2, 0), disabled=True)
        self.undo.on_click(lambda event: study.undo())
        self.clear.on_click(lambda event: study.clear())
        self._found = text_pane(name="inject-found")
        self.trials = NumberControl(
            "Sources of each flux", study.trials, start=8, end=100, step=1, least=4, most=400,
            whole=True, help_text=str(p.trials.doc),
        )  # fmt: skip
        self.trials.connect(lambda value: setattr(study, "trials", int(value)), lambda: None)
        self.measure_cell = pn.widgets.Button(label="Measure in this cell", margin=(2, 6, 2, 0))
        self.measure_frame = pn.widgets.Button(label="In the whole frame", margin=(2, 6, 2, 0))
        self.stop = pn.widgets.Button(label="Cancel", margin=(2, 0), visible=False)
        self.measure_cell.on_click(lambda event: study.measure())
        self.measure_frame.on_click(lambda event: study.measure(whole_frame=True))
        self.stop.on_click(lambda event: study.cancel())
        self._progress = text_pane(name="inject-progress")
        self._curve_words = text_pane(name="inject-curve-words")
        self.chart = completeness_chart()
        self._chart_pane = pn.Column(
            pn.pane.Bokeh(self.chart.figure, sizing_mode="stretch_width", margin=0),
            sizing_mode="stretch_width",
            margin=(4, 0),
            visible=False,
        )
        self.view = pn.Column(
            pn.Row(self.armed, help_icon(str(p.armed.doc)), margin=0),
            self.flux,
            self.slider,
            self._hint,
            pn.Row(self.undo, self.clear, margin=0),
            self._found,
            text_pane("<h3>Completeness</h3>", margin=(10, 0, 0, 0)),
            self.trials.view,
            pn.Row(self.measure_cell, self.measure_frame, margin=0),
            pn.Row(self._progress, self.stop, sizing_mode="stretch_width", margin=0),
            self._chart_pane,
            self._curve_words,
            sizing_mode="stretch_width",
            margin=(6, 0),
        )
        ask = context.painter.ask
        study.param.watch(
            lambda *events: ask(self._show_sources), ["sources", "injection", "busy", "message"]
        )
        study.param.watch(lambda event: ask(self._show_curve), "curve")
        study.param.watch(lambda *events: ask(self._show_progress), ["curve_busy", "progress"])

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """Another cell has another depth."""
        sigma = self._study.sigma_flux()
        if np.isfinite(sigma) and sigma > 0:
            middle = math.log10(10 * sigma)
            start, end = round(middle - 1.5, 2), round(middle + 2, 2)
            self._writing = True
            try:
                value = math.log10(self._study.next_flux())
                self.slider.param.update(start=min(start, value), end=max(end, value), value=value)
                self.flux.value = self._study.next_flux()
            finally:
                self._writing = False
        self._say_hint()
        self._show_sources()

    def in_front(self, shown: bool) -> None:
        """A tap injects only while somebody looks."""
        self._study.wanted = shown

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self.chart.theme(colors)

    def _choose(self, flux: float | None) -> None:
        if self._writing:
            return
        if flux is None or not (np.isfinite(flux) and flux > 0):
            self._refuse(flux)
            return
        self._writing = True
        try:
            rounded = float(f"{flux:.3g}")
            self._study.flux = rounded
            self.flux.value = rounded
            log = math.log10(rounded)
            # A slider that hears its own value rounded loses the steps of a held key.
            if abs(log - self.slider.value) > self.slider.step / 2:
                self.slider.param.update(
                    start=min(self.slider.start, log), end=max(self.slider.end, log), value=log
                )
        finally:
            self._writing = False
        self._say_hint()

    def _refuse(self, flux: float | None) -> None:
        """What is injected next stands in the box, not what was typed and cannot be.

        Nothing does, where there is neither a flux nor an error of the cell to take it from.
        """
        given = "What was typed" if flux is None else f"{flux:g}"
        following = self._study.next_flux()
        known = bool(np.isfinite(following))
        self._writing = True
        try:
            self.flux.value = following if known else None
        finally:
            self._writing = False
        self._say_hint()
        kept = f" It is {following:.4g} as before." if known else ""
        self._hint.object = (
            f'<p class="failed">{SYMBOLS["failed"]} {given} is no flux that can be injected: give '
            f"a number above 0.{kept}</p>{self._hint.object}"
        )

    def _say_hint(self) -> None:
        sigma, flux = self._study.sigma_flux(), self._study.next_flux()
        if not np.isfinite(sigma):
            self._hint.object = '<p class="muted">Select a cell that worked.</p>'
            return
        self._hint.object = (
            f"<p>About <b>{flux / sigma:.1f} σ</b> on the sky of this cell; 5 σ is a flux of "
            f"{5 * sigma:.3g}. The source's own photons make it less.</p>"
        )

    def _show_sources(self) -> None:
        study = self._study
        self.undo.disabled = self.clear.disabled = not study.sources
        marks = [PointMark(s.x, s.y, "inverted_triangle", 15.0) for s in study.sources]
        self._context.wall.mark("injected", marks)
        self._patch(study.injection)
        if study.message:
            words = f'<p class="failed">{SYMBOLS["failed"]} {escape(study.message)}</p>'
        elif study.injection is not None and study.sources:
            words = recovered_table(study.injection.recovered)
        elif study.sources:
            words = '<p class="muted">subtracting…</p>'
        else:
            words = '<p class="muted">Tap an image where the source shall be.</p>'
        self._found.object = words

    def _patch(self, injection: Injection | None) -> None:
        """Show the cells with their sources on the images, and those without as they were."""
        wall, frame = self._context.wall, self._context.session.frame
        now = {} if injection is None else {r.cell.index: r for r in injection.cells}
        for index, of in self._patched.items():
            if index not in now and of is frame:
                wall.patch(*cell_layers(of.plan, of.cells[index]))
        self._patched = {}
        if injection is None or injection.frame is not frame:
            return
        for index, result in now.items():
            wall.patch(*cell_layers(injection.plan, result))
            self._patched[index] = injection.frame

    def _show_progress(self) -> None:
        study = self._study
        busy = study.curve_busy
        self.stop.visible = busy
        self.measure_cell.disabled = self.measure_frame.disabled = busy
        self._progress.object = progress_bar(study.progress, busy) if busy else ""

    def _show_curve(self) -> None:
        curve = self._study.curve
        self._chart_pane.visible = curve is not None
        if curve is None:
            self._curve_words.object = ""
            return
        show_completeness(self.chart, curve)
        self._curve_words.object = curve_words(curve, self._study)


def recovered_table(recovered: tuple[Recovered, ...]) -> str:
    """What came back, newest first."""
    rows = ""
    for r in reversed(recovered):
        gain = r.flux - r.flux_before
        found = "ok" if r.scorr >= 5 else "warning"
        rows += (
            f"<tr><th>({r.source.x:.0f}, {r.source.y:.0f})</th>"
            f'<td class="n">{r.source.flux:.4g}</td>'
            f'<td class="n">{gain:.4g} ± {r.error:.2g}</td>'
            f'<td class="n" title="{r.scorr_before:.1f} without it">'
            f'<span class="{found}">{r.scorr:.1f} {SYMBOLS[found]}</span></td></tr>'
        )
    newest = recovered[-1] if recovered else None
    sentence = ""
    if newest is not None:
        sentence = (
            f'<p class="muted">The newest in {escape(newest.cell)}: {newest.pull:+.1f} errors from '
            f"what was put in; there was {newest.flux_before:.3g} before "
            f"(Scorr {newest.scorr_before:.1f}).</p>"
        )
    return (
        '<table><tr><th>x, y</th><th class="n">injected</th>'
        '<th class="n" title="Flux at its place less what was there before">recovered</th>'
        f'<th class="n">Scorr</th></tr>{rows}</table>{sentence}'
    )


def completeness_chart() -> Chart:
    """Share found against flux."""
    made = Chart("inject-completeness", "Share of the sources found", "flux", "found")
    made.line("fit", "muted", legend="fit")
    made.points("found", "info", legend="68 % interval")
    made.span("muted", "width", 0.5, "dotted")
    made.line("half", "warning", dash="dashed", legend="half of them")
    return made.finish("bottom_right")


def show_completeness(chart: Chart, curve: Completeness) -> None:
    """Points with their binomial intervals, the fit, and the flux of half."""
    chart.put("found", x=curve.flux, y=curve.fraction, low=curve.low, high=curve.high)
    x = np.linspace(0, 1.05 * float(curve.flux[-1]), 120)
    if np.isfinite(curve.curve.half):
        chart.put("fit", x=x, y=ndtr((x - curve.curve.half) / curve.curve.width))
        chart.put("half", x=[curve.curve.half] * 2, y=[0.0, 1.0])
    else:
        chart.put("fit", x=[], y=[])
        chart.put("half", x=[], y=[])
    chart.ranges((0.0, float(x[-1])), (-0.04, 1.04))


def _limit(flux: float, error: float) -> str:
    """A limiting flux with its error, if the sources tell."""
    return f"{flux:.4g} ± {error:.2g}" if np.isfinite(flux) else "what these sources leave open"


def curve_words(curve: Completeness, study: InjectStudy) -> str:
    """Limiting fluxes, and whether fluxes and errors come back right."""
    total = int(curve.tried.sum())
    predicted = float(np.nanmedian(curve.limiting_flux_by_cell["flux_predicted"]))
    text = (
        f"<p>{total} sources in {escape(study.curve_of)}: half of them found from a flux of "
        f"<b>{_limit(curve.flux_50, curve.flux_50_error)}</b>, 90 % from "
        f"{_limit(curve.flux_90, curve.flux_90_error)}; {curve.threshold:g} σ predicts "
        f"{predicted:.4g}.</p>"
    )
    good = np.isfinite(curve.pull_sigma)
    if good.any():
        text += (
            f'<p class="muted">Measured fluxes are {100 * float(np.mean(curve.bias[good])):+.1f} % '
            f"off on average and scatter by {float(np.mean(curve.pull_sigma[good])):.2f} of their "
            "errors.</p>"
        )
    return text

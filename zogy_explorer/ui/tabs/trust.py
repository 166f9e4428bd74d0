"""The Trust tab: whether Scorr is what it says, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from weakref import WeakKeyDictionary

import numpy as np
import panel as pn

from zogy_explorer.diagnostics import (
    Autocorrelation,
    ErrorBudget,
    FourierSupport,
    InputNoise,
    PowerSpectrum,
    PsfMatch,
    ScorrStatistics,
    SeamReport,
    Whiteness,
    autocorrelation,
    error_budget,
    explain_sigma,
    fourier_support,
    input_noise,
    power_spectrum,
    psf_match,
    scorr_statistics,
    seam_steps,
    whiteness,
)
from zogy_explorer.engine import Difference
from zogy_explorer.engine.cutout import Checkpoint
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.geometry import Box
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.state import SYMBOLS
from zogy_explorer.ui.style import DARK, Palette
from zogy_explorer.ui.tabs import trust_plots as plots
from zogy_explorer.ui.tabs import trust_words as words
from zogy_explorer.ui.tabs.padding_plots import Picture
from zogy_explorer.ui.tabs.signed_picture import show_signed


@dataclass(frozen=True, eq=False)
class TrustReport:
    """All that can be said of the noise of one cell."""

    result: CellResult
    statistics: ScorrStatistics
    noise: InputNoise
    why: str
    spectrum: PowerSpectrum
    correlation: Autocorrelation
    white: Whiteness
    match: PsfMatch
    support: FourierSupport


def trust_report(plan: SubtractionPlan, result: CellResult, checkpoint: Checkpoint) -> TrustReport:
    """Measure it all; `checkpoint` is called between the parts."""
    statistics = scorr_statistics(result, plan)
    checkpoint()
    noise = input_noise(plan, result)
    checkpoint()
    spectrum = power_spectrum(result, plan)
    correlation = autocorrelation(result, plan)
    checkpoint()
    white = whiteness(result, plan)
    left, bottom, _, _ = result.cell.inner.edges
    match = psf_match(result, plan, x=left + 0.5, y=bottom + 0.5)
    checkpoint()
    return TrustReport(
        result, statistics, noise, explain_sigma(noise), spectrum, correlation, white, match,
        fourier_support(result),
    )  # fmt: skip


class TrustTab:
    """σ predicted, expected and measured; quantiles, tails, spectrum, correlation, PSF match.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Trust"

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._lane = context.lane(cancel_running=True)
        self._seam_lane = context.lane(cancel_running=True)
        self._point_lane = context.lane()
        self._seams: WeakKeyDictionary[Difference, SeamReport] = WeakKeyDictionary()
        self._colors = DARK
        self._report: TrustReport | None = None
        self._wanted = False
        self._sigmas = text_pane(name="trust-sigmas")
        self._why = text_pane(name="trust-why")
        self._tails = text_pane(name="trust-tails")
        self._seam_words = text_pane(name="trust-seams")
        self._white_words = text_pane(name="trust-white", margin=(18, 0, 0, 6))
        self._match_words = text_pane(name="trust-match-words")
        self._budget = text_pane(name="trust-budget")
        self.quantiles, self.spectrum = plots.quantile_chart(), plots.spectrum_chart()
        self.match, self.support = plots.match_chart(), plots.support_chart()
        self.charts = (self.quantiles, self.spectrum, self.match, self.support)
        self.correlation = Picture("trust-correlation", "", 140)
        panes = {
            chart: pn.pane.Bokeh(chart.figure, sizing_mode="stretch_width", margin=(4, 0, 0, 0))
            for chart in self.charts
        }
        self.view = pn.Column(
            self._sigmas,
            self._why,
            panes[self.quantiles],
            self._tails,
            panes[self.spectrum],
            pn.Row(
                pn.pane.Bokeh(self.correlation.figure, margin=(4, 0, 0, 0)),
                self._white_words,
                sizing_mode="stretch_width",
                margin=0,
            ),
            panes[self.match],
            self._match_words,
            panes[self.support],
            self._seam_words,
            self._budget,
            sizing_mode="stretch_width",
            margin=(6, 0),
        )
        studies = context.session.studies
        studies.param.watch(lambda event: context.painter.ask(self._ask_budget), "point")

    def show(self, plan: SubtractionPlan, result: CellResult, colors: Palette) -> None:
        """Have the noise of a cell measured, and show it when it is there."""
        self._colors = colors
        self._ask_budget()
        self._ask_seams()
        if not result.ok:
            self._lane.cancel()
            self._clear(f"This cell has no result: {result.describe_failure()}.")
            return
        if self._report is None or self._report.result.cell != result.cell:
            self._why.object = '<p class="muted">measuring…</p>'
        self._sigmas.object = words.sigmas(result, None)
        self._context.submit(
            self._lane,
            lambda token, progress: trust_report(plan, result, token.check),
            self._land,
            on_error=lambda error: self._clear(str(error)),
        )

    def in_front(self, shown: bool) -> None:
        """The error budget of the tapped pixel is worked out only while somebody looks."""
        self._wanted = shown
        if shown:
            self._context.painter.ask(self._ask_budget)

    def theme(self, colors: Palette) -> None:
        """Colours of the page."""
        self._colors = colors
        for chart in self.charts:
            chart.theme(colors)
        self.correlation.theme(colors)

    def _land(self, report: TrustReport) -> None:
        shown = self._context.session.cell
        if shown is None or shown.cell != report.result.cell:
            return  # another cell was selected meanwhile; its own report is on its way
        self._report = report
        self._sigmas.object = words.sigmas(report.result, report.noise)
        self._why.object = f"<p>{escape(report.why)}</p>"
        self._tails.object = words.tails(report.statistics)
        self._white_words.object = words.whiteness(report.white, report.correlation)
        self._match_words.object = words.match(report.match, report.support)
        plots.show_quantiles(self.quantiles, report.statistics, report.noise.expected_scorr_sigma)
        plots.show_spectrum(self.spectrum, report.spectrum)
        plots.show_match(self.match, report.match)
        plots.show_support(self.support, report.support)
        self._show_correlation(report.correlation)

    def _show_correlation(self, correlation: Autocorrelation) -> None:
        if not correlation.values.size:
            self.correlation.clear("no correlations")
            return
        values = np.array(correlation.values)
        centre = len(correlation.lags) // 2
        values[centre, centre] = np.nan  # 1 by definition: it would rule the scale
        limit = max(4 * float(np.nanmedian(correlation.error)), float(np.nanmax(np.abs(values))))
        side = len(correlation.lags)
        box = Box(-centre, -centre, side, side)
        title = f"correlation ±{limit:.2g}"
        show_signed(self.correlation, values, box, limit, title, self._colors)

    def _clear(self, why: str) -> None:
        self._report = None
        for chart in self.charts:
            chart.clear()
        self.correlation.clear("")
        for pane in (self._sigmas, self._tails, self._white_words, self._match_words):
            pane.object = ""
        self._why.object = f'<p class="failed">{SYMBOLS["failed"]} {escape(why)}</p>'

    def _ask_seams(self) -> None:
        frame = self._context.session.frame
        if frame is None or len(frame.cells) < 2:
            self._seam_words.object = ""
            return
        difference = frame.difference
        known = self._seams.get(difference)
        if known is not None:
            self._seam_words.object = words.seams(known)
            return

        def land(report: SeamReport) -> None:
            self._seams[difference] = report
            now = self._context.session.frame
            if now is not None and now.difference is difference:
                self._seam_words.object = words.seams(report)

        self._context.submit(self._seam_lane, lambda token, progress: seam_steps(difference), land)

    def _ask_budget(self) -> None:
        session = self._context.session
        frame, point = session.frame, session.studies.point
        if not self._wanted or frame is None or point is None:
            self._budget.object = words.budget(None)
            return

        def land(budget: ErrorBudget) -> None:
            if point == session.studies.point:
                self._budget.object = words.budget(budget)

        def failed(error: Exception) -> None:
            self._budget.object = f'<p class="muted">{escape(str(error))}</p>'

        difference = frame.difference
        self._context.submit(
            self._point_lane,
            lambda token, progress: error_budget(difference, *point),
            land,
            on_error=failed,
        )

"""Tables and sentences of the Trust tab, as HTML."""

from __future__ import annotations

import numpy as np

from zogy_explorer.diagnostics import (
    Autocorrelation,
    ErrorBudget,
    FourierSupport,
    InputNoise,
    PsfMatch,
    ScorrStatistics,
    SeamReport,
    Whiteness,
)
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.layers import describe_value
from zogy_explorer.ui.state import SYMBOLS

_TOLERANCE = 0.1
"""Ratio of σ that may pass without a mark."""


def sigmas(result: CellResult, noise: InputNoise | None) -> str:
    """σ as predicted, as the measured noise of the images makes it, and as measured."""
    check = result.noise
    expected = float("nan") if noise is None else noise.expected_scorr_sigma
    of_diff = float("nan") if noise is None else noise.expected_diff_ratio
    rows = (
        ("D", check.diff_predicted, of_diff * check.diff_predicted, check.diff_measured),
        ("S", check.score_predicted, expected * check.score_predicted, check.score_measured),
        ("Scorr", 1.0, expected, check.scorr_measured),
    )
    body = "".join(
        f'<tr><th>σ({name})</th><td class="n">{describe_value(predicted)}</td>'
        f'<td class="n">{describe_value(should, 3)}</td><td class="n">{describe_value(is_)}</td>'
        f'<td class="n">{_ratio(is_, predicted)}</td></tr>'
        for name, predicted, should, is_ in rows
    )
    return (
        '<table><tr><th></th><th class="n" title="From the variance planes">predicted</th>'
        '<th class="n" title="From the noise of both images as measured: variance, correlation '
        'of neighbours, noise that they share">expected</th><th class="n">measured</th>'
        f'<th class="n" title="measured over predicted">ratio</th></tr>{body}</table>'
        f"{_sample(result)}"
    )


def _sample(result: CellResult) -> str:
    """On which pixels the table's measurements are made, and how well Scorr's is known."""
    check = result.noise
    if not np.isfinite(check.scorr_measured):
        return ""
    error = f"; σ(Scorr) ± {check.scorr_error:.1g}" if np.isfinite(check.scorr_error) else ""
    return (
        f'<p class="muted">Measured on a sample of {check.n_pixels} pixels away from sources and '
        f"residuals{error}.</p>"
    )


def tails(statistics: ScorrStatistics) -> str:
    """Pixels beyond thresholds, counted and expected."""
    if not statistics.tails:
        return f'<p class="muted">Only {statistics.n_pixels} pixels: too few for statistics.</p>'
    rows = ""
    for count, scaled in zip(statistics.tails, statistics.tails_over_sigma, strict=True):
        rows += (
            f'<tr><th>|Scorr| &gt; {count.threshold:g}</th><td class="n">{count.expected:.1f}</td>'
            f'<td class="n">{count.observed} {_mark(count.consistent)}</td>'
            f'<td class="n">{scaled.observed} {_mark(scaled.consistent)}</td></tr>'
        )
    return (
        '<table><tr><th>Pixels</th><th class="n">expected</th><th class="n">counted</th>'
        '<th class="n" title="Of Scorr less its mean, over its measured σ">over σ</th></tr>'
        f"{rows}</table>"
        f'<p class="muted">{statistics.n_pixels} pixels without sources, worth '
        f"{statistics.n_independent:.0f} independent ones; mean "
        f"{statistics.mean:+.3f} ± {statistics.mean_error:.3f}.</p>"
    )


def whiteness(white: Whiteness, correlation: Autocorrelation) -> str:
    """Whether D is white."""
    if not white.n_lags:
        return '<p class="muted">Too few pixels to tell whether D is white.</p>'
    along_x, along_y = correlation.nearest
    is_white = white.p_value > 1e-3
    verdict = "D is white" if is_white else "D is not white"
    return (
        f"<p>{_mark(is_white)} {verdict}: {white.statistic:.2f} ± {white.error:.2f} of white "
        f"noise's mean square correlation.</p>"
        f'<p class="muted">Neighbours: {along_x:+.3f} along x, {along_y:+.3f} along y. Largest '
        f"{white.largest:+.3f} at lag {white.largest_lag}. Picture: D's correlation by lag.</p>"
    )


def match(match: PsfMatch, support: FourierSupport) -> str:
    """What a constant star leaves in the corner of the cell, and where the PSFs end."""
    lost = (
        f"Beyond {support.where_lost:.2f} cycles/px both PSFs lie in their noise "
        f"({100 * support.share_lost:.0f} % of all frequencies)."
        if np.isfinite(support.where_lost)
        else "Nowhere do both PSFs lie in their noise."
    )
    reached = (
        f"it reaches 5 in Scorr from a flux of {match.flux_scorr:.3g}"
        if np.isfinite(match.flux_scorr)
        else "at no flux does it reach 5 in Scorr"
    )
    return (
        f"<p>A constant star in the corner of the cell leaves {100 * match.peak:.2g} % of its "
        f"peak in D; {reached}.</p>"
        f'<p class="muted">{lost}</p>'
    )


def seams(report: SeamReport) -> str:
    """Steps between cells."""
    if not report.seams:
        return ""
    limit = 1 + 5 * report.rms_error
    fine = max(report.diff_rms, report.scorr_rms) <= limit
    return (
        f"<p>{_mark(fine)} Steps between cells, in their errors: D {report.diff_rms:.2f}, Scorr "
        f"{report.scorr_rms:.2f} (noise alone: 1 ± {report.rms_error:.2f}), {len(report.seams)} "
        "seams.</p>"
    )


def budget(found: ErrorBudget | None) -> str:
    """Whose the variance of S at the tapped pixel is."""
    if found is None:
        return '<p class="muted">Tap a pixel to see where the variance of S comes from there.</p>'
    names = {
        "source": "source noise",
        "astrometric": "registration",
        "flux_ratio": "flux ratio",
    }
    rows = "".join(
        f'<tr><th>{names[name]}</th><td class="n">{100 * share:.1f} %</td>'
        f'<td style="width:90px"><div class="meter"><i style="width:{100 * share:.0f}%"></i></div>'
        "</td></tr>"
        for name, share in found.fractions.items()
    )
    return (
        f"<p><b>Error budget at ({found.x}, {found.y})</b>, {found.cell}: flux "
        f"{found.flux:.4g} ± {found.flux_error:.2g}; Scorr {found.scorr:.2f}, with source noise "
        f"alone {found.scorr_source_noise:.2f}.</p><table>{rows}</table>"
    )


def _mark(good: bool) -> str:
    kind = "ok" if good else "warning"
    return f'<span class="{kind}">{SYMBOLS[kind]}</span>'


def _ratio(measured: float, predicted: float) -> str:
    if not (np.isfinite(measured) and np.isfinite(predicted) and predicted > 0):
        return "–"
    ratio = measured / predicted
    good = abs(ratio - 1) <= _TOLERANCE
    return f"{ratio:.2f}{'' if good else ' ' + _mark(False)}"

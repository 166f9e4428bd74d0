"""An explanation in words and bars, as HTML."""

from __future__ import annotations

from html import escape

import numpy as np

from zogy_explorer.diagnostics import Cause, Explanation, Verdict
from zogy_explorer.diagnostics.explaining.causes import number
from zogy_explorer.ui.state import SYMBOLS

NAMES = {
    "shift": "Shift",
    "flux": "Flux ratio",
    "psf_width": "PSF",
    "background": "Sky level",
    "cosmic_ray": "Particle hit",
    "saturation": "Saturation",
    "masked": "Masked pixels",
    "edge": "Edge of the frame",
    "ringing": "Ringing",
    "new_source": "New source",
    "noise": "Noise",
    "unexplained": "Unexplained",
}
"""What the page calls the causes."""

_EVIDENCE = ("masked", "saturation", "edge", "ringing", "cosmic_ray")
_VERDICTS = {
    "mover": "warning",
    "misregistration": "warning",
    "still": "ok",
    "unclear": "info",
    "no_light": "info",
    "no_neighbours": "info",
}


def heading(explanation: Explanation) -> str:
    """Where, and what of the residual the supported causes account for."""
    e = explanation
    text = (
        f"<h3>({e.x:.0f}, {e.y:.0f}) in {escape(e.cell)}</h3>"
        f'<p class="muted">within {e.radius:.1f} px, {e.n_pixels} pixels'
    )
    if e.n_pixels:
        text += f": χ² {e.chi2:.0f} → {e.chi2_left:.0f}"
    return text + "</p>"


def verdicts(explanation: Explanation) -> str:
    """Sentence and advice of each supported cause."""
    parts = []
    for cause in explanation.supported:
        kind = "ok" if cause.name == "noise" else "warning"
        parts.append(
            f'<div class="flag {kind}">{escape(NAMES[cause.name])}<br>'
            f"<span>{escape(cause.sentence)}</span> "
            f'<span class="advice">{escape(cause.advice)}</span></div>'
        )
    return "".join(parts)


def bars(explanation: Explanation) -> str:
    """All causes that were tried, with what each explains alone."""
    tried = [cause for cause in explanation.causes if cause.name != "noise"]
    if not tried:
        return ""
    most = max(*(cause.delta_chi2 for cause in tried), 1e-9)
    rows = "".join(_bar(cause, most) for cause in tried)
    misfit = ""
    if explanation.misfit > 1.5:
        misfit = (
            f'<p class="muted">No account is good: the best leaves {explanation.misfit:.1f} χ² a '
            "pixel. Errors of the model, not noise, limit it.</p>"
        )
    return (
        '<p class="muted" title="By how much χ² falls if this cause alone is allowed for">'
        f"Causes tried, by Δχ² alone (✓ taken together)</p><table>{rows}</table>{misfit}"
    )


def _bar(cause: Cause, most: float) -> str:
    width = 100 * np.sqrt(max(cause.delta_chi2, 0.0) / most)
    mark = SYMBOLS["ok"] if cause.supported else ""
    return (
        f'<tr title="{escape(cause.sentence)}"><th style="color:inherit">{mark} '
        f"{escape(NAMES[cause.name])}</th>"
        f'<td class="n">{escape(size(cause))}</td>'
        f'<td style="width:70px"><div class="meter" role="img" '
        f'aria-label="Δχ² {cause.delta_chi2:.0f}"><i style="width:{width:.0f}%"></i></div></td>'
        f'<td class="n">{_thousands(cause.delta_chi2)}</td></tr>'
    )


def size(cause: Cause) -> str:
    """How large a cause is, in its unit."""
    if not np.isfinite(cause.amplitude):
        return "–"
    units = {"calibrated unit": "", "of the expected": "×", "% of the light": "% light"}
    unit = units.get(cause.unit, cause.unit)
    text = number(cause.amplitude, cause.error)
    if len(text) > 17:
        text = f"{cause.amplitude:.4g} ± {cause.error:.2g}" if cause.error else text
    return f"{text} {unit}".strip()


def evidence(explanation: Explanation) -> str:
    """What was looked for in masks and surroundings, found or not."""
    marks = []
    for name in _EVIDENCE:
        cause = explanation.cause(name)
        found = cause is not None and (cause.supported or cause.unit == "pixels")
        text = "no" if cause is None else "yes" if found else "no better than noise"
        kind = "warning" if found else "muted"
        marks.append(f'<span class="{kind}">{escape(NAMES[name])}: {text}</span>')
    return f"<p>{' · '.join(marks)}</p>"


def mover(verdict: Verdict | None) -> str:
    """Mover or misregistration."""
    if verdict is None:
        return '<p class="muted">comparing with its neighbours…</p>'
    kind = _VERDICTS[verdict.verdict]
    title = verdict.verdict.replace("_", " ")
    return (
        f'<div class="flag {kind}">Moved by itself? {SYMBOLS[kind]} {escape(title)}<br>'
        f"<span>{escape(verdict.sentence)}</span> "
        f'<span class="advice">{escape(verdict.advice)}</span></div>'
    )


def _thousands(value: float) -> str:
    return f"{value / 1000:.1f}k" if value >= 9999.5 else f"{value:.0f}"

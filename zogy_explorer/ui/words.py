"""Results in words and small tables, as HTML; no widgets here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from zogy_explorer.engine.flags import Flag
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.ui.layers import describe_value
from zogy_explorer.ui.state import SYMBOLS, WORDS, Frame, Notice

TEXT_CSS = """
:host { font-size: 12px; line-height: 1.45; color: var(--zx-text); }
h3 { font-size: 14px; margin: 0 0 2px; font-weight: 600; }
p { margin: 2px 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 2px 6px 2px 0; font-weight: 400; white-space: nowrap; }
th { color: var(--zx-muted); }
td.n, th.n { text-align: right; }
tr + tr td, tr + tr th { border-top: 1px solid var(--zx-border); }
.muted { color: var(--zx-muted); }
.ok { color: var(--zx-ok); } .info { color: var(--zx-info); }
.warning { color: var(--zx-warning); } .failed { color: var(--zx-failed); }
.flag { border-left: 3px solid currentColor; padding: 1px 0 1px 8px; margin: 6px 0; }
.flag b, .flag span { color: var(--zx-text); font-weight: 400; }
.flag .advice { color: var(--zx-muted); }
.meter { position: relative; height: 8px; border-radius: 4px; background: var(--zx-raised);
  margin: 4px 0 2px; overflow: hidden; }
.meter i { position: absolute; inset: 0 auto 0 0; background: var(--zx-info); }
.meter.idle { background: transparent; }
.meter.over i { background: var(--zx-failed); }
.meter u { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--zx-text); }
pre { margin: 0; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; }
code { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
kbd { border: 1px solid var(--zx-border); border-radius: 3px; padding: 0 5px;
  background: var(--zx-raised); font: inherit; }
"""
"""Style sheet of every pane of text."""


def mark(severity: str) -> str:
    """Symbol and word of a severity, in its colour."""
    return f'<span class="{severity}">{SYMBOLS[severity]} {WORDS[severity]}</span>'


def cell_heading(result: CellResult) -> str:
    """Name, verdict and boxes of a cell."""
    inner, outer = result.cell.inner, result.cell.outer
    return (
        f"<h3>Cell {escape(result.cell.name)} {mark(result.worst)}</h3>"
        f'<p class="muted">inner {inner} · outer {outer}</p>'
    )


def flag_list(flags: Iterable[Flag]) -> str:
    """Flags with cause and advice."""
    parts = [
        f'<div class="flag {flag.severity}">{SYMBOLS[flag.severity]} {escape(flag.name)}<br>'
        f"<span>{escape(_sentence(flag.cause))}</span> "
        f'<span class="advice">{escape(flag.advice)}</span></div>'
        for flag in flags
    ]
    return "".join(parts) or '<p class="muted">Nothing noteworthy about this cell.</p>'


def centroid_meter(result: CellResult, allowed: float) -> str:
    """Distance of the PSF centroids against what `maxPsfCentroidDist` allows, as a bar."""
    distance = result.centroid_distance
    if not np.isfinite(distance):
        return '<p class="muted">The PSF centroids could not be measured here.</p>'
    over = distance > allowed
    full = 1.25 * max(distance, allowed, 1e-9)
    verdict = "failed" if over else "ok"
    return (
        f"<p>PSF centroids <b>{distance:.3f} px</b> of {allowed:.3f} px allowed "
        f'<span class="{verdict}">{SYMBOLS[verdict]}</span></p>'
        f'<div class="meter{" over" if over else ""}" role="img" '
        f'aria-label="{distance:.3f} px of {allowed:.3f} px allowed">'
        f'<i style="width:{100 * distance / full:.1f}%"></i>'
        f'<u style="left:{100 * allowed / full:.1f}%"></u></div>'
    )


def sigma_table(result: CellResult) -> str:
    """σ predicted and measured for D, S and Scorr."""
    noise = result.noise
    rows = (
        ("D", noise.diff_predicted, noise.diff_measured),
        ("S", noise.score_predicted, noise.score_measured),
        ("Scorr", 1.0, noise.scorr_measured),
    )
    body = "".join(
        f'<tr><th>σ({name})</th><td class="n">{describe_value(predicted)}</td>'
        f'<td class="n">{describe_value(measured)}</td>'
        f'<td class="n">{_ratio(measured, predicted)}</td></tr>'
        for name, predicted, measured in rows
    )
    return (
        '<table><tr><th></th><th class="n">predicted</th><th class="n">measured</th>'
        f'<th class="n">ratio</th></tr>{body}</table>'
    )


def numbers_table(result: CellResult, plan: SubtractionPlan) -> str:
    """Everything else that a cell knows of itself."""
    settings = plan.config
    outer = result.cell.outer
    border = f"{plan.border} px"
    if settings.borderSize is None:
        border += f" (rule: {plan.border_measured:.1f} px)"
    rows = [
        ("Centroid of P_n (x, y)", _point(result.centroid_science)),
        ("Centroid of P_r (x, y)", _point(result.centroid_template)),
        ("σ_n, σ_r", _pair(result.sigma_science, result.sigma_template)),
        ("F_n, F_r", _pair(result.flux_science, result.flux_template)),
        ("F_D, F_S", _pair(result.flux_diff, result.flux_score)),
        ("P_D flux outside stamp", _percent(1 - result.psf_diff_sum)),
        ("P_S flux outside stamp", _percent(1 - result.psf_score_sum)),
        ("Frequency floor", describe_value(result.frequency_floor, 2)),
        ("Reach of the S-kernels", f"{describe_value(result.kernel_reach, 3)} px"),
        ("Border", border),
        ("FFT size", f"{outer.width} × {outer.height} px ({settings.fftSizing})"),
        *((f"Time: {step}", f"{1e3 * seconds:.1f} ms") for step, seconds in result.timings.items()),
    ]
    body = "".join(
        f'<tr><th>{escape(name)}</th><td class="n">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f"<table>{body}</table>"


def progress_bar(share: float, busy: bool) -> str:
    """A thin bar; only a line while nothing runs."""
    if not busy:
        return '<div class="meter idle"></div>'
    percent = round(100 * share)
    return (
        f'<div class="meter" role="progressbar" aria-valuenow="{percent}">'
        f'<i style="width:{max(percent, 2)}%"></i></div>'
    )


def frame_status(frame: Frame) -> str:
    """How many cells, and how many of them need attention."""
    counts = frame.counts()
    parts = [f"{len(frame.cells)} cell{'s' if len(frame.cells) != 1 else ''}"]
    parts += [
        f'<span class="{severity}">{SYMBOLS[severity]} {counts[severity]} {WORDS[severity]}</span>'
        for severity in ("warning", "failed")
        if counts[severity]
    ]
    return " · ".join(parts)


def noise_status(frame: Frame) -> str:
    """σ(Scorr) of the frame, marked if it is not 1."""
    noise = frame.noise
    if not np.isfinite(noise.sigma):
        return '<span class="muted">σ(Scorr) –</span>'
    symbol = f" {SYMBOLS[noise.severity]}" if noise.severity != "ok" else ""
    return (
        f'<span class="{noise.severity}" title="{escape(noise.sentence)}">'
        f"σ(Scorr) {noise.sigma:.2f}{symbol}</span>"
    )


def log_lines(notices: Iterable[Notice]) -> str:
    """The log, newest first."""
    rows = "".join(
        f'<tr><td class="muted" style="vertical-align:top">{n.time:%H:%M:%S}</td>'
        f'<td style="vertical-align:top">{mark(n.severity)}</td>'
        f'<td style="white-space:normal;width:100%">{escape(_sentence(n.text))} '
        f'<span class="muted">{escape(n.advice)}</span></td></tr>'
        for n in reversed(list(notices))
    )
    return f"<table>{rows}</table>" if rows else '<p class="muted">Nothing has happened yet.</p>'


def _sentence(text: str) -> str:
    """Text with a full stop, its first letter raised unless it is a name."""
    text = text.strip()
    if text and text[-1] not in ".!?…":
        text += "."
    first = text.split(" ", 1)[0]
    return text[0].upper() + text[1:] if first.islower() else text


def _ratio(measured: float, predicted: float) -> str:
    if not (np.isfinite(measured) and np.isfinite(predicted) and predicted > 0):
        return "–"
    ratio = measured / predicted
    severity = "ok" if abs(ratio - 1) <= 0.1 else "warning"
    symbol = "" if severity == "ok" else f" {SYMBOLS['warning']}"
    return f'<span class="{severity}">{ratio:.2f}{symbol}</span>'


def _pair(first: float, second: float) -> str:
    return f"{describe_value(first)}, {describe_value(second)}"


def _point(xy: tuple[float, float]) -> str:
    if not np.isfinite(xy).all():
        return "–"
    return f"{xy[0]:+.3f}, {xy[1]:+.3f} px"


def _percent(share: float) -> str:
    return "–" if not np.isfinite(share) else f"{100 * share:.3g} %"

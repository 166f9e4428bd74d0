"""The page: put together from a difference, written in one piece."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zogy_explorer.diagnostics.detecting.detection import detect
from zogy_explorer.diagnostics.noise import ScorrStatistics, scorr_statistics
from zogy_explorer.diagnostics.seams import seam_steps
from zogy_explorer.engine import Difference, ZogyConfig
from zogy_explorer.engine.flags import REGISTRY
from zogy_explorer.io._atomic import atomic_file
from zogy_explorer.report.charts import histogram, quantiles
from zogy_explorer.report.pictures import data_uri, diverging_picture, sky_picture
from zogy_explorer.report.style import CSS
from zogy_explorer.version import __version__

if TYPE_CHECKING:
    from astropy.table import QTable

_MOST_SOURCES = 50  # rows of detections
_MOST_CELLS = 40  # rows of cells
_SYMBOLS = {"ok": "✓", "info": "•", "warning": "▲", "failed": "✕"}


@dataclass(frozen=True)
class Source:
    """Where a difference came from: names of the files, and how long it took [s]."""

    science: str
    template: str
    seconds: float = math.nan


@dataclass(frozen=True)
class Report:
    """A page and the detections in it."""

    html: str
    detections: QTable


def make_report(difference: Difference, source: Source, *, threshold: float = 5.0) -> Report:
    """The page of a difference.

    Parameters
    ----------
    difference
        With S and Scorr.
    source
        Where it came from.
    threshold
        Of the detections [σ].
    """
    table = detect(difference, threshold)
    statistics = scorr_statistics(difference)
    title = f"{Path(source.science).name} − {Path(source.template).name}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _summary(difference, source, len(table), threshold),
        _pictures(difference),
        _numbers(difference, source, statistics),
        _noise(difference, statistics),
        _flags(difference),
        _sources(table, threshold),
        _cells(difference),
        _settings(difference),
    ]
    body = "\n".join(part for part in parts if part)
    html = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>\n<body><main>{body}"
        f"<footer>zogy-explorer {__version__}, {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
        "</footer></main></body></html>\n"
    )
    return Report(html, table)


def write_report(report: Report, path: str | Path) -> None:
    """Write the page, all or nothing.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    with atomic_file(path, overwrite=True) as file:
        file.write(report.html.encode())


def _summary(difference: Difference, source: Source, count: int, threshold: float) -> str:
    failed, warned = len(difference.failed), difference.count("warning")
    sigma = difference.scorr_sigma()
    words = [
        _state("failed" if failed else "ok", f"{failed} of {len(difference.cells)} cells failed"),
        _state("warning" if warned else "ok", f"{warned} with warnings"),
        _state(
            "ok" if abs(sigma - 1) <= 0.1 else "warning",
            f"σ(Scorr) {_number(sigma)}, median of the cells",
        ),
        f"<span>{count} detections beyond {threshold:g} σ</span>",
    ]
    return f'<p class="summary">{"".join(words)}</p>'


def _state(severity: str, text: str) -> str:
    return f'<span class="{severity}">{_SYMBOLS[severity]} {text}</span>'


def _pictures(difference: Difference) -> str:
    plan = difference.plan
    origin = (plan.bbox.x0, plan.bbox.y0)

    def blanked(plane: Any) -> Any:
        plane = np.array(plane, dtype=float)
        for cell in difference.failed:
            plane[cell.cell.inner.slices(origin)] = np.nan
        return plane

    pictures = {
        "Science": sky_picture(_seen(plan.science)),
        "Template": sky_picture(_seen(plan.template)),
        "Difference D": diverging_picture(blanked(difference.diff.image)),
    }
    if difference.scorr is not None:
        pictures["Scorr"] = diverging_picture(blanked(difference.scorr))
    figures = "".join(
        f'<figure><img alt="{name}" src="{data_uri(png)}"><figcaption>{name}</figcaption></figure>'
        for name, png in pictures.items()
    )
    return (
        f'<div class="pictures">{figures}</div><p class="muted">y upwards; science and template '
        "zscale and asinh, D and Scorr ±5 σ of what is shown, blue negative; failed cells blank."
        "</p>"
    )


def _seen(image: Any) -> Any:
    """What was measured: pixels that were missing stay blank."""
    plane = np.array(image.source.image, dtype=float)
    plane[image.missing] = np.nan
    return plane


def _numbers(difference: Difference, source: Source, statistics: ScorrStatistics) -> str:
    plan, good = difference.plan, [cell for cell in difference.cells if cell.ok]

    def median(name: str) -> str:
        values = [getattr(cell, name) for cell in good]
        return _number(float(np.nanmedian(values))) if values else "–"

    distances = [c.centroid_distance for c in difference.cells if np.isfinite(c.centroid_distance)]
    rows = [
        ("Science", escape(source.science)),
        ("Template", escape(source.template)),
        ("Size", f"{plan.bbox.width} × {plan.bbox.height} px, {len(plan.cells)} cells"),
        ("Border of a cell", f"{plan.border} px"),
        ("σ of the PSFs", " and ".join(f"{s:.3f}" for s in plan.psf_sigma) + " px"),
        ("PSF centroids apart, at most", f"{_number(max(distances, default=math.nan))} px "
         f"(allowed {plan.config.maxPsfCentroidDist:g})"),
        ("σ of a pixel, science and template", f"{median('sigma_science')} and "
         f"{median('sigma_template')}"),
        ("F_n, F_r, F_D", ", ".join(median(f"flux_{n}") for n in ("science", "template", "diff"))),
        (f"σ(Scorr) of the {statistics.n_pixels} pixels without sources, predicted 1",
         f"{_number(statistics.sigma)} ± {_number(statistics.sigma_error, 2)}"),
        ("Steps between cells, in their errors", _seams(difference)),
        ("Time", f"{source.seconds:.2f} s"),
        ("Digest of the settings", plan.settings_hash),
    ]  # fmt: skip
    body = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f'<h2>Numbers</h2><table class="pairs">{body}</table>'


def _seams(difference: Difference) -> str:
    seams = seam_steps(difference)
    if not seams.seams:
        return "–"
    scorr = "" if difference.scorr is None else f", Scorr {seams.scorr_rms:.2f}"
    worst = seams.worst()
    largest = "" if worst is None else f"; largest at {escape(worst.name)}"
    return (
        f"D {seams.diff_rms:.2f}{scorr} (noise alone: 1 ± {seams.rms_error:.2f}), "
        f"{len(seams.seams)} seams{largest}"
    )


def _noise(difference: Difference, statistics: ScorrStatistics) -> str:
    if difference.scorr is None:
        return ""
    good = np.ones(difference.scorr.shape, bool)
    origin = (difference.plan.bbox.x0, difference.plan.bbox.y0)
    for cell in difference.failed:
        good[cell.cell.inner.slices(origin)] = False
    tails = "".join(
        f"<tr><td>{t.threshold:g} σ</td><td>{t.observed}</td><td>{t.expected:.1f}</td>"
        f"<td>{t.low:.0f} … {t.high:.0f}</td></tr>"
        for t in statistics.tails
    )
    return (
        "<h2>Is Scorr what it says?</h2>"
        f'<div class="charts"><figure>{histogram(difference.scorr[good])}<figcaption>All pixels; '
        f"dashed: unit Gaussian</figcaption></figure><figure>{quantiles(statistics)}<figcaption>"
        "Pixels without sources; dashed: equal</figcaption></figure>"
        "<table><tr><th>beyond</th><th>pixels</th><th>expected</th><th>3σ band</th></tr>"
        f"{tails}</table></div>"
    )


def _flags(difference: Difference) -> str:
    by_name: dict[str, list[Any]] = {}
    for cell in difference.cells:
        for flag in cell.flags:
            by_name.setdefault(flag.name, []).append((cell, flag))
    if not by_name:
        return "<h2>Flags</h2><p>None.</p>"
    order = ("failed", "warning", "info")
    rows = []
    for name in sorted(by_name, key=lambda n: (order.index(REGISTRY[n].severity), n)):
        cells = [cell.cell.name for cell, _ in by_name[name]]
        flag = by_name[name][0][1]
        listed = ", ".join(cells[:6]) + (f" and {len(cells) - 6} more" if len(cells) > 6 else "")
        rows.append(
            f'<tr><td class="{flag.severity}">{_SYMBOLS[flag.severity]} {name}</td>'
            f"<td>{listed}</td><td>{escape(flag.cause)}</td><td>{escape(flag.advice)}</td></tr>"
        )
    head = "<tr><th>Flag</th><th>Cells</th><th>Cause (of the first)</th><th>Advice</th></tr>"
    return f"<h2>Flags</h2><table>{head}{''.join(rows)}</table>"


def _sources(table: QTable, threshold: float) -> str:
    title = f"<h2>Detections beyond {threshold:g} σ</h2>"
    if len(table) == 0:
        return f"{title}<p>None.</p>"
    wanted = ("id", "x", "y", "ra", "dec", "flux", "flux_error", "scorr", "cell", "flags")
    names = [name for name in wanted if name in table.colnames]
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in names)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_value(name, row[name])}</td>" for name in names) + "</tr>"
        for row in table[:_MOST_SOURCES]
    )
    more = len(table) - _MOST_SOURCES
    rest = f'<p class="muted">and {more} fainter ones</p>' if more > 0 else ""
    return f"{title}<table><tr>{head}</tr>{rows}</table>{rest}"


def _value(name: str, value: Any) -> str:
    number = getattr(value, "value", value)
    if isinstance(number, str | np.str_):
        return escape(str(number))
    if name in ("ra", "dec"):
        return f"{float(number):.6f}"
    if name in ("x", "y"):
        return f"{float(number):.2f}"
    return _number(float(number))


def _cells(difference: Difference) -> str:
    doubtful = [c for c in difference.cells if c.worst in ("failed", "warning")]
    if not doubtful:
        return ""
    doubtful.sort(key=lambda c: (c.worst != "failed", c.cell.index))
    rows = "".join(
        f'<tr><td>{c.cell.name}</td><td class="{c.worst}">{_SYMBOLS[c.worst]} {c.worst}</td>'
        f"<td>{_number(c.centroid_distance, 3)}</td><td>{_number(c.noise.scorr_measured, 3)}</td>"
        f"<td>{' '.join(f.name for f in c.flags)}</td></tr>"
        for c in doubtful[:_MOST_CELLS]
    )
    more = len(doubtful) - _MOST_CELLS
    rest = f'<p class="muted">and {more} more</p>' if more > 0 else ""
    head = "<tr><th>Cell</th><th>State</th><th>PSF Δ [px]</th><th>σ(Scorr)</th><th>Flags</th></tr>"
    return f"<h2>Cells to look at</h2><table>{head}{rows}</table>{rest}"


def _settings(difference: Difference) -> str:
    plan = difference.plan
    config = ZogyConfig(
        **{k: list(v) if isinstance(v, tuple) else v for k, v in plan.config.items()}
        | {"astrometricNoise": plan.config.astrometricNoise}
    )
    rows = [("all cells", name, value) for name, value in config.changed().items()]
    rows += [(c, n, v) for c, values in plan.overrides.items() for n, v in values.items()]
    body = "".join(
        f"<tr><td>{c}</td><td>{n}</td><td>{escape(str(v))}</td></tr>" for c, n, v in rows
    )
    if not rows:
        return "<h2>Settings</h2><p>The defaults.</p>"
    head = "<tr><th>Where</th><th>Setting</th><th>Value</th></tr>"
    return f"<h2>Settings that differ from the defaults</h2><table>{head}{body}</table>"


def _number(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}g}".replace("-", "−") if np.isfinite(value) else "–"

"""False alarms, completeness, thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from zogy_explorer.diagnostics import scorr_statistics
from zogy_explorer.simulate import inject
from zogy_explorer.simulate.lesson import SHAPE, TRANSIENT, LessonSky
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_code, sky_sample
from zogy_explorer.ui.teaching.mathml import Equation, frac, op, row, sym
from zogy_explorer.ui.teaching.measure import quiet, subtract
from zogy_explorer.ui.teaching.pictures import Curve, Mark, PlotPicture, residual

DRAWS = 4
_SPACING = 14
_EDGE = 10
_FLUXES = np.linspace(0, 1500, 76)


def compute(knobs: Knobs) -> Shown:
    """How many are found, and how many are not there."""
    here, threshold = knobs.sky, knobs.threshold
    empty = here.replace(transient=0.0)
    places = _places(empty)
    columns, rows = places.T
    found, tried, probabilities = 0, 0, []
    observed, expected_count, error_squared = 0, 0.0, 0.0
    shown = None
    for draw in range(DRAWS):
        science, template = empty.draw(here.seed + 100 * draw)
        alone = subtract(science, template)
        tail = scorr_statistics(alone.difference, thresholds=(threshold,)).tails[0]
        observed += tail.observed
        expected_count += tail.expected
        error_squared += tail.error**2
        if here.transient:
            light = here.transient * here.flux_ratio
            science = inject(
                science, columns, rows, np.full(len(rows), light), rng=here.seed + draw
            )
        done = subtract(science, template)
        shown = shown or done
        found += int((done.scorr[rows, columns] > threshold).sum())
        tried += len(rows)
        sigma = np.sqrt(done.score_variance[rows, columns])
        probabilities.extend(ndtr(here.transient * done.cell.flux_score / sigma - threshold))
    assert shown is not None
    probability = np.array(probabilities)
    dark = float(np.sqrt(alone.score_variance.min()))
    flux_score = alone.cell.flux_score
    spread = max(float(np.sqrt((probability * (1 - probability)).sum())) / tried, 1 / (2 * tried))
    facts = (
        Fact("Sources found", found / tried, float(probability.mean()), spread),
        Fact(
            f"Pixels beyond ±{threshold:g} σ, {DRAWS} empty frames",
            float(observed),
            expected_count,
            max(float(np.sqrt(error_squared)), 1.0),
        ),
    )
    # Own light adds little at these fluxes; the curve is that of the dark sky.
    curve = ndtr(_FLUXES * flux_score / dark - threshold)
    limit = threshold * dark / flux_score
    per_frame = 2 * float(ndtr(-threshold)) * shown.scorr.size
    marks = tuple(
        Mark(float(x), float(y), "", 4) for x, y in places if shown.scorr[y, x] > threshold
    )
    return Shown(
        pictures=(
            residual("Scorr; rings: found", shown.scorr, marks=marks),
            PlotPicture("Completeness", "flux", "share found",
                        (Curve("theory", _FLUXES, curve, 0),
                         Curve("measured", [here.transient], [found / tried], 1, [spread],
                               points=True)),
                        (0, 1500), (-0.05, 1.05), "bottom_right"),
        ),
        text=f"At {threshold:.1f} σ, noise alone puts <b>{per_frame:.3g}</b> pixels of an empty "
        f"frame beyond it (both signs). Of sources with flux {here.transient:g}, "
        f"<b>{found} of {tried}</b> are found; theory says {probability.mean():.0%}. Half are "
        f"found at a flux of <b>{limit:.0f}</b>.",
        facts=facts,
        answer=f"A flux of {limit:.0f}, threshold times σ_α = {dark / flux_score:.0f}: noise lifts "
        "one half of such sources over the threshold and pushes the other half below. Raising the "
        "threshold from 4 to 5 σ makes false alarms 110 times rarer, and costs a quarter in flux.",
        right=1,
        code=sky_code(
            empty,
            "cell = run(plan(science, template, ZogyConfig(background='none'))).cells[0]",
            "sigma = cell.score_variance.min() ** 0.5 / cell.flux_score",
            f'print(f"half are found at a flux of {{{threshold:g} * sigma:.0f}}")',
        ),
        sample=sky_sample(here),
        aside="There: one source; add others by a click.",
    )  # fmt: skip


def _places(empty: LessonSky) -> NDArray[np.int_]:
    """Whole pixels (x, y) without light around them, on a lattice through the new source."""
    dark = quiet(*empty.draw(), away=4)
    return np.array(
        [
            (x, y)
            for y in range(TRANSIENT[1] % _SPACING, SHAPE[0], _SPACING)
            for x in range(TRANSIENT[0] % _SPACING, SHAPE[1], _SPACING)
            if dark[y, x] and min(x, y) >= _EDGE and max(x, y) < SHAPE[0] - _EDGE
        ]
    )


CHAPTER = Chapter(
    name="thresholds",
    title="False alarms, completeness, thresholds",
    sentence="Scorr is noise of unit variance plus sources: how often noise crosses a threshold, "
    "and how many sources do, is known before the first image is taken (<i>t</i>: the "
    "threshold; Φ: the normal distribution).",
    equations=(
        Equation(
            row(sym("P"), op("("), sym("found"), op("|"), sym("f"), op(")"), op("="), sym("Φ"),
                op("("), frac(row(sym("f"), sym("F", "S")), row("<msqrt>", sym("V", "S"),
                                                               "</msqrt>")),
                op("−"), sym("t"), op(")")),
            "the probability to find a source of flux f is Phi of f F S over the root of V S, "
            "minus the threshold t",
        ),
    ),
    knobs=("threshold", "transient"),
    question="Which sources are found half of the time?",
    choices=("Those twice as bright as the noise", "Those whose mean Scorr is the threshold"),
    tries="Lower the threshold to 3 σ: how many of the rings would you believe?",
    compute=compute,
    start={"transient": 200.0},
)  # fmt: skip

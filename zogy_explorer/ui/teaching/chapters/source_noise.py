"""Source noise, and the corrected score."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from zogy_explorer.simulate.lesson import STARS
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_code, sky_sample
from zogy_explorer.ui.teaching.mathml import Equation, frac, op, row, sqrt, sym, sym2
from zogy_explorer.ui.teaching.measure import expectation, subtract_sky
from zogy_explorer.ui.teaching.pictures import ImagePicture, Mark, residual

DRAWS = 12
"""How often the sky is observed anew."""


def compute(knobs: Knobs) -> Shown:
    """S and Scorr of many exposures at the stars."""
    here = knobs.sky
    first = subtract_sky(here)
    mean = expectation(first, here).score
    columns = [round(star[0]) for star in STARS]
    rows = [round(star[1]) for star in STARS]
    seeds = here.seed + 1000 * np.arange(1, DRAWS)
    draws = [first, *(subtract_sky(here, int(seed)) for seed in seeds)]
    variance = first.score_variance
    dark = float(np.sqrt(variance.min()))
    # About what S is on average: 0 for a registered pair with the right PSFs.
    departures = np.array([(done.score - mean)[rows, columns] for done in draws])
    as_dark = departures / dark
    corrected = departures / np.sqrt(variance[rows, columns])
    excess = [float(v) for v in np.sqrt(variance[rows, columns]) / dark]
    facts = (
        Fact(
            f"Scatter of S at the brightest star, {DRAWS} exposures",
            _rms(as_dark[:, 0]),
            excess[0],
            excess[0] / math.sqrt(2 * DRAWS),
            "σ of the dark",
        ),
        Fact(
            f"Scatter of Scorr at all stars, {DRAWS} exposures",
            _rms(corrected),
            1.0,
            1 / math.sqrt(2 * corrected.size),
        ),
    )
    ratio = np.sqrt(variance) / dark
    star = (Mark(STARS[0][0], STARS[0][1], "star", 7),)
    alarm = float(as_dark[0, 0])
    return Shown(
        pictures=(
            residual("S over its σ in the dark", first.score / dark, marks=star),
            ImagePicture("Noise of S over that in the dark", ratio, 1, 4),
            residual("Scorr", first.scorr, marks=star),
        ),
        text=f"At the brightest star the noise of S is <b>{excess[0]:.1f} times</b> that of the "
        f"dark sky (σ_n = {here.noise:g}, seeing {here.seeing:.1f} px), because photons of the "
        f"star fluctuate. This exposure shows {alarm:+.1f} σ there if one forgets it, and "
        f"<b>{corrected[0, 0]:+.1f} σ</b> if not.",
        facts=facts,
        answer=f"{_percent(excess[0])} of exposures: at the brightest star S scatters by "
        f"{excess[0]:.1f} σ of the dark sky, so 5 of them are only {5 / excess[0]:.1f} true σ. "
        "Scorr divides by the true noise of each pixel.",
        right=1 if excess[0] > 1.25 else 0,
        code=sky_code(
            here,
            "difference = run(plan(science, template, ZogyConfig(background='none')))",
            "noise = (difference.score.variance / difference.score.variance.min()) ** 0.5",
            f'print(f"{{noise[{rows[0]}, {columns[0]}]:.1f}} times the noise, '
            f'Scorr {{difference.scorr[{rows[0]}, {columns[0]}]:.1f}}")',
        ),
        sample=sky_sample(here),
    )


def _rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _percent(excess: float) -> str:
    return f"{2 * ndtr(-5 / excess):.1%}"


CHAPTER = Chapter(
    name="source-noise",
    title="Source noise and Scorr",
    sentence="Where a star shines, its photons add noise that the dark sky knows nothing of. The "
    "corrected score divides S by what it really scatters (k_n, k_r: S's kernels, equations 28, "
    "29).",
    equations=(
        Equation(
            row(
                sym("V", "S"), op("="), sym2("k", "n"), op("⊗"), sym("V", "n"), op("+"),
                sym2("k", "r"), op("⊗"), sym("V", "r"),
            ),
            "V S equals k n squared convolved with V n plus k r squared convolved with V r",
            "26, 27",
        ),
        Equation(
            row(sym("S", "corr"), op("="), frac(
                sym("S"), sqrt(row(sym("V", "S"), op("+"), sym("V", "ast"))))),
            "S corr equals S over the square root of V S plus V astrometric",
            "25",
        ),
    ),
    knobs=("noise", "seeing"),
    question="A constant bright star, perfectly subtracted: how often does S there exceed 5 times "
    "the dark sky's σ?",
    choices=("Practically never, as everywhere", "Far more often than elsewhere"),
    tries="Make the sky darker (σ_n = 1): the star's own photons matter more and more.",
    compute=compute,
)  # fmt: skip

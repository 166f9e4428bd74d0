"""Registration errors, dipoles and the astrometric term."""

from __future__ import annotations

import numpy as np

from zogy_explorer.simulate.lesson import STARS, TRANSIENT
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_code, sky_sample
from zogy_explorer.ui.teaching.mathml import Equation, frac, op, parens2, row, sym, sym2
from zogy_explorer.ui.teaching.measure import Plane, expectation, subtract_sky
from zogy_explorer.ui.teaching.pictures import Mark, residual

_NEAR = 7  # [px]


def compute(knobs: Knobs) -> Shown:
    """Dipoles with and without the astrometric term."""
    here, sigma = knobs.sky, knobs.astrometric
    plain = subtract_sky(here)
    term = subtract_sky(here, astrometricNoise=sigma or None)
    mean = expectation(plain, here).score / np.sqrt(plain.score_variance)
    x, y = int(STARS[0][0]), int(STARS[0][1])
    near = around(STARS[0])
    top = np.unravel_index(int(mean[near].argmax()), mean[near].shape)
    low = np.unravel_index(int(mean[near].argmin()), mean[near].shape)
    new = TRANSIENT[1], TRANSIENT[0]
    total = term.difference.total_variance
    assert total is not None
    kept = float(mean[new] * np.sqrt(plain.score_variance[new] / total[new]))
    facts = (
        Fact("Positive lobe at the brightest star", float(plain.scorr[near][top]),
             float(mean[near][top]), 1.0, "σ"),
        Fact("Negative lobe", float(plain.scorr[near][low]), float(mean[near][low]), 1.0, "σ"),
        Fact("New source, with the term", float(term.scorr[new]), kept, 1.0, "σ"),
    )  # fmt: skip
    lobe = float(np.abs(mean[near]).max())
    calmed = float(np.abs(term.scorr[near]).max())
    cost = 1 - kept / float(mean[new]) if mean[new] > 1 else 0.0
    marks = (Mark(STARS[0][0], STARS[0][1], "star", 7), Mark(*TRANSIENT, "new"))
    return Shown(
        pictures=(
            residual("D, in units of its σ", plain.diff / plain.diff_sigma, marks=marks),
            residual("Scorr without the term", plain.scorr, marks=marks),
            residual("Scorr with the term", term.scorr, marks=marks),
        ),
        text=f"A shift of {here.shift:+.2f} px leaves lobes of <b>{lobe:.1f} σ</b> at the "
        f"brightest star. Admitting a registration error of {sigma:g} px in each image, the "
        f"largest |Scorr| there is <b>{calmed:.1f} σ</b>; the new source, away from steep light, "
        f"keeps all but {max(cost, 0.0):.1%} of its significance.",
        facts=facts,
        answer="A dipole is the shift times the slope of the light: in S it is in proportion to "
        "the flux, and its axis points along the shift. Scorr divides by the noise, to which a "
        f"bright star adds its own: there the lobes grow more slowly. Here {_lobes(mean)}.",
        right=0,
        code=sky_code(
            here,
            f"config = ZogyConfig(background='none', astrometricNoise={sigma or None!r})",
            f"star = run(plan(science, template, config)).scorr[{y - _NEAR}:{y + _NEAR + 1}, "
            f"{x - _NEAR}:{x + _NEAR + 1}]",
            'print(f"largest |Scorr| at the brightest star: {abs(star).max():.1f} σ")',
        ),
        sample=sky_sample(here),
        settings={
            "background": "none",
            "doSpatialGrid": False,
            **({"astrometricNoise": sigma} if sigma else {}),
        },
    )


def around(star: tuple[float, float, float]) -> tuple[slice, slice]:
    """The pixels near a star."""
    x, y = int(star[0]), int(star[1])
    return np.s_[y - _NEAR : y + _NEAR + 1, x - _NEAR : x + _NEAR + 1]


def _lobes(scorr: Plane) -> str:
    """The larger lobe in the mean Scorr at the brightest star, a middling one and the faintest."""
    each = [
        f"{float(np.abs(scorr[around(star)]).max()):.1f} σ at a flux of {star[2]:.0f}"
        for star in (STARS[0], STARS[2], STARS[-1])
    ]
    return f"{each[0]}, {each[1]} and {each[2]}"


def _gradient(image: str, axis: str) -> str:
    return parens2(frac(row(op("∂"), sym("S", image)), row(op("∂"), sym(axis))))


CHAPTER = Chapter(
    name="registration",
    title="Registration, dipoles and the astrometric term",
    sentence="Move one image by a fraction of a pixel and every star leaves a dipole. The error "
    "cannot be undone, but it can be admitted: where light is steep, trust S less.",
    equations=(
        Equation(
            row(sym("V", "ast"), op("="), sym2("σ", "x"), _gradient("n", "x"), op("+"),
                sym2("σ", "y"), _gradient("n", "y"), op("+"), op("…")),
            "V astrometric equals sigma x squared times the derivative of S n by x, squared, plus "
            "the same in y, plus the same for the template",
            "30–33",
        ),
    ),
    knobs=("shift", "astrometric"),
    question="To which stars does a small shift do most harm?",
    choices=("To the bright ones", "To the faint ones", "To all alike"),
    tries="Shift by 0.3 px. Which registration error makes the dipoles harmless (below 5 σ)?",
    compute=compute,
    start={"shift": 0.3},
)  # fmt: skip

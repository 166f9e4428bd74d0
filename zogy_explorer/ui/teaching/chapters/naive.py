"""Why plain subtraction fails."""

from __future__ import annotations

import numpy as np

from zogy_explorer.simulate.lesson import STARS, TRANSIENT
from zogy_explorer.ui.teaching.chapter import (
    SKY_KNOBS,
    Chapter,
    Fact,
    Knobs,
    Shown,
    sky_code,
    sky_sample,
)
from zogy_explorer.ui.teaching.mathml import Equation, frac, op, row, sym
from zogy_explorer.ui.teaching.measure import calibrated, quiet, scatter, sigma_plane
from zogy_explorer.ui.teaching.pictures import Mark, residual, sky

_SEEN = 5.0  # [σ of the dark sky]


def compute(knobs: Knobs) -> Shown:
    """N / F_n − R / F_r."""
    here = knobs.sky
    science, template = here.draw()
    first, second = calibrated(science), calibrated(template)
    difference = first - second
    sigma = np.hypot(sigma_plane(science), sigma_plane(template))
    x, y, flux = (STARS[0][0], STARS[0][1], STARS[0][2])
    place = int(y), int(x)
    psf_n, psf_r = here.drawn
    # Pixel x of a star at x − shift.
    peaks = float(psf_n.pixels(0, 0, 1)[0, 0]), float(psf_r.pixels(here.shift, 0, 1)[0, 0])
    left = flux * (peaks[0] - peaks[1])
    still = quiet(science, template, away=1, excess=1e-3)
    noise, noise_error = scatter(difference[still])
    dark = float(np.hypot(here.noise, here.noise_template))
    new = TRANSIENT[1], TRANSIENT[0]
    facts = (
        Fact("Left at the brightest star", float(difference[place]), left, float(sigma[place])),
        Fact(
            "New source, brightest pixel",
            float(difference[new]),
            here.transient * peaks[0],
            float(sigma[new]),
        ),
        Fact("σ of the dark pixels", noise, dark, noise_error),
    )
    without = flux * (here.flux_ratio * peaks[0] - peaks[1])
    worst = abs(left) / dark
    return Shown(
        pictures=(
            sky("Science N / F_n", first, here.noise),
            sky("Template R / F_r", second, here.noise),
            residual("N / F_n − R / F_r", difference, dark,
                     marks=(Mark(*TRANSIENT, "new"), Mark(x, y, "star"))),
        ),
        text=f"The brightest star, which did not change, leaves <b>{left:+.0f}</b> in its middle: "
        f"<b>{worst:.0f} times</b> the noise of the dark sky. The new source reaches "
        f"{here.transient * peaks[0] / dark:.1f} times. Had nobody divided by F_n = "
        f"{here.flux_ratio:g}, the star would leave {without:+.0f}.",
        facts=facts,
        answer=f"The star keeps {left:+.0f} because {flux:.0f} × ({peaks[0]:.3f} − {peaks[1]:.3f}) "
        "is that much: " + _reason(worst > _SEEN),
        right=1 if worst > _SEEN else 0,
        code=sky_code(
            here,
            "difference = science.image * science.photo_calib - template.image",
            f'print(f"brightest star {{difference[{place[0]}, {place[1]}]:.0f}}")',
            f'print(f"new source {{difference[{new[0]}, {new[1]}]:.1f}}")',
            imports=(),
        ),
        sample=sky_sample(here),
    )  # fmt: skip


def _reason(stays: bool) -> str:
    """Why a star stays, or vanishes."""
    if stays:
        return (
            "the same light, spread differently. No factor cures it, for a factor can only mend "
            "the sum of a star or its middle."
        )
    return (
        "nothing that the noise does not hide. Plain subtraction works when the two PSFs are as "
        "good as equal, and almost no two nights have equal ones."
    )


CHAPTER = Chapter(
    name="naive",
    title="Why plain subtraction fails",
    sentence="Subtract one image from the other, each at its flux scale, and every star stays: "
    "the difference of the PSFs is left, as bright as the star is.",
    equations=(
        Equation(
            row(
                frac(sym("N"), sym("F", "n")),
                op("−"),
                frac(sym("R"), sym("F", "r")),
                op("="),
                row(op("("), sym("P", "n"), op("−"), sym("P", "r"), op(")")),
                op("⊗"),
                sym("T"),
                op("+"),
                sym("f"),
                sym("P", "n"),
                op("+"),
                op("…"),
            ),
            "N over F n minus R over F r equals P n minus P r, convolved with T, plus f P n, plus "
            "noise",
        ),
    ),
    knobs=("seeing", "flux_ratio"),
    question="The flux scales are known exactly. Does a constant star vanish from the difference?",
    choices=("Yes, within the noise", "No"),
    tries="Give both images the same seeing (2.4 px). How well must the two agree before the star "
    "is quieter than the new source?",
    compute=compute,
    sky=SKY_KNOBS,
)

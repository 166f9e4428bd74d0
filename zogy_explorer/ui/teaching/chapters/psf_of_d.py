"""P_D: what a point source looks like in D."""

from __future__ import annotations

import numpy as np

from zogy_explorer.simulate.lesson import STARS, TRANSIENT
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_code, sky_sample
from zogy_explorer.ui.teaching.mathml import (
    DENOMINATOR,
    Equation,
    frac,
    hat,
    op,
    row,
    sqrt,
    sym,
    sym2,
)
from zogy_explorer.ui.teaching.measure import effective_pixels, profile, subtract_sky
from zogy_explorer.ui.teaching.pictures import Curve, ImagePicture, Mark, PlotPicture, residual

_Q = row(
    sym2("σ", "n"), sym2("F", "r"), op("+"), sym2("σ", "r"), sym2("F", "n"),
)  # fmt: skip


def compute(knobs: Knobs) -> Shown:
    """D's PSF beside those of the images."""
    here = knobs.sky
    done = subtract_sky(here)
    cell = done.cell
    assert cell.psf_diff is not None
    x, y = TRANSIENT
    star = int(STARS[0][1]), int(STARS[0][0])
    peak = float(cell.psf_diff.max())
    facts = (
        Fact(
            "Brightest pixel of the new source",
            float(done.diff[y, x]),
            here.transient * peak,
            float(done.diff_sigma[y, x]),
            "flux",
        ),
        Fact(
            "D at the brightest star",
            float(done.diff[star]),
            0.0,
            float(done.diff_sigma[star]),
            "flux",
        ),
    )
    widths = [effective_pixels(p) for p in (*here.stamps, cell.psf_diff)]
    f_d = float(cell.flux_diff)
    middle = here.noise_template < here.noise
    curves = tuple(
        Curve(name, *profile(stamp), style)
        for style, (name, stamp) in enumerate(
            zip(("P_n", "P_r", "PSF of D"), (*here.stamps, cell.psf_diff), strict=True)
        )
    )
    top = float(np.abs(cell.psf_diff).max())
    return Shown(
        pictures=(
            residual("D, in units of its σ", done.diff / done.diff_sigma,
                     marks=(Mark(*TRANSIENT, "new"),)),
            ImagePicture("The PSF of D", cell.psf_diff, -top, top, True),
            PlotPicture("Three PSFs, cut through", "px from the source", "flux in a pixel",
                        curves, (-8, 8), (-0.05, 0.25)),
        ),
        text=f"A source in D covers <b>{widths[2]:.1f} px</b> of noise (1/ΣP²; P_n at "
        f"{here.seeing:.1f} px seeing covers {widths[0]:.1f}, P_r {widths[1]:.1f}). With template "
        f"noise {here.noise_template:g}, F_D = <b>{f_d:.4f}</b>: one flux unit of source is that "
        "many σ, summed over all pixels.",
        facts=facts,
        answer=f"Without noise in the template, D = N − (the template brought to P_n): the "
        f"new source was seen through P_n alone. Now it covers {widths[2]:.1f} px, P_n "
        f"{widths[0]:.1f} px."
        + ("" if middle else " The noisier the template, the more P_D resembles the other PSF."),
        right=0,
        code=sky_code(
            here,
            "cell = run(plan(science, template, ZogyConfig(background='none'))).cells[0]",
            "pixels = 1 / (cell.psf_diff**2).sum()",
            'print(f"F_D = {cell.flux_diff:.4f}, a source covers {pixels:.1f} px")',
        ),
        sample=sky_sample(here),
    )  # fmt: skip


CHAPTER = Chapter(
    name="psf-of-d",
    title="The PSF of the difference",
    sentence="D is an image like any other: it has a PSF, P_D, and a flux scale of its own, made "
    "of those of its parents. Whatever is new appears with them.",
    equations=(
        Equation(
            row(hat("P", "D"), op("="),
                frac(row(sqrt(_Q), hat("P", "n"), hat("P", "r")), sqrt(DENOMINATOR))),
            "P D hat equals the square root of sigma n squared F r squared plus sigma r squared "
            "F n squared, times P n hat P r hat, over the denominator of D",
            "14",
        ),
        Equation(
            row(sym("F", "D"), op("="), frac(row(sym("F", "n"), sym("F", "r")), sqrt(_Q))),
            "F D equals F n F r over the square root of sigma n squared F r squared plus sigma r "
            "squared F n squared",
            "15",
        ),
    ),
    knobs=("noise_template", "seeing"),
    question="If the template had no noise at all, which PSF would D have?",
    choices=("P_n", "P_r", "the sharper one"),
    tries="Turn the template's noise down to 0.5 and compare the curves of P_n and of D; then up "
    "to 20.",
    compute=compute,
)  # fmt: skip

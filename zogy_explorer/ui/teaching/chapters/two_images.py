"""Two images of one sky: the model."""

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
from zogy_explorer.ui.teaching.mathml import Equation, op, row, sym
from zogy_explorer.ui.teaching.measure import calibrated, profile, quiet, scatter, sigma_plane
from zogy_explorer.ui.teaching.pictures import Curve, Mark, PlotPicture, sky

_RADIUS = 13


def _model(image: str, index: str, changes: str) -> str:
    return row(
        sym(image), op("="), sym("F", index), sym("P", index), op("⊗"), changes, op("+"),
        sym("ε", index),
    )  # fmt: skip


def compute(knobs: Knobs) -> Shown:
    """The pair, its PSFs, its noise."""
    here = knobs.sky
    science, template = here.draw()
    images = calibrated(science), calibrated(template)
    still = quiet(science, template, away=2)
    facts = []
    for name, image, sigma in zip(
        ("σ_n of the dark pixels", "σ_r of the dark pixels"),
        images,
        (here.noise, here.noise_template),
        strict=True,
    ):
        measured, error = scatter(image[still])
        facts.append(Fact(name, measured, sigma, error, "flux"))
    x, y, flux = STARS[0]
    box = np.s_[int(y) - _RADIUS : int(y) + _RADIUS + 1, int(x) - _RADIUS : int(x) + _RADIUS + 1]
    counts = float(science.image[box].sum())
    error = float(np.sqrt((sigma_plane(science)[box] ** 2).sum())) * here.flux_ratio
    facts.append(
        Fact("Counts of the brightest star", counts, here.flux_ratio * flux, error, "counts")
    )
    peaks = [float(stamp.max()) for stamp in here.stamps]
    sharper = "template" if peaks[1] > peaks[0] else "science image"
    rings = (Mark(*TRANSIENT, "new?"),)
    curves = [
        Curve(name, *profile(stamp), style)
        for style, (name, stamp) in enumerate(zip(("P_n", "P_r"), here.stamps, strict=True))
    ]
    sigma = here.noise
    return Shown(
        pictures=(
            sky("Science N / F_n", images[0], sigma, marks=rings),
            sky("Template R", images[1], sigma, marks=rings),
            PlotPicture("A star of flux 1, cut through", "px from the star", "flux in a pixel",
                        tuple(curves), (-8, 8), (0, 0.22)),
        ),
        text=f"A star puts <b>{peaks[0]:.1%}</b> of its light into its brightest pixel in the "
        f"science image (seeing {here.seeing:.1f} px) and <b>{peaks[1]:.1%}</b> in the template. "
        f"The dark sky scatters by {here.noise:g} and {here.noise_template:g} flux units a pixel, "
        f"so one pixel of the new source stands out by "
        f"<b>{here.transient * peaks[0] / here.noise:.1f} σ</b>.",
        facts=tuple(facts),
        answer=f"The {sharper} is the sharper one: its stars are narrower, so their middle is "
        "brighter, although both hold the same light.",
        right=1 if sharper == "template" else 0,
        code=sky_code(
            here,
            "noise = (science.image * science.photo_calib)[quiet(science, template, away=2)].std()",
            'print(f"science: σ = {noise:.3f} flux units a pixel in the dark")',
            imports=("from zogy_explorer.ui.teaching.measure import quiet",),
        ),
        sample=sky_sample(here),
    )  # fmt: skip


CHAPTER = Chapter(
    name="two-images",
    title="Two images of one sky",
    sentence="The same constant sky <i>T</i> was seen twice, through two PSFs, at two flux scales, "
    "with noise of its own each time; the second time something new may have been there.",
    equations=(
        Equation(
            _model("R", "r", sym("T")),
            "R equals F r times P r convolved with T, plus noise r",
        ),
        Equation(
            _model("N", "n", row(op("("), sym("T"), op("+"), sym("f"), sym("δ"), op(")"))),
            "N equals F n times P n convolved with T plus f delta, plus noise n",
        ),
    ),
    knobs=("seeing", "noise"),
    question="In which image has a star of the same flux the brighter brightest pixel?",
    choices=("Science", "Template"),
    tries="Make the science image sharper than the template. Drown the new source in noise.",
    compute=compute,
    sky=SKY_KNOBS,
)

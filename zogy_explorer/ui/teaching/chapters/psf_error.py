"""Wrong PSFs, ringing, and the frequency floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.exposure import Exposure
from zogy_explorer.simulate.lesson import HIT, SHAPE, STARS
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_arguments, sky_sample
from zogy_explorer.ui.teaching.mathml import Equation, abs2, frac, hat, op, row, squared, sym
from zogy_explorer.ui.teaching.measure import (
    Subtraction,
    expectation,
    quiet,
    scatter,
    subtract,
    subtract_sky,
)
from zogy_explorer.ui.teaching.pictures import Mark, residual

_CHARGE = 40000.0
_HARM = 1.1  # σ of D over what it should be
_FAR = 30  # [px]


def compute(knobs: Knobs) -> Shown:
    """A wrong PSF, and a cosmic ray seen through a noisy one."""
    exponent = knobs.stamp_noise
    here = knobs.sky.replace(stamp_noise=float(f"{10.0**exponent:.3g}"))
    struck = here.replace(hit=_CHARGE)
    bare = subtract_sky(struck, frequencyFloor=0.0)
    floored = subtract_sky(struck)
    clean, template = here.draw()
    wrong = subtract(clean, template)
    mean = expectation(wrong, here)
    far = far_from_hit(clean, template)
    rms = [scatter(_in_sigma(done)[far]) for done in (bare, floored)]
    star = int(STARS[0][1]), int(STARS[0][0])
    expected = float(mean.score[star] / np.sqrt(wrong.score_variance[star]))
    facts = (
        Fact("Scorr at the brightest star", float(wrong.scorr[star]), expected, 1.0, "σ"),
        Fact("σ of D far from the hit, with the floor", rms[1][0], 1.0, _tolerance(rms[1][1])),
    )
    wider = "narrower" if here.width_error < 0 else "wider"
    hit = (Mark(HIT[0], HIT[1], "hit", 6),)
    ratio = rms[0][0]
    return Shown(
        pictures=(
            residual("Scorr: stars through this PSF", wrong.scorr,
                     marks=(Mark(STARS[0][0], STARS[0][1], "star", 7),)),
            residual("D of the hit pair, no floor", _in_sigma(bare), marks=hit),
            residual("D of the hit pair, with the floor", _in_sigma(floored), marks=hit),
        ),
        text=f"Stars (at a seeing of {here.seeing:g} and {here.seeing_template:g} px) "
        f"{abs(here.width_error):.0%} {wider} than the PSF says leave <b>{expected:+.1f} σ</b> at "
        f"the brightest one. With stamp noise of 10<sup>{exponent:g}</sup> of the peak, one "
        f"cosmic ray raises the noise of D beyond {_FAR} px to <b>{ratio:.2f}</b> times what it "
        f"should be; with the floor ε = {floored.cell.frequency_floor:.1g} it is {rms[1][0]:.2f}.",
        facts=facts,
        answer="Where neither PSF has power, D's kernels are P/|P|: size 1, with "
        "the phase of the stamp's noise. White noise does not care, but the hit's power at those "
        f"frequencies is strewn over the frame (σ × {ratio:.2f} here)"
        + (". " if ratio > _HARM else ": little beside this noise. ")
        + "S multiplies by P* once more and never sees it.",
        right=1 if ratio > _HARM else 0,
        code="\n".join(
            [
                "from zogy_explorer import ZogyConfig, plan, run",
                "from zogy_explorer.simulate import LessonSky",
                "from zogy_explorer.ui.teaching.chapters.psf_error import far_from_hit",
                f"pair = LessonSky({sky_arguments(struck)}).draw()",
                "cells = [run(plan(*pair, ZogyConfig(background='none', maxPsfCentroidDist=2, "
                "frequencyFloor=floor))).cells[0] for floor in (0, None)]",
                'print([f"{(c.diff / c.diff_variance**0.5)[far_from_hit(*pair)].std():.2f}" '
                "for c in cells])",
            ]
        ),
        sample=sky_sample(struck),
        settings={"background": "none", "doSpatialGrid": False, "frequencyFloor": 0.0},
        aside="With the hit, without the floor.",
    )  # fmt: skip


def far_from_hit(science: Exposure, template: Exposure) -> NDArray[np.bool_]:
    """Dark pixels that a particle cannot reach through a PSF."""
    y, x = np.indices(SHAPE)
    return quiet(science, template, away=3) & (np.hypot(x - HIT[0], y - HIT[1]) > _FAR)


def _in_sigma(done: Subtraction) -> np.ndarray:
    return np.asarray(done.diff / done.diff_sigma)


def _tolerance(error: float) -> float:
    """Sampling error, and the 2 % of the hit that the floor may leave."""
    return float(np.hypot(error, 0.01))


CHAPTER = Chapter(
    name="psf-error",
    title="Wrong PSFs, ringing, and the frequency floor",
    sentence="S forgives a noisy PSF, D does not: at frequencies that no PSF lets through, D's "
    "kernels have the stamp's noise for a phase. A small floor holds them still.",
    equations=(
        Equation(
            row(
                hat("P"), op("→"), hat("P"), op("+"), sym("ε"),
                frac(
                    squared(sym("ε")),
                    row(squared(sym("ε")), op("+"), abs2(hat("P", "n")), op("+"),
                        abs2(hat("P", "r"))),
                ),
            ),
            "P hat becomes P hat plus epsilon times epsilon squared over epsilon squared plus P n "
            "hat squared plus P r hat squared, in the kernels of D only",
        ),
    ),
    knobs=("width_error", "stamp_noise"),
    question="How far does the harm of one cosmic ray reach in D without the floor?",
    choices=("As far as a PSF", "Over all of D"),
    tries="Raise the stamp's noise as far as it goes; then turn the width: a hole with a ring.",
    compute=compute,
    # Only wide PSFs leave frequencies without any power, so their widths are no knobs here.
    start={"width_error": 0.1, "seeing": 4.5, "seeing_template": 4.1},
    sky=("noise", "noise_template", "transient"),
)  # fmt: skip

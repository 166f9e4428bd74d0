"""Wrong PSFs, ringing, and the frequency floor."""

from __future__ import annotations

import numpy as np

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
_WIDE = (4.5, 4.1)  # [px]
_FAR = 30  # [px]


def compute(knobs: Knobs) -> Shown:
    """A wrong PSF, and a cosmic ray seen through a noisy one."""
    # Only wide PSFs leave frequencies without any power.
    here, exponent = knobs.sky, knobs.stamp_noise
    here = here.replace(
        seeing=max(here.seeing, _WIDE[0]),
        seeing_template=max(here.seeing_template, _WIDE[1]),
        stamp_noise=float(f"{10.0**exponent:.3g}"),
    )
    struck = here.replace(hit=_CHARGE)
    bare = subtract_sky(struck, frequencyFloor=0.0)
    floored = subtract_sky(struck)
    clean, template = here.draw()
    wrong = subtract(clean, template)
    mean = expectation(wrong, here)
    y, x = np.indices(SHAPE)
    far = quiet(clean, template, away=3) & (np.hypot(x - HIT[0], y - HIT[1]) > _FAR)
    rms = [scatter(_in_sigma(done)[far]) for done in (bare, floored)]
    star = int(STARS[0][1]), int(STARS[0][0])
    expected = float(mean.score[star] / np.sqrt(wrong.score_variance[star]))
    facts = (
        Fact("Scorr at the brightest star", float(wrong.scorr[star]), expected, 1.0, "σ"),
        Fact("σ of D far from the hit, with the floor", rms[1][0], 1.0, _tolerance(rms[1][1])),
    )
    hit = (Mark(HIT[0], HIT[1], "hit", 6),)
    ratio = rms[0][0]
    return Shown(
        pictures=(
            residual("Scorr: stars through this PSF", wrong.scorr,
                     marks=(Mark(STARS[0][0], STARS[0][1], "star", 7),)),
            residual("D of the hit pair, no floor", _in_sigma(bare), marks=hit),
            residual("D of the hit pair, with the floor", _in_sigma(floored), marks=hit),
        ),
        text=f"(Seeing {here.seeing:g} and {here.seeing_template:g} px.) Stars "
        f"{here.width_error:+.0%} wider than the PSF says leave <b>{expected:+.1f} σ</b> at the "
        f"brightest one. With stamp noise of 10<sup>{exponent:g}</sup> of the peak, one cosmic ray "
        f"raises the noise of D beyond {_FAR} px to <b>{ratio:.2f}</b> times what it should be; "
        f"with the floor ε = {floored.cell.frequency_floor:.1g} it is {rms[1][0]:.2f}.",
        facts=facts,
        answer="Where neither PSF has power, D's kernels are P/|P|: size 1, with "
        "the phase of the stamp's noise. White noise does not care, but the hit's power at those "
        f"frequencies is strewn over the frame (σ × {ratio:.2f} here). S multiplies by P* once "
        "more and never sees it.",
        right=1 if ratio > 1.1 else 0,
        code="\n".join(
            [
                "from zogy_explorer import plan, run, ZogyConfig",
                "from zogy_explorer.simulate import LessonSky",
                f"pair = LessonSky({sky_arguments(struck)}).draw()",
                "for config in (ZogyConfig(frequencyFloor=0), ZogyConfig()):",
                "    cell = run(plan(*pair, config)).cells[0]",
                "    print((cell.diff / cell.diff_variance**0.5)[70:, :40].std())",
            ]
        ),
        sample=sky_sample(struck),
        settings={"background": "none", "doSpatialGrid": False, "frequencyFloor": 0.0},
        aside="With the hit, without the floor.",
    )  # fmt: skip


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
    start={"width_error": 0.1},
)  # fmt: skip

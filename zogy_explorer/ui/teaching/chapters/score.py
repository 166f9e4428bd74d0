"""S: the matched filter, and the flux it measures."""

from __future__ import annotations

import numpy as np

from zogy_explorer.simulate.lesson import TRANSIENT
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_code, sky_sample
from zogy_explorer.ui.teaching.mathml import Equation, frac, hat, op, row, sym
from zogy_explorer.ui.teaching.measure import subtract_sky
from zogy_explorer.ui.teaching.pictures import Curve, Mark, PlotPicture, residual

_CUT = 12  # [px]


def compute(knobs: Knobs) -> Shown:
    """D, S and the flux of the new source."""
    here = knobs.sky
    done = subtract_sky(here)
    cell = done.cell
    x, y = TRANSIENT
    sigma_s = float(np.sqrt(done.score_variance[y, x]))
    flux, flux_error = float(done.score[y, x] / cell.flux_score), sigma_s / cell.flux_score
    in_sigma = done.diff / done.diff_sigma
    dark = float(np.sqrt(done.score_variance.min()))
    assert cell.psf_diff is not None
    single = here.transient * float(cell.psf_diff.max() / done.diff_sigma[y, x])
    matched = here.transient * cell.flux_score / sigma_s
    facts = (
        Fact("Flux α of the new source", flux, here.transient, flux_error, "flux"),
        Fact("S over its σ there", float(done.score[y, x] / sigma_s), matched, 1.0, "σ"),
        Fact("Best pixel of D over its σ", float(in_sigma[y, x]), single, 1.0, "σ"),
    )
    offsets = np.arange(-_CUT, _CUT + 1)
    cut = np.s_[y, x - _CUT : x + _CUT + 1]
    return Shown(
        pictures=(
            residual("D, in units of its σ", in_sigma, marks=(Mark(*TRANSIENT, "new"),)),
            residual("S, in units of its σ in the dark", done.score / dark,
                     marks=(Mark(*TRANSIENT, "new"),)),
            PlotPicture("Through the new source", "px from the source", "σ",
                        (Curve("D", offsets, in_sigma[cut], 1),
                         Curve("S", offsets, done.score[cut] / dark, 0)), (-_CUT, _CUT), (-6, 16)),
        ),
        text=f"The source has flux {here.transient:g}. Its best pixel in D is expected at "
        f"<b>{single:.1f} σ</b>, its peak in S at <b>{matched:.1f} σ</b> (σ_n = {here.noise:g}): "
        "the filter gathers the light of all its pixels. Divided by F_S it is the flux: "
        f"<b>{flux:.0f} ± {flux_error:.0f}</b>.",
        facts=facts,
        answer=_gain(matched, single) + " No other linear filter does better (Neyman and Pearson): "
        "D's noise is white, so P_D itself is its matched filter.",
        right=1,
        code=sky_code(
            here,
            "cell = run(plan(science, template, ZogyConfig(background='none'))).cells[0]",
            "alpha, sigma = (v / cell.flux_score for v in (cell.score, cell.score_variance**0.5))",
            f'print(f"flux {{alpha[{y}, {x}]:.0f}} ± {{sigma[{y}, {x}]:.0f}}, '
            f'true: {here.transient:g}")',
        ),
        sample=sky_sample(here),
    )  # fmt: skip


def _gain(matched: float, single: float) -> str:
    """What the filter gains on one pixel."""
    if not single:
        return "There is no source now; with one, its peak in S rises above D's best pixel."
    return (
        f"Here its peak in S has {matched / single:.2f} times the significance of D's best pixel."
    )


CHAPTER = Chapter(
    name="score",
    title="S: the matched filter, and its flux",
    sentence="Is there a source here? Slide P_D over D, multiply and add: no statistic separates "
    "“yes” from “no” better. Divided by F_S it is the source's flux.",
    equations=(
        Equation(
            row(hat("S"), op("="), sym("F", "D"), hat("P", "D", star=True), hat("D")),
            "S hat equals F D times the conjugate of P D hat times D hat",
            "17",
        ),
        Equation(
            row(sym("α"), op("="), frac(sym("S"), sym("F", "S"))),
            "alpha equals S over F S",
            "41, 42",
        ),
    ),
    knobs=("transient", "noise"),
    question="Where does a faint source stand out more?",
    choices=("In its best pixel of D", "In its peak of S"),
    tries="Lower the flux until you cannot see the source in D. Can you still in S? Does α stay "
    "within its error?",
    compute=compute,
)

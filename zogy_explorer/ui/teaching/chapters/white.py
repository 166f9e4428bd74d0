"""D, and why it is white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics import autocorrelation, power_spectrum
from zogy_explorer.simulate.lesson import TRANSIENT, LessonSky
from zogy_explorer.ui.teaching.chapter import (
    ENGINE,
    Chapter,
    Fact,
    Knobs,
    Shown,
    sky_code,
    sky_sample,
)
from zogy_explorer.ui.teaching.chapters.fourier import spectrum
from zogy_explorer.ui.teaching.mathml import DENOMINATOR, Equation, frac, hat, op, row, sqrt, sym
from zogy_explorer.ui.teaching.measure import (
    Plane,
    Subtraction,
    calibrated,
    quiet,
    scatter,
    subtract_sky,
)
from zogy_explorer.ui.teaching.pictures import Curve, Mark, PlotPicture, residual


def compute(knobs: Knobs) -> Shown:
    """D, its power spectrum, and that of the numerator alone."""
    here = knobs.sky
    done = subtract_sky(here)
    in_sigma = done.diff / done.diff_sigma
    # The new source is no noise: whatever is said of noise is measured without it.
    empty = here.replace(transient=0.0)
    noise = subtract_sky(empty)
    still = quiet(noise.science, noise.template, away=3)
    measured, error = scatter((noise.diff / noise.diff_sigma)[still])
    neighbours = autocorrelation(noise.cell, noise.plan)
    white = power_spectrum(noise.cell, noise.plan)
    # Noise of the numerator of eq. 13 before it is divided: the denominator squared.
    p_n, p_r = (np.abs(spectrum(stamp)) ** 2 for stamp in here.stamps)
    den = here.noise**2 * p_r + here.noise_template**2 * p_n
    raw = den[0, :49] / den[0, 0]
    place = TRANSIENT[1], TRANSIENT[0]
    one_lag = float(
        neighbours.error[neighbours.values.shape[0] // 2, len(neighbours.lags) // 2 + 1]
    )
    plain = float(np.corrcoef(*_pairs(_numerator(empty, noise), still))[0, 1])
    facts = (
        Fact("σ of D over the predicted σ", measured, 1.0, error),
        Fact("Correlation of neighbours in x", neighbours.nearest[0], 0.0, one_lag),
        Fact("Correlation of neighbours in y", neighbours.nearest[1], 0.0, one_lag),
    )
    return Shown(
        pictures=(
            residual("D, in units of its σ", in_sigma, marks=(Mark(*TRANSIENT, "new"),)),
            PlotPicture(
                "Noise power without the source, white = 1", "frequency [cycles/px]", "power",
                (Curve("D", white.frequency, white.power, 0, white.error, points=True),
                 Curve("numerator alone", np.arange(49) / 96, raw, 1)),
                (0, 0.7), (0, 2)),
        ),
        text=f"With noise {here.noise:g} and {here.noise_template:g} and seeing {here.seeing:.1f} "
        f"and {here.seeing_template:.1f} px, the numerator alone has lost all but "
        f"<b>{raw[32]:.1%}</b> of its noise power at 0.33 cycles/px (neighbours correlated by "
        f"{plain:.0%}). Dividing by its own noise, frequency by frequency, flattens it: "
        f"neighbours of D share <b>{abs(neighbours.nearest[0]):.1%}</b>, which is chance. The new "
        f"source stands {in_sigma[place]:.1f} σ high in one pixel.",
        facts=facts,
        answer="The denominator is the noise of the numerator at each frequency, so every "
        "frequency of D has unit variance and a phase of its own: white noise, and independent "
        f"pixels (measured {neighbours.nearest[0]:+.3f} ± {one_lag:.3f}).",
        right=1,
        code=sky_code(
            empty,
            "p = plan(science, template, ZogyConfig(background='none'))",
            'print("neighbours of D, without the source:", *(f"{share:.3f}" for share in '
            "autocorrelation(run(p).cells[0], p).nearest))",
            imports=(ENGINE, "from zogy_explorer.diagnostics import autocorrelation"),
        ),
        sample=sky_sample(here),
    )  # fmt: skip


def _numerator(here: LessonSky, done: Subtraction) -> Plane:
    """F_r P_r ⊗ N − F_n P_n ⊗ R in the calibrated unit."""
    n, r = (np.fft.fft2(calibrated(e)) for e in (done.science, done.template))
    p_n, p_r = (spectrum(stamp) for stamp in here.stamps)
    return np.asarray(np.fft.ifft2(p_r * n - p_n * r).real)


def _pairs(plane: Plane, still: NDArray[np.bool_]) -> tuple[Plane, Plane]:
    both = still[:, :-1] & still[:, 1:]
    return plane[:, :-1][both], plane[:, 1:][both]


CHAPTER = Chapter(
    name="white",
    title="D, and why it is white",
    sentence="Blur each image with the <i>other</i> one's PSF: constant stars cancel exactly. "
    "Divide by the noise that is left at each frequency: the proper difference.",
    equations=(
        Equation(
            row(
                hat("D"), op("="),
                frac(
                    row(sym("F", "r"), hat("P", "r"), hat("N"), op("−"),
                        sym("F", "n"), hat("P", "n"), hat("R")),
                    sqrt(DENOMINATOR),
                ),
            ),
            "D hat equals F r P r hat N hat minus F n P n hat R hat, over the square root of sigma "
            "n squared F r squared P r hat squared, plus the same with n and r exchanged",
            "13",
        ),
    ),
    knobs=("seeing", "noise"),
    question="Both images were blurred. Are neighbouring pixels of D correlated?",
    choices=("Yes, by the blurring", "No"),
    tries="Make one image ten times noisier than the other. D stays white.",
    compute=compute,
)  # fmt: skip

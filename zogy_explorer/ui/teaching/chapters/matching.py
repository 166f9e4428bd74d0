"""PSF matching after Alard and Lupton, in a dozen lines."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import convolve2d, correlate2d

from zogy_explorer.ui.teaching.chapter import (
    APPLY,
    ERRORS,
    Chapter,
    Fact,
    Knobs,
    Shown,
    sky_code,
    sky_sample,
)
from zogy_explorer.ui.teaching.mathml import Equation, abs2, op, row, sym
from zogy_explorer.ui.teaching.measure import calibrated, quiet, scatter, sigma_plane
from zogy_explorer.ui.teaching.pictures import ImagePicture, residual, sky

Plane = NDArray[np.floating]

_MATCHED = 1.3
HALF = 5
"""[px] The kernel has 2·HALF + 1 pixels on a side, each of them free."""
_INNER = np.s_[HALF:-HALF, HALF:-HALF]


def match_kernel(science: Plane, template: Plane, sigma: Plane) -> Plane:
    """The kernel K that makes K ⊗ template fit science best, and nothing else.

    Every pixel of K is a free parameter of one linear least-squares problem.

    Parameters
    ----------
    science, template
        Images (ny, nx) at one flux scale.
    sigma
        Noise of their difference in each pixel (ny, nx).
    """
    side = 2 * HALF + 1
    values = (science / sigma)[_INNER].ravel()
    solution = np.linalg.lstsq(_design(template, sigma), values, rcond=None)[0]
    return np.asarray(solution.reshape(side, side))


def leverage(template: Plane, sigma: Plane) -> Plane:
    """Share of each pixel's noise variance that the fit of K takes away.

    The diagonal of the projection A (AᵀA)⁻¹ Aᵀ on what K can reach, 0 along the edge; its sum is
    the number of K's pixels.
    """
    design = _design(template, sigma)
    taken = np.zeros_like(template)
    shares = (design @ np.linalg.pinv(design.T @ design, hermitian=True) * design).sum(axis=1)
    taken[_INNER] = shares.reshape(taken[_INNER].shape)
    return taken


def _design(template: Plane, sigma: Plane) -> Plane:
    """One row a pixel, one column a pixel of K, each row over its pixel's noise."""
    side = 2 * HALF + 1
    patches = sliding_window_view(template, (side, side)).reshape(-1, side**2)[:, ::-1]
    return np.asarray(patches / sigma[_INNER].reshape(-1, 1))


def compute(knobs: Knobs) -> Shown:
    """K, N − K ⊗ R, and the noise that it has."""
    here = knobs.sky
    science, template = here.draw()
    first, second = calibrated(science), calibrated(template)
    sigma = np.hypot(sigma_plane(science), sigma_plane(template))
    kernel = match_kernel(first, second, sigma)
    difference = first - convolve2d(second, kernel, mode="same")
    s_n, s_r = here.noise, here.noise_template
    # Covariance of the difference by lag: white noise of N, and that of R through K.
    covariance = s_r**2 * correlate2d(kernel, kernel)
    middle = 2 * HALF
    covariance[middle, middle] += s_n**2
    predicted = float(np.sqrt(covariance[middle, middle]))
    rho = covariance / covariance[middle, middle]
    still = quiet(science, template, away=HALF + 1, excess=1e-3)
    noise, noise_error = scatter(difference[still], float((rho**2).sum()))
    # K was fitted to this very noise: it took a share of it away, and its own pixels scatter, so
    # that ΣK² is too large by the same share.
    share = float(leverage(second, sigma)[still].mean())
    in_sample = predicted * float(np.sqrt((1 - share) / (1 + share)))
    pairs = still[:, :-1] & still[:, 1:]
    left, right = difference[:, :-1][pairs], difference[:, 1:][pairs]
    neighbour = float((left * right).mean() / noise**2)
    neighbour_error = float(np.sqrt((rho**2).sum() / pairs.sum()))
    expected = float(rho[middle, middle + 1])
    # At the stars, in units of the noise there: source noise included.
    passed = convolve2d(sigma_plane(template) ** 2, kernel**2, mode="same")
    there = np.sqrt(sigma_plane(science) ** 2 + passed)
    bright = ~quiet(science, template, excess=0.5)
    left_over = float(np.sqrt(np.mean((difference / there)[bright] ** 2)))
    matched = left_over < _MATCHED
    sharper = here.seeing_template < here.seeing
    reach = "K blurs the sharper template" if sharper else "K hardly has to sharpen the template"
    gain = float(np.sqrt((kernel**2).sum()))
    facts = (
        Fact("σ of the dark pixels", noise, in_sample, noise_error),
        Fact("Correlation of neighbours", neighbour, expected, neighbour_error),
    )
    top = float(np.abs(kernel).max())
    return Shown(
        pictures=(
            ImagePicture("The fitted kernel K", kernel, -top, top, True),
            sky("K ⊗ R: template, blurred",
                convolve2d(second, kernel, mode="same"), s_n),
            residual("N − K ⊗ R", difference, predicted),
        ),
        text=f"To bring a seeing of {here.seeing_template:.1f} px to {here.seeing:.1f} px, K adds "
        f"up to <b>{kernel.sum():.3f}</b> and passes {gain:.2f} times the template's noise. At "
        f"the stars the rest scatters by <b>{left_over:.2f}</b> times its noise. Neighbours in "
        f"the dark now share <b>{expected:+.0%}</b> of theirs, so counting σ pixel by pixel "
        "misleads.",
        facts=facts,
        answer=(
            f"{reach}, and the stars vanish (the rest scatters by {left_over:.2f} times its noise)."
            if matched
            else "K would have to sharpen the template, which amplifies its noise; the best "
            f"compromise leaves {left_over:.2f} times the noise at the stars and "
            f"{1 - kernel.sum():.0%} of their light unmatched. ZOGY does not care which image is "
            "the better one."
        ),
        right=0 if matched else 1,
        code=sky_code(
            here,
            "N, V = science.image * science.photo_calib, science.variance * science.photo_calib**2",
            "kernel = match_kernel(N, template.image, (V + template.variance) ** 0.5)",
            'print(f"ΣK = {kernel.sum():.3f}, noise passed: {(kernel**2).sum() ** 0.5:.2f}")',
            imports=("from zogy_explorer.ui.teaching.chapters.matching import match_kernel",),
        ),
        sample=sky_sample(here),
    )  # fmt: skip


CHAPTER = Chapter(
    name="matching",
    title="Matching the PSFs",
    sentence="Alard and Lupton fit the kernel <i>K</i> that turns the template's stars into those "
    "of the science image, and subtract what comes out. It works, at a price.",
    equations=(
        Equation(
            row(
                op("min"),
                op("∑"),
                abs2(row(sym("N"), op("−"), sym("K"), op("⊗"), sym("R"))),
            ),
            "minimise over K the sum of the squared modulus of N minus K convolved with R",
        ),
    ),
    knobs=("seeing", "seeing_template"),
    question="With these two seeings, can a kernel make the stars vanish?",
    choices=("Yes", "No"),
    tries="Make the template worse than the science image (4.4 px against 2.2 px).",
    compute=compute,
    sky=(*APPLY, *ERRORS),  # K mends them too
)

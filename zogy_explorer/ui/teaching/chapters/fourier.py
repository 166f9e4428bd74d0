"""Into Fourier space: convolution is multiplication."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.fourier import pad_center_origin
from zogy_explorer.simulate.lesson import SHAPE, TRANSIENT, LessonSky
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_code, sky_sample
from zogy_explorer.ui.teaching.mathml import Equation, hat, op, row, sym
from zogy_explorer.ui.teaching.measure import Plane, calibrated, sigma_plane
from zogy_explorer.ui.teaching.pictures import Curve, ImagePicture, PlotPicture, sky

_CORNER = 0.55  # [cycles/px]
_LOST = 0.05


def spectrum(stamp: NDArray[np.floating]) -> NDArray[np.complexfloating]:
    """P̂ on the full grid, the stamp's centre at the origin."""
    return np.fft.fft2(pad_center_origin(stamp, SHAPE))


def compute(knobs: Knobs) -> Shown:
    """Spectra of the images and the PSFs."""
    here = knobs.sky
    science, _ = here.draw()
    image = calibrated(science)
    n_pixels = image.size
    power = np.abs(np.fft.fft2(image)) ** 2 / n_pixels
    fy, fx = np.fft.fftfreq(SHAPE[0]), np.fft.fftfreq(SHAPE[1])
    radius = np.hypot(fy[:, None], fx[None, :])
    corner = radius > _CORNER
    # Every mode is the light's plus noise of the mean variance: |A + n|² has mean A² + P and
    # variance P² + 2 A² P; modes come in pairs that say the same.
    light = np.abs(np.fft.fft2(here.light()[0])) ** 2 / n_pixels
    noise_power = float((sigma_plane(science) ** 2).mean())
    expected = float(light[corner].mean()) + noise_power
    spread = float(np.sqrt(2 * (noise_power**2 + 2 * light[corner] * noise_power).sum()))
    stamps = [np.abs(spectrum(stamp)) for stamp in here.stamps]
    half = SHAPE[1] // 2
    along = [np.append(plane[0, :half], plane[0, half]) for plane in stamps]
    frequency = np.append(fx[:half], 0.5)
    quarter = float(np.interp(0.25, frequency, along[0]))
    ratios = here.transient**2 * stamps[0] ** 2 / n_pixels / here.noise**2
    end = float(frequency[np.argmax(along[0] < _LOST)])
    facts = (
        Fact(
            "Power beyond 0.55 cycles/px",
            float(power[corner].mean()),
            expected,
            spread / int(corner.sum()),
            "flux²",
        ),
        together(here, image, sigma_plane(science)),
    )
    floor = np.log10(noise_power)
    return Shown(
        pictures=(
            sky("Science N / F_n", image, here.noise),
            ImagePicture("log₁₀ |N̂|², frequency 0 in the middle",
                         np.fft.fftshift(np.log10(power + 1e-12)), floor - 1, floor + 4),
            PlotPicture("What the PSFs let through", "frequency [cycles/px]", "|P̂|",
                        (Curve("|P̂_n|", frequency, along[0], 0),
                         Curve("|P̂_r|", frequency, along[1], 1)), (0, 0.5), (0, 1.05)),
        ),
        text=f"At a seeing of {here.seeing:.1f} px the science image keeps <b>{quarter:.0%}</b> of "
        f"all detail of 4 px (0.25 cycles/px) and less than {_LOST:.0%} beyond {end:.2f} "
        f"cycles/px. Its noise (σ_n = {here.noise:g}) has the same power <b>{noise_power:.0f}</b> "
        "at every frequency. At its best frequency, the new source has "
        f"<b>{ratios.max():.2f} times</b> the power of the dark sky's noise. " + _sum_of(ratios),
        facts=facts,
        answer=f"The wider the PSF, the narrower its spectrum: here P_n keeps {quarter:.0%} and "
        f"P_r {float(np.interp(0.25, frequency, along[1])):.0%} at 0.25 cycles/px. What the PSF "
        "has taken away at a frequency no arithmetic brings back: dividing by it lifts the noise "
        "just as much.",
        right=1,
        code=sky_code(
            here,
            "N, f = science.image * science.photo_calib, np.fft.fftfreq(science.image.shape[0])",
            "beyond = np.abs(np.fft.fft2(N))[np.hypot(f[:, None], f) > 0.55] ** 2 / N.size",
            'print(f"power there: {beyond.mean():.1f}, noise: '
            '{science.variance.mean() * science.photo_calib**2:.0f}")',
            imports=("import numpy as np",),
        ),
        sample=sky_sample(here),
    )  # fmt: skip


def together(here: LessonSky, image: Plane, sigma: Plane) -> Fact:
    """Significance of the new source over all frequencies at once, in the science image alone.

    Σ P N at its place over the noise of that sum in the dark, σ_n √ΣP². By Parseval its square is
    the sum of the ratios of powers, f² |P̂|² / (n_pix σ_n²), over all frequencies.
    """
    stamp = here.stamps[0]
    half = stamp.shape[0] // 2
    x, y = TRANSIENT
    box = np.s_[y - half : y + half + 1, x - half : x + half + 1]
    dark = here.noise * float(np.sqrt((stamp**2).sum()))
    return Fact(
        "New source, all frequencies together",
        float((stamp * image[box]).sum()) / dark,
        here.transient * float((stamp**2).sum()) / dark,
        float(np.sqrt((stamp**2 * sigma[box] ** 2).sum())) / dark,
        "σ",
    )


def _sum_of(ratios: NDArray[np.floating]) -> str:
    """What all frequencies say together."""
    total = float(np.sqrt(ratios.sum()))
    if not total:
        return ""
    above = float((ratios > 1).mean())
    where = (
        "It lies below the noise at every single frequency"
        if not above
        else f"It lies above the noise at {above:.1%} of the frequencies"
    )
    return f"{where}; all together, weighted with P̂_n, they show it at <b>{total:.1f} σ</b>."


CHAPTER = Chapter(
    name="fourier",
    title="Into Fourier space",
    sentence="Convolution becomes multiplication, frequency by frequency, and white noise stays "
    "white: that is why the best subtraction can be written down in one line there.",
    equations=(
        Equation(
            row(
                hat("N"),
                op("="),
                sym("F", "n"),
                hat("P", "n"),
                row(op("("), hat("T"), op("+"), sym("f"), hat("δ"), op(")")),
                op("+"),
                hat("ε", "n"),
            ),
            "N hat equals F n P n hat times T hat plus f delta hat, plus noise",
        ),
    ),
    knobs=("seeing", "noise"),
    question="When the seeing gets worse, does the spectrum |P̂_n| get wider or narrower?",
    choices=("Wider", "Narrower"),
    tries="At which seeing does the science image lose everything finer than 3 px? How many σ are "
    "left of the new source when it is 5 px?",
    compute=compute,
    sky=("seeing", "seeing_template", "noise", "transient"),  # of the science image alone
)

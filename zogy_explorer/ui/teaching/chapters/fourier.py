"""Into Fourier space: convolution is multiplication."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.fourier import pad_center_origin
from zogy_explorer.simulate.lesson import SHAPE
from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Knobs, Shown, sky_code, sky_sample
from zogy_explorer.ui.teaching.mathml import Equation, hat, op, row, sym
from zogy_explorer.ui.teaching.measure import calibrated, sigma_plane
from zogy_explorer.ui.teaching.pictures import Curve, ImagePicture, PlotPicture, sky

_CORNER = 0.55  # [cycles/px]


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
    level = here.noise * np.sqrt(1 / (here.stamps[0] ** 2).sum())  # noise under a point source
    source = here.transient * along[0] / max(level, 1e-9)
    lost = np.nonzero(along[0] < 0.05)[0]
    end = float(frequency[lost[0]]) if lost.size else 0.5
    facts = (
        Fact(
            "Power beyond 0.55 cycles/px",
            float(power[corner].mean()),
            expected,
            spread / int(corner.sum()),
            "flux²",
        ),
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
        f"all detail of 4 px (0.25 cycles/px) and less than 5 % beyond {end:.2f} cycles/px. Its "
        f"noise (σ_n = {here.noise:g}) has the same power <b>{noise_power:.0f}</b> at every "
        f"frequency; the new source rises above it up to a ratio of {source.max():.1f}.",
        facts=facts,
        answer=f"The wider the PSF, the narrower its spectrum: here P_n keeps {quarter:.0%} and "
        f"P_r {float(np.interp(0.25, frequency, along[1])):.0%} at 0.25 cycles/px. What seeing has "
        "taken below the noise, no arithmetic brings back.",
        right=1,
        code=sky_code(
            here,
            "N = science.image * science.photo_calib",
            "power = np.abs(np.fft.fft2(N)) ** 2 / N.size",
            'print(f"highest frequencies: {power[40:57, 40:57].mean():.0f}, noise: "'
            'f"{science.variance.mean() * science.photo_calib**2:.0f}")',
            imports=("import numpy as np",),
        ),
        sample=sky_sample(here),
    )  # fmt: skip


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
    tries="At which seeing does the science image lose everything finer than 3 px?",
    compute=compute,
)

"""Eight small pairs, each with one thing wrong, what it looks like, and what cures it.

A pathology is drawn, judged by the number that its picture shows, cured, and judged again: the
tests do just that, the lessons show it, and the explorer opens it as a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.engine.result import Difference
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.psf import KernelPsf
from zogy_explorer.simulate.flawed import FlawedPair
from zogy_explorer.simulate.pair import make_pair

Exposures = tuple[Exposure, Exposure]
Step = Callable[[Exposure, Exposure], Exposures]

SIGNIFICANT = 5.0
"""[σ] Beyond it a residual would be taken for a source."""

_STAR = (30.4, 66.7)
_HIT = (48, 50, 600.0)
_STEP_COLUMN = 48
_STEP_COUNTS = 12.0
_NEAR = 9  # [px]
_RIM = 10  # [px]
_TRUST = ("SAT", "CR", "BAD", "NO_DATA")
_FIELD = FlawedPair(
    stars=((*_STAR, 12000.0), (68.2, 31.5, 4000.0), (70.1, 72.3, 1500.0), (24.6, 27.3, 1800.0)),
    shape=(96, 96),
    psf_size=25,
    gain=2.0,
)
_FULL = 0.25 * 12000.0 * float(_FIELD.psfs[1].stamp(25).max())
"""Level at which the saturated star clips [counts]."""

_WIDTH_ERROR = 0.15
_SETTINGS: Mapping[str, Any] = MappingProxyType({"background": "none"})
# No pair has sky light; on so small a frame its measured level would be that of the sources.


@dataclass(frozen=True)
class Pathology:
    """One thing that goes wrong.

    Parameters
    ----------
    name
        Short name, as in ``--sample`` and the address of the page.
    title
        For people.
    cause
        What is wrong with the pair, in one sentence.
    picture
        What D and Scorr look like.
    measure
        What `signature` measures, in words that follow a number.
    cure
        What to do about it, in words.
    draw
        Seed to science and template.
    signature
        Difference to the number that tells; beyond ``limit`` the patient is ill.
    limit
        Of the signature; for the healthy pair it is what is allowed.
    settings
        Of `ZogyConfig`, with which the pair is subtracted.
    cure_settings
        Of `ZogyConfig`: what to change.
    cure_step
        What to do to the pair before it is subtracted; None: nothing.
    """

    name: str
    title: str
    cause: str
    picture: str
    measure: str
    cure: str
    draw: Callable[[int], Exposures]
    signature: Callable[[Difference], float]
    limit: float = SIGNIFICANT
    settings: Mapping[str, Any] = field(default_factory=dict)
    cure_settings: Mapping[str, Any] = field(default_factory=dict)
    cure_step: Step | None = None

    def config(self) -> ZogyConfig:
        """Settings that show the trouble."""
        return ZogyConfig.from_dict({**_SETTINGS, **self.settings})

    def cured_config(self) -> ZogyConfig:
        """Settings of the cure."""
        return ZogyConfig.from_dict({**_SETTINGS, **self.settings, **self.cure_settings})

    def cured(self, science: Exposure, template: Exposure) -> Exposures:
        """The pair after the steps of the cure."""
        return (science, template) if self.cure_step is None else self.cure_step(science, template)


def pathology(name: str) -> Pathology:
    """The pathology called ``name``.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        return PATHOLOGIES[name]
    except KeyError:
        raise InputError(
            f"there is no sample {name!r}: the samples are {', '.join(PATHOLOGIES)}"
        ) from None


# -- what the pictures show ------------------------------------------------------------------------


def _scorr(difference: Difference) -> NDArray[np.floating]:
    """Scorr, 0 where the mask says that data are bad: nobody would believe it there."""
    assert difference.scorr is not None
    planes = difference.plan.mask_planes
    bits = sum(1 << planes[name] for name in _TRUST if name in planes)
    return np.where(difference.diff.mask & bits, 0.0, difference.scorr)


def _at_star(difference: Difference) -> NDArray[np.floating]:
    x, y = (round(v) for v in _STAR)
    return _scorr(difference)[y - _NEAR : y + _NEAR + 1, x - _NEAR : x + _NEAR + 1]


def largest(difference: Difference) -> float:
    """Largest |Scorr| of the frame that no mask explains [σ]."""
    return float(np.abs(_scorr(difference)).max())


def inside(difference: Difference) -> float:
    """`largest`, but away from the rim: stars cut off by the edge are another matter [σ]."""
    return float(np.abs(_scorr(difference)[_RIM:-_RIM, _RIM:-_RIM]).max())


def dipole(difference: Difference) -> float:
    """The weaker of the two lobes at the brightest star [σ]."""
    near = _at_star(difference)
    return float(min(near.max(), -near.min()))


def excess(difference: Difference) -> float:
    """Largest |Scorr| at the brightest star [σ]."""
    return float(np.abs(_at_star(difference)).max())


def hole(difference: Difference) -> float:
    """Depth of the hole at the brightest star [σ]."""
    return float(-_at_star(difference).min())


def step(difference: Difference) -> float:
    """Jump of the median of D / σ_D across the middle column [σ of a pixel]."""
    assert difference.diff.variance is not None
    d = difference.diff.image / np.sqrt(difference.diff.variance)
    return float(np.median(d[:, _STEP_COLUMN + 8 :]) - np.median(d[:, : _STEP_COLUMN - 8]))


# -- how they are drawn, and the steps of their cures ----------------------------------------------


def _saturated(seed: int) -> Exposures:
    return replace(_FIELD, saturation=_FULL, mask_saturated=False).draw(seed)


def _flag(exposure: Exposure, where: NDArray[np.bool_], plane: str) -> Exposure:
    bit = np.int32(1 << MASK_PLANES[plane])
    return exposure.replace(mask=np.where(where, exposure.mask | bit, exposure.mask))


def _flag_saturated(science: Exposure, template: Exposure) -> Exposures:
    first, second = (_flag(e, e.image >= _FULL, "SAT") for e in (science, template))
    return first, second


def _flag_hit(science: Exposure, template: Exposure) -> Exposures:
    where = np.zeros(science.shape, dtype=bool)
    where[_HIT[1], _HIT[0]] = True
    return _flag(science, where, "CR"), template


def _with_step(seed: int) -> Exposures:
    science, template = _FIELD.draw(seed)
    image = science.image.copy()
    image[:, _STEP_COLUMN:] += _STEP_COUNTS
    return science.replace(image=image), template


def _without_step(science: Exposure, template: Exposure) -> Exposures:
    """Each half (an amplifier, say) brought to the level of its own sky."""
    image = science.image.copy()
    for half in (slice(None, _STEP_COLUMN), slice(_STEP_COLUMN, None)):
        image[:, half] -= np.median(image[:, half])
    return science.replace(image=image), template


def _right_psf(science: Exposure, template: Exposure) -> Exposures:
    """The PSF that the stars have."""
    profile = _FIELD.psfs[0]
    true = replace(profile, fwhm=profile.fwhm * (1 + _WIDTH_ERROR))
    return science.replace(psf=KernelPsf(true.stamp(_FIELD.psf_size))), template


def _varying(seed: int) -> Exposures:
    science, template, _ = make_pair(
        seed, (192, 192), n_stars=30, n_galaxies=0, n_transients=0, star_flux=(4000.0, 2e4),
        psf_variation=1.0, psf_size=21, defects=False,
    )  # fmt: skip
    return science, template


_ALL = (
    Pathology(
        "perfect",
        "A perfect pair",
        "Nothing is wrong: PSFs, noise, flux scale and registration are what the files say.",
        "D is noise from edge to edge, bright stars included, and no pixel of Scorr is beyond 5 σ.",
        "σ is the largest |Scorr| of the frame",
        "None needed. This is what the others should look like.",
        _FIELD.draw,
        largest,
    ),
    Pathology(
        "shifted",
        "The template is shifted",
        "The science image lies 0.4 px to the right of the template.",
        "A dipole at every star, all of the same direction: positive on the right, negative on "
        "the left, stronger the brighter the star.",
        "σ is the weaker lobe at the brightest star",
        "Register the pair (zogy_explorer.prepare.shift_exposure). Where that is not possible, say "
        "how well it is registered: astrometricNoise = 0.3 px widens the error where stars are "
        "steep.",
        replace(_FIELD, shift=(0.4, 0.0)).draw,
        dipole,
        cure_settings={"astrometricNoise": 0.3},
    ),
    Pathology(
        "flux",
        "The flux scale is wrong",
        "The science image holds 12 % more light than its calibration says.",
        "A faint copy of every star, all of one sign, of the shape of P_D: stars look as if they "
        "had brightened.",
        "σ is the largest |Scorr| at the brightest star",
        "Correct the flux scale: scienceFluxScaling = 1.12, with scaleByCalibration off.",
        replace(_FIELD, flux_error=0.12).draw,
        excess,
        cure_settings={"scaleByCalibration": False, "scienceFluxScaling": 1.12},
    ),
    Pathology(
        "psf",
        "The PSF is wrong",
        "The stars of the science image are 15 % wider than the PSF that comes with it.",
        "A hole with a ring around it at every star: light that the PSF promised to the middle is "
        "found at its skirts.",
        "σ is the depth of the hole at the brightest star",
        "Measure the PSF again, on this image's own stars: science.replace(psf=measure_psf(science)"
        ".psf), with measure_psf of zogy_explorer.prepare.",
        replace(_FIELD, width_error=_WIDTH_ERROR).draw,
        hole,
        cure_step=_right_psf,
    ),
    Pathology(
        "saturated",
        "A saturated star",
        "The brightest star clips in both images, and the mask does not say so.",
        "A blot with a broad, ragged edge at one star alone; its neighbours are clean.",
        "σ is the largest |Scorr| at that star outside the mask",
        "Flag clipped pixels as SAT. They are then interpolated before the transform, and the mask "
        "grows over what they spoil.",
        _saturated,
        excess,
        cure_step=_flag_saturated,
    ),
    Pathology(
        "cosmic-ray",
        "A cosmic ray",
        "One pixel of the science image was hit by a particle, and the mask does not say so.",
        "A point in D sharper than any star, with ripples around it; a fat, convincing source in "
        "Scorr.",
        "σ is the largest |Scorr| of the frame outside the mask",
        "Flag the pixel as CR. It is then interpolated, and its surroundings are masked.",
        replace(_FIELD, hit=_HIT).draw,
        largest,
        cure_step=_flag_hit,
    ),
    Pathology(
        "background",
        "A step in the background",
        f"The right half of the science image is {_STEP_COUNTS:g} counts too bright: one amplifier "
        "with a bias of its own.",
        "One half of D lies above zero, and an edge runs through the frame.",
        "σ of a pixel is the jump of D across the middle column",
        "Subtract the sky of each amplifier before the subtraction.",
        _with_step,
        step,
        limit=0.25,
        cure_step=_without_step,
    ),
    Pathology(
        "varying-psf",
        "A varying PSF, one cell",
        "The PSFs change over the field, and the whole frame is subtracted as one cell.",
        "Stars are clean in the middle and leave rings and holes towards the corners.",
        "σ is the largest |Scorr| more than 10 px from the edge",
        "Divide the frame: doSpatialGrid on and gridInnerSize = 1. Each cell is then as wide as "
        "its border and has the PSFs of its own place; with the usual 8 borders a frame as small "
        "as this one stays a single cell.",
        _varying,
        inside,
        settings={"doSpatialGrid": False},
        cure_settings={"doSpatialGrid": True, "gridInnerSize": 1.0},
    ),
)

PATHOLOGIES: Mapping[str, Pathology] = MappingProxyType({p.name: p for p in _ALL})
"""All of them by name, the healthy one first."""

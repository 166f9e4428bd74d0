"""Everything that can be noteworthy about a cell, as data.

One registry gives the names, severities, meanings and advice that the app shows, the FITS table
stores and the docs list. A `Flag` is one occurrence: its kind plus the cause in numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

SEVERITIES = ("ok", "info", "warning", "failed")
"""From harmless to unusable."""


@dataclass(frozen=True)
class FlagKind:
    """One entry of the registry."""

    name: str
    severity: str
    meaning: str
    advice: str


@dataclass(frozen=True)
class Flag:
    """A flag raised for one cell: the kind's name and severity, the cause with its numbers."""

    name: str
    severity: str
    cause: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name}: {self.cause}"


_KINDS = (
    FlagKind(
        "CENTROID_DISTANCE",
        "failed",
        "The centroids of the science and the template PSF differ by more than maxPsfCentroidDist.",
        "Measure the PSFs again with a common centre, or raise maxPsfCentroidDist and expect "
        "dipoles of that size.",
    ),
    FlagKind(
        "PSF_INVALID",
        "failed",
        "A PSF could not be evaluated at the centre of the cell, or is empty or not finite.",
        "Give a PSF model that covers the whole field, with a positive sum.",
    ),
    FlagKind(
        "PSF_TOO_LARGE",
        "failed",
        "A PSF stamp does not fit into the padded cell.",
        "Raise the border (borderSize, minBorder) or crop the PSF stamp.",
    ),
    FlagKind(
        "NO_GOOD_PIXELS",
        "failed",
        "Not one pixel of the cell is usable in one of the images.",
        "Nothing can be measured there; check masks and NaN areas.",
    ),
    FlagKind(
        "NO_VARIANCE",
        "failed",
        "Neither the cell nor the whole image gives a positive background variance.",
        "Give a variance plane with positive values.",
    ),
    FlagKind(
        "OVERFLOW",
        "failed",
        "A pixel is so large that the transform of the cell overflows.",
        "Mask that pixel as SAT or BAD, or set it to NaN; both are then interpolated.",
    ),
    FlagKind(
        "CELL_ERROR",
        "failed",
        "The computation of the cell stopped with an unexpected error.",
        "Please report it with the Log; the other cells are not affected.",
    ),
    FlagKind(
        "SAME_IMAGE",
        "warning",
        "Science and template are one and the same image, so that nothing is left in D.",
        "Give the image of another night as the template; significances and the noise check mean "
        "nothing here.",
    ),
    FlagKind(
        "GRIDS_DIFFER",
        "warning",
        "Science and template say that they lie on different parts of the pixel grid (xy0). "
        "Images of one shape are always subtracted pixel by pixel, whatever their xy0 and WCS.",
        "If the images are not aligned, warp the template onto the science image; if they are, "
        "give both the same xy0 (LTV1, LTV2): otherwise the template's PSF is evaluated at the "
        "science image's positions, which are not its own.",
    ),
    FlagKind(
        "VARIANCE_FALLBACK",
        "warning",
        "The cell's own mean variance is not usable; that of the whole image is used.",
        "Check the variance plane and the mask in this cell.",
    ),
    FlagKind(
        "SCORR_SIGMA_HIGH",
        "warning",
        "The measured σ of Scorr is above 1: significances in this cell are overstated.",
        "Look for correlated noise from resampling, variances set too low, or residuals of a PSF "
        "or astrometric mismatch; divide Scorr by the measured σ when you apply a threshold.",
    ),
    FlagKind(
        "SCORR_SIGMA_LOW",
        "warning",
        "The measured σ of Scorr is below 1: significances in this cell are understated.",
        "Look for noise that both images share (a template that contains the science exposure) "
        "or variances set too high.",
    ),
    FlagKind(
        "DIFF_SIGMA_HIGH",
        "warning",
        "D is noisier than predicted though Scorr is not: something rings in D.",
        "Mask particle hits and saturated pixels, or raise frequencyFloor: where neither PSF has "
        "power, D passes any sharp edge on. S, Scorr and fluxes do not suffer.",
    ),
    FlagKind(
        "MASKED_AREA",
        "warning",
        "A large part of the cell is masked as bad.",
        "Judge detections there with care; S cannot see through missing pixels.",
    ),
    FlagKind(
        "PSF_FLUX_LOST",
        "warning",
        "More than 1 % of the flux of P_D or P_S falls outside the published stamp.",
        "Use larger PSF stamps.",
    ),
    FlagKind(
        "BORDER_SHORT",
        "warning",
        "The kernels of S reach beyond the border of the cell, so its edges feel the padding or "
        "wrap around.",
        "Raise minBorder to the reach of the kernels, or borderSize if that is set. borderScale "
        "helps only once borderScale·σ is more than minBorder and the side of the PSF stamps.",
    ),
    FlagKind(
        "MISREGISTERED",
        "warning",
        "The stars of both images are displaced from each other by the same shift everywhere.",
        "Shift the template by it (prepare.shift_exposure): as it is, it makes a dipole of "
        "every star. The astrometric noise term covers the scatter of the stars only.",
    ),
    FlagKind(
        "ASTROMETRIC_NOISE_UNKNOWN",
        "warning",
        'astrometricNoise is "measured", but the images do not have enough stars in common; the '
        "term is left out.",
        "Give the registration error in px, if you know it, or set it to off.",
    ),
    FlagKind(
        "PIXELS_FILLED",
        "info",
        "Bad or missing pixels were interpolated before the transform.",
        "They and their surroundings carry mask bits in the result.",
    ),
    FlagKind(
        "FREQUENCY_FLOOR",
        "info",
        "Neither PSF has power at high frequencies; the kernels of D use a frequency floor.",
        "Bright stars keep a residual of about this fraction; S is not affected.",
    ),
    FlagKind(
        "ASTROMETRIC_NOISE_MEASURED",
        "info",
        "The registration errors in the noise of S were measured from the matched stars; each "
        "image has half of the variance.",
        "Give figures instead if you know them better; the more stars, the better the measured.",
    ),
    FlagKind(
        "SKY_SUBTRACTED",
        "info",
        "A sky level was subtracted before the subtraction.",
        "On a small or crowded frame the faint skirts of sources raise the level, and D and S lie "
        'low everywhere: subtract the sky beforehand and set background = "none".',
    ),
)

REGISTRY: Mapping[str, FlagKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""All kinds by name, from severe to harmless."""


def raise_flag(name: str, cause: str, advice: str = "") -> Flag:
    """An occurrence of the kind ``name``; ``cause`` is one sentence with numbers.

    ``advice`` with numbers takes the place of the kind's, where they are known.
    """
    kind = REGISTRY[name]
    return Flag(kind.name, kind.severity, cause, advice or kind.advice)


def worst_severity(flags: Iterable[Flag]) -> str:
    """The gravest severity among ``flags``; ``"ok"`` if there are none."""
    return max((flag.severity for flag in flags), key=SEVERITIES.index, default="ok")


def tidied(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """One flag of each kind, gravest first; what both images raised is said in one sentence."""
    by_name: dict[str, Flag] = {}
    for flag in flags:
        known = by_name.get(flag.name)
        if known is None:
            by_name[flag.name] = flag
        elif flag.cause not in known.cause:
            by_name[flag.name] = replace(known, cause=f"{known.cause}; {flag.cause}")
    return tuple(sorted(by_name.values(), key=lambda flag: -SEVERITIES.index(flag.severity)))

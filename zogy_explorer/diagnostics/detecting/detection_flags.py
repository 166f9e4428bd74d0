"""Everything that speaks against a detection being a new point source, as data.

The one registry of detection flags: the table's ``flags`` column has these names, its
``reasons`` column says the cause of each in numbers, and the docs list meaning and advice.
A flag never removes a detection nor changes its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from zogy_explorer.engine.flags import FlagKind

_KINDS = (
    FlagKind(
        "masked",
        "warning",
        "A bad, saturated, cosmic-ray or missing pixel of an input enters the score here.",
        "Look at the inputs: part of the light is interpolated. Lower growMask only if the "
        "masks themselves are too wide.",
    ),
    FlagKind(
        "saturated_nearby",
        "warning",
        "A saturated pixel lies so near that the residual of its star reaches here.",
        "Saturated stars do not scale: their residual is no source. Check the radius in which "
        "the star leaves residuals.",
    ),
    FlagKind(
        "edge",
        "warning",
        "The frame ends, or is marked EDGE, within the width of the PSF.",
        "Part of the source is missing: the flux rests on the padding. Dither, or leave it out.",
    ),
    FlagKind(
        "dipole",
        "warning",
        "A peak of the opposite sign lies next to it, or a shift of light that both images have "
        "explains D better than a point source does.",
        "Register the pair, or set astrometricNoise; a source that moved looks the same "
        "(see the Translient test). A new source within 3 FWHM of a star carries the flag wrongly "
        "as often as the star is a dipole: in simulations, of 320 none with stars in place, one in "
        "nine with stars 0.1 px off, half with 0.3 px.",
    ),
    FlagKind(
        "psf_error",
        "warning",
        "Another width or shape of a PSF, at light that both images have, explains D better than a "
        "point source does.",
        "Measure the PSFs again, on smaller cells if they vary; Explain says by how much a width "
        "is off.",
    ),
    FlagKind(
        "ringing",
        "warning",
        "The peak is no higher than a side lobe or wing of a brighter neighbour, or lies on the "
        "flank of a residual that the noise terms mute.",
        "Judge the neighbour first; a better PSF model or a higher frequencyFloor reduces it.",
    ),
    FlagKind(
        "cosmic_ray",
        "warning",
        "A hit of one or a few pixels of one input explains D better than a point source does.",
        "Look at that input; mask the hit as CR and subtract again.",
    ),
    FlagKind(
        "noise_excess",
        "warning",
        "The measured σ of Scorr in the cell is above 1: the significance is overstated.",
        "Use scorr_normalised (Scorr over the measured σ) against the threshold.",
    ),
    FlagKind(
        "noise_deficit",
        "info",
        "The measured σ of Scorr in the cell is below 1: the significance is understated.",
        "Use scorr_normalised, and look for noise that both images share.",
    ),
)

DETECTION_FLAGS: Mapping[str, FlagKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""All kinds by name, in the order in which the table names them."""

"""What a difference says about the images that it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zogy_explorer.exposure import Exposure

SHIFT_KEYS = ("TPLSHX", "TPLSHY")
"""By which the template was moved for this subtraction [px]; `moved_template` sets them."""

INJECTED_KEY = "NINJECT"
"""Number of sources that were injected into an image."""

INJECTED_WORD = "injected"
"""How a line of HISTORY on an injected source begins."""

_OF_SCIENCE = (
    "OBJECT",
    "DATE-OBS",
    "MJD-OBS",
    "EXPTIME",
    "FILTER",
    "TELESCOP",
    "INSTRUME",
)
"""What was observed, when and with what; EXPTIME is among it, as the middle of the exposure is the
time of a light curve. It does not say that D is what was counted in that time.

Not what is said of the detector's counts (GAIN, RDNOISE, SATURATE): D is normalised to the flux
scale F_D and is the difference of two images of different gains, noise and levels, so that no one
gain tells the noise of its light. VARIANCE does.
"""


def provenance(science: Exposure, template: Exposure) -> dict[str, Any]:
    """Entries of ``meta`` that a difference takes over.

    When and how the science image was taken, the shift of the template, and what was injected into
    either: number and lines of HISTORY.
    """
    taken = {key: science.meta.get(key) for key in _OF_SCIENCE}
    taken |= {key: template.meta.get(key) for key in SHIFT_KEYS}
    plain = {key: value for key, value in taken.items() if isinstance(value, str | int | float)}
    return plain | _injected(science, template)


def _injected(science: Exposure, template: Exposure) -> dict[str, Any]:
    """What was injected: nobody is to take it for the sky."""
    images = (("science", science), ("template", template))
    counts = [image.meta.get(INJECTED_KEY, 0) for _, image in images]
    total = sum(count for count in counts if isinstance(count, int))
    if not total:
        return {}
    lines = [f"{role}: {line}" for role, image in images for line in _lines(image)]
    return {INJECTED_KEY: total, **({"HISTORY": "\n".join(lines)} if lines else {})}


def _lines(image: Exposure) -> Iterator[str]:
    for line in str(image.meta.get("HISTORY", "")).split("\n"):
        if line.startswith(INJECTED_WORD):
            yield line


def calibrated_unit(science: Exposure, template: Exposure) -> str | None:
    """The unit that both images have after their calibration, if a header says which it is.

    ``BUNIT`` is the unit of the pixels, so it is the calibrated one where ``photo_calib`` is 1.
    """
    units = {
        str(image.meta["BUNIT"]).strip()
        for image in (science, template)
        if image.photo_calib == 1 and image.meta.get("BUNIT")
    }
    return units.pop() if len(units) == 1 else None

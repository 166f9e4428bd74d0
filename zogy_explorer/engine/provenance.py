"""What a difference says about the images that it was made of."""

from __future__ import annotations

from typing import Any

from zogy_explorer.exposure import Exposure

SHIFT_KEYS = ("TPLSHX", "TPLSHY")
"""By which the template was moved for this subtraction [px]; `moved_template` sets them."""

_OF_SCIENCE = (
    "OBJECT",
    "DATE-OBS",
    "MJD-OBS",
    "EXPTIME",
    "FILTER",
    "TELESCOP",
    "INSTRUME",
    "GAIN",
)


def provenance(science: Exposure, template: Exposure) -> dict[str, Any]:
    """Entries of ``meta`` that a difference takes over: when and how, and the template's shift."""
    taken = {key: science.meta.get(key) for key in _OF_SCIENCE}
    taken |= {key: template.meta.get(key) for key in SHIFT_KEYS}
    return {key: value for key, value in taken.items() if isinstance(value, str | int | float)}


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

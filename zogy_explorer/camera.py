"""What a header says of the camera: gain, saturation. Every observatory has keywords of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zogy_explorer.errors import InputError

GAIN_KEYS = ("EFFGAIN", "GAIN", "EGAIN", "ARAWGAIN")
"""Electrons per count, the effective gain of a stacked image first."""

SATURATION_KEYS = ("ESATUR", "SATURATE", "SATURATION", "SATLEVEL", "DATAMAX")
"""Level of a saturated pixel; ESATUR is the one after the sky was subtracted."""

_AMPLIFIERS = ("A", "B")


@dataclass(frozen=True)
class Camera:
    """Facts about the detector.

    Parameters
    ----------
    gain
        Electrons per count; None if unknown.
    saturation
        Level from which a pixel is saturated [count]; None if unknown.
    gain_from, saturation_from
        Where they come from: a keyword, ``"given"``, or empty.
    """

    gain: float | None = None
    saturation: float | None = None
    gain_from: str = ""
    saturation_from: str = ""


def read_camera(
    meta: Mapping[str, Any], *, gain: float | None = None, saturation: float | None = None
) -> Camera:
    """Facts from header cards, unless they are given.

    Parameters
    ----------
    meta
        Header cards.
    gain, saturation
        Win over the header.

    Raises
    ------
    InputError
        If a given value is not a positive number.
    """
    for name, value in (("gain", gain), ("saturation", saturation)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value}: it must be a positive number")
    found_gain, gain_from = (gain, "given") if gain is not None else _first(meta, GAIN_KEYS)
    found_level, level_from = (
        (saturation, "given") if saturation is not None else _first(meta, SATURATION_KEYS)
    )
    return Camera(found_gain, found_level, gain_from, level_from)


def _first(meta: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[float | None, str]:
    """Value and name of the first keyword with a positive number, then of the amplifiers'."""
    for key in keys:
        value = _positive(meta.get(key))
        if value is not None:
            return value, key
        both = [_positive(meta.get(key + amplifier)) for amplifier in _AMPLIFIERS]
        usable = [level for level in both if level is not None]
        if usable:
            # The lower level saturates first; gains of the two halves differ by little.
            return min(usable), key + "".join(_AMPLIFIERS)
    return None, ""


def _positive(value: object) -> float | None:
    """The value, if it is a positive number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value > 0 else None

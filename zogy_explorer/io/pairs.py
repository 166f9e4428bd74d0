"""Prepared pairs: PRIMARY with PAIRID and ROLE, then IMAGE, VARIANCE, MASK and PSF.

The science file may carry ``FNOVERFR``, the measured flux ratio F_n/F_r, which is not applied to
the pixels: it becomes ``photo_calib`` = 1/FNOVERFR, and that of the template is 1, so that both
are in the template's unit. The PSF is a stamp or a cube with positions in PSFXnnn, PSFYnnn.
"""

from __future__ import annotations

import math
from pathlib import Path

from astropy.io import fits

from zogy_explorer.errors import ReadError
from zogy_explorer.exposure import Exposure
from zogy_explorer.io._fits import find
from zogy_explorer.io.foreign import assemble


def matches(hdus: fits.HDUList) -> bool:
    """Whether the file is half of a prepared pair."""
    return "PAIRID" in hdus[0].header and "ROLE" in hdus[0].header


def read(hdus: fits.HDUList, path: Path) -> Exposure:
    """The exposure of one half of a pair."""
    header = hdus[0].header
    image = find(hdus, "IMAGE")
    if image is None:
        raise ReadError(path, "it is half of a prepared pair but has no IMAGE extension")
    role = str(header["ROLE"]).strip().lower()
    return assemble(hdus, image, path, photo_calib=_photo_calib(role, header))


def _photo_calib(role: str, header: fits.Header) -> float | None:
    if role == "template":
        return 1.0
    ratio = header.get("FNOVERFR")
    if isinstance(ratio, int | float) and math.isfinite(ratio) and ratio > 0:
        return 1.0 / ratio
    return None

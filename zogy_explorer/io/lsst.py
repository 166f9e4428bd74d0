"""LSST MaskedImages: unnamed HDUs that only EXTTYPE tells apart (IMAGE, MASK, VARIANCE).

The position of pixel [0, 0] is in the alternate WCS ``A``, plane numbers in the mask's ``MP_``
cards. The PSF and the calibration of a full LSST exposure live in tables of LSST's own; they are
not read: ``psf`` and ``photo_calib`` are None.
"""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits

from zogy_explorer.exposure import Exposure
from zogy_explorer.io._fits import is_image
from zogy_explorer.io.foreign import assemble
from zogy_explorer.io.wcs import xy0_from_ltv


def matches(hdus: fits.HDUList) -> bool:
    """Whether image and mask are told apart by EXTTYPE."""
    kinds = {str(hdu.header.get("EXTTYPE", "")).strip().upper() for hdu in hdus if is_image(hdu)}
    return {"IMAGE", "MASK"} <= kinds


def read(hdus: fits.HDUList, path: Path) -> Exposure:
    """The exposure of a MaskedImage file."""
    image = next(
        hdu
        for hdu in hdus
        if is_image(hdu) and str(hdu.header.get("EXTTYPE", "")).strip().upper() == "IMAGE"
    )
    return assemble(hdus, image, path, xy0=_xy0(image.header))


def _xy0(header: fits.Header) -> tuple[int, int]:
    """Pixel origin from the alternate WCS ``A`` (linear, in pixels), else from LTV1/2."""
    if str(header.get("CTYPE1A", "")).strip() != "LINEAR":
        return xy0_from_ltv(header)
    x, y = (round(header.get(f"CRVAL{i}A", 0) + 1 - header.get(f"CRPIX{i}A", 1)) for i in (1, 2))
    return (x, y)

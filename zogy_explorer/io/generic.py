"""Any FITS file with a 2-D image, in the primary HDU or an extension, compressed or not.

The image is the HDU called IMAGE or SCI, else the first with two axes. Variance is taken from
VARIANCE or VAR, else from the square of ERR (or the like), mask and PSF from MASK and PSF, if
there are such extensions. A data quality plane (DQ) is left alone: its bits mean something else
with every instrument.
"""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits

from zogy_explorer.errors import ReadError
from zogy_explorer.exposure import Exposure
from zogy_explorer.io._fits import describe, is_image, label_of
from zogy_explorer.io.foreign import SIGMA_NAMES, VARIANCE_NAMES, assemble

_COMPANIONS = {*VARIANCE_NAMES, *SIGMA_NAMES, "UNCERT", "MASK", "DQ", "PSF", "WHT"}


def matches(hdus: fits.HDUList) -> bool:
    """Always: the layout of last resort."""
    return True


def read(hdus: fits.HDUList, path: Path) -> Exposure:
    """The exposure of a file in no particular layout."""
    images = [hdu for hdu in hdus if is_image(hdu)]
    if not images:
        raise ReadError(path, _what_instead(hdus))
    by_name = {label_of(hdu): hdu for hdu in reversed(images)}
    named = by_name.get("IMAGE") or by_name.get("SCI")
    free = [hdu for hdu in images if label_of(hdu) not in _COMPANIONS]
    return assemble(hdus, named or (free or images)[0], path)


def _what_instead(hdus: fits.HDUList) -> str:
    """Why there is nothing to show."""
    kinds = [describe(hdu) for hdu in hdus]
    return f"it holds no 2-D image, only {', '.join(kinds)}: give a file with an image of two axes"

"""Header to WCS and back. A broken WCS never stops an image from opening."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from zogy_explorer.io._fits import quiet

_SINGULAR = 1e10


def wcs_from(
    header: fits.Header, hdus: fits.HDUList | None = None
) -> tuple[WCS | None, str | None]:
    """Celestial WCS of a header, and a note if there is one that cannot be used.

    Parameters
    ----------
    header
        Of the image.
    hdus
        The file, in case the WCS keeps tables in other extensions.
    """
    if not any(key in header for key in ("CTYPE1", "CTYPE2", "CRVAL1", "CD1_1")):
        return None, None
    shape = (header.get("NAXIS2", 2), header.get("NAXIS1", 2))
    try:
        with quiet():
            wcs = WCS(header, fobj=hdus)
            if wcs.naxis > 2:
                wcs = wcs.celestial
            if not wcs.has_celestial:
                return None, "the header's WCS is not celestial"
            center = [[shape[1] / 2, shape[0] / 2]]
            wcs.all_pix2world(center, 0)
            sky = wcs.wcs_pix2world(center, 0)
            # wcslib accepts a singular matrix, if it is not quite zero.
            if np.linalg.cond(wcs.pixel_scale_matrix) > _SINGULAR:
                return None, "WCS not usable (its matrix is singular)"
    except Exception as error:
        # wcslib's errors derive from several classes, and lookup tables fail in others still.
        text = " ".join(str(error).split())
        return None, f"WCS not usable ({type(error).__name__}: {text})"
    if not np.isfinite(sky).all():
        return None, "WCS not usable (no sky position at the centre of the image)"
    return wcs, None


def wcs_header(wcs: WCS | None) -> tuple[fits.Header, str | None]:
    """Cards of a WCS, SIP and TPV terms included, and a note if something cannot be written."""
    if wcs is None:
        return fits.Header(), None
    note = None
    if wcs.cpdis1 or wcs.cpdis2 or wcs.det2im1 or wcs.det2im2:
        note = "the lookup tables of the WCS were not written"
    try:
        with quiet():
            header = wcs.to_header(relax=True)
            _full_precision(header, wcs)
            # The image has one set of cards that describe time; they belong to meta.
            for key in ("DATE-OBS", "MJD-OBS", "MJDREF", "MJDREFI", "MJDREFF"):
                header.remove(key, ignore_missing=True)
    except Exception as error:  # see wcs_from
        return fits.Header(), f"the WCS was not written ({type(error).__name__}: {error})"
    return header, note


def _full_precision(header: fits.Header, wcs: WCS) -> None:
    """Replace wcslib's 12 to 15 digits by all that a card can hold."""
    matrix = wcs.pixel_scale_matrix
    for i in range(wcs.naxis):
        header[f"CRPIX{i + 1}"] = float(wcs.wcs.crpix[i])
        header[f"CRVAL{i + 1}"] = float(wcs.wcs.crval[i])
        header[f"CDELT{i + 1}"] = 1.0
        for j in range(wcs.naxis):
            header[f"PC{i + 1}_{j + 1}"] = float(matrix[i, j])


def xy0_from_ltv(header: Mapping[str, Any]) -> tuple[int, int]:
    """Position of pixel [0, 0] from LTV1, LTV2 (physical to image offset), (0, 0) without."""
    return (-round(float(header.get("LTV1", 0))), -round(float(header.get("LTV2", 0))))

"""The common part of reading other people's layouts: planes by name, WCS, meta, PSF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from zogy_explorer.exposure import Exposure
from zogy_explorer.io._fits import find, pixels
from zogy_explorer.io.meta import meta_from
from zogy_explorer.io.planes import foreign_planes, mask_bits
from zogy_explorer.io.psf import psf_from
from zogy_explorer.io.wcs import wcs_from

VARIANCE_NAMES = ("VARIANCE", "VAR")
SIGMA_NAMES = ("ERR", "RMS", "SIGMA", "STDDEV")


def assemble(
    hdus: fits.HDUList,
    image: Any,
    path: Path,
    *,
    photo_calib: float | None = None,
    xy0: tuple[int, int] = (0, 0),
) -> Exposure:
    """Exposure from an image HDU and the variance, mask and PSF that lie beside it."""
    headers = [image.header] if image is hdus[0] else [hdus[0].header, image.header]
    wcs, note = wcs_from(image.header, hdus)
    meta = meta_from(*headers, keep_wcs=wcs is None)
    if note:
        meta["WCSNOTE"] = note
    mask = _companion(hdus, image, "MASK")
    return Exposure(
        pixels(image),
        variance=_variance(hdus, image),
        mask=None if mask is None else mask_bits(pixels(mask)),
        psf=psf_from(hdus) if find(hdus, "PSF") is not image else None,
        wcs=wcs,
        photo_calib=photo_calib,
        xy0=xy0,
        meta=meta,
        name=path.name,
        mask_planes=None if mask is None else foreign_planes(mask.header),
    )


def _companion(hdus: fits.HDUList, image: Any, *names: str) -> Any:
    """An image extension with one of these names that is not the image itself."""
    hdu = find(hdus, *names)
    return hdu if hdu is not None and hdu is not image and hdu.is_image and hdu.shape else None


def _variance(hdus: fits.HDUList, image: Any) -> Any:
    """Variance plane, or the square of an error plane; None without either."""
    variance = _companion(hdus, image, *VARIANCE_NAMES)
    if variance is not None:
        return pixels(variance)
    sigma = _companion(hdus, image, *SIGMA_NAMES)
    if sigma is not None:
        return np.square(pixels(sigma).astype(np.float64)).astype(np.result_type(pixels(sigma)))
    uncertainty = _companion(hdus, image, "UNCERT")  # as astropy's CCDData writes
    if uncertainty is None:
        return None
    data = pixels(uncertainty).astype(np.float64)
    kind = str(uncertainty.header.get("UTYPE", "StdDevUncertainty"))
    if kind == "InverseVariance":
        with np.errstate(divide="ignore"):
            return 1.0 / data
    return data if kind == "VarianceUncertainty" else data**2

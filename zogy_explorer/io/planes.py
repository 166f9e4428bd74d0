"""Masks in files: planes named by ``MP_<PLANE>`` cards that hold the bit number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from zogy_explorer.errors import InputError
from zogy_explorer.io._fits import image_hdu
from zogy_explorer.masks import MASK_PLANES, merge_planes


def planes_from(header: Mapping[str, object]) -> dict[str, int]:
    """Plane names and bits of the ``MP_`` cards."""
    return {
        key[3:]: int(value)
        for key, value in header.items()
        if key.startswith("MP_") and isinstance(value, int | float)
    }


def foreign_planes(header: Mapping[str, object]) -> dict[str, int]:
    """Planes of somebody else's mask, plus our own on free bits.

    Our planes are added so that a subtraction can mark missing pixels whatever the file names;
    a mask without names is taken to use LSST's default bits.
    """
    found = planes_from(header)
    try:
        return merge_planes(found, MASK_PLANES) if found else dict(MASK_PLANES)
    except InputError:  # all 32 bits are taken
        return found


def mask_bits(data: NDArray[np.generic]) -> NDArray[np.generic]:
    """Mask pixels as integers; floats that hold whole numbers are accepted."""
    if data.dtype.kind == "f":
        return np.nan_to_num(data).astype(np.int64)
    return data


def mask_hdu(
    mask: NDArray[np.int32], planes: Mapping[str, int], header: fits.Header | None = None
) -> fits.ImageHDU:
    """MASK extension with its ``MP_`` cards, HIERARCH where a name is long."""
    hdu = image_hdu(mask, "MASK", header)
    hdu.header["EXTTYPE"] = "MASK"
    for name, bit in planes.items():
        key = f"MP_{name}"
        if key.isascii() and key.isprintable() and len(key) < 60:
            hdu.header[key if len(key) <= 8 else f"HIERARCH {key}"] = bit
    return hdu

"""A mask that came apart from its image, laid over the one that the exposure has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.masks import bit_mask, check_planes, merge_planes, translate

_BITS = 32


def add_mask(
    exposure: Exposure, mask: ArrayLike, planes: Mapping[str, int] | None = None
) -> Exposure:
    """The exposure with further pixels masked; what it masks already stays.

    Parameters
    ----------
    exposure
        Not changed.
    mask : (ny, nx) array_like of int or bool
        Bits named by ``planes``; without names, whatever is not 0 is BAD.
    planes
        Plane name to bit number. Bits without a name are BAD.

    Raises
    ------
    InputError
        If the mask has another shape, is not of whole numbers or needs more than 32 planes.

    Examples
    --------
    >>> add_mask(exposure, fits.getdata("mask.fits"))
    >>> add_mask(exposure, mask, {"CR": 0, "GHOST": 9})
    """
    bits = _whole(np.asarray(mask), exposure)
    named = check_planes(planes or {})
    merged = merge_planes(merge_planes(exposure.mask_planes, named), {"BAD": 0})
    unnamed = bits & ~bit_mask(named, named)
    added = translate(np.bitwise_and(bits, bit_mask(named, named)), named, merged)
    out = translate(exposure.mask, exposure.mask_planes, merged) | added
    out[unnamed != 0] |= bit_mask(merged, ["BAD"])
    return exposure.replace(mask=out, mask_planes=merged)


def _whole(mask: NDArray[np.generic], exposure: Exposure) -> NDArray[np.int32]:
    """The mask as int32 bits."""
    name = exposure.name or "the image"
    if mask.shape != exposure.shape:
        raise InputError(
            f"the mask has shape {mask.shape} but {name} {exposure.shape}: both must have the "
            "same pixels; give the mask of this image, cut as the image is"
        )
    if mask.dtype.kind not in "biuf":
        raise InputError(
            f"the mask of {name} has type {mask.dtype}: integer bits or 0 and 1 are needed; "
            "convert it first"
        )
    with np.errstate(invalid="ignore"):
        whole = mask.astype(np.int64)
        odd = (whole != mask) | (whole < -(1 << (_BITS - 1))) | (whole >= 1 << _BITS)
    if odd.any():
        raise InputError(
            f"the mask of {name} has {int(odd.sum())} pixels that are no bits, such as "
            f"{mask[odd][0]}: whole numbers of at most {_BITS} bits are needed; give a mask, "
            "not an image or a weight map"
        )
    return whole.astype(np.uint32).view(np.int32)

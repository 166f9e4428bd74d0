"""An exposure moved by a fraction of a pixel, to register the template on the science image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from zogy_explorer.engine.repair import fill_holes
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.masks import bit_mask

_ORDER = 5  # quintic spline: within 0.3 % of the peak of a PSF of 2 px FWHM at half a pixel
_DEFECTS = ("BAD", "CR", "NO_DATA")  # no light of the sky: interpolated over before they can ring
_WHOLE = 1e-9  # [px] a shift this close to whole pixels moves pixels


def shift_exposure(exposure: Exposure, dx: float, dy: float) -> Exposure:
    """The exposure with all it shows moved by (+dx, +dy) pixels; the pixel grid stays.

    To register a pair, shift the template by the measured shift, science minus template:
    ``shift_exposure(template, *measure_registration(science, template).shift)``.

    Parameters
    ----------
    exposure
        The image; not changed.
    dx, dy
        Shift [px]; less than the frame.

    Returns
    -------
    shifted
        Image by a quintic spline; variance by a linear one; mask bits of all pixels that a pixel
        lies between. Pixels from beyond the frame are NaN and NO_DATA. Pixels that are BAD, CR,
        NO_DATA or not finite are interpolated over first, so that they do not ring. Whole-pixel
        shifts move pixels as they are. The WCS moves along, so that sources keep their sky
        positions. The PSF stays: its stamps are centred on the source wherever that is, and for
        shifts of a few pixels its change over the frame does not matter.

    Raises
    ------
    InputError
        If the shift is not finite or leaves nothing on the frame.

    Notes
    -----
    Interpolation averages neighbouring pixels: it takes away noise at the highest spatial
    frequencies (at half a pixel in both directions, the σ of a pixel falls by 16 %) and so
    correlates that of neighbours. At the frequencies where a PSF of 2.5 px FWHM or more has its
    power the noise stays what it was. The variance plane is therefore moved but *not* lowered:
    S weighs those frequencies, and σ(Scorr) stays 1. D is no longer white at the highest ones.
    """
    ny, nx = exposure.shape
    if not (math.isfinite(dx) and math.isfinite(dy)):
        raise InputError(f"the shift is ({dx}, {dy}) px: both must be finite numbers")
    if abs(dx) > nx - 1 or abs(dy) > ny - 1:
        raise InputError(
            f"the shift ({dx:g}, {dy:g}) px leaves nothing of a frame of {nx}×{ny} px: "
            "it must be smaller than the frame"
        )
    shift = (_snapped(dy), _snapped(dx))
    whole = all(step == round(step) for step in shift)
    outside = _outside((ny, nx), shift)
    image = exposure.image if whole else _without_defects(exposure)
    moved = _moved(image, shift, 0 if whole else _ORDER)
    moved[outside] = np.nan
    variance = exposure.variance
    if variance is not None:
        known = np.isfinite(variance)
        if not whole and known.any() and not known.all():
            variance = fill_holes(variance, ~known, float(np.median(variance[known])))
        variance = _moved(variance, shift, 0 if whole else 1)
        variance[outside] = np.nan
    mask = _moved_mask(exposure.mask, shift)
    no_data = bit_mask(exposure.mask_planes, ["NO_DATA"])
    mask[outside] |= no_data
    if not whole:
        unknown = _moved_mask((~np.isfinite(exposure.image)).astype(np.int32), shift)
        mask[unknown > 0] |= no_data
    return exposure.replace(
        image=moved, variance=variance, mask=mask, wcs=_moved_wcs(exposure.wcs, dx, dy)
    )


def _snapped(step: float) -> float:
    return float(round(step)) if abs(step - round(step)) < _WHOLE else float(step)


def _without_defects(exposure: Exposure) -> NDArray[np.floating]:
    planes = [name for name in _DEFECTS if name in exposure.mask_planes]
    bad = exposure.masked(planes) | ~np.isfinite(exposure.image)
    if not bad.any():
        return exposure.image
    good = exposure.image[~bad]
    return fill_holes(exposure.image, bad, float(np.median(good)) if good.size else 0.0)


def _moved(
    plane: NDArray[np.floating], shift: tuple[float, float], order: int
) -> NDArray[np.floating]:
    # Splines are fitted in double precision; beyond the frame they see its mirror image.
    moved = ndimage.shift(plane.astype(np.float64), shift, order=order, mode="mirror")
    return np.asarray(moved, dtype=plane.dtype)


def _moved_mask(mask: NDArray[np.int32], shift: tuple[float, float]) -> NDArray[np.int32]:
    """Bits of all pixels between which a pixel comes to lie; 0 beyond the frame."""
    out = np.zeros_like(mask)
    for step_y in {math.floor(shift[0]), math.ceil(shift[0])}:
        for step_x in {math.floor(shift[1]), math.ceil(shift[1])}:
            to_y, from_y = _overlap(step_y, mask.shape[0])
            to_x, from_x = _overlap(step_x, mask.shape[1])
            out[to_y, to_x] |= mask[from_y, from_x]
    return out


def _overlap(step: int, length: int) -> tuple[slice, slice]:
    """Where pixels go along an axis, and where they come from."""
    return (
        slice(max(step, 0), max(length + min(step, 0), 0)),
        slice(max(-step, 0), max(length - max(step, 0), 0)),
    )


def _outside(shape: tuple[int, int], shift: tuple[float, float]) -> NDArray[np.bool_]:
    """Pixels that come from beyond the frame."""
    beyond = []
    for length, step in zip(shape, shift, strict=True):
        origin = np.arange(length) - step
        beyond.append((origin < 0) | (origin > length - 1))
    return np.asarray(beyond[0][:, None] | beyond[1][None, :])


def _moved_wcs(wcs: Any, dx: float, dy: float) -> Any:
    if wcs is None:
        return None
    moved = wcs.deepcopy()
    moved.wcs.crpix = moved.wcs.crpix + np.array([dx, dy])
    if moved.sip is not None:
        from astropy.wcs import Sip

        sip = moved.sip
        moved.sip = Sip(sip.a, sip.b, sip.ap, sip.bp, sip.crpix + np.array([dx, dy]))
    return moved

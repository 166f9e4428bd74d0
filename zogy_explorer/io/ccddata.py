"""`astropy.nddata.CCDData` in and out.

``CCDData.mask`` knows good and bad only. Going out, it is True where any plane but a DETECTED one
is set, and the bits themselves travel in ``flags`` with ``MP_`` cards in ``meta``; ``xy0``,
``photo_calib`` and ``name`` travel as ``LTV1/2``, ``PHOTCAL`` and ``ZEXPNAME``. Coming back, they
are restored; a CCDData from elsewhere has its mask put on the plane BAD and is not calibrated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.nddata import CCDData, VarianceUncertainty

from zogy_explorer.exposure import Exposure
from zogy_explorer.io.planes import foreign_planes, planes_from
from zogy_explorer.io.wcs import xy0_from_ltv
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.psf import KernelPsf, Psf

_OWN = ("PHOTCAL", "ZEXPNAME", "LTV1", "LTV2")


def exposure_from_ccddata(ccd: CCDData, *, psf: Psf | None = None, name: str = "") -> Exposure:
    """Exposure from a CCDData.

    Parameters
    ----------
    ccd
        Any type of uncertainty is turned into variance; none leaves the variance unknown.
    psf
        PSF; by default ``ccd.psf`` as a `KernelPsf`, if it has one.
    name
        By default the one in ``ccd.meta``, if any.
    """
    meta = dict(ccd.meta)
    stamp = getattr(ccd, "psf", None)
    if psf is None and stamp is not None:
        psf = KernelPsf(stamp)
    uncertainty = ccd.uncertainty
    variance = None if uncertainty is None else uncertainty.represent_as(VarianceUncertainty).array
    mask, planes = _mask(ccd, meta)
    kept = {k: v for k, v in meta.items() if k not in _OWN and not k.startswith("MP_")}
    if "BUNIT" not in kept and ccd.unit is not None and ccd.unit != u.dimensionless_unscaled:
        kept["BUNIT"] = str(ccd.unit)
    return Exposure(
        ccd.data,
        variance=variance,
        mask=mask,
        psf=psf,
        wcs=ccd.wcs,
        photo_calib=meta.get("PHOTCAL"),
        xy0=xy0_from_ltv(meta),
        meta=kept,
        name=name or str(meta.get("ZEXPNAME", "")),
        mask_planes=planes,
    )


def _mask(ccd: CCDData, meta: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    """Mask bits and planes."""
    flags = getattr(ccd, "flags", None)
    if isinstance(flags, np.ndarray) and flags.dtype.kind in "iu" and planes_from(meta):
        return flags, planes_from(meta)
    if ccd.mask is None:
        return None, dict(MASK_PLANES)
    mask = np.broadcast_to(np.asarray(ccd.mask), ccd.data.shape)
    if mask.dtype.kind == "b":
        return mask.astype(np.int32) << MASK_PLANES["BAD"], dict(MASK_PLANES)
    return mask, foreign_planes(meta)


def exposure_to_ccddata(exposure: Exposure) -> CCDData:
    """CCDData of an exposure: data, variance, mask, WCS, and the PSF at its average position.

    The arrays are copies. The unit is ``meta["BUNIT"]`` if astropy knows it, else adu.
    """
    meta = dict(exposure.meta)
    meta |= {f"MP_{plane}": bit for plane, bit in exposure.mask_planes.items()}
    meta |= {"LTV1": -exposure.xy0[0], "LTV2": -exposure.xy0[1]}
    if exposure.photo_calib is not None:
        meta["PHOTCAL"] = exposure.photo_calib
    if exposure.name:
        meta["ZEXPNAME"] = exposure.name
    bad = [plane for plane in exposure.mask_planes if not plane.startswith("DETECTED")]
    variance, stamp = exposure.variance, None
    if exposure.psf is not None:
        x, y = exposure.average_position
        stamp = np.array(exposure.psf.kernel_image(x=x, y=y))
    ccd = CCDData(
        exposure.image.copy(),
        uncertainty=None if variance is None else VarianceUncertainty(variance.copy()),
        mask=exposure.masked(bad),
        wcs=exposure.wcs,
        meta=meta,
        unit=_unit(meta.get("BUNIT")),
        psf=stamp,
    )
    ccd.flags = exposure.mask.copy()
    return ccd


def _unit(text: object) -> Any:
    try:
        return u.Unit(str(text)) if text else u.adu
    except ValueError:
        return u.adu

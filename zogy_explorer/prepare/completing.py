"""A raw image completed to what a subtraction needs: sky, variance, mask and PSF."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.camera import Camera, read_camera
from zogy_explorer.exposure import Exposure
from zogy_explorer.masks import bit_mask, has_any
from zogy_explorer.prepare.psf import UNUSABLE, measure_psf
from zogy_explorer.prepare.variance import measure_sky, sky_and_source_variance

_ENOUGH_STARS = 5  # from which a PSF needs no warning


@dataclass(frozen=True, eq=False)
class Completed:
    """An exposure that can be subtracted, and what was done to it.

    Parameters
    ----------
    exposure
        With variance, mask and PSF.
    camera
        Gain and saturation that were used.
    sky
        Median of the sky that was subtracted [image unit]; 0 if none was.
    fwhm
        Of the measured PSF [px]; NaN if the exposure had one already.
    flux_error
        Fraction by which all fluxes may be wrong for the measured PSF's sake; 0 if the exposure
        had one already, NaN if it is not known.
    remarks
        What to know of it, a sentence each.
    """

    exposure: Exposure
    camera: Camera
    sky: float
    fwhm: float
    flux_error: float
    remarks: tuple[str, ...]


def complete(
    exposure: Exposure,
    *,
    gain: float | None = None,
    saturation: float | None = None,
    psf_size: int | None = None,
    subtract_sky: bool = True,
) -> Completed:
    """Measure what an exposure lacks; what it has stays.

    Parameters
    ----------
    exposure
        Whatever was read. Its variance and PSF, if any, are kept.
    gain
        Electrons per count, for the noise of the sources; None: from the header.
    saturation
        Level from which pixels are saturated, in the image unit; None: from the header.
    psf_size
        Side of a measured PSF stamp [px]; None: 8 FWHM.
    subtract_sky
        Whether to take the measured sky out of the image.

    Raises
    ------
    InputError
        If the image has no usable pixel, or its sky no noise.
    PsfError
        If no star gives a PSF.
    """
    camera = read_camera(exposure.meta, gain=gain, saturation=saturation)
    mask = _mask(exposure, camera)
    bad = has_any(mask, exposure.mask_planes, UNUSABLE) | ~np.isfinite(exposure.image)
    sky = measure_sky(exposure.image, bad)
    remarks = []
    variance = exposure.variance
    if variance is None:
        variance = sky_and_source_variance(exposure.image, sky, camera.gain)
        remarks.append(_variance_remark(exposure, camera))
    image = exposure.image - sky.level if subtract_sky else exposure.image
    psf, fwhm, flux_error = exposure.psf, float("nan"), 0.0
    if psf is None:
        measured = measure_psf(exposure.image - sky.level, sky.sigma, bad, size=psf_size)
        psf, fwhm, flux_error = measured.psf, measured.fwhm, measured.flux_error
        count = len(measured.stars.x)
        doubt = "" if count >= _ENOUGH_STARS else "; so few may be no stars at all: look at it"
        remarks.append(
            f"PSF of {exposure.name or 'the image'}: FWHM {fwhm:.2f} px, from {count} "
            f"star{'s' if count != 1 else ''}{doubt}"
        )
    if camera.saturation is None:
        remarks.append(
            f"no saturation level is known for {exposure.name or 'the image'}: saturated stars "
            "are not masked and will ring; give saturation"
        )
    done = exposure.replace(image=image, variance=variance, mask=mask, psf=psf)
    level = float(np.median(sky.level)) if subtract_sky else 0.0
    return Completed(done, camera, level, fwhm, flux_error, tuple(remarks))


def _mask(exposure: Exposure, camera: Camera) -> NDArray[np.int32]:
    """The exposure's mask, with SAT and NO_DATA where the pixels say so."""
    mask = exposure.mask.copy()
    if camera.saturation is not None:
        with np.errstate(invalid="ignore"):
            saturated = exposure.image >= camera.saturation
        mask[saturated] |= bit_mask(exposure.mask_planes, ["SAT"])
    mask[~np.isfinite(exposure.image)] |= bit_mask(exposure.mask_planes, ["NO_DATA"])
    return mask


def _variance_remark(exposure: Exposure, camera: Camera) -> str:
    name = exposure.name or "the image"
    if camera.gain is None:
        return (
            f"no gain is known for {name}: its variance holds the noise of the sky alone, so "
            "Scorr is overstated on bright sources; give gain"
        )
    source = "as given" if camera.gain_from == "given" else f"from {camera.gain_from}"
    return (
        f"variance of {name}: measured noise of the sky, and sources at a gain of "
        f"{camera.gain:g} ({source})"
    )

"""One exposure of the simulated sky: PSF over the field, light, noise, defects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.wcs import WCS
from numpy.typing import DTypeLike, NDArray

from zogy_explorer.exposure import Exposure
from zogy_explorer.simulate.defects import Defects, apply_defects
from zogy_explorer.simulate.moffat import Moffat
from zogy_explorer.simulate.psf_field import PsfField
from zogy_explorer.simulate.sources import Galaxy, Star, add_galaxy


@dataclass(frozen=True)
class Camera:
    """How one of the two images is taken.

    Parameters
    ----------
    name
        Of the exposure.
    psf
        Over the field.
    sigma
        Noise of a pixel without light [image unit].
    flux_scale
        Counts per calibrated unit of flux.
    gain
        Electrons per count; None: no Poisson noise.
    sky
        Constant level [image unit].
    shift
        Added to all positions (x, y) [px].
    defects
        What is wrong with the detector.
    """

    name: str
    psf: PsfField
    sigma: float
    flux_scale: float
    gain: float | None
    sky: float
    shift: tuple[float, float]
    defects: Defects

    def model(
        self, shape: tuple[int, int], stars: Sequence[Star], galaxies: Sequence[Galaxy]
    ) -> NDArray[np.float64]:
        """Noise-free light (ny, nx) without the sky [image unit]."""
        image = np.zeros(shape)
        for star in stars:
            x, y = star.x + self.shift[0], star.y + self.shift[1]
            self.psf.add_star(image, x, y, self.flux_scale * star.flux)
        for galaxy in galaxies:
            add_galaxy(image, galaxy, self.psf, self.flux_scale, self.shift)
        return image

    def expose(
        self,
        light: NDArray[np.float64],
        noise: np.random.Generator,
        damage: np.random.Generator,
        *,
        wcs: WCS,
        meta: Mapping[str, Any],
        dtype: DTypeLike,
    ) -> Exposure:
        """The image of `model`'s ``light``."""
        variance = np.full(light.shape, float(self.sigma) ** 2)
        if self.gain is not None:
            # FFT convolution leaves round-off of either sign where there is no light.
            variance += np.maximum(light, 0.0) / self.gain
        image = light + self.sky + np.sqrt(variance) * noise.standard_normal(light.shape)
        mask = apply_defects(image, variance, self.defects, self.sigma, damage)
        own = {"GAIN": self.gain, "SATURATE": self.defects.saturation}
        return Exposure(
            image.astype(dtype),
            variance=variance.astype(dtype),
            mask=mask,
            psf=self.psf.psf(),
            wcs=wcs,
            photo_calib=1.0 / self.flux_scale,
            meta=dict(meta) | {key: value for key, value in own.items() if value is not None},
            name=self.name,
        )


def varying_psf(
    shape: tuple[int, int],
    center: Moffat,
    size: int,
    *,
    variation: float,
    slope: tuple[float, float],
    corner_offset: float,
) -> PsfField:
    """PSF over the field: ``center`` in the middle, wider and rounder or flatter towards an edge.

    Parameters
    ----------
    shape
        Of the image (ny, nx).
    center
        Profile at the centre of the field.
    size
        Side of the stamps [px].
    variation
        0 … 1; at 1 the width changes by ±15 % and the ellipticity by ±0.1 along ``slope``.
    slope
        Direction (x, y) of the change, each within ±1.
    corner_offset
        Centroid offset in the upper right corner [px], zero up to the diagonal.
    """
    if variation == 0 and corner_offset == 0:
        return PsfField.constant(center, size)

    def profile_at(u: float, v: float) -> Moffat:
        along = variation * (slope[0] * (2 * u - 1) + slope[1] * (2 * v - 1)) / 1.5
        step = corner_offset * max(0.0, u + v - 1.0) / np.sqrt(2)
        return replace(
            center,
            fwhm=center.fwhm * (1 + 0.15 * along),
            ellipticity=float(np.clip(center.ellipticity + 0.1 * along, 0.0, 0.9)),
            dx=step,
            dy=step,
        )

    return PsfField.over(shape, profile_at, size)

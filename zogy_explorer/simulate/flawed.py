"""`FlawedPair`: stars on an empty sky in both images, with chosen things wrong.

Each flaw leaves its own kind of residual in D; tests, benchmarks and lessons need them one at a
time and with known sizes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike, NDArray

from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.psf import KernelPsf
from zogy_explorer.simulate.moffat import Moffat
from zogy_explorer.simulate.psf_field import render_star

Star = tuple[float, float, float]
"""(x, y, flux) in the science image."""


@dataclass(frozen=True)
class FlawedPair:
    """A simulated pair; without any flaw its difference is noise.

    Parameters
    ----------
    stars
        (x, y, flux) of each star in the science image.
    shape
        (ny, nx).
    shift
        Science minus template position of all stars [px].
    flux_error
        The science image holds (1 + this) times the light that its calibration says.
    width_error
        The stars of the science image are (1 + this) times as wide as its PSF says.
    background
        Constant left in the science image.
    new_source
        (x, y, flux) of a star in the science image alone.
    hit
        (x, y, charge) of one pixel of the science image that a particle hit.
    saturation
        Level at which pixels of both images clip; None: never.
    mask_saturated
        Whether clipped pixels carry the plane SAT.
    psfs
        Of science and template.
    sigmas
        Noise of a pixel of science and template.
    gain
        Electrons per count, for the Poisson noise of the light; None: no such noise.
    psf_size
        Side of the PSF stamps [px].
    xy0
        Position (x, y) of pixel [0, 0]; positions of stars and hits count from that pixel.
    dtype
        Of image and variance.
    """

    stars: tuple[Star, ...] = ((48.3, 47.6, 20000.0),)
    shape: tuple[int, int] = (96, 100)
    shift: tuple[float, float] = (0.0, 0.0)
    flux_error: float = 0.0
    width_error: float = 0.0
    background: float = 0.0
    new_source: Star | None = None
    hit: tuple[int, int, float] | None = None
    saturation: float | None = None
    mask_saturated: bool = True
    psfs: tuple[Moffat, Moffat] = (Moffat(3.2, 3.5, 0.08, 0.6), Moffat(2.6, 3.5, 0.03, 2.0))
    sigmas: tuple[float, float] = (6.0, 5.0)
    gain: float | None = None
    psf_size: int = 31
    xy0: tuple[int, int] = (0, 0)
    dtype: DTypeLike = np.float64

    def draw(self, seed: int) -> tuple[Exposure, Exposure]:
        """Science image and template with noise from ``seed``.

        Raises
        ------
        InputError
            If the hit lies off the frame.
        """
        streams = np.random.SeedSequence(seed).spawn(2)
        science, template = (
            self._expose(i, light, np.random.default_rng(stream))
            for i, (light, stream) in enumerate(zip(self._light(), streams, strict=True))
        )
        return science, template

    def _light(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        psf_n, psf_r = self.psfs
        drawn = replace(psf_n, fwhm=psf_n.fwhm * (1 + self.width_error))
        science, template = np.zeros(self.shape), np.zeros(self.shape)
        for x, y, flux in self.stars:
            science += render_star(self.shape, x, y, flux * (1 + self.flux_error), drawn)
            moved = (x - self.shift[0], y - self.shift[1])
            template += render_star(self.shape, *moved, flux, psf_r)
        if self.new_source is not None:
            x, y, flux = self.new_source
            science += render_star(self.shape, x, y, flux, drawn)
        return science, template

    def _expose(
        self, number: int, light: NDArray[np.float64], rng: np.random.Generator
    ) -> Exposure:
        sigma = self.sigmas[number]
        variance = np.full(self.shape, sigma**2)
        if self.gain is not None:
            variance += np.maximum(light, 0.0) / self.gain
        image = light + np.sqrt(variance) * rng.standard_normal(self.shape)
        if number == 0:
            image += self.background
            self._strike(image)
        mask = np.zeros(self.shape, dtype=np.int32)
        if self.saturation is not None:
            full = image >= self.saturation
            image[full] = self.saturation
            if self.mask_saturated:
                mask[full] |= np.int32(1 << MASK_PLANES["SAT"])
        return Exposure(
            image.astype(self.dtype),
            variance=variance.astype(self.dtype),
            mask=mask,
            psf=KernelPsf(self.psfs[number].stamp(self.psf_size)),
            xy0=self.xy0,
            name=("science", "template")[number],
        )

    def _strike(self, image: NDArray[np.float64]) -> None:
        if self.hit is None:
            return
        x, y, charge = self.hit
        if not (0 <= x < self.shape[1] and 0 <= y < self.shape[0]):
            raise InputError(
                f"the hit at ({x}, {y}) is off the {self.shape[1]}×{self.shape[0]} frame: "
                "give a pixel of it"
            )
        image[y, x] += charge

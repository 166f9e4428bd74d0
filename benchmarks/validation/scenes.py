"""Scenes of the validation: unequal PSFs, noise and flux scales, drawn from scratch.

The truth is made without the engine's help: profiles integrated over pixels, and noise of exactly
the variance that the exposures report.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.simulate import Moffat, PsfField

Plane = NDArray[np.floating]


@dataclass(frozen=True)
class Gaussian:
    """Gaussian profile of unit flux, integrated over pixels; draws like `Moffat`."""

    sigma_x: float
    sigma_y: float

    def pixels(self, x0: float, y0: float, size: int | tuple[int, int]) -> Plane:
        """Flux in each pixel of a box from (x0, y0) around the source."""
        ny, nx = (size, size) if isinstance(size, int) else size

        def line(start: float, n: int, sigma: float) -> Plane:
            edges = (start - 0.5 + np.arange(n + 1)) / (sigma * np.sqrt(2))
            return np.diff(erf(edges)) / 2

        return np.outer(line(y0, ny, self.sigma_y), line(x0, nx, self.sigma_x))

    def stamp(self, size: int | tuple[int, int]) -> Plane:
        """Stamp centred on pixel n // 2."""
        ny, nx = (size, size) if isinstance(size, int) else size
        return self.pixels(-(nx // 2), -(ny // 2), (ny, nx))


Profile = Gaussian | Moffat


@dataclass(frozen=True)
class Scene:
    """One kind of pair.

    Parameters
    ----------
    name
        In words.
    profiles
        PSFs of science and template.
    stamps
        Shapes of their stamps (ny, nx) [px].
    sigmas, fluxes
        σ of a pixel and flux scale F of science and template.
    shape
        Of the frames (ny, nx).
    gain
        Electrons per count for the noise of the sources; None: none.
    variation
        How far the PSF widths change over the field, ± this fraction.
    calibrated
        F by ``photo_calib``, else by the flux scalings.
    settings
        More settings of the subtraction.
    """

    name: str
    profiles: tuple[Profile, Profile]
    stamps: tuple[tuple[int, int], tuple[int, int]]
    sigmas: tuple[float, float]
    fluxes: tuple[float, float]
    shape: tuple[int, int] = (1024, 1024)
    gain: float | None = None
    variation: float = 0.0
    calibrated: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def shrunk(self, factor: int) -> Scene:
        """The same on frames smaller by a factor along both axes, for a quick look."""
        return replace(self, shape=(self.shape[0] // factor, self.shape[1] // factor))

    def config(self) -> ZogyConfig:
        """Settings of the subtraction."""
        scale = {"scaleByCalibration": self.calibrated, "background": "none"}
        if not self.calibrated:
            scale |= {"scienceFluxScaling": self.fluxes[0], "templateFluxScaling": self.fluxes[1]}
        return ZogyConfig(**scale, **self.settings)

    def field(self, i: int) -> PsfField:
        """PSF over the field of image ``i``."""
        profile, size = self.profiles[i], max(self.stamps[i])
        if not self.variation:
            return PsfField.constant(profile, size)
        assert isinstance(profile, Moffat)
        slope = ((1.0, 0.5), (-0.4, 0.8))[i]

        def at(u: float, v: float) -> Moffat:
            along = (slope[0] * (2 * u - 1) + slope[1] * (2 * v - 1)) / 1.5
            return replace(profile, fwhm=profile.fwhm * (1 + self.variation * along))

        return PsfField.over(self.shape, at, size)

    def exposure(self, i: int, light: Plane | None, noise: np.random.Generator) -> Exposure:
        """Image ``i`` of ``light`` [image unit] and noise of exactly the variance it reports."""
        variance = np.full(self.shape, self.sigmas[i] ** 2)
        if light is not None and self.gain is not None:
            variance += np.maximum(light, 0) / self.gain
        image = np.sqrt(variance) * noise.standard_normal(self.shape)
        if light is not None:
            image += light
        psf = (
            self.field(i).psf()
            if self.variation
            else KernelPsf(self.profiles[i].stamp(self.stamps[i]))
        )
        return Exposure(
            image.astype(np.float32),
            variance=variance.astype(np.float32),
            psf=psf,
            photo_calib=1 / self.fluxes[i],
        )


SCENES = (
    Scene(
        "Gaussian PSFs, wide science",
        (Gaussian(2.2, 2.0), Gaussian(1.3, 1.4)),
        ((31, 31), (25, 25)),
        (3.0, 2.0),
        (1.0, 1.0),
    ),
    Scene(
        "Gaussian PSFs, wide template, even stamps, odd frame",
        (Gaussian(1.3, 1.2), Gaussian(2.0, 2.2)),
        ((24, 31), (32, 30)),
        (5.0, 1.0),
        (1.0, 1.0),
        (1023, 1025),
    ),
    Scene(
        "Gaussian PSFs, everything unequal",
        (Gaussian(1.9, 1.9), Gaussian(1.2, 1.2)),
        ((31, 31), (20, 21)),
        (2.0, 6.0),
        (0.6, 1.7),
        (1001, 1024),
    ),
    Scene(
        "Moffat PSFs, elliptical",
        (Moffat(3.6, 3.0, 0.10, 0.6, 20.5), Moffat(2.8, 4.5, 0.05, 2.0, 17.5)),
        ((41, 41), (35, 35)),
        (10.0, 6.0),
        (1.25, 1.0),
    ),
    Scene(
        "Moffat PSFs, with the sources' own noise",
        (Moffat(2.9, 3.5, 0.03, 0.3, 17.5), Moffat(3.8, 3.0, 0.08, 1.2, 20.5)),
        ((35, 35), (42, 41)),
        (6.0, 9.0),
        (1.0, 1.6),
        (1024, 1023),
        gain=2.0,
    ),
    Scene(
        "Moffat PSFs, deep template",
        (Moffat(3.0, 3.2, 0.0, 0.0, 17.5), Moffat(3.4, 3.2, 0.06, 0.9, 17.5)),
        ((35, 35), (35, 35)),
        (1.0, 20.0),
        (0.2, 40.0),
    ),
    Scene(
        "Moffat PSFs, images calibrated to one unit",
        (Moffat(4.2, 3.5, 0.05, 0.2, 22.5), Moffat(3.0, 3.5, 0.05, 1.8, 17.5)),
        ((45, 45), (35, 35)),
        (4.0, 5.0),
        (2.5, 0.8),
        calibrated=True,
    ),
    Scene(
        "Moffat PSFs that vary over the field, grid of cells",
        (Moffat(3.4, 3.5, 0.06, 0.6, 17.5), Moffat(2.9, 3.5, 0.03, 2.0, 17.5)),
        ((35, 35), (35, 35)),
        (10.0, 6.0),
        (1.25, 1.0),
        variation=0.1,
        settings={"doSpatialGrid": True, "gridInnerSize": 1.0},
    ),
)

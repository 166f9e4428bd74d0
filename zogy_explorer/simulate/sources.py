"""Stars and galaxies that do not change, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from zogy_explorer.simulate.moffat import taper
from zogy_explorer.simulate.psf_field import PsfField

_SUBPIXELS = (np.arange(3) - 1) / 3


@dataclass(frozen=True)
class Star:
    """A star at (x, y) [px] in the science frame; flux in the calibrated unit."""

    x: float
    y: float
    flux: float


@dataclass(frozen=True)
class Galaxy:
    """A Sersic galaxy.

    Parameters
    ----------
    x, y
        Centre in the science frame [px].
    flux
        Calibrated unit.
    half_light
        Half-light radius, geometric mean of the axes [px].
    index
        Sersic index; 1 is an exponential disk.
    ratio
        Minor to major axis.
    angle
        Of the major axis [rad].
    """

    x: float
    y: float
    flux: float
    half_light: float
    index: float
    ratio: float
    angle: float

    def brightness(self, left: int, bottom: int, size: int, x: float, y: float) -> np.ndarray:
        """Light in each pixel of a box, unit sum, before the PSF."""
        columns = ((left - x + np.arange(size))[:, None] + _SUBPIXELS).ravel()
        rows = ((bottom - y + np.arange(size))[:, None] + _SUBPIXELS).ravel()
        dx, dy = columns[None, :], rows[:, None]
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        r2 = self.ratio * (cos * dx + sin * dy) ** 2 + (cos * dy - sin * dx) ** 2 / self.ratio
        # A third of a pixel of softening keeps the cusp representable on the pixel grid.
        scaled = np.sqrt(r2 + 0.1) / self.half_light
        b = 2 * self.index - 1 / 3 + 0.009876 / self.index
        light = np.exp(-b * scaled ** (1 / self.index))
        light *= taper(np.hypot(dx, dy), size / 2 - 1)
        light = light.reshape(size, 3, size, 3).sum(axis=(1, 3))
        return np.asarray(light / light.sum())


def draw_stars(
    rng: np.random.Generator, n: int, shape: tuple[int, int], flux_range: tuple[float, float]
) -> list[Star]:
    """Stars spread evenly, with N(>f) ∝ f^-0.8 between the flux limits."""
    x = rng.uniform(-0.5, shape[1] - 0.5, n)
    y = rng.uniform(-0.5, shape[0] - 0.5, n)
    flux = _power_law(rng, n, flux_range, 0.8)
    return [Star(*(float(v) for v in row)) for row in zip(x, y, flux, strict=True)]


def draw_galaxies(
    rng: np.random.Generator, n: int, shape: tuple[int, int], flux_range: tuple[float, float]
) -> list[Galaxy]:
    """Disks (two of three) and rounder, more concentrated galaxies; brighter ones are larger."""
    flux = _power_law(rng, n, flux_range, 0.7)
    galaxies = []
    for i in range(n):
        disk = rng.random() < 2 / 3
        size = 1.5 * (flux[i] / flux_range[0]) ** 0.35 * rng.lognormal(0, 0.25)
        galaxies.append(
            Galaxy(
                x=float(rng.uniform(-0.5, shape[1] - 0.5)),
                y=float(rng.uniform(-0.5, shape[0] - 0.5)),
                flux=float(flux[i]),
                half_light=float(np.clip(size, 1.0, 12.0)),
                index=1.0 if disk else 2.5,
                ratio=float(rng.uniform(0.3, 1.0) if disk else rng.uniform(0.6, 1.0)),
                angle=float(rng.uniform(0, np.pi)),
            )
        )
    return galaxies


def _power_law(
    rng: np.random.Generator, n: int, limits: tuple[float, float], slope: float
) -> NDArray[np.float64]:
    """Fluxes with N(>f) ∝ f^-slope between the limits."""
    low, high = limits[0] ** -slope, limits[1] ** -slope
    return np.asarray(rng.uniform(high, low, n) ** (-1 / slope))


def add_galaxy(
    image: NDArray[np.float64],
    galaxy: Galaxy,
    psf: PsfField,
    scale: float,
    shift: tuple[float, float],
) -> None:
    """Add a galaxy of flux × ``scale``, moved by ``shift`` (x, y), convolved with the PSF there.

    Both images convolve the same light, so a galaxy subtracts as well as a star does.
    """
    x, y = galaxy.x + shift[0], galaxy.y + shift[1]
    half = int(np.ceil(np.clip(5 * galaxy.half_light, 6, 60)))
    size = 2 * half + 1
    left, bottom = round(x) - half, round(y) - half
    light = galaxy.brightness(left, bottom, size, x, y)
    blurred = scale * galaxy.flux * fftconvolve(light, psf.stamp_at(x, y))
    _paste(image, blurred, left - psf.size // 2, bottom - psf.size // 2)


def _paste(image: NDArray[np.float64], part: NDArray[np.float64], left: int, bottom: int) -> None:
    x0, y0 = max(left, 0), max(bottom, 0)
    x1 = min(left + part.shape[1], image.shape[1])
    y1 = min(bottom + part.shape[0], image.shape[0])
    if x1 > x0 and y1 > y0:
        image[y0:y1, x0:x1] += part[y0 - bottom : y1 - bottom, x0 - left : x1 - left]

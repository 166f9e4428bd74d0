"""The Moffat profile that stands for the seeing, integrated over pixels.

It is brought smoothly to zero at a finite radius, so that a stamp holds all of its flux wherever
in a pixel the star lies: what an image contains and what its PSF says are then the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError

# Gauss-Legendre points a pixel and axis: three integrate a profile to 1e-5 of its peak, unless it
# is narrow.
_POINTS = np.polynomial.legendre.leggauss(3)
_POINTS_IF_NARROW = np.polynomial.legendre.leggauss(7)
_NARROW_FWHM = 2.2

_TAPER_START = 0.7


@dataclass(frozen=True)
class Moffat:
    """Elliptical Moffat profile of unit flux with compact support.

    Parameters
    ----------
    fwhm
        Full width at half maximum, geometric mean of the axes [px].
    beta
        Power of the wings; 2.5 (broad) to 5 (nearly Gaussian).
    ellipticity
        (a - b) / (a + b).
    angle
        Of the major axis, from x towards y [rad].
    radius
        Where the profile has fallen to zero [px]; it is tapered from 0.7 of it.
    dx, dy
        Offset of the profile's centre from the position that it is drawn at [px].

    Raises
    ------
    InputError
        If a value makes no profile.
    """

    fwhm: float
    beta: float = 3.5
    ellipticity: float = 0.0
    angle: float = 0.0
    radius: float = 15.0
    dx: float = 0.0
    dy: float = 0.0
    _norm: float = field(init=False, repr=False, compare=False, default=1.0)

    def __post_init__(self) -> None:
        if not (self.fwhm > 0 and self.beta > 1 and 0 <= self.ellipticity < 1):
            raise InputError(
                f"Moffat with fwhm {self.fwhm}, beta {self.beta}, ellipticity {self.ellipticity}: "
                "fwhm > 0, beta > 1 and 0 <= ellipticity < 1 are needed"
            )
        if self.radius < self.fwhm:
            raise InputError(
                f"PSF of FWHM {self.fwhm} px does not fit into a radius of {self.radius} px: "
                "make the stamp larger"
            )
        half = int(np.ceil(self.radius + abs(self.dx) + abs(self.dy))) + 1
        object.__setattr__(self, "_norm", 1.0 / self._integrate(-half, -half, 2 * half + 1).sum())

    def pixels(self, x0: float, y0: float, size: int | tuple[int, int]) -> NDArray[np.float64]:
        """Flux in each pixel of a box around the origin, where a star of flux 1 lies.

        Parameters
        ----------
        x0, y0
            First column and row of the box; need not be whole numbers: a star at x is drawn in
            the pixels from column i by ``pixels(i - x, …)``.
        size
            Side, or (ny, nx).
        """
        return self._norm * self._integrate(x0, y0, size)

    def stamp(self, size: int | tuple[int, int]) -> NDArray[np.float64]:
        """Stamp of unit flux centred on pixel ``n // 2``."""
        ny, nx = (size, size) if isinstance(size, int) else size
        return self.pixels(-(nx // 2), -(ny // 2), (ny, nx))

    def _integrate(self, x0: float, y0: float, size: int | tuple[int, int]) -> NDArray[np.float64]:
        ny, nx = (size, size) if isinstance(size, int) else size
        nodes, weights = _POINTS_IF_NARROW if self.fwhm < _NARROW_FWHM else _POINTS
        n = len(nodes)
        x = ((x0 - self.dx + np.arange(nx))[:, None] + nodes / 2).ravel()
        y = ((y0 - self.dy + np.arange(ny))[:, None] + nodes / 2).ravel()
        values = self._profile(x[None, :], y[:, None])
        blocks = values.reshape(ny, n, nx, n)
        return np.einsum("iajb,a,b->ij", blocks, weights / 2, weights / 2)

    def _profile(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        ratio = (1 - self.ellipticity) / (1 + self.ellipticity)
        alpha2 = self.fwhm**2 / (4 * (2 ** (1 / self.beta) - 1))
        r2 = ratio * (cos * x + sin * y) ** 2 + (cos * y - sin * x) ** 2 / ratio
        return (1 + r2 / alpha2) ** -self.beta * taper(np.hypot(x, y), self.radius)


def taper(r: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """1 inside 0.7 ``radius``, then a cosine bell down to 0 at ``radius``."""
    phase = np.clip((r / radius - _TAPER_START) / (1 - _TAPER_START), 0, 1)
    return 0.5 * (1 + np.cos(np.pi * phase))

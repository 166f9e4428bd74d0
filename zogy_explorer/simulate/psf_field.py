"""A PSF that varies over the field: Moffat profiles at the nodes of a grid, bilinear between.

Stars are drawn as the same weighted sum of profiles, at their sub-pixel position, that `GridPsf`
forms of the stamps: the reported PSF is the drawn one everywhere, and it survives pickling and
FITS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.psf import GridPsf, KernelPsf
from zogy_explorer.simulate.moffat import Moffat


@dataclass(frozen=True)
class PsfField:
    """Profiles on a rectangular grid of positions.

    Parameters
    ----------
    xs, ys
        Columns and rows of the nodes [px], ascending.
    profiles
        One for each node, x fastest.
    size
        Side of the stamps that the PSF reports [px].
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    profiles: tuple[Moffat, ...]
    size: int

    @classmethod
    def constant(cls, profile: Moffat, size: int) -> PsfField:
        """The same profile everywhere."""
        return cls((0.0,), (0.0,), (profile,), size)

    @classmethod
    def over(
        cls,
        shape: tuple[int, int],
        profile_at: Callable[[float, float], Moffat],
        size: int,
        nodes: int = 5,
    ) -> PsfField:
        """Nodes from edge to edge of an image of ``shape`` (ny, nx).

        ``profile_at(u, v)`` gives the profile at fractions (u, v) of width and height.
        """
        u = np.linspace(0, 1, nodes)
        return cls(
            tuple(u * (shape[1] - 1)),
            tuple(u * (shape[0] - 1)),
            tuple(profile_at(float(a), float(b)) for b in u for a in u),
            size,
        )

    def psf(self) -> KernelPsf | GridPsf:
        """What an exposure reports."""
        stamps = [profile.stamp(self.size) for profile in self.profiles]
        if len(stamps) == 1:
            return KernelPsf(stamps[0])
        return GridPsf(stamps, [(x, y) for y in self.ys for x in self.xs])

    def stamp_at(self, x: float, y: float) -> NDArray[np.float64]:
        """The stamp at (x, y), without the cost of `GridPsf.kernel_image`."""
        stamp = np.zeros((self.size, self.size))
        for weight, profile in self._terms(x, y):
            stamp += weight * profile.stamp(self.size)
        return stamp

    def add_star(self, image: NDArray[np.float64], x: float, y: float, flux: float) -> None:
        """Add a star at (x, y) to ``image`` (ny, nx); it may lie partly or wholly outside."""
        # A pixel more on either side than the stamp: the star need not sit on a pixel centre.
        half = self.size // 2 + 1
        left, bottom = round(x) - half, round(y) - half
        size = 2 * half + 1
        x0, y0 = max(left, 0), max(bottom, 0)
        x1, y1 = min(left + size, image.shape[1]), min(bottom + size, image.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        for weight, profile in self._terms(x, y):
            part = profile.pixels(x0 - x, y0 - y, (y1 - y0, x1 - x0))
            image[y0:y1, x0:x1] += flux * weight * part

    def _terms(self, x: float, y: float) -> list[tuple[float, Moffat]]:
        """Profiles with their weights at (x, y); positions outside count as at the edge."""
        terms = []
        for j, weight_y in _linear(self.ys, y):
            for i, weight_x in _linear(self.xs, x):
                terms.append((weight_x * weight_y, self.profiles[j * len(self.xs) + i]))
        return terms


def _linear(nodes: tuple[float, ...], position: float) -> list[tuple[int, float]]:
    """Indices and weights of linear interpolation between ascending nodes, clamped."""
    if len(nodes) == 1:
        return [(0, 1.0)]
    clamped = min(max(position, nodes[0]), nodes[-1])
    upper = min(max(int(np.searchsorted(nodes, clamped)), 1), len(nodes) - 1)
    fraction = (clamped - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])
    pairs = [(upper - 1, 1.0 - fraction), (upper, fraction)]
    return [(index, weight) for index, weight in pairs if weight != 0.0]


def render_star(
    shape: tuple[int, int], x: float, y: float, flux: float, psf: PsfField | Moffat
) -> NDArray[np.float64]:
    """An image (ny, nx) with one noise-free star at (x, y).

    Parameters
    ----------
    shape
        (ny, nx).
    x, y
        Position [px]; integers are pixel centres.
    flux
        Sum over the pixels, if all of the star lies inside.
    psf
        A profile, or a field of them.
    """
    if isinstance(psf, Moffat):
        reach = psf.radius + abs(psf.dx) + abs(psf.dy)
        psf = PsfField.constant(psf, 2 * int(np.ceil(reach)) + 1)
    image = np.zeros(shape)
    psf.add_star(image, x, y, flux)
    return image

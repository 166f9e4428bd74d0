"""What may have been added to an image, or be missing from it, and how D shows it.

A new source appears in D as P_D, and so does nothing else that the optics made. A particle hit
never went through the optics: a pixel of N appears in D as the kernel c_n, a pixel of R as −c_r
(the ZOGY paper's section on particle hits). Pixels that were replaced before the transform may
hold any value, so D may hold any sum of their kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.ndimage import binary_dilation

from zogy_explorer.diagnostics.explaining.residual_fit import Added, Window
from zogy_explorer.diagnostics.local_pair import Corrected, Plane
from zogy_explorer.engine.fourier import Spectrum, forward, stamp_spectrum
from zogy_explorer.geometry import Box

Flags = NDArray[np.bool_]
Place = tuple[int, int]

_REFINEMENTS = 5
_MOST_HITS = 6  # pixels of one track
_MOST_DAMAGED = 150  # pixels whose values are fitted
_SHAPE_STEPS = 2  # of the grid to either side
_SHAPE_SPACING = 0.4  # of the grid, in reaches; finer ones could not be told apart
_LEAST_SIDE = 2.0  # [px] of the window on either side of an edge
_CANNOT_TELL = 4.0  # Δχ² below which an edge could be either image's
_LEAST_SEEN = 1e-3  # energy of a template in the window over that of the best seen one
_LEAST_SEEN_FAR = 1e-9  # the same of a hit beyond reach, whose charge is then looked up


@dataclass(frozen=True, eq=False)
class PointSource:
    """A point source that D holds, with its template of unit flux.

    Parameters
    ----------
    x, y, x_error, y_error
        Position in the frame of the science image [px].
    template
        P_D there, times F_D.
    slopes
        Its derivatives by x and y.
    """

    x: float
    y: float
    x_error: float
    y_error: float
    template: Added
    slopes: tuple[Added, Added]


@dataclass(frozen=True, eq=False)
class Hits:
    """Pixels of one image that hold charge of their own.

    Parameters
    ----------
    image
        0: science, 1: template.
    pixels
        (x, y) of each; the strongest first.
    templates
        Kernel of D at each, for unit charge.
    """

    image: int
    pixels: tuple[Place, ...]
    templates: tuple[Added, ...]


@dataclass(frozen=True, eq=False)
class Edge:
    """A step of the sky along a row or column of one image, as between two amplifiers.

    Parameters
    ----------
    image
        0: science, 1: template.
    along
        "x": the sky steps from one column to the next; "y": from one row to the next.
    start
        First column or row of the side with larger x or y [px].
    templates
        "background", a constant 1 in the science image, and "step": +1/2 beyond the edge, −1/2
        before it, in ``image``.
    """

    image: int
    along: str
    start: int
    templates: tuple[Added, Added]


class Suspects:
    """Templates of additions in the window around one position.

    Parameters
    ----------
    window
        Where D is looked at.
    at
        Kernels to use.
    position
        (x, y) that is asked about [px].
    reach
        How far from it a suspect may lie [px].
    frame
        Pixels that the images have. Beyond its edge there is padding, which nothing was added to:
        what D shows of light that the edge cuts off is no source out there.
    """

    def __init__(
        self,
        window: Window,
        at: Corrected,
        position: tuple[float, float],
        reach: float,
        frame: Box,
    ) -> None:
        self._window, self._position, self._reach = window, position, reach
        self._frame = frame
        kernels = at.kernels
        self._psf = kernels.psf_diff * kernels.weights.flux_diff
        self._kernels = (kernels.diff_n, -kernels.diff_r)
        self._light = at.multipliers["flux"] * at.sky
        self._spacing = max(_SHAPE_SPACING * reach, 1.0)
        self._floor = None
        if kernels.floor > 0:  # without it the kernels cancel the light they are made for exactly
            pair, weights = window.pair, kernels.weights
            psf_n, psf_r = (stamp_spectrum(stamp, pair.shape) for stamp in pair.stamps)
            uneven = (
                kernels.diff_n * psf_n * weights.flux_n - kernels.diff_r * psf_r * weights.flux_r
            )
            self._floor = pair.in_window(uneven * at.sky)

    def light(self) -> Plane:
        """What D would be if the science image alone held the light of the window."""
        return self._window.pair.in_window(self._light)

    def level(self) -> Added:
        """A constant 1 in the science image."""
        gain = float(self._kernels[0][0, 0].real)
        return Added("background", np.full(self._window.used.shape, gain))

    def edge(self, left: Plane) -> Edge | None:
        """The step of the sky that explains most of what is left; None if none fits in."""
        found = [
            (self._edge_gains(left, image, along), image, along)
            for image in (0, 1)
            for along in ("x", "y")
        ]
        best = [max(gains, default=0.0) for gains, _, _ in found]
        science, template = max(best[:2]), max(best[2:])
        which = best.index(template if template > science + _CANNOT_TELL else science)
        gains, image, along = found[which]
        if not best[which] > 0:
            return None
        start = int(np.argmax(gains))
        profile = self._edge_profiles(image, along)[start]
        shape = self._window.used.shape
        plane = np.broadcast_to(profile if along == "x" else profile[:, None], shape)
        window = self._window.pair.window
        first = (window.x0 if along == "x" else window.y0) + start
        return Edge(image, along, first, (self.level(), Added("step", plane)))

    def _edge_profiles(self, image: int, along: str) -> Plane:
        """D across the window of edges at each of its columns (rows): (n, n)."""
        pair, kernel = self._window.pair, self._kernels[image]
        window, box = pair.window, pair.box
        if along == "x":
            offset, n, length = window.x0 - box.x0, window.width, box.width
            response = np.concatenate([kernel[0], kernel[0, 1 : (length + 1) // 2][::-1].conj()])
        else:
            offset, n, length = window.y0 - box.y0, window.height, box.height
            response = kernel[:, 0]
        beyond = np.arange(length)[None, :] >= offset + np.arange(n)[:, None]
        steps = scipy.fft.ifft(scipy.fft.fft(beyond - 0.5) * response).real
        return np.asarray(steps[:, offset : offset + n])

    def _edge_gains(self, left: Plane, image: int, along: str) -> Plane:
        """Δχ² of a step at each column (row) of the window, with a free level beside it."""
        used = self._window.used
        weight = np.zeros(used.shape)
        weight[used] = self._window.weight
        across = 0 if along == "x" else 1
        w, wd = weight.sum(axis=across), (weight * left).sum(axis=across)
        steps = self._edge_profiles(image, along)
        total = w.sum()
        if not total > 0:
            return np.zeros(0)
        product = steps @ wd - (steps @ w) * wd.sum() / total
        energy = steps**2 @ w - (steps @ w) ** 2 / total
        share = np.cumsum(w) - w  # of the window before the edge
        least = _LEAST_SIDE * w.max()
        inside = (share >= least) & (total - share >= least) & (energy > 0)
        return np.where(inside, product**2 / np.where(inside, energy, 1.0), 0.0)

    def shapes(self) -> tuple[Added, ...]:
        """Any small difference of the PSFs: sums of the light, moved to points of a small grid.

        Each is the light convolved with an error of the matching kernel that has no sum and no
        centroid: a difference of PSFs in these is a flux ratio and a shift, causes of their own.
        """
        pair, light = self._window.pair, self.light()
        steps = self._spacing * np.arange(-_SHAPE_STEPS, _SHAPE_STEPS + 1)
        y, x = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
        moved = np.stack(
            [pair.in_window(self._light * pair.phase(*at)) for at in zip(x, y, strict=True)]
        )
        balanced = null_space(np.stack([np.ones_like(x), x, y]))
        planes = np.tensordot(balanced.T, moved, axes=1)
        return tuple(Added(f"shape{i}", plane, light) for i, plane in enumerate(planes))

    def floor_residual(self) -> Added | None:
        """What the frequency floor leaves of the light here; None without a floor."""
        if self._floor is None:
            return None
        return Added("ringing", self._floor)

    def point_source(self, left: Plane) -> PointSource | None:
        """The point source that explains most of what is left, near the position."""
        at = self._best_pixel(self._psf, left, self._near())
        if at is None:
            return None
        x, y = float(at[0]), float(at[1])
        for _ in range(_REFINEMENTS):
            found = self.source_at(x, y)
            templates = (found.template, *found.slopes)
            matrix = np.stack([self._window.column(t.plane) for t in templates], axis=1)
            values, *_ = np.linalg.lstsq(matrix, self._window.column(left), rcond=None)
            if not values[0]:
                return None
            step = np.clip(values[1:] / values[0], -0.5, 0.5)
            covariance = np.linalg.pinv(matrix.T @ matrix)
            errors = np.sqrt(np.diag(covariance)[1:]) / abs(values[0])
            x, y = x + float(step[0]), y + float(step[1])
            if np.hypot(x - at[0], y - at[1]) > self._reach or not self._frame.contains_point(x, y):
                return None
            if max(abs(step)) < 1e-3:
                break
        return replace(self.source_at(x, y), x_error=float(errors[0]), y_error=float(errors[1]))

    def source_at(self, x: float, y: float) -> PointSource:
        """A point source at a place."""
        pair = self._window.pair
        spectrum = self._psf * self._phase_to(x, y)
        slopes = tuple(
            Added(f"source_{axis}", pair.in_window(-2j * np.pi * f * spectrum))
            for axis, f in zip("xy", pair.frequencies, strict=True)
        )
        template = Added("source", pair.in_window(spectrum))
        return PointSource(x, y, np.nan, np.nan, template, (slopes[0], slopes[1]))

    def hits(self, left: Plane, *, image: int, penalty: float) -> Hits | None:
        """Pixels of an image whose own charge explains most of what is left, near the position.

        Parameters
        ----------
        left
            D in the window, white unit.
        image
            0: science, 1: template.
        penalty
            Δχ² that each further pixel of a track must bring.
        """
        kernel = self._kernels[image]
        place = self._best_pixel(kernel, left, self._near())
        pixels: list[Place] = []
        planes: list[Plane] = []
        chi2 = np.inf
        while place is not None and len(pixels) < _MOST_HITS:
            tried = [*planes, self._pixel(kernel, place)]
            values, rest = self._without(left, tried)
            now = self._window.chi2(rest)
            # Charge adds up along a track; a lack of charge is a single dead pixel.
            if pixels and (chi2 - now < penalty or min(values) < 0):
                break
            pixels, planes, chi2 = [*pixels, place], tried, now
            place = self._best_pixel(kernel, rest, self._beside(pixels))
        if not pixels:
            return None
        names = [f"hit{image}.{i}" for i in range(len(pixels))]
        added = tuple(Added(name, plane) for name, plane in zip(names, planes, strict=True))
        return Hits(image, tuple(pixels), added)

    def far_hit(self, left: Plane, *, image: int) -> Hits | None:
        """The pixel beyond reach whose own charge explains most of what is left."""
        kernel = self._kernels[image]
        place = self._best_pixel(kernel, left, self._far(), _LEAST_SEEN_FAR)
        if place is None:
            return None
        return Hits(image, (place,), (Added("ringing", self._pixel(kernel, place)),))

    def charge(self, image: int, pixel: Place) -> float:
        """By how much a pixel of an image stands out from those beside it."""
        box = self._window.pair.box
        plane = scipy.fft.irfft2(self._window.pair.spectra[image], s=box.shape)
        column, row = pixel[0] - box.x0, pixel[1] - box.y0
        around = plane[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        return float(plane[row, column] - np.median(around))

    def damage(
        self, left: Plane, damaged: Sequence[tuple[int, int, int]]
    ) -> tuple[float, int, Plane]:
        """What free values of damaged pixels would explain.

        Parameters
        ----------
        left
            D in the window, white unit.
        damaged
            (image, x, y) of each; those nearest to the position are taken.

        Returns
        -------
        delta_chi2, rank, plane
            Gain in χ², number of independent values, and their part of D.
        """
        x0, y0 = self._position
        nearest = sorted(damaged, key=lambda d: (d[1] - x0) ** 2 + (d[2] - y0) ** 2)
        planes = [self._pixel(self._kernels[i], (x, y)) for i, x, y in nearest[:_MOST_DAMAGED]]
        matrix = np.stack([self._window.column(plane) for plane in planes], axis=1)
        values, _, rank, _ = np.linalg.lstsq(matrix, self._window.column(left), rcond=1e-3)
        plane = np.tensordot(values, np.stack(planes), axes=1)
        return self._window.chi2(left) - self._window.chi2(left - plane), int(rank), plane

    def _without(self, left: Plane, planes: Sequence[Plane]) -> tuple[Plane, Plane]:
        """Amplitudes of templates fitted together, and what they leave."""
        columns = np.stack([self._window.column(plane) for plane in planes], axis=1)
        values, *_ = np.linalg.lstsq(columns, self._window.column(left), rcond=None)
        return values, left - np.tensordot(values, np.stack(planes), axes=1)

    def _beside(self, pixels: Sequence[Place]) -> Flags:
        """Neighbours of pixels."""
        box = self._window.pair.box
        hit = np.zeros(box.shape, dtype=bool)
        for x, y in pixels:
            hit[y - box.y0, x - box.x0] = True
        return binary_dilation(hit, np.ones((3, 3), dtype=bool)) & ~hit & self._inside()

    def _best_pixel(
        self, spectrum: Spectrum, left: Plane, allowed: Flags, least: float = _LEAST_SEEN
    ) -> Place | None:
        """Pixel of the box at which a template of this spectrum explains most."""
        window, box = self._window, self._window.pair.box
        if not allowed.any():
            return None
        inside = window.pair.window.slices((box.x0, box.y0))
        weight, weighted = np.zeros(box.shape), np.zeros(box.shape)
        weight[inside][window.used] = window.weight
        weighted[inside] = weight[inside] * left
        squared = forward(np.square(scipy.fft.irfft2(spectrum, s=box.shape)))
        product = scipy.fft.irfft2(spectrum.conj() * forward(weighted), s=box.shape)
        energy = scipy.fft.irfft2(squared.conj() * forward(weight), s=box.shape)
        # Templates that hardly reach into the window would win by chance.
        seen = allowed & (energy > least * energy.max())
        gain = np.where(seen, product**2 / np.where(seen, energy, 1.0), -1.0)
        row, column = np.unravel_index(int(np.argmax(gain)), gain.shape)
        if gain[row, column] <= 0:
            return None
        return (int(column) + box.x0, int(row) + box.y0)

    def _pixel(self, spectrum: Spectrum, pixel: Place) -> Plane:
        return self._window.pair.in_window(spectrum * self._phase_to(*pixel))

    def _phase_to(self, x: float, y: float) -> Spectrum:
        box = self._window.pair.box
        return self._window.pair.phase(x - box.x0, y - box.y0)

    def _distance(self) -> Plane:
        box = self._window.pair.box
        y, x = np.mgrid[box.y0 : box.end_y, box.x0 : box.end_x]
        return np.hypot(x - self._position[0], y - self._position[1])

    def _near(self) -> Flags:
        return self._inside() & (self._distance() <= self._reach)

    def _far(self) -> Flags:
        return self._inside() & (self._distance() > 2 * self._reach + 1)

    def _inside(self) -> Flags:
        """Pixels of the box that are pixels of the frame."""
        box = self._window.pair.box
        inside = np.zeros(box.shape, dtype=bool)
        common = box.intersection(self._frame)
        assert common is not None  # the window lies in both
        inside[common.slices((box.x0, box.y0))] = True
        return inside

"""Values along a line, and around a position, of planes on one pixel grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box

Plane = NDArray[np.floating]

MOST_SAMPLES = 4000


@dataclass(frozen=True, eq=False)
class LineCut:
    """Planes along a straight line.

    Parameters
    ----------
    distance
        From the start [px].
    x, y
        Positions on the pixel grid.
    values
        Of each plane there, between pixels linearly; NaN off the image.
    """

    distance: Plane
    x: Plane
    y: Plane
    values: Mapping[str, Plane] = field(repr=False)


@dataclass(frozen=True, eq=False)
class RadialProfile:
    """Mean of a plane in rings around a position.

    Parameters
    ----------
    x, y
        Centre on the pixel grid.
    radius
        Middle of each ring [px].
    profile, error
        Mean by ring, and its error if a variance was given (else NaN).
    """

    x: float
    y: float
    radius: Plane
    profile: Plane
    error: Plane


def line_box(box: Box, start: tuple[float, float], end: tuple[float, float]) -> Box | None:
    """Pixels of ``box`` that a line passes, with one more all round; None if it misses."""
    xs, ys = sorted((start[0], end[0])), sorted((start[1], end[1]))
    x0, y0 = int(np.floor(xs[0])) - 1, int(np.floor(ys[0])) - 1
    wide = Box(x0, y0, int(np.ceil(xs[1])) + 2 - x0, int(np.ceil(ys[1])) + 2 - y0)
    return wide.intersection(box)


def line_cut(
    planes: Mapping[str, Plane], box: Box, start: tuple[float, float], end: tuple[float, float]
) -> LineCut:
    """Values of planes from ``start`` to ``end``, a sample a pixel.

    Parameters
    ----------
    planes
        Arrays that cover ``box``.
    box
        Where they lie on the pixel grid.
    start, end
        (x, y) on the pixel grid.

    Raises
    ------
    InputError
        If the line has no length or an end is not finite.
    """
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    if not np.isfinite([*start, *end]).all() or length <= 0:
        raise InputError(f"the line from {start} to {end} has no length: draw a longer one")
    n = int(min(max(round(length), 1) + 1, MOST_SAMPLES))
    x, y = np.linspace(start[0], end[0], n), np.linspace(start[1], end[1], n)
    where = np.stack([y - box.y0, x - box.x0])
    values = {
        name: map_coordinates(
            np.asarray(plane, dtype=np.float64), where, order=1, mode="constant", cval=np.nan
        )
        for name, plane in planes.items()
    }
    return LineCut(np.linspace(0, length, n), x, y, values)


def radial_profile(
    plane: Plane,
    x: float,
    y: float,
    radius: float,
    *,
    origin: tuple[int, int] = (0, 0),
    variance: Plane | None = None,
) -> RadialProfile:
    """Mean in rings one pixel wide around a position, by photutils.

    Parameters
    ----------
    plane
        Image; pixels that are not finite are left out.
    x, y
        Centre on the pixel grid.
    radius
        Of the outermost ring [px].
    origin
        Pixel (x, y) of the plane's first pixel.
    variance
        Of its pixels.

    Raises
    ------
    InputError
        If the radius is under 1 px or the centre is off the plane.
    """
    from photutils.profiles import RadialProfile as Rings

    ny, nx = plane.shape
    column, row = x - origin[0], y - origin[1]
    if not radius >= 1:
        raise InputError(f"radius is {radius:g} px: at least 1 px is needed")
    if not (-0.5 <= column < nx - 0.5 and -0.5 <= row < ny - 0.5):
        raise InputError(f"({x:.1f}, {y:.1f}) lies off the image: choose a position inside it")
    bad = ~np.isfinite(plane)
    error = None
    if variance is not None:
        bad |= ~(variance > 0)
        error = np.sqrt(np.where(bad, 1.0, variance))
    edges = np.arange(int(radius) + 1, dtype=float)
    if bad.all():
        nothing = np.full(edges.size - 1, np.nan)
        return RadialProfile(x, y, (edges[1:] + edges[:-1]) / 2, nothing, nothing)
    rings = Rings(np.where(bad, 0.0, plane), (column, row), edges, error=error, mask=bad)
    profile = np.asarray(rings.profile, float)
    spread = np.full(profile.shape, np.nan)
    if error is not None:
        spread = np.asarray(rings.profile_error, float)
    return RadialProfile(x, y, np.asarray(rings.radius, float), profile, spread)


def peak_near(
    plane: Plane, x: float, y: float, reach: int, *, origin: tuple[int, int] = (0, 0)
) -> tuple[float, float]:
    """Centroid of the brightest spot within ``reach`` px of a position; the position if none."""
    ny, nx = plane.shape
    column, row = round(x - origin[0]), round(y - origin[1])
    rows = slice(max(row - reach, 0), min(row + reach + 1, ny))
    columns = slice(max(column - reach, 0), min(column + reach + 1, nx))
    part = np.where(np.isfinite(plane[rows, columns]), plane[rows, columns], -np.inf)
    if part.size == 0 or not np.isfinite(part).any():
        return x, y
    down, along = divmod(int(np.argmax(part)), part.shape[1])
    j, i = down + rows.start, along + columns.start
    near = (slice(max(j - 2, 0), j + 3), slice(max(i - 2, 0), i + 3))
    light = np.nan_to_num(plane[near], nan=0.0, posinf=0.0, neginf=0.0)
    light = np.clip(light - np.median(light), 0, None)
    total = float(light.sum())
    if total <= 0:
        return float(i + origin[0]), float(j + origin[1])
    yy, xx = np.mgrid[near[0].start : near[0].start + light.shape[0],
                      near[1].start : near[1].start + light.shape[1]]  # fmt: skip
    return (
        float((light * xx).sum() / total) + origin[0],
        float((light * yy).sum() / total) + origin[1],
    )


def psf_amplitude(profile: RadialProfile, psf: RadialProfile) -> float:
    """Flux of a source whose profile is that of a unit-sum PSF: least squares, rings by area."""
    n = min(profile.profile.size, psf.profile.size)
    data, model, area = profile.profile[:n], psf.profile[:n], profile.radius[:n]
    good = np.isfinite(data) & np.isfinite(model)
    below = float(np.sum(area[good] * model[good] ** 2))
    return float(np.sum(area[good] * data[good] * model[good]) / below) if below > 0 else np.nan

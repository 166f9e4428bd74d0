"""What the neighbours say: the shift, flux ratio and PSF width that the field has in common.

Each bright source near a position is fitted as `explain` fits the one that is asked about. An error
of the pair is shared by all of them; a source that differs changed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from scipy.ndimage import maximum_filter

from zogy_explorer.diagnostics.asked import difference_of, position
from zogy_explorer.diagnostics.explaining.damage import damage_near
from zogy_explorer.diagnostics.explaining.residual_fit import WIDTHS, Fit, Window, fit_residual
from zogy_explorer.diagnostics.explaining.residual_window import (
    Field,
    cell_at,
    noise_excess,
    residual_window,
    wider_fwhm,
    window_box,
    window_radius,
)
from zogy_explorer.diagnostics.local_pair import Plane
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.geometry import Box

Place = tuple[float, float]
"""(x, y) [px]."""

MOVED = 13.8
"""χ² of two degrees of freedom, exceeded by chance once in a thousand: then a source moves."""

_ALWAYS = ("dx", "dy", "flux")  # fitted to each neighbour
_NEIGHBOURHOOD = 256  # [px] to each side
_MOST = 12  # neighbours
_BRIGHT = 20.0  # σ of their brightest pixel in both images
_LEAST = 3  # neighbours from which anything common can be told
_TO_SIGMA = 1.4826  # σ over the median absolute deviation


@dataclass(frozen=True)
class Common:
    """A number that neighbours share.

    Parameters
    ----------
    value, error
        Median and its standard error.
    scatter
        σ of single sources around it beyond their measuring errors.
    """

    value: float
    error: float
    scatter: float

    def pull(self, value: float, error: float) -> float:
        """How many σ another source's value lies off."""
        return float((value - self.value) / np.sqrt(error**2 + self.error**2 + self.scatter**2))


@dataclass(frozen=True)
class FieldErrors:
    """What neighbours of a position share.

    Parameters
    ----------
    dx, dy
        Shift, science minus template [px].
    flux
        φ: the science image has (1+φ) times the assumed flux ratio.
    positions
        (x, y) of the neighbours.
    widths
        Fractional error of one PSF's width, "width_science" or "width_template", if the other
        model is right; empty unless it was asked for.
    """

    dx: Common
    dy: Common
    flux: Common
    positions: tuple[Place, ...]
    widths: Mapping[str, Common] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def shifted(self) -> bool:
        """Whether the shift that they share is significant."""
        return (
            sum((c.value / np.hypot(c.error, c.scatter)) ** 2 for c in (self.dx, self.dy)) > MOVED
        )

    @property
    def sizes(self) -> dict[str, float]:
        """Shared errors of flux ratio and PSF widths by the names of the pair's errors."""
        widths = {name: common.value for name, common in self.widths.items()}
        return {"flux": self.flux.value} | widths


def field_errors(
    difference: Difference, x: float, y: float, *, widths: bool = False
) -> FieldErrors | None:
    """Shift and flux ratio that bright neighbours of a position have in common.

    Parameters
    ----------
    difference
        A finished subtraction, or what `ZogyTask.run` returned.
    x, y
        Position in the frame of the science image [px]; what lies there is left out.
    widths
        Whether to fit the widths of the PSFs too. That takes three times as long, and is needed
        where they are so wrong that they spoil the flux ratio.

    Returns
    -------
    field
        None if fewer than three usable neighbours are near.

    Raises
    ------
    InputError
        If the position is no number or off the frame, or what is given is no subtraction.
    """
    difference, (x, y) = difference_of(difference), position(x, y)
    centre = cell_at(difference, x, y)
    neighbours = _Neighbours(difference, _places(difference.plan, centre, x, y))
    best: _Shared | None = None
    common = {}
    for width in ("", *WIDTHS) if widths else ("",):
        shared = neighbours.shared((*_ALWAYS, width) if width else _ALWAYS)
        if shared is None:
            continue
        if width:
            common[width] = _common(shared.fits, width)
        # The flux ratio is that of the account that fits best: a wrong width spoils the others'.
        if best is None or shared.chi2 < best.chi2:
            best = shared
    if best is None:
        return None
    dx, dy, flux = (_common(best.fits, name) for name in _ALWAYS)
    return FieldErrors(dx, dy, flux, best.positions, MappingProxyType(common))


@dataclass(frozen=True)
class _Shared:
    """Fits of the same errors to the neighbours that allow them."""

    fits: list[Fit]
    positions: tuple[Place, ...]

    @property
    def chi2(self) -> float:
        """χ² left per neighbour."""
        return float(np.median([fit.chi2 for fit in self.fits]))


class _Neighbours:
    """Bright sources of a difference, the brightest first; each is looked up once."""

    def __init__(self, difference: Difference, places: list[Place]) -> None:
        self._difference, self._places = difference, places
        self._excesses: dict[int, float] = {}
        self._windows: dict[Place, Window | None] = {}

    def shared(self, names: tuple[str, ...]) -> _Shared | None:
        """Fits of these errors; None if too few neighbours allow them."""
        fits: list[Fit] = []
        positions: list[Place] = []
        for place in self._places:
            window = self._window(place)
            fit = None if window is None else fit_residual(window, names)
            if fit is not None:
                fits.append(fit)
                positions.append(place)
            if len(fits) == _MOST:
                break
        return _Shared(fits, tuple(positions)) if len(fits) >= _LEAST else None

    def _window(self, place: Place) -> Window | None:
        if place not in self._windows:
            self._windows[place] = self._looked_up(place)
        return self._windows[place]

    def _looked_up(self, place: Place) -> Window | None:
        """Where a neighbour is looked at; None if its cell failed."""
        plan, variance = self._difference.plan, self._difference.diff.variance
        cell = cell_at(self._difference, *place)
        if not cell.ok or variance is None:
            return None
        index = cell.cell.index
        if index not in self._excesses:
            self._excesses[index] = noise_excess(plan, cell)
        frame = Field(variance, plan.bbox)
        return residual_window(plan, cell, *place, None, frame, self._excesses[index])


def _common(fits: list[Fit], name: str) -> Common:
    values = np.array([fit.values[name] for fit in fits])
    errors = np.array([fit.errors[name] for fit in fits])
    value = float(np.median(values))
    spread = _TO_SIGMA * float(np.median(np.abs(values - value)))
    scatter = float(np.sqrt(max(spread**2 - float(np.median(errors)) ** 2, 0.0)))
    single = np.sqrt(scatter**2 + float(np.median(errors)) ** 2)
    return Common(value, float(1.2533 * single / np.sqrt(len(fits))), scatter)


def _places(plan: SubtractionPlan, cell: CellResult, x: float, y: float) -> list[Place]:
    """Places of bright sources near a position, the brightest first."""
    radius = window_radius(plan, None)
    side = 2 * _NEIGHBOURHOOD + 1
    wide = Box(round(x) - _NEIGHBOURHOOD, round(y) - _NEIGHBOURHOOD, side, side)
    box = wide.intersection(plan.bbox)
    assert box is not None
    inside = box.slices((plan.bbox.x0, plan.bbox.y0))
    brightness = _brightness(plan, cell, inside)
    fwhm = wider_fwhm(plan)
    highest = maximum_filter(brightness, size=2 * int(np.ceil(fwhm)) + 1, mode="nearest")
    rows, columns = np.nonzero((brightness == highest) & (brightness > _BRIGHT))
    order = np.argsort(-brightness[rows, columns])
    sigmas = (cell.sigma_science, cell.sigma_template)
    places: list[Place] = []
    for i in order:
        px, py = float(columns[i] + box.x0), float(rows[i] + box.y0)
        if np.hypot(px - x, py - y) <= radius or not _whole(plan.bbox, px, py, fwhm):
            continue
        if any(np.hypot(px - a, py - b) <= radius for a, b in places):
            continue
        if not damage_near(plan, window_box(plan.bbox, px, py, max(fwhm, 2.0)), sigmas).pixels:
            places.append((px, py))
        if len(places) == 2 * _MOST:
            break
    return places


def _brightness(plan: SubtractionPlan, cell: CellResult, inside: tuple[slice, slice]) -> Plane:
    """Significance of each pixel in the image in which it is fainter."""
    science, template = plan.science.image[inside], plan.template.image[inside]
    sigma_n = cell.sigma_science if np.isfinite(cell.sigma_science) else np.inf
    sigma_r = cell.sigma_template if np.isfinite(cell.sigma_template) else np.inf
    return np.minimum(science / sigma_n, template / sigma_r)


def _whole(box: Box, x: float, y: float, margin: float) -> bool:
    left, bottom, right, top = box.edges
    return left + margin <= x <= right - margin and bottom + margin <= y <= top - margin

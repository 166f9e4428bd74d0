"""The window around a position: which pixels of D count, and how much."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zogy_explorer.checks import real, shown
from zogy_explorer.diagnostics.explaining.residual_fit import Window
from zogy_explorer.diagnostics.local_pair import Plane, local_pair
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.engine.statistics import clipped_sigma
from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box

_FWHM = 2.3548
_RADIUS = 2.5  # of the window, in FWHM of the wider PSF
_LAG = 4.0  # [FWHM of the wider PSF] beyond which pixels of Scorr do not correlate
_SMOOTH = 0.85  # of the excess; above, it is noise of some reach rather than an uneven sky
_SAMPLE = 2**20  # pixels of a cell from which its noise is measured
_SMALLEST, _LARGEST = 8, 40  # radius of the window [px]


class Field(NamedTuple):
    """A plane and the pixels of the frame that it covers."""

    plane: Plane
    box: Box


def wider_fwhm(plan: SubtractionPlan) -> float:
    """FWHM of the wider of the two PSFs [px], as of a Gaussian of its area."""
    return _FWHM * max(plan.psf_sigma)


def cell_at(difference: Difference, x: float, y: float) -> CellResult:
    """The cell that holds a position.

    Raises
    ------
    InputError
        If the position is off the frame.
    """
    plan = difference.plan
    place = plan.cell_at(x, y)
    if place is None:
        raise off_frame(x, y, plan.bbox, "the frame")
    return next(cell for cell in difference.cells if cell.cell.index == place.index)


def off_frame(x: float, y: float, box: Box, what: str) -> InputError:
    """The error of a position off ``what``."""
    return InputError(
        f"position ({x:g}, {y:g}) is off {what}, which is {box}: give x and y in pixels of "
        "the science image, xy0 included"
    )


def window_radius(plan: SubtractionPlan, radius: float | None) -> float:
    """Radius of the window [px]: the given one, or 2.5 FWHM of the wider PSF.

    Raises
    ------
    InputError
        If it is not at least 2 px.
    """
    if radius is None:
        return float(np.clip(np.ceil(_RADIUS * wider_fwhm(plan)), _SMALLEST, _LARGEST))
    size = real(radius)
    if not (np.isfinite(size) and size >= 2):
        raise InputError(
            f"radius is {shown(radius)} px: a window needs at least 2 px; leave it out for 2.5 FWHM"
        )
    return size


def window_box(within: Box, x: float, y: float, radius: float) -> Box:
    """Pixels within a radius of a position that lies in a box, cut at that box."""
    half = int(radius)
    wide = Box(round(x) - half, round(y) - half, 2 * half + 1, 2 * half + 1)
    box = wide.intersection(within)
    assert box is not None  # the position lies in it
    return box


def noise_excess(plan: SubtractionPlan, cell: CellResult) -> float:
    """Measured over predicted σ: of D, or of Scorr, which correlated noise raises more; ≥ 1.

    A sky that differs between the images over part of a cell raises both, and is no noise:
    differences of pixels beyond the reach of the PSFs show what the noise alone does.
    """
    noise = cell.noise
    ratios = (noise.diff_measured / noise.diff_predicted, noise.scorr_measured)
    excess = max([1.0, *(float(ratio) for ratio in ratios if np.isfinite(ratio))])
    if excess == 1 or cell.scorr is None or cell.diff is None or cell.diff_variance is None:
        return excess
    lag = int(np.ceil(_LAG * wider_fwhm(plan)))
    ny, nx = cell.scorr.shape
    most = max(_SAMPLE // nx, 2 * lag + 1)
    rows = slice(max((ny - most) // 2, 0), max((ny - most) // 2, 0) + most)
    scorr, diff, variance = cell.scorr[rows], cell.diff[rows], cell.diff_variance[rows]
    known = (scorr != 0) & (variance > 0)
    pulls = (
        np.where(known, scorr, np.nan),
        np.where(known, diff / np.sqrt(np.where(known, variance, 1.0)), np.nan),
    )
    across = max(clipped_sigma(pull[:, lag:] - pull[:, :-lag]) for pull in pulls)
    up = max(clipped_sigma(pull[lag:] - pull[:-lag]) for pull in pulls)
    # Of an edge along an axis the differences along that axis show nothing.
    least = min(across, up) / np.sqrt(2)
    return float(max(least, 1.0)) if least < _SMOOTH * excess else excess


def residual_window(
    plan: SubtractionPlan,
    cell: CellResult,
    x: float,
    y: float,
    radius: float | None = None,
    variance: Field | None = None,
    excess: float | None = None,
) -> Window:
    """The window around a position of a cell that worked.

    Parameters
    ----------
    plan, cell
        The subtraction and the cell whose kernels are used.
    x, y
        Position in the frame of the science image [px].
    radius
        [px]; 2.5 FWHM of the wider PSF by default.
    variance
        Of D; the cell's own by default, and then the window ends with the cell.
    excess
        `noise_excess` of the cell, if it is known already.

    Raises
    ------
    InputError
        If the position is off the plane of the variance, or the radius not usable.
    """
    if variance is None:
        assert cell.diff_variance is not None
        variance = Field(cell.diff_variance, cell.region)
    if not (np.isfinite(x) and np.isfinite(y) and variance.box.contains_point(x, y)):
        raise off_frame(x, y, variance.box, f"cell {cell.cell.name}")
    radius = window_radius(plan, radius)
    pair = local_pair(plan, cell, window_box(variance.box, x, y, radius))
    box = pair.window
    inside = box.slices((variance.box.x0, variance.box.y0))
    white = variance.plane[inside].astype(np.float64)
    excess = noise_excess(plan, cell) if excess is None else excess
    white *= cell.flux_diff**2 * excess**2
    rows, columns = np.mgrid[box.y0 : box.end_y, box.x0 : box.end_x]
    used = (np.hypot(columns - x, rows - y) <= radius + 0.5) & np.isfinite(white) & (white > 0)
    return Window(pair, used, 1 / white[used])

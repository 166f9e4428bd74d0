"""Forced photometry: flux and significance at places that are known beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.checks import reals
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.engine.subpixel import Splines, bilinear, windows
from zogy_explorer.errors import InputError, MissingDataError

Array = NDArray[np.float64]
Plane = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class ForcedPhotometry:
    """Fluxes at n places; arrays (n,).

    Parameters
    ----------
    flux, error
        α = S/F_S and √V_total/F_S (eqs. 41, 42) [calibrated unit]; NaN in failed cells.
    scorr
        Their ratio [σ].
    """

    flux: Array
    error: Array

    @property
    def scorr(self) -> Array:
        """Significance [σ]."""
        return self.flux / self.error


def forced_photometry(difference: Difference, x: ArrayLike, y: ArrayLike) -> ForcedPhotometry:
    """Flux of a point source at each place, whether there is one or not.

    Unlike the flux of a peak it is unbiased at any brightness.

    Parameters
    ----------
    difference
        With S.
    x, y
        Places [px] on the science image's pixel grid.

    Raises
    ------
    MissingDataError
        If the difference was made without S.
    InputError
        If a place is off the frame.
    """
    total = difference.total_variance
    if difference.score is None or total is None:
        raise MissingDataError(
            "the difference has no S: subtract with calculateScore=True to measure fluxes"
        )
    xs, ys = reals("x of the positions", x), reals("y of the positions", y)
    if xs.size != ys.size:
        raise InputError(
            f"there are {xs.size} x but {ys.size} y: give both of each position, in the same order"
        )
    cells = [difference.plan.cell_at(px, py) for px, py in zip(xs, ys, strict=True)]
    for px, py, cell in zip(xs, ys, cells, strict=True):
        if cell is None:
            raise InputError(
                f"position ({px:g}, {py:g}) is off the frame {difference.plan.bbox}: fluxes can "
                "be measured on its pixels only"
            )
    scale = np.array(
        [np.nan if cell is None else difference.cells[cell.index].flux_score for cell in cells],
        dtype=np.float64,
    )
    x0, y0 = difference.score.xy0
    return _measured(difference.score.image, total, xs - x0, ys - y0, scale)


def forced_in_cell(result: CellResult, x: float, y: float) -> ForcedPhotometry:
    """`forced_photometry` of one place in one cell; NaN if the cell has no S.

    Raises
    ------
    InputError
        If the place is outside the cell.
    """
    if not result.region.contains_point(x, y):
        raise InputError(f"position ({x:g}, {y:g}) is outside of cell {result.cell.name}")
    total = result.total_variance
    if result.score is None or total is None:
        unknown = np.full(1, np.nan)
        return ForcedPhotometry(unknown, unknown)
    where = np.array([x - result.region.x0]), np.array([y - result.region.y0])
    return _measured(result.score, total, *where, np.array([result.flux_score]))


def _measured(score: Plane, total: Plane, x: Array, y: Array, scale: Array) -> ForcedPhotometry:
    """S and its noise at array positions, over F_S."""
    column, row = (np.rint(part).astype(np.intp) for part in (x, y))
    dx, dy = x - column, y - row
    splines = Splines.through(windows(score, row, column))
    noise = np.sqrt(bilinear(total, row, column, dx, dy))
    return ForcedPhotometry(splines.at(dx, dy) / scale, noise / scale)

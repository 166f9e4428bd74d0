"""What S says of fluxes: the flux image, what flux can be seen where, and whose the error is.

S over F_S is the flux of a point source at each pixel, measured through its PSF with the weights
that lose nothing (eqs. 41, 42 of the ZOGY paper).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.checks import is_positive, shown
from zogy_explorer.diagnostics.asked import difference_of, position
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure

Plane = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class FluxImage:
    """Flux of a point source at each pixel, were there one [calibrated unit].

    NaN in failed cells and where data are missing. Only at the peak of a source it is *its*
    flux.

    Parameters
    ----------
    flux : (ny, nx) array
        α = S/F_S.
    error : (ny, nx) array
        σ_α = √V_total/F_S, with all noise terms that are on.
    """

    flux: Plane
    error: Plane


@dataclass(frozen=True)
class ErrorBudget:
    """Where the variance of S at one pixel comes from.

    Parameters
    ----------
    x, y
        The pixel, in the frame of the science image.
    cell
        Name of its cell.
    score, flux_score
        S and F_S.
    source, astrometric, flux_ratio
        Variances of S: source noise (eqs. 26, 27), registration errors (eqs. 30-33), error of
        the flux ratio; 0 where a term is off.
    """

    x: int
    y: int
    cell: str
    score: float
    flux_score: float
    source: float
    astrometric: float
    flux_ratio: float

    @property
    def total(self) -> float:
        """Sum of the variances."""
        return self.source + self.astrometric + self.flux_ratio

    @property
    def fractions(self) -> dict[str, float]:
        """Share of each term in the total."""
        parts = ("source", "astrometric", "flux_ratio")
        return {name: getattr(self, name) / self.total for name in parts}

    @property
    def scorr(self) -> float:
        """S over the root of the total [σ]."""
        return float(self.score / np.sqrt(self.total))

    @property
    def scorr_source_noise(self) -> float:
        """S over the root of the source noise alone [σ]."""
        return float(self.score / np.sqrt(self.source))

    @property
    def flux(self) -> float:
        """α = S/F_S [calibrated unit] (eqs. 41, 42)."""
        return self.score / self.flux_score

    @property
    def flux_error(self) -> float:
        """σ_α (eqs. 41, 42) [calibrated unit]."""
        return float(np.sqrt(self.total) / self.flux_score)


def flux_image(difference: Difference) -> FluxImage:
    """α and σ_α of every pixel.

    Raises
    ------
    InputError
        If the difference has no S.
    """
    difference = difference_of(difference)
    score, variance = _score(difference)
    scale = _known_scale(difference)
    return FluxImage(
        flux=np.asarray(score.image / scale, dtype=score.image.dtype),
        error=np.asarray(np.sqrt(variance) / scale, dtype=score.image.dtype),
    )


def limiting_flux(difference: Difference, threshold: float = 5.0) -> Plane:
    """Flux that a point source needs at each pixel to reach ``threshold`` on average (ny, nx).

    In the calibrated unit, with all noise terms that are on; NaN in failed cells and where data
    are missing. The source's own photon noise is not in it.

    Raises
    ------
    InputError
        If the difference has no S, or the threshold is not positive.
    """
    if not is_positive(threshold):
        raise InputError(f"threshold is {shown(threshold)}: it must be a positive number of σ")
    error = flux_image(difference).error
    return error * error.dtype.type(threshold)


def error_budget(difference: Difference, x: float, y: float) -> ErrorBudget:
    """The parts of the variance of S at the pixel nearest to (x, y), and Scorr with and without.

    Parameters
    ----------
    x, y
        Position in the frame of the science image [px].

    Raises
    ------
    InputError
        If the difference has no S, the position is off the frame or its cell has failed.
    """
    difference = difference_of(difference)
    x, y = position(x, y)
    score, _ = _score(difference)
    bbox = score.bbox
    if not bbox.contains_point(x, y):
        raise InputError(f"({x:g}, {y:g}) is off the frame {bbox}: give a position on it")
    cell = _cell_at(difference, x, y)
    if not cell.ok:
        raise InputError(
            f"({x:g}, {y:g}) is in cell {cell.cell.name}, which failed: {cell.describe_failure()}"
        )
    column, row = round(x), round(y)
    at = (
        min(max(row - bbox.y0, 0), bbox.height - 1),
        min(max(column - bbox.x0, 0), bbox.width - 1),
    )
    assert score.variance is not None  # _score has checked

    def value(plane: Plane | None) -> float:
        return 0.0 if plane is None else float(plane[at])

    return ErrorBudget(
        x=at[1] + bbox.x0,
        y=at[0] + bbox.y0,
        cell=cell.cell.name,
        score=float(score.image[at]),
        flux_score=float(difference.flux_score[at]),
        source=float(score.variance[at]),
        astrometric=value(difference.astrometric_variance),
        flux_ratio=value(difference.flux_variance),
    )


def _cell_at(difference: Difference, x: float, y: float) -> CellResult:
    cell = difference.plan.cell_at(x, y)
    assert cell is not None  # the cells tile the frame
    return difference.cells[cell.index]


def _score(difference: Difference) -> tuple[Exposure, Plane]:
    """S and its total variance."""
    variance = difference.total_variance
    if difference.score is None or variance is None:
        raise InputError("the difference has no S: subtract with calculate_score to measure fluxes")
    return difference.score, variance


def _known_scale(difference: Difference) -> Plane:
    """F_S of each pixel; NaN where S says nothing."""
    scale = np.array(difference.flux_score)
    for image in (difference.plan.science, difference.plan.template):
        if not image.complete:
            scale[image.missing] = np.nan
    return scale

"""Frozen results: what one cell says of itself, and the whole difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.blending import taper
from zogy_explorer.engine.flags import Flag, worst_severity
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.noise_terms import total_variance
from zogy_explorer.engine.result_words import cell_line, difference_line
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box

if TYPE_CHECKING:
    from zogy_explorer.engine.plan import SubtractionPlan

Plane = NDArray[np.floating]


@dataclass(frozen=True)
class NoiseCheck:
    """Noise that the theory predicts against noise that the pixels show, in one cell.

    D in the calibrated unit, S in its own, Scorr in σ; NaN where unknown. Measured values come
    from unmasked pixels without a source, each over its predicted σ, clipped at 5σ.
    """

    diff_predicted: float = np.nan
    diff_measured: float = np.nan
    score_predicted: float = np.nan
    score_measured: float = np.nan
    scorr_measured: float = np.nan
    scorr_error: float = np.nan
    """Sampling error of ``scorr_measured``, from the number of independent pixels."""
    n_pixels: int = 0


@dataclass(frozen=True, eq=False)
class CellResult:
    """Everything about one cell; arrays cover ``region`` and are None if the cell failed.

    Parameters
    ----------
    cell
        Its place in the grid.
    region
        Pixels that the arrays cover: the inner box, plus the zone of ``blendCells`` if any.
    flags
        What is noteworthy, gravest first.
    diff, diff_variance
        D / F_D and its variance [calibrated unit, squared].
    score, score_variance, scorr
        S, its variance with source noise (eqs. 26, 27), and S over the square root of its
        total variance [σ] (eq. 25).
    astrometric_variance, flux_variance
        Variance of S by registration errors (eqs. 30-33) and by the error of the flux ratio;
        None where a term is off.
    mask
        int32 bits by the plan's mask planes.
    psf_science, psf_template, psf_diff, psf_score
        Unit-sum stamps, centre at n // 2.
    psf_diff_sum, psf_score_sum
        Flux of P_D and P_S inside their stamps before they were brought to unit sum.
    sigma_science, sigma_template
        Background σ of a pixel [calibrated unit].
    flux_science, flux_template, flux_diff, flux_score
        F_n, F_r, F_D (eq. 15) and F_S (eqs. 41, 42).
    centroid_science, centroid_template
        PSF centroids (x, y) from the stamp's centre [px].
    centroid_distance
        Their distance [px].
    noise
        Predicted against measured.
    kernel_reach
        Radius that holds all but 10⁻⁴ of the squared kernels of S [px].
    frequency_floor
        The ε that was used (see `ZogyConfig`).
    timings
        Seconds by step; ``"total"`` for all.
    """

    cell: Cell
    region: Box
    flags: tuple[Flag, ...]
    diff: Plane | None = None
    diff_variance: Plane | None = None
    score: Plane | None = None
    score_variance: Plane | None = None
    scorr: Plane | None = None
    astrometric_variance: Plane | None = None
    flux_variance: Plane | None = None
    mask: NDArray[np.int32] | None = None
    psf_science: Plane | None = None
    psf_template: Plane | None = None
    psf_diff: Plane | None = None
    psf_score: Plane | None = None
    psf_diff_sum: float = np.nan
    psf_score_sum: float = np.nan
    sigma_science: float = np.nan
    sigma_template: float = np.nan
    flux_science: float = np.nan
    flux_template: float = np.nan
    flux_diff: float = np.nan
    flux_score: float = np.nan
    centroid_science: tuple[float, float] = (np.nan, np.nan)
    centroid_template: tuple[float, float] = (np.nan, np.nan)
    centroid_distance: float = np.nan
    noise: NoiseCheck = field(default_factory=NoiseCheck)
    kernel_reach: float = np.nan
    frequency_floor: float = np.nan
    timings: Mapping[str, float] = field(default_factory=dict)
    config_hash: str = ""
    version: str = ""

    @property
    def ok(self) -> bool:
        """Whether the cell has a result."""
        return self.diff is not None

    @property
    def total_variance(self) -> Plane | None:
        """Variance of S with all noise terms that are on; None without S."""
        if self.score_variance is None:
            return None
        return total_variance(self.score_variance, self.astrometric_variance, self.flux_variance)

    @property
    def worst(self) -> str:
        """Gravest severity: ``"ok"``, ``"info"``, ``"warning"`` or ``"failed"``."""
        return worst_severity(self.flags)

    def describe_failure(self) -> str:
        """The causes of failure in words; empty if the cell worked."""
        return "; ".join(flag.cause for flag in self.flags if flag.severity == "failed")

    def __repr__(self) -> str:
        return cell_line(self)


@dataclass(frozen=True, eq=False)
class Difference:
    """The result of a subtraction over the whole frame.

    ``diff`` carries D, its variance, mask and P_D by cell; ``score`` S and its variance with
    source noise; both have the science image's WCS. ``astrometric_variance`` and
    ``flux_variance`` are what the noise terms add to it, None where a term is off; ``scorr`` is S
    over the root of the sum [σ]. In failed cells D and S are 0, the variance of S is 1, that of
    the terms 0, and the mask says NO_DATA.
    """

    diff: Exposure
    score: Exposure | None
    scorr: Plane | None
    cells: tuple[CellResult, ...]
    plan: SubtractionPlan
    astrometric_variance: Plane | None = None
    flux_variance: Plane | None = None

    @property
    def total_variance(self) -> Plane | None:
        """Variance of S with all noise terms that are on; None without S."""
        if self.score is None or self.score.variance is None:
            return None
        return total_variance(self.score.variance, self.astrometric_variance, self.flux_variance)

    def scorr_source_noise(self) -> Plane | None:
        """S over the root of its source noise alone [σ] (ny, nx): Scorr without noise terms."""
        if self.score is None or self.score.variance is None:
            return None
        return self.score.image / np.sqrt(self.score.variance)

    @cached_property
    def flux_score(self) -> Plane:
        """F_S (eqs. 41, 42) of each pixel's cell (ny, nx), blended as S is; NaN in failed cells."""
        bbox, blends = self.plan.bbox, self.plan.config.blendCells > 0
        total, weights = np.zeros(bbox.shape), np.zeros(bbox.shape)
        for result in self.cells:
            if result.ok:
                box = result.region.slices((bbox.x0, bbox.y0))
                weight = taper(result.region, result.cell.inner) if blends else 1.0
                total[box] += weight * result.flux_score
                weights[box] += weight
        out = np.full(bbox.shape, np.nan)
        np.divide(total, weights, out=out, where=weights > 0)
        for result in self.failed:
            out[result.cell.inner.slices((bbox.x0, bbox.y0))] = np.nan
        return out

    @property
    def failed(self) -> tuple[CellResult, ...]:
        """Cells without a result."""
        return tuple(cell for cell in self.cells if not cell.ok)

    def count(self, severity: str) -> int:
        """Number of cells whose gravest flag is of this severity."""
        return sum(cell.worst == severity for cell in self.cells)

    def scorr_sigma(self) -> float:
        """Typical measured σ of Scorr: the median over the cells; NaN if unknown."""
        values = [c.noise.scorr_measured for c in self.cells]
        finite = [v for v in values if np.isfinite(v)]
        return float(np.median(finite)) if finite else float("nan")

    def __repr__(self) -> str:
        return difference_line(self)

"""Stacked residuals of stars: what D leaves of them on average.

One star's residual drowns in noise; stars together show what their PSFs or a shift leave. The
cut-outs of D are fitted with one fraction of the stars' fluxes for each pixel,

    r = Σ f_i D_i / V_i / Σ f_i² / V_i,    σ_r² = 1 / Σ f_i² / V_i,

so that bright stars count as much as they can tell. Cut-outs are taken at whole pixels: D is
white, and resampling it would correlate its noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.diagnostics.field import radial_mean, spoiling_bits
from zogy_explorer.engine.plan import evaluate_psf
from zogy_explorer.engine.result import Difference
from zogy_explorer.errors import InputError, PsfError

Plane = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class StackedResidual:
    """Mean residual of stars; empty of pixels' weight (NaN) if no star could be used.

    Parameters
    ----------
    diff, diff_error
        Residual in D as a fraction of a star's flux (2r+1, 2r+1), and its sampling error from
        the variance of D.
    scatter
        Standard error from how the stars differ: above ``diff_error`` if each has its own
        residual.
    scorr, scorr_error
        Mean of Scorr around the stars, and its sampling error; None without S.
    radii
        Mean radius of each ring [px].
    profile, profile_error
        Mean of ``diff`` in each ring and its error.
    scorr_profile
        Mean of ``scorr`` in each ring; None without S.
    flux
        Fluxes of the stars used [calibrated unit].
    n_used, n_left_out
        Stars that entered, and those that did not: off the frame, on bad pixels, in failed
        cells, without a positive flux.
    """

    diff: Plane
    diff_error: Plane
    scatter: Plane
    scorr: Plane | None
    scorr_error: Plane | None
    radii: Plane
    profile: Plane
    profile_error: Plane
    scorr_profile: Plane | None
    flux: Plane
    n_used: int
    n_left_out: int

    @property
    def chi2(self) -> float:
        """Mean of (diff / error)²: 1 if there is only noise; NaN if no star was used."""
        known = np.isfinite(self.diff) & (self.diff_error > 0)
        if not known.any():
            return float("nan")
        return float(np.mean((self.diff[known] / self.diff_error[known]) ** 2))


def stacked_residuals(
    difference: Difference,
    positions: ArrayLike,
    flux: ArrayLike | None = None,
    *,
    radius: int = 12,
) -> StackedResidual:
    """Stack D and Scorr around stars.

    Parameters
    ----------
    difference
        A finished subtraction.
    positions : (n, 2) array_like
        (x, y) of the stars [px].
    flux : (n,) array_like, optional
        Their fluxes [calibrated unit]; by default fitted with the template's PSF to the template.
    radius
        Half side of the cut-outs [px].

    Raises
    ------
    InputError
        If the positions or fluxes make no list of stars.
    """
    xy = _positions(positions)
    given = None if flux is None else _fluxes(flux, len(xy))
    if not radius >= 1:
        raise InputError(f"radius is {radius}: cut-outs need at least 1 px on every side")
    stamps, weights, fluxes, scores = [], [], [], []
    for i, (x, y) in enumerate(xy):
        cut = _cut(difference, x, y, radius)
        if cut is None:
            continue
        f = template_flux(difference, x, y) if given is None else float(given[i])
        if not f > 0:
            continue
        diff, weight, scorr = cut
        stamps.append(diff)
        weights.append(weight)
        fluxes.append(f)
        scores.append(scorr)
    return _stacked(stamps, weights, fluxes, scores, len(xy), radius, difference.scorr is not None)


def template_flux(difference: Difference, x: float, y: float) -> float:
    """Flux of a star in the template, fitted with its PSF [calibrated unit]; NaN if impossible.

    Over the background that the rim of the stamp shows.
    """
    plan = difference.plan
    image, psf = plan.template, plan.template.source.psf
    assert psf is not None  # prepare_pair has checked
    try:
        stamp = evaluate_psf(psf, x, y, "the PSF of template")
    except PsfError:
        return float("nan")
    h, w = stamp.shape
    column, row = round(x) - plan.bbox.x0 - w // 2, round(y) - plan.bbox.y0 - h // 2
    ny, nx = image.image.shape
    y0, x0 = max(row, 0), max(column, 0)
    y1, x1 = min(row + h, ny), min(column + w, nx)
    if y1 <= y0 or x1 <= x0:
        return float("nan")
    pixels = image.image[y0:y1, x0:x1].astype(np.float64)
    model = stamp[y0 - row : y1 - row, x0 - column : x1 - column]
    faint = model <= np.quantile(model, 0.4)
    pixels = pixels - np.median(pixels[faint])
    scale = _flux_scale(difference, x, y)
    return float((pixels * model).sum() / (model**2).sum()) / scale


def _flux_scale(difference: Difference, x: float, y: float) -> float:
    """F_r of the cell at (x, y)."""
    cell = difference.plan.cell_at(x, y)
    return difference.cells[cell.index].flux_template if cell is not None else float("nan")


def _cut(
    difference: Difference, x: float, y: float, radius: int
) -> tuple[Plane, Plane, Plane | None] | None:
    """D, its inverse variance and Scorr around (x, y); None if the star cannot be used."""
    plan = difference.plan
    if not plan.bbox.contains_point(x, y):
        return None
    variance = difference.diff.variance
    assert variance is not None  # every difference has it
    side = 2 * radius + 1
    column, row = round(x) - plan.bbox.x0 - radius, round(y) - plan.bbox.y0 - radius
    ny, nx = plan.shape
    y0, x0, y1, x1 = max(row, 0), max(column, 0), min(row + side, ny), min(column + side, nx)
    there = (slice(y0, y1), slice(x0, x1))
    here = (slice(y0 - row, y1 - row), slice(x0 - column, x1 - column))
    good = ((difference.diff.mask[there] & spoiling_bits(plan)) == 0) & (variance[there] > 0)
    diff, weight = np.zeros((side, side)), np.zeros((side, side))
    diff[here] = np.where(good, difference.diff.image[there], 0)
    weight[here] = np.where(good, 1 / np.where(good, variance[there], 1), 0)
    if not weight[radius, radius] > 0:
        return None
    if difference.scorr is None:
        return diff, weight, None
    scorr = np.zeros((side, side))
    scorr[here] = np.where(good, difference.scorr[there], 0)
    return diff, weight, scorr


def _stacked(
    stamps: list[Plane],
    weights: list[Plane],
    fluxes: list[float],
    scores: list[Plane | None],
    n: int,
    radius: int,
    with_score: bool,
) -> StackedResidual:
    side = 2 * radius + 1
    d, w = (np.array(v).reshape(-1, side, side) for v in (stamps, weights))
    f = np.array(fluxes)[:, None, None]
    total = (f**2 * w).sum(axis=0)
    known = total > 0
    safe = np.where(known, total, 1)
    mean = np.where(known, (f * d * w).sum(axis=0) / safe, np.nan)
    error = np.where(known, 1 / np.sqrt(safe), np.nan)
    count = (w > 0).sum(axis=0)
    spread = ((f * w) ** 2 * (d - f * np.nan_to_num(mean)) ** 2).sum(axis=0)
    many = known & (count > 1)
    scatter = np.where(many, np.sqrt(spread * count / np.maximum(count - 1, 1)) / safe, np.nan)
    along = np.arange(side) - radius
    r = np.hypot(along[:, None], along)
    edges = np.arange(-0.5, radius + 1)
    scorr = scorr_error = scorr_profile = None
    if with_score:
        s = np.array([score for score in scores if score is not None]).reshape(-1, side, side)
        with_pixels = np.maximum(count, 1)
        scorr = np.where(count > 0, s.sum(axis=0) / with_pixels, np.nan)
        scorr_error = np.where(count > 0, 1 / np.sqrt(with_pixels), np.nan)
        scorr_profile = _ring_mean(scorr, r, edges)
    rings = _ring_count(np.isfinite(mean), r, edges)
    return StackedResidual(
        diff=mean,
        diff_error=error,
        scatter=scatter,
        scorr=scorr,
        scorr_error=scorr_error,
        radii=radial_mean(r, r, edges),
        profile=_ring_mean(mean, r, edges),
        profile_error=np.sqrt(_ring_mean(error**2, r, edges) / np.maximum(rings, 1)),
        scorr_profile=scorr_profile,
        flux=np.array(fluxes),
        n_used=len(fluxes),
        n_left_out=n - len(fluxes),
    )


def _ring_mean(plane: Plane, radius: Plane, edges: Plane) -> Plane:
    """Mean of the known pixels of each ring."""
    known = np.isfinite(plane)
    return radial_mean(plane[known], radius[known], edges)


def _ring_count(known: NDArray[np.bool_], radius: Plane, edges: Plane) -> NDArray[np.int_]:
    return np.histogram(radius[known], edges)[0]


def _positions(positions: ArrayLike) -> Plane:
    xy = np.asarray(positions, dtype=np.float64)
    if xy.size == 0:
        return np.empty((0, 2))
    if xy.ndim != 2 or xy.shape[1] != 2 or not np.isfinite(xy).all():
        raise InputError(
            f"positions have shape {xy.shape}: n stars need finite (x, y) in pixels, shape (n, 2)"
        )
    return xy


def _fluxes(flux: ArrayLike, n: int) -> Plane:
    values = np.asarray(flux, dtype=np.float64)
    if values.shape != (n,):
        raise InputError(f"flux has shape {values.shape} for {n} stars: give one for each")
    return values

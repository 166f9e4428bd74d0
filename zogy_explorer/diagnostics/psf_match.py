"""What D makes of a star that did not change: the PSF-match residual.

A star of unit flux with the PSFs P_n, P_r of its own place appears in D of its cell, whose kernels
c_n, c_r (eq. 13) were made with the PSFs of the cell's centre, as

    D_⋆ = (F_n c_n ⊗ P_n - F_r c_r ⊗ P_r) / F_D,

in the calibrated unit. Each side alone is about P_D. They are equal, and D_⋆ = 0, where the PSFs
are those of the centre, up to what the frequency floor costs; elsewhere it is what a PSF that is
constant over the cell leaves. Likewise S_⋆ = F_n k_n ⊗ P_n - F_r k_r ⊗ P_r.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.field import radial_mean, require_ok
from zogy_explorer.diagnostics.response import cell_kernels, kernel_side
from zogy_explorer.engine.fourier import Spectrum, backward, full_plane_sum, stamp_spectrum
from zogy_explorer.engine.plan import SubtractionPlan, evaluate_psf
from zogy_explorer.engine.result import CellResult
from zogy_explorer.errors import InputError

Plane = NDArray[np.floating]

_SIGMA = 5.0
_ROUND_OFF = 1e-12  # of a star's peak: less is no residual


@dataclass(frozen=True, eq=False)
class PsfMatch:
    """Residual in D of a constant star of unit flux.

    Parameters
    ----------
    x, y
        Where the star lies [px].
    science_side, template_side
        F_n c_n ⊗ P_n / F_D and F_r c_r ⊗ P_r / F_D (h, w), centre at n // 2.
    residual
        Their difference.
    radii
        Mean radius of each ring [px].
    profile, rms_profile
        Mean and rms of ``residual`` in each ring.
    side_profile
        Mean of ``science_side`` in each ring.
    peak
        Largest |residual| over the peak of ``science_side``.
    net
        Sum of ``residual``: flux that is left.
    flux_diff
        Flux of a star whose residual reaches 5σ in a pixel of D [calibrated unit].
    flux_scorr
        Flux of a star whose residual reaches 5 in Scorr [calibrated unit]. Both of noise without
        the star's own photons, so a real star needs more.
    """

    x: float
    y: float
    science_side: Plane
    template_side: Plane
    residual: Plane
    radii: Plane
    profile: Plane
    rms_profile: Plane
    side_profile: Plane
    peak: float
    net: float
    flux_diff: float
    flux_scorr: float


def psf_match(
    result: CellResult,
    plan: SubtractionPlan | None = None,
    *,
    x: float | None = None,
    y: float | None = None,
) -> PsfMatch:
    """PSF-match residual of a star in a computed cell.

    Parameters
    ----------
    result
        The cell.
    plan
        Its plan, for the PSFs at (x, y).
    x, y
        Place of the star [px]; by default the centre of the cell.

    Raises
    ------
    InputError
        If the cell failed, or a place is given without the plan or off the frame.
    PsfError
        If a PSF cannot be evaluated there.
    """
    require_ok(result)
    centre = result.cell.inner.center
    place = (centre[0] if x is None else float(x), centre[1] if y is None else float(y))
    stamps = (result.psf_science, result.psf_template)
    if place != centre:
        stamps = _stamps_at(plan, *place)
    assert stamps[0] is not None
    assert stamps[1] is not None
    size = max(max(stamp.shape) for stamp in stamps if stamp is not None)
    side = kernel_side(result, 4 * size)
    k = cell_kernels(result, (side, side))
    star_n = stamp_spectrum(stamps[0], (side, side)) * result.flux_science
    star_r = stamp_spectrum(stamps[1], (side, side)) * result.flux_template
    shape = (side, side)
    reach = size
    science = _stamp(k.diff_n * star_n, shape, reach) / result.flux_diff
    template = _stamp(k.diff_r * star_r, shape, reach) / result.flux_diff
    residual = science - template
    score = backward(k.score_n * star_n - k.score_r * star_r, shape)
    squares = result.sigma_science**2 * np.abs(k.score_n) ** 2
    squares += result.sigma_template**2 * np.abs(k.score_r) ** 2
    sigma_score = float(np.sqrt(full_plane_sum(squares, side) / side**2))
    radius = _radius(residual.shape)
    edges = np.arange(-0.5, reach + 1)
    return PsfMatch(
        x=place[0],
        y=place[1],
        science_side=science,
        template_side=template,
        residual=residual,
        radii=radial_mean(radius, radius, edges),
        profile=radial_mean(residual, radius, edges),
        rms_profile=np.sqrt(radial_mean(residual**2, radius, edges)),
        side_profile=radial_mean(science, radius, edges),
        peak=float(np.abs(residual).max() / np.abs(science).max()),
        net=float(residual.sum()),
        flux_diff=_flux(1 / result.flux_diff, residual, science),
        flux_scorr=_flux(sigma_score, score, backward(k.score_n * star_n, shape)),
    )


def psf_match_over_cell(result: CellResult, plan: SubtractionPlan) -> tuple[PsfMatch, ...]:
    """PSF-match residual at the centre and the four corners of a cell, the worst last."""
    inner = result.cell.inner
    places = [inner.center]
    places += [(x, y) for y in (inner.min_y, inner.max_y) for x in (inner.min_x, inner.max_x)]
    found = [psf_match(result, plan, x=x, y=y) for x, y in places]
    return tuple(sorted(found, key=lambda match: match.peak))


def _stamps_at(plan: SubtractionPlan | None, x: float, y: float) -> tuple[Plane, Plane]:
    if plan is None:
        raise InputError(
            f"the PSFs at ({x:g}, {y:g}) are not known from the cell alone: give its plan"
        )
    if not plan.bbox.contains_point(x, y):
        raise InputError(
            f"({x:g}, {y:g}) lies off the frame ({plan.bbox}): give a pixel position on it"
        )
    psf_n, psf_r = (image.source.psf for image in (plan.science, plan.template))
    assert psf_n is not None  # prepare_pair has checked
    assert psf_r is not None
    return (
        evaluate_psf(psf_n, x, y, "the PSF of science"),
        evaluate_psf(psf_r, x, y, "the PSF of template"),
    )


def _stamp(spectrum: Spectrum, shape: tuple[int, int], reach: int) -> Plane:
    """Pixels within ``reach`` of the origin, centre at n // 2."""
    along = np.arange(-reach, reach + 1)
    return np.asarray(backward(spectrum, shape)[np.ix_(along, along)])


def _radius(shape: tuple[int, ...]) -> Plane:
    y, x = (np.arange(n) - n // 2 for n in shape)
    return np.hypot(y[:, None], x)


def _flux(sigma: float, residual: Plane, star: Plane) -> float:
    """Flux at which the residual of unit flux reaches 5σ; infinite if it is round-off."""
    peak = float(np.abs(residual).max())
    if peak <= _ROUND_OFF * float(np.abs(star).max()):
        return float("inf")
    return _SIGMA * sigma / peak

"""What if the pair were a little different? D and Scorr of one cell for a changed pair.

Four changes, each exact: the template moved by (dx, dy) (a Fourier shift of its padded plane), the
science PSF made wider (its spectrum P̂((1+ε)f)), the flux ratio F_n/F_r multiplied, and a constant
taken from the science image. Everything goes through the engine's own kernels, so the numbers are
those that a run with the changed pair would give. So are the variances: propagated anew with the
changed kernels, the template's moved with it, and the astrometric and flux-ratio terms taken from
the changed S_N and S_R. What stays is σ of both images, which weights the frequencies, and the
mask.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from zogy_explorer.checks import is_positive, real, shown
from zogy_explorer.diagnostics.explaining.residual_fit import fit_residual
from zogy_explorer.diagnostics.explaining.residual_window import residual_window
from zogy_explorer.diagnostics.local_pair import Error, LocalPair, Plane, cell_inputs, cell_pair
from zogy_explorer.engine.equations import Kernels, proper_difference, score
from zogy_explorer.engine.fourier import Spectrum, backward
from zogy_explorer.engine.noise_terms import term_planes, total_variance
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.engine.variance import SquaredKernel, Squares, VarianceSpectrum, propagate
from zogy_explorer.errors import InputError

_MOST_WIDTH = 0.5
_MOST_SHIFT = 0.5  # of the border: farther, pixels would come in from the other side


@dataclass(frozen=True, eq=False)
class WhatIf:
    """D and Scorr of a cell for a changed pair; planes cover the cell's region.

    Parameters
    ----------
    shift, psf_width, flux_ratio, background
        The changes, as asked for.
    diff, scorr
        D / F_D [calibrated unit] and Scorr [σ] of the changed pair; ``scorr`` is None if the cell
        has no score.
    diff_change, scorr_change
        Changed minus unchanged.
    chi2, chi2_before
        Mean square of D over its σ, after and before; 1 if there is only noise.
    """

    shift: tuple[float, float]
    psf_width: float
    flux_ratio: float
    background: float
    diff: Plane = field(repr=False)
    scorr: Plane | None = field(repr=False)
    diff_change: Plane = field(repr=False)
    scorr_change: Plane | None = field(repr=False)
    chi2: float
    chi2_before: float


@dataclass(frozen=True)
class BestShift:
    """The move of the template that leaves least at a position.

    Parameters
    ----------
    dx, dy
        By which to move the template [px].
    dx_error, dy_error
        Standard errors [px].
    chi2, chi2_before
        Of D in the window, with and without the move.
    n_pixels
        In the window.
    """

    dx: float
    dy: float
    dx_error: float
    dy_error: float
    chi2: float
    chi2_before: float
    n_pixels: int


@dataclass(frozen=True, eq=False)
class _Answer:
    diff: Plane
    scorr: Plane | None
    chi2: float


@dataclass(frozen=True, eq=False)
class _Made:
    """Kernels of a changed pair, and their squares."""

    kernels: Kernels
    diff_squares: Squares
    score_squares: Squares

    @classmethod
    def of(cls, kernels: Kernels, shape: tuple[int, int]) -> _Made:
        def square(spectrum: Spectrum) -> SquaredKernel:
            return SquaredKernel(np.square(backward(spectrum.copy(), shape)), shape)

        return cls(
            kernels,
            (square(kernels.diff_n), square(kernels.diff_r)),
            (square(kernels.score_n), square(kernels.score_r)),
        )


def _moved(variance: VarianceSpectrum, phase: Spectrum) -> VarianceSpectrum:
    """The variance of an image that was moved."""
    if variance.excess is None:
        return variance
    return replace(variance, excess=variance.excess * phase.astype(variance.excess.dtype))


class Bench:
    """A cell made ready for many questions: its spectra are computed once.

    Parameters
    ----------
    plan, cell
        The subtraction and a cell of it that worked.

    Raises
    ------
    InputError
        If the cell has no result.
    """

    def __init__(self, plan: SubtractionPlan, cell: CellResult) -> None:
        if not cell.ok:
            raise InputError(
                f"cell {cell.cell.name} has no result ({cell.describe_failure()}): what-if needs a "
                "cell that worked"
            )
        self.cell = cell
        inputs = cell_inputs(plan, cell)
        assert inputs.science is not None
        assert inputs.template is not None
        self._pair: LocalPair = cell_pair(plan, cell, inputs)
        self._variances = (
            VarianceSpectrum.of(inputs.science.variance),
            VarianceSpectrum.of(inputs.template.variance),
        )
        self._terms = inputs.terms
        self._border = plan.border
        self._made: tuple[tuple[float, float], _Made] | None = None
        self._start = self._answer(Error(), 0.0)

    def what_if(
        self,
        *,
        shift: tuple[float, float] = (0.0, 0.0),
        psf_width: float = 0.0,
        flux_ratio: float = 1.0,
        background: float = 0.0,
    ) -> WhatIf:
        """See `what_if`."""
        self._check(shift, psf_width, flux_ratio, background)
        error = Error(shift[0], shift[1], flux_ratio - 1.0, psf_width)
        before, now = self._start, self._answer(error, background)
        scorr_change = None
        if now.scorr is not None and before.scorr is not None:
            scorr_change = now.scorr - before.scorr
        return WhatIf(
            shift=shift,
            psf_width=psf_width,
            flux_ratio=flux_ratio,
            background=background,
            diff=now.diff,
            scorr=now.scorr,
            diff_change=now.diff - before.diff,
            scorr_change=scorr_change,
            chi2=now.chi2,
            chi2_before=before.chi2,
        )

    def _answer(self, error: Error, background: float) -> _Answer:
        """D and Scorr over the region."""
        pair, cell = self._pair, self.cell
        made = self._made_for(error)
        k = made.kernels
        image_n, image_r = pair.spectra
        variances = self._variances
        if background:
            image_n = image_n.copy()
            image_n[0, 0] -= background * np.prod(pair.shape)
        if error.dx or error.dy:
            phase = pair.phase(error.dx, error.dy)
            image_r = image_r * phase.astype(image_r.dtype)
            variances = (variances[0], _moved(variances[1], phase))
        inside = pair.window.slices((pair.box.x0, pair.box.y0))
        flux_diff = k.weights.flux_diff
        diff = backward(proper_difference(image_n, image_r, k), pair.shape)[inside] / flux_diff
        variance = propagate(variances, made.diff_squares).plane(pair.shape)[inside]
        variance = variance / flux_diff**2
        good = np.isfinite(variance) & (variance > 0)
        chi2 = float(np.mean(diff[good] ** 2 / variance[good])) if good.any() else float("nan")
        if cell.score is None:
            return _Answer(diff, None, chi2)
        plane = backward(score(image_n, image_r, k), pair.shape)
        source = propagate(variances, made.score_squares).plane(pair.shape)
        terms: dict[str, Plane] = {}
        if self._terms.names:
            terms = term_planes(plane, backward(k.score_r * image_r, pair.shape), self._terms)
        total = total_variance(source, *terms.values())[inside]
        known = (cell.score != 0) & (total > 0)  # where pixels are missing S says nothing
        sigma = np.sqrt(np.where(known, total, 1.0))
        return _Answer(diff, np.where(known, plane[inside] / sigma, 0.0), chi2)

    def _made_for(self, error: Error) -> _Made:
        """Kernels; those of the last question if only shift or background changed since."""
        key = (error.flux, error.width_science)
        if self._made is None or self._made[0] != key:
            self._made = (key, _Made.of(self._pair.kernels(error), self._pair.shape))
        return self._made[1]

    def _check(
        self, shift: tuple[float, float], psf_width: float, flux_ratio: float, background: float
    ) -> None:
        most = max(_MOST_SHIFT * self._border, 1.0)
        steps = [real(step) for step in shift] if isinstance(shift, Iterable) else []
        if not (len(steps) == 2 and math.hypot(*steps) <= most):
            raise InputError(
                f"shift is {shown(shift)} px: (dx, dy) must be finite and at most {most:g} px, "
                "half the border; register the pair first"
            )
        if not abs(real(psf_width)) <= _MOST_WIDTH:
            raise InputError(
                f"psf_width is {shown(psf_width)}: a fraction of the width within ±{_MOST_WIDTH:g} "
                "is needed"
            )
        if not is_positive(flux_ratio):
            raise InputError(
                f"flux_ratio is {shown(flux_ratio)}: a positive factor is needed; 1 changes nothing"
            )
        if not np.isfinite(real(background)):
            raise InputError(f"background is {shown(background)}: a finite level is needed")


def what_if(
    plan: SubtractionPlan,
    cell: CellResult,
    *,
    shift: tuple[float, float] = (0.0, 0.0),
    psf_width: float = 0.0,
    flux_ratio: float = 1.0,
    background: float = 0.0,
) -> WhatIf:
    """D and Scorr of a cell if the pair were changed; for many questions keep a `Bench`.

    Parameters
    ----------
    plan, cell
        The subtraction and a cell of it that worked.
    shift
        Move the template by (dx, dy) [px]: the cure of a science image shifted by that much.
    psf_width
        Take the science PSF for (1 + this) times as wide as its model, the stamp with its pixels:
        below 3.3 px FWHM that is 4 to 12 % less than the error of an optical width.
    flux_ratio
        Multiply F_n/F_r by this.
    background
        Take this off every pixel of the science image [calibrated unit].

    Raises
    ------
    InputError
        If the cell has no result or a value makes no pair.
    """
    return Bench(plan, cell).what_if(
        shift=shift, psf_width=psf_width, flux_ratio=flux_ratio, background=background
    )


def best_shift(
    plan: SubtractionPlan, cell: CellResult, x: float, y: float, radius: float | None = None
) -> BestShift | None:
    """The move of the template after which D holds least around a position of a cell.

    Parameters
    ----------
    plan, cell
        The subtraction and one of its cells.
    x, y
        Position in the frame of the science image [px].
    radius
        Of the window [px]; 2.5 FWHM of the wider PSF by default.

    Returns
    -------
    best
        None if there is no light from which a shift could be told, or the cell failed.

    Raises
    ------
    InputError
        If the position is off the cell or the radius not usable.
    """
    if not cell.ok:
        return None
    window = residual_window(plan, cell, x, y, radius)
    fit = fit_residual(window, ("dx", "dy"))
    if fit is None:
        return None
    return BestShift(
        fit.values["dx"],
        fit.values["dy"],
        fit.errors["dx"],
        fit.errors["dy"],
        chi2=fit.chi2,
        chi2_before=window.chi2(window.pair.corrected(Error()).diff),
        n_pixels=window.n_pixels,
    )

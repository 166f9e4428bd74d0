"""Translient: the statistic of things that moved (Springer et al. 2024, AJ 167, 281).

A point source of flux α that lies at q in the template and at q+δ in the science image, |δ| small
against the PSF, leaves in D, which is white with unit variance,

    D̂ = α F_D P̂_D (e^{−2πi f·(q+δ)} − e^{−2πi f·q}) ≈ −2πi (f·αδ) F_D P̂_D e^{−2πi f·q}.

D is linear in the vector αδ, so its likelihood ratio against "nothing moved" is a quadratic form of
the two components of the matched filter

    ẑ = 2πi f F_D P̂_D* D̂ = 2πi f Ŝ,     that is   z = ∇S,

and maximising over length and direction of αδ gives, with C = Cov(z),

    Z² = zᵀ C⁻¹ z,       E[z] = C αδ  at q,        αδ = C⁻¹ z.

Where nothing changed Z² follows χ² with two degrees of freedom. C is propagated from the variance
planes as V_S is (eqs. 26, 27), with ∂k in place of k: C_jk = (∂_j k_n ∂_k k_n) ⊗ V_n + the same for
R; for uniform noise this is the mean over frequencies of 4π² f_j f_k F_D² |P̂_D|². Assumed are noise
that is white in both images, a motion below about half the PSF's width (beyond, S sees two
sources), and that the flux does not change.

A source that appears has its largest S² at its place, and there ∇S = 0; around it Z² reaches only
about 0.4 of that. A source that moved has its largest Z² at its place, where S = 0, and S² around
it reaches only 0.4 of that. The larger of the two tells which it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.fft
from scipy.special import chdtrc, ndtri

from zogy_explorer.diagnostics.asked import difference_of
from zogy_explorer.diagnostics.local_pair import Error, Plane, cell_inputs, cell_pair
from zogy_explorer.engine.cutout import CellImage
from zogy_explorer.engine.equations import Kernels, score
from zogy_explorer.engine.fourier import Spectrum, forward
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box

Derivatives = tuple[Spectrum, Spectrum]


@dataclass(frozen=True, eq=False)
class Translient:
    """Z² over a cell or a frame; 0 where a cell failed or pixels are missing.

    Parameters
    ----------
    z2
        Z², χ² of two degrees of freedom where nothing moved.
    s2
        Scorr², χ² of one where nothing changed.
    moment_x, moment_y
        αδ: flux times motion, science minus template [calibrated unit · px]; right where Z²
        peaks.
    box
        Pixels that the planes cover.
    """

    z2: Plane = field(repr=False)
    s2: Plane = field(repr=False)
    moment_x: Plane = field(repr=False)
    moment_y: Plane = field(repr=False)
    box: Box

    def significance(self) -> Plane:
        """Z² in σ of a Gaussian of the same chance probability, one-sided."""
        chance = np.clip(chdtrc(2, self.z2), 1e-300, None)
        return np.asarray(-ndtri(chance))

    def peaks_near(self, x: float, y: float, radius: float) -> tuple[float, float]:
        """Largest Z² and largest Scorr² within a radius [px] of a position.

        Raises
        ------
        InputError
            If no pixel lies there.
        """
        rows, columns = np.mgrid[self.box.y0 : self.box.end_y, self.box.x0 : self.box.end_x]
        near = np.hypot(columns - x, rows - y) <= radius
        if not near.any():
            raise InputError(
                f"position ({x:g}, {y:g}) is off the map, which is {self.box}: "
                "give a position on it"
            )
        return float(self.z2[near].max()), float(self.s2[near].max())

    def moved(self, x: float, y: float, radius: float) -> bool:
        """Whether motion explains what is around a position better than a change of flux does."""
        z2, s2 = self.peaks_near(x, y, radius)
        return z2 > s2


def translient(result: CellResult | Difference, plan: SubtractionPlan | None = None) -> Translient:
    """Z² of a cell, or of all cells of a difference.

    Parameters
    ----------
    result
        A cell that worked, or a finished subtraction.
    plan
        The cell's subtraction; a difference has its own.

    Raises
    ------
    InputError
        If a cell comes without its plan or has no result.
    """
    if not isinstance(result, CellResult):
        return _frame(difference_of(result))
    if plan is None:
        raise InputError(
            f"translient of cell {result.cell.name} needs its plan: call translient(cell, plan), "
            "or give the whole difference"
        )
    if not result.ok:
        raise InputError(
            f"cell {result.cell.name} has no result ({result.describe_failure()}): "
            "translient needs a cell that worked"
        )
    return _of_cell(plan, result)


def _frame(difference: Difference) -> Translient:
    box = difference.plan.bbox
    names = ("z2", "s2", "moment_x", "moment_y")
    planes = {name: np.zeros(box.shape) for name in names}
    for cell in difference.cells:
        if not cell.ok:
            continue
        part = _of_cell(difference.plan, cell)
        target = cell.cell.inner.slices((box.x0, box.y0))
        source = cell.cell.inner.slices((part.box.x0, part.box.y0))
        for name in names:
            planes[name][target] = getattr(part, name)[source]
    return Translient(box=box, **planes)


def _of_cell(plan: SubtractionPlan, cell: CellResult) -> Translient:
    inputs = cell_inputs(plan, cell)
    assert inputs.science is not None
    assert inputs.template is not None
    pair = cell_pair(plan, cell, inputs)
    k = pair.kernels(Error())
    by = _gradient(*pair.frequencies)
    spectrum = score(*pair.spectra, k)
    plane, zx, zy = (pair.in_window(s) for s in (spectrum, by[0] * spectrum, by[1] * spectrum))
    inside = pair.window.slices((pair.box.x0, pair.box.y0))
    images = (inputs.science, inputs.template)
    vs, vxx, vyy, vxy = (c[inside] for c in _covariance(k, images, by, pair.shape))
    determinant = vxx * vyy - vxy**2
    good = (determinant > 0) & (vs > 0)
    if inputs.missing is not None:
        good &= ~inputs.missing
    safe = np.where(good, determinant, 1.0)
    moment_x = np.where(good, (vyy * zx - vxy * zy) / safe, 0.0)
    moment_y = np.where(good, (vxx * zy - vxy * zx) / safe, 0.0)
    return Translient(
        z2=moment_x * zx + moment_y * zy,
        s2=np.where(good, plane**2 / np.where(good, vs, 1.0), 0.0),
        moment_x=moment_x,
        moment_y=moment_y,
        box=pair.window,
    )


def _gradient(fx: Plane, fy: Plane) -> Derivatives:
    """2πi f; 0 at the Nyquist frequency, where a real plane has no derivative."""
    along_x, along_y = (2j * np.pi * np.where(np.abs(f) < 0.5, f, 0.0) for f in (fx, fy))
    return along_x, along_y


def _covariance(
    k: Kernels, images: tuple[CellImage, CellImage], by: Derivatives, shape: tuple[int, int]
) -> tuple[Plane, Plane, Plane, Plane]:
    """V_S, and C_xx, C_yy, C_xy of ∇S, over the padded cell."""
    total = [np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1)]
    for kernel, image in zip((k.score_n, k.score_r), images, strict=True):
        variance = forward(image.variance)
        plain, along_x, along_y = (
            scipy.fft.irfft2(spectrum, s=shape)
            for spectrum in (kernel, by[0] * kernel, by[1] * kernel)
        )
        products = (plain**2, along_x**2, along_y**2, along_x * along_y)
        total = [
            sum_ + scipy.fft.irfft2(variance * forward(product), s=shape)
            for sum_, product in zip(total, products, strict=True)
        ]
    return total[0], total[1], total[2], total[3]

"""Both images around one position, and what D would be there if the pair were corrected.

A pair whose registration, flux ratio or PSF model is off by θ obeys

    N̂ = H_n T̂,  R̂ = H_r T̂ (plus noise),   H_n = (1+φ) F_n P_n,  H_r = F_r P_r e^{2πi f·d}

for the sky T seen in the frame of the science image, so

    D̂_θ = (H_r N̂ − H_n R̂) / √(σn²|H_r|² + σr²|H_n|²)                                      (eq. 13)

is white of unit variance at the true θ and carries no trace of T. Its sum of squares over a window
is therefore χ²(θ), whatever T is. The best estimate of T is the proper coadd (Zackay & Ofek 2017)

    T̂_θ = (H_n* N̂/σn² + H_r* R̂/σr²) / W,    W = |H_n|²/σn² + |H_r|²/σr²,

and E[D̂_θ T̂_θ*] = 0: noise in T and noise in D do not correlate. That is why the derivatives of D_θ
are made from T rather than from N or R alone, whose noise is that of D itself and would be "fitted"
even where there is nothing: D ≈ −d·∇M + φ M + ε M_width, with M = F_D P_D ⊗ T.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from zogy_explorer.engine.cutout import CellInput, cut_cell
from zogy_explorer.engine.equations import Kernels, Weights, kernels, proper_difference
from zogy_explorer.engine.fourier import Spectrum, forward, stamp_spectrum
from zogy_explorer.engine.grid import padded_length
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.geometry import Box

Plane = NDArray[np.floating]

SKY_PARAMETERS = ("dx", "dy", "flux", "width_science", "width_template")
"""θ: shift of science minus template [px], φ, and the fractional errors of the PSF widths."""

_LEAST_POWER = 1e-4  # of W: frequencies with less say nothing of T but bring its noise
_WIDTH_STEP = 1e-3
_WHOLE_CELL = 2**17  # [px] of a cell that is small enough to be looked at as a whole
_MOST_BEYOND = 0.01  # of the squares of D's kernels beyond the border
_REACHES = 3.0  # of the kernels, which hold all but 1e-4 of their squares within one


@dataclass(frozen=True)
class Error:
    """θ: what is wrong with a pair; zero if nothing is.

    Parameters
    ----------
    dx, dy
        Position in the science image minus position in the template [px].
    flux
        φ: the science image has (1+φ) times the assumed flux ratio.
    width_science, width_template
        The true PSF is (1+ε) times as wide as its model.
    """

    dx: float = 0.0
    dy: float = 0.0
    flux: float = 0.0
    width_science: float = 0.0
    width_template: float = 0.0

    def plus(self, steps: dict[str, float]) -> Error:
        """With steps added to some of the parameters."""
        return replace(self, **{name: getattr(self, name) + step for name, step in steps.items()})


@dataclass(frozen=True, eq=False)
class Corrected:
    """D_θ and its derivatives for one θ.

    Parameters
    ----------
    diff
        D_θ in its white unit, over the window.
    kernels
        Spectra of the corrected kernels.
    sky
        T̂, tapered where neither image has power.
    sky_noise
        Power of the noise of T̂ over that of one pixel of unit variance.
    multipliers
        Of T̂, for each θ that was asked for: the spectra of ∂D/∂θ as the error grows.
    """

    diff: Plane
    kernels: Kernels
    sky: Spectrum
    sky_noise: Plane
    multipliers: dict[str, Spectrum]


@dataclass(frozen=True, eq=False)
class LocalPair:
    """Spectra of N and R in a box around a position; the window is what is looked at.

    Parameters
    ----------
    spectra
        Of N and R over the box.
    stamps
        PSFs of the cell.
    weights, floor
        σ², F and ε of the cell.
    box
        Pixels transformed: the window and a border as wide as the kernels reach.
    window
        Pixels of the frame that are looked at.
    """

    spectra: tuple[Spectrum, Spectrum]
    stamps: tuple[Plane, Plane]
    weights: Weights
    floor: float
    box: Box
    window: Box

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the box."""
        return self.box.shape

    @property
    def frequencies(self) -> tuple[Plane, Plane]:
        """f_x (1, nx // 2 + 1) and f_y (ny, 1) [cycles/px]."""
        ny, nx = self.shape
        return np.fft.rfftfreq(nx)[None, :], np.fft.fftfreq(ny)[:, None]

    def in_window(self, spectrum: Spectrum) -> Plane:
        """Pixels of the window of a spectrum over the box."""
        plane = scipy.fft.irfft2(spectrum, s=self.shape)
        return plane[self.window.slices((self.box.x0, self.box.y0))]

    def phase(self, dx: float, dy: float) -> Spectrum:
        """By which a spectrum is multiplied to move its plane by (dx, dy) [px]."""
        fx, fy = self.frequencies
        return np.exp(-2j * np.pi * fx * dx) * np.exp(-2j * np.pi * fy * dy)

    def kernels(self, error: Error) -> Kernels:
        """Kernels of the pair with its flux ratio and PSF widths corrected."""
        if error.flux == error.width_science == error.width_template == 0:
            return self._kernels
        return self._kernels_of(self._psfs_of(error), error.flux)

    @cached_property
    def _kernels(self) -> Kernels:
        return self._kernels_of(self._psfs, 0.0)

    def _kernels_of(self, psfs: tuple[Spectrum, Spectrum], flux: float) -> Kernels:
        dtype = self.spectra[0].dtype
        psf_n, psf_r = (psf.astype(dtype, copy=False) for psf in psfs)
        weights = replace(self.weights, flux_n=self.weights.flux_n * (1 + flux))
        return kernels(psf_n, psf_r, weights, self.floor)

    def corrected(self, error: Error, parameters: Sequence[str] = ()) -> Corrected:
        """D_θ and its derivatives by some of the parameters."""
        w = self.weights
        flux_n, flux_r = w.flux_n * (1 + error.flux), w.flux_r
        psf_n, psf_r = psfs = self._psfs_of(error)
        unchanged = error.flux == error.width_science == error.width_template == 0
        k = self._kernels if unchanged else self._kernels_of(psfs, error.flux)
        image_n = self.spectra[0]
        image_r = self.spectra[1] * self.phase(error.dx, error.dy)
        diff = self.in_window(proper_difference(image_n, image_r, k))
        power = np.abs(flux_n * psf_n) ** 2 / w.variance_n
        power += np.abs(flux_r * psf_r) ** 2 / w.variance_r
        kept = power + _LEAST_POWER * power.max()
        coadd = flux_n * psf_n.conj() * image_n / w.variance_n
        coadd += flux_r * psf_r.conj() * image_r / w.variance_r
        light = k.weights.flux_diff * k.psf_diff
        fx, fy = self.frequencies
        derivatives: dict[str, Callable[[], Spectrum]] = {
            "dx": lambda: -2j * np.pi * fx * light,
            "dy": lambda: -2j * np.pi * fy * light,
            "flux": lambda: light / (1 + error.flux),
            "width_science": lambda: k.diff_n * flux_n * self._widening(0, error.width_science),
            "width_template": lambda: -k.diff_r * flux_r * self._widening(1, error.width_template),
        }
        return Corrected(
            diff=diff,
            kernels=k,
            sky=coadd / kept,
            sky_noise=power / kept**2,
            multipliers={name: derivatives[name]() for name in parameters},
        )

    @cached_property
    def _psfs(self) -> tuple[Spectrum, Spectrum]:
        """Spectra of both PSFs as they are."""
        first, second = (stamp_spectrum(stamp, self.shape) for stamp in self.stamps)
        return first, second

    def _psfs_of(self, error: Error) -> tuple[Spectrum, Spectrum]:
        return (
            self._stretched(0, error.width_science),
            self._stretched(1, error.width_template),
        )

    def _stretched(self, which: int, width: float) -> Spectrum:
        """Spectrum of a PSF made (1+width) times as wide: P̂((1+width) f), summed exactly."""
        if width == 0:
            return self._psfs[which]
        stamp = self.stamps[which]
        fx, fy = (np.clip((1 + width) * f.ravel(), -0.5, 0.5) for f in self.frequencies)
        h, n = stamp.shape
        rows = np.exp(-2j * np.pi * np.outer(fy, np.arange(h) - h // 2))
        columns = np.exp(-2j * np.pi * np.outer(np.arange(n) - n // 2, fx))
        return np.asarray(rows @ stamp @ columns, dtype=np.complex128)

    def _widening(self, which: int, width: float) -> Spectrum:
        """∂P̂/∂ε; for a Gaussian σ² ∇²P."""
        wider = self._stretched(which, width + _WIDTH_STEP)
        return (wider - self._stretched(which, width - _WIDTH_STEP)) / (2 * _WIDTH_STEP)


def cell_inputs(plan: SubtractionPlan, cell: CellResult) -> CellInput:
    """What a cell that worked was made from: padded planes, their variances, missing pixels."""
    return cut_cell(plan, cell.cell)


def cell_pair(
    plan: SubtractionPlan, cell: CellResult, inputs: CellInput | None = None
) -> LocalPair:
    """Both images of a whole cell, padding included, in the cell's own precision.

    Parameters
    ----------
    plan, cell
        The subtraction and a cell of it that worked.
    inputs
        From `cell_inputs`, if they are at hand.
    """
    inputs = cell_inputs(plan, cell) if inputs is None else inputs
    assert inputs.science is not None
    assert inputs.template is not None
    images = (inputs.science.image, inputs.template.image)
    return _assembled(cell, images, cell.cell.outer, cell.region)


def local_pair(plan: SubtractionPlan, cell: CellResult, window: Box) -> LocalPair:
    """Both images around a window of the frame, with the PSFs, σ and F of a cell.

    Parameters
    ----------
    plan, cell
        The subtraction and a cell that worked.
    window
        Pixels to look at; within the frame.
    """
    assert cell.psf_science is not None
    assert cell.psf_template is not None
    stamps = (cell.psf_science, cell.psf_template)
    border = _border(plan, cell, stamps)
    box = _with_border(window, border)
    if plan.bbox.contains(box):
        inside = box.slices((plan.bbox.x0, plan.bbox.y0))
        images = (plan.science.image[inside], plan.template.image[inside])
    else:  # at the frame's edge: the very padding that the cell had
        inputs = cut_cell(plan, cell.cell)
        assert inputs.science is not None
        assert inputs.template is not None
        outer = cell.cell.outer
        common = box.intersection(outer)
        assert common is not None
        # A border set to next to nothing leaves no room for the stamps: then the whole cell.
        fits = all(
            a >= b for stamp in stamps for a, b in zip(common.shape, stamp.shape, strict=True)
        )
        box = common if fits else outer
        inside = box.slices((outer.x0, outer.y0))
        images = (inputs.science.image[inside], inputs.template.image[inside])
    seen = window.intersection(box)
    assert seen is not None
    pair = _assembled(cell, (images[0].astype(float), images[1].astype(float)), box, seen)
    outer = cell.cell.outer
    if outer.area <= _WHOLE_CELL and outer != box and _reaches_beyond(pair, border):
        return replace(cell_pair(plan, cell), window=seen)
    return pair


def _reaches_beyond(pair: LocalPair, border: int) -> bool:
    """Whether the kernels of D do not end within the border (noisy stamps without a floor).

    They then depend on the size of the plane on which they are made.
    """
    kernels = pair.kernels(Error())
    for spectrum in (kernels.diff_n, kernels.diff_r):
        square = scipy.fft.irfft2(spectrum, s=pair.shape) ** 2
        inner = scipy.fft.fftshift(square)
        cut = tuple(slice(max(n // 2 - border, 0), n // 2 + border + 1) for n in inner.shape)
        if inner[cut].sum() < (1 - _MOST_BEYOND) * square.sum():
            return True
    return False


def _assembled(cell: CellResult, images: tuple[Plane, Plane], box: Box, window: Box) -> LocalPair:
    assert cell.psf_science is not None
    assert cell.psf_template is not None
    return LocalPair(
        spectra=(forward(images[0]), forward(images[1])),
        stamps=(cell.psf_science, cell.psf_template),
        weights=Weights(
            cell.sigma_science**2, cell.sigma_template**2, cell.flux_science, cell.flux_template
        ),
        floor=cell.frequency_floor,
        box=box,
        window=window,
    )


def _border(plan: SubtractionPlan, cell: CellResult, stamps: tuple[Plane, Plane]) -> int:
    """Border [px]: the kernels' reach with room to spare, within the cell's own border."""
    largest = max(side for stamp in stamps for side in stamp.shape)
    if not np.isfinite(cell.kernel_reach):
        return max(plan.border, largest)
    reach = int(np.ceil(_REACHES * cell.kernel_reach))
    return max(min(reach, max(plan.border, largest)), largest // 2 + 1)


def _with_border(window: Box, border: int) -> Box:
    width, height = (padded_length(side + 2 * border, "fast") for side in window.shape[::-1])
    left, bottom = (width - window.width) // 2, (height - window.height) // 2
    return Box(window.x0 - left, window.y0 - bottom, width, height)

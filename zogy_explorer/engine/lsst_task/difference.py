"""`calculateFourierDiffim` and back: from spectra of a cell to spectra of D and S, to planes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.fft

from zogy_explorer.engine.cell import cell_job, cell_planes, cell_weights
from zogy_explorer.engine.cutout import CellImage, CellInput
from zogy_explorer.engine.equations import Kernels, Weights, kernels, proper_difference, score
from zogy_explorer.engine.floor import automatic_floor
from zogy_explorer.engine.fourier import Plane, Spectrum, backward, forward
from zogy_explorer.engine.lsst_task.spectra import (
    FullSpectrum,
    full_from_half,
    image_half,
    origin_of,
    plane_of_full,
)
from zogy_explorer.engine.lsst_task.struct import Struct
from zogy_explorer.engine.noise_terms import term_planes
from zogy_explorer.engine.plan import Settings
from zogy_explorer.engine.planes import CellPlanes
from zogy_explorer.engine.transfer import CompactKernels, Transfer, TransferCache, cell_transfer
from zogy_explorer.engine.variance import SquaredKernel, Squares, VarianceSpectrum, propagate
from zogy_explorer.errors import ShapeMismatchError

Half = tuple[Any, Any, Any]
"""Full spectra of PSF, image and variance plane of one image."""


def weights(flux_scales: tuple[float, float], variances: tuple[float, float]) -> Weights:
    """Noise and flux scales of science and template."""
    return Weights(
        float(variances[0]), float(variances[1]), float(flux_scales[0]), float(flux_scales[1])
    )


def fourier_difference(
    images: tuple[Half, Half],
    w: Weights,
    settings: Settings,
    inputs: CellInput | None,
    cache: TransferCache,
    calculate_score: bool,
) -> Struct:
    """Struct of `ZogyTask.calculateFourierDiffim`.

    Parameters
    ----------
    images
        Full spectra of science and template.
    w
        Their noise and flux scales.
    inputs
        The cell prepared last; where the spectra are its own, its planes are those of `run`.
    """
    shapes = {np.shape(array) for image in images for array in image}
    if len(shapes) > 1:
        raise ShapeMismatchError(
            f"the spectra have shapes {sorted(shapes)}: all six must share one frequency plane"
        )
    origins: list[Any] = [
        origin_of(array, kind)
        for image in images
        for array, kind in zip(image, (CellImage, np.ndarray, VarianceSpectrum), strict=True)
    ]
    if any(origin is None for origin in origins):
        return _of_any(images, w, settings, calculate_score)
    science, spectrum_n, variance_n, template, spectrum_r, variance_r = origins
    shape = images[0][0].shape
    transfer = cell_transfer(science, template, w, settings, shape, cache)
    k, compact = transfer.kernels, transfer.compact
    variances = (variance_n, variance_r)
    planes = None
    prepared = (None, None) if inputs is None else (inputs.science, inputs.template)
    own = prepared == (science, template) and w == cell_weights(science, template, settings)
    if own and inputs is not None:
        job = cell_job(inputs, calculate_score)
        planes, transfer = cell_planes(inputs, science, template, job, cache)

    def image(half: Spectrum) -> FullSpectrum:
        full = full_from_half(image_half(half, shape), shape[1])
        return FullSpectrum.of(full, half if planes is None else planes)

    def variance(squares: Squares) -> FullSpectrum:
        return full_variance(propagate(variances, squares), shape, planes)

    def psf(half: Spectrum | Plane) -> FullSpectrum:
        return FullSpectrum.of(full_from_half(half.astype(k.psf_diff.dtype), shape[1]), compact)

    result = Struct(
        Fd=w.flux_diff,
        D=image(proper_difference(spectrum_n, spectrum_r, k)),
        varPlaneD=variance(compact.diff_squares),
        Pd=psf(k.psf_diff),
        S=None,
        varPlaneS=None,
        Ps=None,
        transfer=transfer,
    )
    if calculate_score:
        result.S = image(score(spectrum_n, spectrum_r, k))
        result.varPlaneS = variance(compact.score_squares)
        result.Ps = psf(k.psf_score)
    return result


def full_variance(
    variance: VarianceSpectrum, shape: tuple[int, int], planes: CellPlanes | None = None
) -> FullSpectrum:
    """Full spectrum of a variance plane, remembering its parts or the ``planes`` of its cell."""
    dtype = np.result_type(variance.dtype, np.complex64)
    if variance.excess is None:
        full = np.zeros(shape, dtype=dtype)
    else:
        full = full_from_half(image_half(variance.excess, shape), shape[1])
    full[0, 0] += variance.common * shape[0] * shape[1]
    return FullSpectrum.of(full, variance if planes is None else planes)


def planes_and_transfer(
    ftDiff: Struct, inputs: CellInput, with_score: bool
) -> tuple[CellPlanes, Transfer]:
    """D and S over the region of a cell, and the kernels that made them, from their spectra."""
    outer = inputs.cell.outer
    if np.shape(ftDiff.D) != outer.shape:
        raise ShapeMismatchError(
            f"ftDiff.D has shape {np.shape(ftDiff.D)} but the cell prepared last {outer.shape}: "
            "paste each cell before the next one is prepared"
        )
    inside = inputs.region.slices((outer.x0, outer.y0))

    def plane(spectrum: Any, name: str) -> Plane:
        origin = origin_of(spectrum, (np.ndarray, VarianceSpectrum, CellPlanes))
        if isinstance(origin, CellPlanes):
            return np.array(getattr(origin, name))
        return np.ascontiguousarray(_whole_plane(spectrum, origin, outer.shape)[inside])

    diff = plane(ftDiff.D, "diff")
    planes = CellPlanes(
        diff,
        plane(ftDiff.varPlaneD, "diff_variance"),
        plane(ftDiff.S, "score") if with_score else None,
        plane(ftDiff.varPlaneS, "score_variance") if with_score else None,
        np.empty_like(diff) if with_score else None,
        **(_noise_terms(ftDiff, inputs) if with_score else {}),
    )
    return planes, _transfer_of(ftDiff)


def _whole_plane(spectrum: Any, origin: Any, shape: tuple[int, int]) -> Plane:
    """Plane of a spectrum, from the ``origin`` that it was made from if there is one."""
    if isinstance(origin, VarianceSpectrum):
        excess = origin.excess
        return replace(origin, excess=None if excess is None else excess.copy()).plane(shape)
    if origin is not None:
        return backward(origin.copy(), shape)
    return plane_of_full(np.asarray(spectrum))


def _noise_terms(ftDiff: Struct, inputs: CellInput) -> dict[str, Plane]:
    """Variances of the noise terms over the region; with the template as the cell has it."""
    transfer = getattr(ftDiff, "transfer", None)
    if not inputs.terms.names or inputs.template is None or transfer is None:
        return {}
    origin = origin_of(ftDiff.S, (np.ndarray, CellPlanes))
    if isinstance(origin, CellPlanes):
        return {name: np.array(getattr(origin, name)) for name in inputs.terms.names}
    outer = inputs.cell.outer
    inside = inputs.region.slices((outer.x0, outer.y0))
    score_plane = _whole_plane(ftDiff.S, origin, outer.shape)
    score_r = backward(transfer.kernels.score_r * forward(inputs.template.image), outer.shape)
    whole = term_planes(score_plane, score_r, inputs.terms)
    return {name: np.ascontiguousarray(plane[inside]) for name, plane in whole.items()}


def _of_any(
    images: tuple[Half, Half], w: Weights, settings: Settings, calculate_score: bool
) -> Struct:
    """The same from any full spectra, frequency by frequency."""
    (psf_n, image_n, variance_n), (psf_r, image_r, variance_r) = (
        [np.asarray(array, dtype=np.result_type(array, np.complex64)) for array in image]
        for image in images
    )
    shape = psf_n.shape
    nh = shape[1] // 2 + 1
    floor = settings.frequencyFloor
    if floor is None:
        planes = (np.fft.fftshift(scipy.fft.ifft2(psf).real) for psf in (psf_n, psf_r))
        floor = automatic_floor(*planes)
    k = kernels(psf_n, psf_r, w, floor)
    diff_n, diff_r, score_n, score_r = (
        SquaredKernel(np.square(scipy.fft.ifft2(kernel).real), shape)
        for kernel in (k.diff_n, k.diff_r, k.score_n, k.score_r)
    )
    half = replace(k, score_power=np.ascontiguousarray(k.score_power[:, :nh]))
    compact = CompactKernels(
        diff_n,
        diff_r,
        score_n,
        score_r,
        psf_diff=scipy.fft.ifft2(k.psf_diff).real,
        psf_score=scipy.fft.ifft2(k.psf_score).real,
    )

    def variance(squares: Squares) -> Spectrum:
        square_n, square_r = (scipy.fft.fft2(square.pixels) for square in squares)
        return square_n * variance_n + square_r * variance_r

    result = Struct(
        Fd=w.flux_diff,
        D=proper_difference(image_n, image_r, k),
        varPlaneD=variance(compact.diff_squares),
        Pd=k.psf_diff,
        S=None,
        varPlaneS=None,
        Ps=None,
        transfer=Transfer(half, compact, shape),
    )
    if calculate_score:
        result.S = score(image_n, image_r, k)
        result.varPlaneS = variance(compact.score_squares)
        result.Ps = k.psf_score.astype(k.psf_diff.dtype)
    return result


def _transfer_of(ftDiff: Struct) -> Transfer:
    """Kernels that come with ``ftDiff``, with the PSFs that it names now."""
    shape = np.shape(ftDiff.D)
    transfer = getattr(ftDiff, "transfer", None)
    if transfer is None:  # somebody's own struct: nothing is known of its kernels
        nothing = np.zeros(shape)
        none = SquaredKernel(nothing, shape)
        nowhere = np.zeros(shape, dtype=complex)
        transfer = Transfer(
            Kernels(
                nowhere,
                nowhere,
                nowhere,
                nowhere,
                nowhere,
                score_power=np.full((shape[0], shape[1] // 2 + 1), np.nan),
                weights=Weights(float(ftDiff.Fd) ** -2, 0.0),
                floor=0.0,
            ),
            CompactKernels(none, none, none, none, nothing, nothing),
            shape,
        )
    psfs = {
        name: scipy.fft.ifft2(np.asarray(spectrum)).real
        for name, spectrum in (("psf_diff", ftDiff.Pd), ("psf_score", ftDiff.Ps))
        if spectrum is not None and origin_of(spectrum, CompactKernels) is None
    }
    return replace(transfer, compact=replace(transfer.compact, **psfs)) if psfs else transfer

"""`subtract_cell`: the subtraction of one cell, and nothing but that.

The unit of batch work, of live tuning and of diagnosis: pure, thread-safe, and without
exceptions for bad data, which becomes flags.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.cutout import CellImage, CellInput, Checkpoint, cut_cell
from zogy_explorer.engine.equations import Kernels, Weights, kernels, proper_difference, score
from zogy_explorer.engine.flags import SEVERITIES, Flag, raise_flag
from zogy_explorer.engine.floor import automatic_floor
from zogy_explorer.engine.fourier import (
    backward,
    forward,
    full_plane_sum,
    pad_center_origin,
    Spectrum,
    squared_kernel,
    stamp_spectrum,
)
from zogy_explorer.engine.grid import Cell, padded_length
from zogy_explorer.engine.growth import grow_bits, kernel_radius
from zogy_explorer.engine.moments import centroid
from zogy_explorer.engine.noise import check_noise, noise_flags
from zogy_explorer.engine.plan import Settings, SubtractionPlan
from zogy_explorer.engine.result import CellResult, Plane
from zogy_explorer.errors import CancelledError
from zogy_explorer.version import __version__

_REACH_SHARE = 1e-4  # of the squared kernels of S that may lie beyond the border
_LOST_FLUX = 0.01  # share of P_D or P_S outside its stamp that deserves a flag


def subtract_cell(
    plan: SubtractionPlan,
    cell: Cell,
    *,
    calculate_score: bool = True,
    checkpoint: Checkpoint | None = None,
) -> CellResult:
    """D, S, Scorr, their variances and PSFs in one cell.

    Parameters
    ----------
    plan, cell
        The subtraction and one of its cells.
    calculate_score
        Whether S and Scorr are wanted.
    checkpoint
        Called between Fourier transforms; may raise `CancelledError`.

    Returns
    -------
    result
        Never raises for bad data: see ``result.flags``.
    """
    return compute_cell(
        cut_cell(plan, cell), calculate_score=calculate_score, checkpoint=checkpoint
    )


def compute_cell(
    inputs: CellInput, *, calculate_score: bool = True, checkpoint: Checkpoint | None = None
) -> CellResult:
    """The same from a cut-out, which can travel to another process."""
    start = time.perf_counter()
    result = _described(inputs)
    if result.worst != "failed" and inputs.science is not None and inputs.template is not None:
        try:
            result = _computed(
                result, inputs, inputs.science, inputs.template, calculate_score, checkpoint
            )
        except CancelledError:
            raise
        except Exception as error:  # one bad cell must not take the others with it
            cause = f"{type(error).__name__}: {error}"
            result = replace(result, flags=(raise_flag("CELL_ERROR", cause), *result.flags))
    timings = {**result.timings, "total": time.perf_counter() - start}
    return replace(result, timings=timings, flags=_by_severity(result.flags))


def _described(inputs: CellInput) -> CellResult:
    """What is known before any transform: PSFs, centroids, σ."""
    config = inputs.settings
    psf_n, psf_r = inputs.stamps
    nowhere = (np.nan, np.nan)
    centre_n = centroid(psf_n, config.centroidOrigin) if psf_n is not None else nowhere
    centre_r = centroid(psf_r, config.centroidOrigin) if psf_r is not None else nowhere
    distance = float(np.hypot(centre_n[0] - centre_r[0], centre_n[1] - centre_r[1]))
    flags = inputs.flags
    if distance > config.maxPsfCentroidDist:
        cause = (
            f"the PSF centroids are {distance:.3f} px apart, "
            f"maxPsfCentroidDist allows {config.maxPsfCentroidDist:g} px"
        )
        flags = (raise_flag("CENTROID_DISTANCE", cause), *flags)
    result = CellResult(
        cell=inputs.cell,
        region=inputs.region,
        flags=flags,
        psf_science=psf_n,
        psf_template=psf_r,
        centroid_science=centre_n,
        centroid_template=centre_r,
        centroid_distance=distance,
        config_hash=config.config_hash,
        version=__version__,
    )
    if inputs.science is None or inputs.template is None:
        return result
    weights = cell_weights(inputs.science, inputs.template, config)
    return replace(
        result,
        sigma_science=float(np.sqrt(weights.variance_n)),
        sigma_template=float(np.sqrt(weights.variance_r)),
        flux_science=weights.flux_n,
        flux_template=weights.flux_r,
        flux_diff=weights.flux_diff,
    )


def cell_weights(science: CellImage, template: CellImage, config: Settings) -> Weights:
    """σ² and F of both images of a cell."""
    flux_n, flux_r = flux_scales(config)
    return Weights(science.background_variance, template.background_variance, flux_n, flux_r)


def flux_scales(config: Settings) -> tuple[float, float]:
    """F_n, F_r: 1 for calibrated images, else the configured scalings."""
    if config.scaleByCalibration:
        return (1.0, 1.0)
    scalings = (config.scienceFluxScaling, config.templateFluxScaling)
    return scalings[::-1] if config.swapFluxScaling else scalings


def _computed(
    result: CellResult,
    inputs: CellInput,
    science: CellImage,
    template: CellImage,
    calculate_score: bool,
    checkpoint: Checkpoint | None,
) -> CellResult:
    def pause() -> None:
        if checkpoint is not None:
            checkpoint()

    config = inputs.settings
    shape = inputs.cell.outer.shape
    inside = inputs.region.slices((inputs.cell.outer.x0, inputs.cell.outer.y0))
    weights = cell_weights(science, template, config)
    pause()
    full, compact = cell_kernels(science, template, weights, config, shape)
    pause()
    image_n = forward(science.image)
    pause()
    image_r = forward(template.image)
    pause()
    spectrum = proper_difference(image_n, image_r, full)
    flux_diff = weights.flux_diff
    diff = backward(spectrum, shape)[inside] / diff_type(science, flux_diff)
    pause()
    variances = _VariancePropagation(science.variance, template.variance, shape)
    diff_variance = variances.of(compact.square_diff_n, compact.square_diff_r)[inside]
    diff_variance = diff_variance / diff_type(science, flux_diff**2)
    pause()
    planes: dict[str, Plane | None] = {"diff": diff, "diff_variance": diff_variance}
    squares = [compact.square_diff_n, compact.square_diff_r]
    if calculate_score:
        score_plane = np.ascontiguousarray(backward(score(image_n, image_r, full), shape)[inside])
        pause()
        score_variance = np.ascontiguousarray(
            variances.of(compact.square_score_n, compact.square_score_r)[inside]
        )
        squares += [compact.square_score_n, compact.square_score_r]
        unknown = inputs.missing | ~(score_variance > np.finfo(score_variance.dtype).tiny)
        score_plane[unknown] = 0
        score_variance[unknown] = 1
        planes |= {
            "score": score_plane,
            "score_variance": score_variance,
            "scorr": score_plane / np.sqrt(score_variance),
        }
    psf_shape = _published_shape(science.stamp.shape, template.stamp.shape, config)
    psf_diff, diff_sum = _cut_psf(compact.psf_diff, psf_shape)
    psf_score, score_sum = _cut_psf(compact.psf_score, psf_shape)
    reach = kernel_radius([compact.square_score_n, compact.square_score_r], _REACH_SHARE)
    growth = kernel_radius(squares, config.growMask) if config.growMask > 0 else 0.0
    mask = grow_bits(inputs.mask, inputs.growing_bits, growth)
    mask = mask[inputs.region.slices((inputs.seen.x0, inputs.seen.y0))]
    noise = check_noise(
        diff,
        diff_variance,
        planes.get("score"),
        planes.get("score_variance"),
        planes.get("scorr"),
        inputs.quiet & ((mask & inputs.growing_bits) == 0),
        psf_score,
    )
    flags = [*result.flags, *noise_flags(noise), *_psf_flags(diff_sum, score_sum)]
    if reach > inputs.border:
        cause = f"the kernels of S reach {reach:.0f} px, the border is {inputs.border} px"
        flags.append(raise_flag("BORDER_SHORT", cause))
    if full.floor > 0:
        flags.append(raise_flag("FREQUENCY_FLOOR", f"the floor is {full.floor:.2g} of the flux"))
    return replace(
        result,
        **planes,
        mask=np.ascontiguousarray(mask),
        flags=tuple(flags),
        psf_diff=psf_diff,
        psf_score=psf_score,
        psf_diff_sum=diff_sum,
        psf_score_sum=score_sum,
        flux_score=full.flux_score(full_plane_sum(full.score_power, shape[1]) / np.prod(shape)),
        noise=noise,
        kernel_reach=reach,
        frequency_floor=full.floor,
    )


@dataclass(frozen=True, eq=False)
class CompactKernels:
    """Pixel-space results of the PSFs alone, origin at index 0, on a plane of ``shape``."""

    square_diff_n: Plane
    square_diff_r: Plane
    square_score_n: Plane
    square_score_r: Plane
    psf_diff: Plane
    psf_score: Plane


def cell_kernels(
    science: CellImage,
    template: CellImage,
    weights: Weights,
    config: Settings,
    shape: tuple[int, int],
) -> tuple[Kernels, CompactKernels]:
    """Kernels on the plane of the cell, and their squares and PSFs in pixel space.

    The latter are compact, so they are made on a plane just large enough for them; the LSST
    preset uses the plane of the cell.
    """
    dtype = science.image.dtype
    stamps = [science.stamp, template.stamp]
    small = _compact_shape(stamps, shape, config)
    spectra = [_psf_spectrum(stamp, small, dtype) for stamp in stamps]
    floor = config.frequencyFloor
    if floor is None:
        floor = automatic_floor(spectra[0], spectra[1], small)
    near = kernels(spectra[0], spectra[1], weights, floor)
    full = near
    if small != shape:
        psf_n, psf_r = (_psf_spectrum(stamp, shape, dtype) for stamp in stamps)
        full = kernels(psf_n, psf_r, weights, floor)
    compact = CompactKernels(
        square_diff_n=squared_kernel(near.diff_n, small),
        square_diff_r=squared_kernel(near.diff_r, small),
        square_score_n=squared_kernel(near.score_n, small),
        square_score_r=squared_kernel(near.score_r, small),
        psf_diff=backward(near.psf_diff.copy(), small),
        psf_score=backward(near.psf_score.astype(near.psf_diff.dtype), small),
    )
    return full, compact


def _psf_spectrum(stamp: Plane, shape: tuple[int, int], dtype: np.dtype) -> Spectrum:
    """Spectrum in the cell's precision, transformed in double.

    D divides by |P|, so small |P| must be right to a *relative* precision, which rounding the
    finished spectrum keeps and a transform in single precision would not.
    """
    spectrum = stamp_spectrum(stamp, shape)
    return spectrum.astype(np.result_type(dtype, np.complex64), copy=False)


class _VariancePropagation:
    """c_n² ⊗ V_n + c_r² ⊗ V_r (eqs. 26, 27) for several kernels, transforming V once."""

    def __init__(self, variance_n: Plane, variance_r: Plane, shape: tuple[int, int]) -> None:
        self.shape = shape
        # What all pixels share needs no transform, and the rest keeps more of its precision.
        self.common = (float(variance_n.min()), float(variance_r.min()))
        self.spectra = tuple(
            forward(plane - plane.dtype.type(least)) if plane.max() > least else None
            for plane, least in zip((variance_n, variance_r), self.common, strict=True)
        )
        self.dtype = variance_n.dtype

    def of(self, square_n: Plane, square_r: Plane) -> Plane:
        """Variance plane (ny, nx) of the cell for squared kernels with origin at index 0."""
        total = 0.0
        spectrum = None
        for square, least, transformed in zip(
            (square_n, square_r), self.common, self.spectra, strict=True
        ):
            total += least * float(square.sum(dtype=np.float64))
            if transformed is None:
                continue
            part = stamp_spectrum(np.fft.fftshift(square), self.shape)
            part *= transformed
            spectrum = part if spectrum is None else spectrum + part
        if spectrum is None:
            return np.full(self.shape, total, dtype=self.dtype)
        varying = backward(spectrum, self.shape)
        # Kernel² and V are positive: below zero is round-off.
        np.maximum(varying, 0, out=varying)
        varying += self.dtype.type(total)
        return varying


def diff_type(like: CellImage, value: float) -> np.floating:
    """``value`` in the precision of the cell."""
    return like.image.dtype.type(value)


def _compact_shape(
    stamps: list[Plane], shape: tuple[int, int], config: Settings
) -> tuple[int, int]:
    if config.workingPrecision == "double" or config.frequencyFloor == 0:
        return shape
    side = padded_length(max(4 * max(max(s.shape) for s in stamps), 96), "fast")
    return shape if side >= min(shape) else (side, side)


def _published_shape(
    science: tuple[int, ...], template: tuple[int, ...], config: Settings
) -> tuple[int, int]:
    if config.psfShape == "science":
        return (science[0], science[1])
    return (max(science[0], template[0]), max(science[1], template[1]))


def _cut_psf(psf: Plane, shape: tuple[int, int]) -> tuple[NDArray[np.float64], float]:
    """Unit-sum stamp, centre at n // 2, and its sum before normalisation."""
    stamp = pad_center_origin(psf, shape, inverse=True).astype(np.float64)
    total = float(stamp.sum())
    return (stamp / total if total else stamp), total


def _psf_flags(diff_sum: float, score_sum: float) -> list[Flag]:
    worst = max(abs(1 - diff_sum), abs(1 - score_sum))
    if worst <= _LOST_FLUX:
        return []
    cause = f"the stamps hold {diff_sum:.4f} of P_D and {score_sum:.4f} of P_S"
    return [raise_flag("PSF_FLUX_LOST", cause)]


def _by_severity(flags: tuple[Flag, ...]) -> tuple[Flag, ...]:
    return tuple(sorted(flags, key=lambda flag: -SEVERITIES.index(flag.severity)))

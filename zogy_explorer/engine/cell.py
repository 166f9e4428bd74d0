"""`subtract_cell`: the subtraction of one cell, and nothing but that.

The unit of batch work, of live tuning and of diagnosis: pure, thread-safe, and without
exceptions for bad data, which becomes flags.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.arithmetic import arithmetic_named
from zogy_explorer.engine.cell_cache import CellCache
from zogy_explorer.engine.cutout import CellImage, CellInput, Checkpoint, cut_cell
from zogy_explorer.engine.equations import Weights
from zogy_explorer.engine.finish import finish_planes
from zogy_explorer.engine.flags import raise_flag, tidied
from zogy_explorer.engine.fourier import pad_center_origin
from zogy_explorer.engine.grid import Cell, padded_length
from zogy_explorer.engine.growth import grow_bits, kernel_radius
from zogy_explorer.engine.moments import centroid
from zogy_explorer.engine.noise import check_noise, noise_flags
from zogy_explorer.engine.noise_terms import GRADIENT_REACH
from zogy_explorer.engine.plan import Settings, SubtractionPlan
from zogy_explorer.engine.planes import (
    CellPlanes,
    CellSpectra,
    Job,
    Spread,
    transform,
    transform_in_pieces,
)
from zogy_explorer.engine.result import CellResult, Plane
from zogy_explorer.engine.statistics import noise_sample
from zogy_explorer.engine.transfer import (
    CompactKernels,
    Transfer,
    TransferCache,
    TransferMaker,
    cell_transfer,
)
from zogy_explorer.engine.variance import SquaredKernel
from zogy_explorer.errors import CancelledError
from zogy_explorer.version import __version__

_REACH_SHARE = 1e-4  # of the squared kernels of S that may lie beyond the border
_NEGLIGIBLE = 1e-11  # share of a squared kernel beyond a piece's margin: 3e-6 σ
_PIECES_WORTH = 3  # area over a piece's from which pieces are faster than one transform
_FLOOR_SEEN = 1e-3  # a smaller floor leaves less than a thousandth of a star's peak
_LARGE_BLOCK = 31 << 20  # bytes
_LOST_FLUX = 0.01  # share of P_D or P_S outside its stamp that deserves a flag


def subtract_cell(
    plan: SubtractionPlan,
    cell: Cell,
    *,
    calculate_score: bool = True,
    checkpoint: Checkpoint | None = None,
    cache: TransferCache | None = None,
    room: CellPlanes | None = None,
    spread: Spread = map,
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
    cache
        Where to find and leave the kernels; cells with the same PSFs then share them. A
        `CellCache` keeps the cell's spectra too, for when it is wanted again with other weights.
    room
        Planes over the cell's region, from `Mosaic.room`, into which the result is written.
    spread
        How a function is called for each piece of a large cell: an executor's ``map``, unless
        this runs on it.

    Returns
    -------
    result
        Never raises for bad data: see ``result.flags``.
    """
    own = plan.for_cell(cell)
    if own is not plan:  # what the cache knows was made under the settings of the frame
        plan, cache = own, None
    return compute_cell(
        cache.cut(plan, cell) if isinstance(cache, CellCache) else cut_cell(plan, cell),
        calculate_score=calculate_score,
        checkpoint=checkpoint,
        cache=cache,
        room=room,
        spread=spread,
    )


def compute_cell(
    inputs: CellInput,
    *,
    calculate_score: bool = True,
    checkpoint: Checkpoint | None = None,
    cache: TransferCache | None = None,
    room: CellPlanes | None = None,
    spread: Spread = map,
) -> CellResult:
    """The same from a cut-out, which can travel to another process."""
    start = time.perf_counter()
    _keep_freed_memory()
    result = describe_cell(inputs)
    if result.worst != "failed" and inputs.science is not None and inputs.template is not None:
        try:
            result = _computed(
                result,
                inputs,
                inputs.science,
                inputs.template,
                cell_job(inputs, calculate_score, checkpoint, spread),
                cache,
                room,
            )
        except CancelledError:
            raise
        except Exception as error:  # one bad cell must not take the others with it
            cause = f"{type(error).__name__}: {error}"
            result = replace(result, flags=(raise_flag("CELL_ERROR", cause), *result.flags))
    timings = {**result.timings, "total": time.perf_counter() - start}
    return replace(result, timings=timings, flags=tidied(result.flags))


@functools.cache
def _keep_freed_memory() -> None:
    """Let the allocator keep what a cell frees for the next one; once for the process.

    glibc hands freed memory back to the system beyond twice the largest block that was ever
    freed (up to 32 MB); a cell's planes are small, so all their pages would be fetched anew,
    which costs as much as the transforms. A block that is freed untouched costs nothing.
    """
    np.empty(_LARGE_BLOCK, dtype=np.uint8)


def _no_checkpoint() -> None:
    """Work that nobody wants to stop."""


def cell_job(
    inputs: CellInput,
    calculate_score: bool,
    checkpoint: Checkpoint | None = None,
    spread: Spread = map,
) -> Job:
    """What is wanted of a cell, by its settings."""
    arithmetic = arithmetic_named(inputs.settings.arithmetic)
    return Job(calculate_score, inputs.terms, arithmetic, checkpoint or _no_checkpoint, spread)


def describe_cell(inputs: CellInput) -> CellResult:
    """What is known of a cell before any transform: PSFs, centroids, σ; and why it fails, if so."""
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
    job: Job,
    cache: TransferCache | None,
    room: CellPlanes | None,
) -> CellResult:
    job.checkpoint()
    with np.errstate(over="ignore", invalid="ignore"):  # `complete_cell` looks at the outcome
        planes, transfer = cell_planes(inputs, science, template, job, cache, room)
    return complete_cell(result, inputs, planes, transfer)


def complete_cell(
    result: CellResult, inputs: CellInput, planes: CellPlanes, transfer: Transfer
) -> CellResult:
    """The described cell with its planes, PSFs, mask and noise.

    Parameters
    ----------
    result
        From `describe_cell`.
    planes
        D and S over the region of the cell; changed in place.
    transfer
        The kernels that made them.
    """
    compact, weights = transfer.compact, transfer.weights
    arithmetic = arithmetic_named(inputs.settings.arithmetic)
    if not finish_planes(planes, weights.flux_diff, inputs.missing, arithmetic):
        cause = f"the transform of the cell is not finite in {planes.diff.dtype.name}"
        return replace(result, flags=(raise_flag("OVERFLOW", cause), *result.flags))
    psf_shape = published_shape(*inputs.stamps, inputs.settings)
    psf_diff, diff_sum = cut_psf(compact.psf_diff, psf_shape)
    psf_score, score_sum = cut_psf(compact.psf_score, psf_shape)
    result = replace(
        result,
        **planes.by_name(),
        mask=_grown_mask(inputs, compact, planes.score is not None),
        psf_diff=psf_diff,
        psf_score=psf_score,
        psf_diff_sum=diff_sum,
        psf_score_sum=score_sum,
        flux_score=transfer.flux_score,
        kernel_reach=_radius(compact.score_squares, _REACH_SHARE),
        frequency_floor=transfer.floor,
    )
    return _judged(result, inputs)


def cell_planes(
    inputs: CellInput,
    science: CellImage,
    template: CellImage,
    job: Job,
    cache: TransferCache | None,
    room: CellPlanes | None = None,
) -> tuple[CellPlanes, Transfer]:
    """D and S over the region, and the kernels that made them."""
    outer = inputs.cell.outer
    out = room
    if out is None or out.diff.dtype != science.image.dtype:
        out = CellPlanes.empty(
            inputs.region.shape, science.image.dtype, job.calculate_score, job.terms
        )
    images = (science.image, template.image)
    variances = (science.variance, template.variance)
    inside = inputs.region.slices((outer.x0, outer.y0))
    pieces = piece_transfer(inputs, science, template, cache)
    if pieces is not None:
        transfer, margin = pieces
        transform_in_pieces(images, variances, transfer, out, inside, margin, job)
        return out, transfer
    weights = cell_weights(science, template, inputs.settings)
    transfer = cell_transfer(science, template, weights, inputs.settings, outer.shape, cache)
    job.checkpoint()

    def make() -> CellSpectra:
        return CellSpectra.of(images, variances, job)

    if isinstance(cache, CellCache):
        spectra = cache.spectra(science, template, job.arithmetic.name, make)
        whole = transform(spectra, transfer, inside, job)
    else:
        whole = transform(make(), transfer, inside, job, overwrite=True)
    out.paste((slice(None), slice(None)), whole)
    return out, transfer


def piece_transfer(
    inputs: CellInput, science: CellImage, template: CellImage, cache: TransferCache | None
) -> tuple[Transfer, int] | None:
    """Kernels on a piece and its margin [px]; None if the cell is to be transformed whole."""
    config = inputs.settings
    if not config.pieceSize or inputs.cell.outer.area <= _PIECES_WORTH * config.pieceSize**2:
        return None
    weights = cell_weights(science, template, config)
    maker = TransferMaker(science, template, weights, config, cache or TransferCache())
    usual = padded_length(config.pieceSize, "fast")
    squares = maker.squares((usual, usual))
    margin = int(kernel_radius(squares, _NEGLIGIBLE)) + 1
    if inputs.terms.astrometric is not None:
        margin += GRADIENT_REACH
    if margin > usual // 4:
        return None
    ny, nx = (_piece_length(length, usual, margin) for length in inputs.region.shape)
    return maker.on((ny, nx)), margin


def _piece_length(length: int, usual: int, margin: int) -> int:
    """Side of about the ``usual`` one with which pieces cover ``length`` with little to spare."""
    n = max(round(length / (usual - 2 * margin)), 1)
    return padded_length(-(-length // n) + 2 * margin, "fast")


def _grown_mask(
    inputs: CellInput, compact: CompactKernels, calculate_score: bool
) -> NDArray[np.int32]:
    """Mask over the region, bad pixels spread as far as the kernels carry them."""
    mask = inputs.mask
    if inputs.settings.growMask > 0 and inputs.grows:
        squares = compact.squares if calculate_score else compact.diff_squares
        mask = grow_bits(mask, inputs.growing_bits, _radius(squares, inputs.settings.growMask))
    inside = inputs.region.slices((inputs.seen.x0, inputs.seen.y0))
    return np.ascontiguousarray(mask[inside])


def _radius(squares: Iterable[SquaredKernel], outside: float) -> float:
    return max(square.shares.radius(outside) for square in squares)


def _judged(result: CellResult, inputs: CellInput) -> CellResult:
    """The computed cell with its noise measured and what is noteworthy flagged."""
    assert result.mask is not None
    sample = noise_sample((result.mask.shape[0], result.mask.shape[1]))
    quiet = inputs.quiet
    if inputs.grows:
        quiet = quiet & ((result.mask[sample] & inputs.growing_bits) == 0)
    noise = check_noise(result, quiet)
    flags = list(result.flags)
    if all(flag.name != "SAME_IMAGE" for flag in flags):  # else there is no noise to judge
        flags += noise_flags(noise)
    sums = (result.psf_diff_sum, result.psf_score_sum)
    if max(abs(1 - total) for total in sums) > _LOST_FLUX:
        cause = f"the stamps hold {sums[0]:.4f} of P_D and {sums[1]:.4f} of P_S"
        flags.append(raise_flag("PSF_FLUX_LOST", cause))
    if result.kernel_reach > inputs.border:
        reach = math.ceil(result.kernel_reach)
        cause = f"the kernels of S reach {reach} px, the border is {inputs.border} px"
        # borderScale is no help where the stamps or minBorder make the border.
        field = "minBorder" if inputs.settings.borderSize is None else "borderSize"
        advice = f"Raise {field} to at least {reach} px."
        flags.append(raise_flag("BORDER_SHORT", cause, advice))
    if result.frequency_floor > _FLOOR_SEEN:
        cause = f"the floor is {result.frequency_floor:.2g} of the flux"
        flags.append(raise_flag("FREQUENCY_FLOOR", cause))
    return replace(result, noise=noise, flags=tuple(flags))


def published_shape(
    science: Plane | None, template: Plane | None, config: Settings
) -> tuple[int, int]:
    """Shape of P_D and P_S for the stamps of both images."""
    assert science is not None
    assert template is not None
    h, w = science.shape
    if config.psfShape == "science":
        return (h, w)
    return (max(h, template.shape[0]), max(w, template.shape[1]))


def cut_psf(psf: Plane, shape: tuple[int, int]) -> tuple[NDArray[np.float64], float]:
    """Unit-sum stamp, centre at n // 2, and its sum before normalisation."""
    stamp = pad_center_origin(psf, shape, inverse=True).astype(np.float64)
    total = float(stamp.sum())
    return (stamp / total if total else stamp), total
